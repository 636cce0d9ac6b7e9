//! The rows of a list that is watched, what is new in them, and when to look again. Pure.

use std::time::Duration;

use crate::engine::wait::{is_news, is_tolerated};
use crate::error::{Error, Result};
use crate::model::Job;
use crate::provider::Polling;

const GROWTH: f64 = 1.5;
const JITTER: f64 = 0.1;
/// Against the sandbox the pauses stay near the first.
const LOOPBACK_CAP: u32 = 4;

/// The rows of every provider.
#[derive(Debug)]
pub(super) struct Board {
    places: Vec<Place>,
}

/// One provider's.
#[derive(Debug)]
struct Place {
    name: String,
    rows: Vec<Job>,
    is_failing: bool,
    is_lost: bool,
    first: Duration,
    cap: Duration,
    floor: Duration,
    pause: Duration,
}

/// What one look brought.
#[derive(Debug, PartialEq)]
pub(super) enum Turn {
    /// The jobs that are new or say something else, and whether looks had failed before.
    News { jobs: Vec<Job>, recovered: bool },
    /// Looks have begun to fail.
    Failing(Error),
    /// They go on failing.
    StillFailing,
    /// It makes no sense to ask again, such as with refused credentials.
    Lost(Error),
}

impl Board {
    pub(super) fn new(names: Vec<String>, pollings: &[Polling], first: Option<Duration>) -> Self {
        let places = names.into_iter().zip(pollings).map(|(name, polling)| {
            let (first, cap, floor) = match first {
                Some(first) if polling.loopback => (first, first * LOOPBACK_CAP, Duration::ZERO),
                Some(first) => (first.max(polling.first), polling.cap, polling.floor),
                None if polling.loopback => (polling.first, polling.cap, Duration::ZERO),
                None => (polling.first, polling.cap, polling.floor),
            };
            Place {
                name,
                rows: Vec::new(),
                is_failing: false,
                is_lost: false,
                first,
                cap: cap.max(first),
                floor,
                pause: first,
            }
        });
        Self {
            places: places.collect(),
        }
    }

    pub(super) fn name(&self, place: usize) -> &str {
        self.places.get(place).map_or("", |place| &place.name)
    }

    /// Every row, newest first within its provider.
    pub(super) fn rows(&self) -> Vec<&Job> {
        self.places.iter().flat_map(|place| &place.rows).collect()
    }

    pub(super) fn failing(&self) -> Vec<&str> {
        let failing = self.places.iter().filter(|place| place.is_failing);
        failing.map(|place| place.name.as_str()).collect()
    }

    /// When to look again; never where nothing can come of it.
    pub(super) fn pause(&self, place: usize) -> Option<Duration> {
        let place = self.places.get(place)?;
        (!place.is_lost).then_some(place.pause)
    }

    /// Takes one look. `fraction` is random, in `0.0..1.0`, for the jitter.
    pub(super) fn take(&mut self, place: usize, rows: Result<Vec<Job>>, fraction: f64) -> Turn {
        let Some(place) = self.places.get_mut(place) else {
            return Turn::StillFailing;
        };
        match rows {
            Ok(rows) => {
                let jobs = place.news(&rows);
                let recovered = std::mem::take(&mut place.is_failing);
                place.rows = rows;
                place.rest(!jobs.is_empty(), fraction, None);
                Turn::News { jobs, recovered }
            }
            Err(error) if !is_tolerated(error.kind()) => {
                place.is_lost = true;
                Turn::Lost(error)
            }
            Err(error) => {
                let was_failing = std::mem::replace(&mut place.is_failing, true);
                place.rest(false, fraction, error.details().retry_after);
                if was_failing {
                    Turn::StillFailing
                } else {
                    Turn::Failing(error)
                }
            }
        }
    }
}

impl Place {
    fn news(&self, rows: &[Job]) -> Vec<Job> {
        let is_new = |job: &&Job| {
            let before = self.rows.iter().find(|row| row.job_ref == job.job_ref);
            before.is_none_or(|before| is_news(before, job))
        };
        rows.iter().filter(is_new).cloned().collect()
    }

    /// Sets the next pause: short after news, then longer and longer, and never against the service's wish.
    fn rest(&mut self, has_news: bool, fraction: f64, wish: Option<Duration>) {
        let next = if has_news {
            self.first
        } else {
            self.pause.mul_f64(GROWTH).min(self.cap)
        };
        let jittered = next.mul_f64(1.0 + JITTER * (2.0 * fraction - 1.0));
        self.pause = jittered.max(self.floor).max(wish.unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use crate::model::{ResourceRef, State};

    const POLLING: Polling = Polling {
        misses: 2,
        first: Duration::from_secs(2),
        cap: Duration::from_secs(4),
        late_cap: Duration::from_secs(30),
        floor: Duration::from_secs(2),
        loopback: false,
    };

    fn job(id: &str, state: State) -> Job {
        Job::new(ResourceRef::new("paracloud", ["n", "c", id]), id, state)
    }

    fn board() -> Board {
        Board::new(vec!["paracloud".to_owned()], &[POLLING], None)
    }

    fn news(turn: Turn) -> Vec<String> {
        match turn {
            Turn::News { jobs, .. } => jobs.into_iter().map(|job| job.provider_id).collect(),
            Turn::Failing(_) | Turn::StillFailing | Turn::Lost(_) => panic!("no news"),
        }
    }

    #[test]
    fn what_is_new_or_says_something_else_is_news() {
        let mut board = board();
        let rows = vec![job("a", State::Pending), job("b", State::Running)];
        assert_eq!(news(board.take(0, Ok(rows.clone()), 0.5)), ["a", "b"]);
        assert!(news(board.take(0, Ok(rows), 0.5)).is_empty());
        let rows = vec![
            job("c", State::Pending),
            job("a", State::Running),
            job("b", State::Running),
        ];
        assert_eq!(news(board.take(0, Ok(rows), 0.5)), ["c", "a"]);
        assert_eq!(board.rows().len(), 3);
    }

    #[test]
    fn pauses_grow_to_the_cap_without_news_and_heed_the_service() {
        let mut board = board();
        let mut pauses = Vec::new();
        for _ in 0..3 {
            board.take(0, Ok(Vec::new()), 0.5);
            pauses.push(board.pause(0).unwrap().as_secs_f64());
        }
        assert_eq!(pauses, [3.0, 4.0, 4.0]);
        board.take(0, Ok(vec![job("a", State::Running)]), 0.5);
        assert_eq!(board.pause(0), Some(Duration::from_secs(2)));
        let busy = Error::new(Kind::Temporary, "http_429", "busy")
            .with_retry_after(Some(Duration::from_secs(60)));
        board.take(0, Err(busy), 0.5);
        assert_eq!(board.pause(0), Some(Duration::from_secs(60)));
    }

    #[test]
    fn an_outage_is_told_once_and_refused_credentials_end_the_questions() {
        let mut board = board();
        let busy = || Err(Error::new(Kind::Temporary, "http_503", "busy"));
        assert!(matches!(board.take(0, busy(), 0.5), Turn::Failing(_)));
        assert_eq!(board.take(0, busy(), 0.5), Turn::StillFailing);
        assert_eq!(board.failing(), ["paracloud"]);
        let turn = board.take(0, Ok(Vec::new()), 0.5);
        assert!(matches!(
            turn,
            Turn::News {
                recovered: true,
                ..
            }
        ));
        assert!(board.failing().is_empty());
        let refused = Err(Error::new(Kind::Auth, "http_401", "no"));
        assert!(matches!(board.take(0, refused, 0.5), Turn::Lost(_)));
        assert_eq!(board.pause(0), None);
    }
}
