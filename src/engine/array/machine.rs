//! Which index is submitted when: a pure machine, told what came back and asked what to do next.

use std::collections::VecDeque;
use std::time::Duration;

/// The pause after a refusal for the rate, where the service names none; twice as long for each that follows.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// So many refusals for the rate without a create in between, and the array is given up for now.
const MOST_THROTTLES: u32 = 10;

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Submit the job of this index.
    Submit(u32),
    /// Nothing before this instant, or before something comes back.
    Hold(Duration),
    /// Nothing before a submit comes back, or a job ends.
    Wait,
    /// Everything is done that can be done.
    Done,
}

/// An array on its way. Instants are durations since its start.
#[derive(Debug)]
pub struct Machine {
    todo: VecDeque<u32>,
    parallel: usize,
    /// Whether a job occupies its place until it ends, not only while it is submitted.
    holds_places: bool,
    flying: usize,
    live: usize,
    held_until: Option<Duration>,
    /// Refusals for the rate since the last success.
    throttles: u32,
    stopped: bool,
}

impl Machine {
    /// These indices, so many at a time; with `holds_places` a job keeps its place until it ends, and `live` places are
    /// taken already.
    pub fn new(
        todo: impl IntoIterator<Item = u32>,
        parallel: u32,
        holds_places: bool,
        live: usize,
    ) -> Self {
        Self {
            todo: todo.into_iter().collect(),
            parallel: usize::try_from(parallel).unwrap_or(usize::MAX).max(1),
            holds_places,
            flying: 0,
            live,
            held_until: None,
            throttles: 0,
            stopped: false,
        }
    }

    /// What to do now; an index that is handed out counts as on its way.
    pub fn next(&mut self, now: Duration) -> Next {
        if self.stopped || self.todo.is_empty() {
            return if self.flying == 0 {
                Next::Done
            } else {
                Next::Wait
            };
        }
        if self.taken() >= self.parallel {
            return Next::Wait;
        }
        if let Some(until) = self.held_until.filter(|until| *until > now) {
            return Next::Hold(until);
        }
        // After a pause one goes ahead to find out: all at once would be refused again.
        if self.throttles > 0 && self.flying > 0 {
            return Next::Wait;
        }
        match self.todo.pop_front() {
            Some(index) => {
                self.flying += 1;
                Next::Submit(index)
            }
            None => Next::Wait,
        }
    }

    /// A job was made or found; `ended` if it is over already.
    pub fn accepted(&mut self, ended: bool, now: Duration) {
        self.flying = self.flying.saturating_sub(1);
        // What was sent before a refusal for the rate and comes back during the pause does not end it.
        if self.held_until.is_none_or(|until| until <= now) {
            self.throttles = 0;
            self.held_until = None;
        }
        if !ended {
            self.live += 1;
        }
    }

    /// The service refused for the rate: everybody waits. True when it was too often.
    pub fn throttled(&mut self, index: u32, wish: Option<Duration>, now: Duration) -> bool {
        self.flying = self.flying.saturating_sub(1);
        self.todo.push_front(index);
        let doubled = FIRST_PAUSE
            .saturating_mul(2_u32.saturating_pow(self.throttles))
            .min(LONGEST_PAUSE);
        let until = now + wish.unwrap_or(doubled);
        self.held_until = Some(self.held_until.map_or(until, |held| held.max(until)));
        self.throttles += 1;
        if self.throttles > MOST_THROTTLES {
            self.stopped = true;
        }
        self.stopped
    }

    /// What became of this one is not known: its place stays taken, since it may run.
    pub fn doubtful(&mut self, now: Duration) {
        self.accepted(false, now);
    }

    /// A refusal that the others would meet too: nothing more is submitted.
    pub fn refused(&mut self) {
        self.flying = self.flying.saturating_sub(1);
        self.stopped = true;
    }

    /// So many of the jobs have ended.
    pub fn ended(&mut self, jobs: usize) {
        self.live = self.live.saturating_sub(jobs);
    }

    /// Submits nothing more; what is on its way comes back by itself.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// Whether only the end of a job can make room for the next.
    pub fn waits_for_jobs(&self) -> bool {
        self.holds_places
            && !self.stopped
            && !self.todo.is_empty()
            && self.taken() >= self.parallel
            && self.live > 0
    }

    /// Indices that were not submitted.
    pub fn left(&self) -> usize {
        self.todo.len()
    }

    fn taken(&self) -> usize {
        if self.holds_places {
            self.flying + self.live
        } else {
            self.flying
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn submits(machine: &mut Machine, now: Duration) -> Vec<u32> {
        std::iter::from_fn(|| match machine.next(now) {
            Next::Submit(index) => Some(index),
            Next::Hold(_) | Next::Wait | Next::Done => None,
        })
        .collect()
    }

    #[test]
    fn a_driven_array_keeps_so_many_jobs_alive() {
        let mut machine = Machine::new(0..5, 2, true, 0);
        assert_eq!(submits(&mut machine, NOW), [0, 1]);
        machine.accepted(false, NOW);
        machine.accepted(true, NOW);
        assert_eq!(submits(&mut machine, NOW), [2]);
        machine.accepted(false, NOW);
        assert_eq!(machine.next(NOW), Next::Wait);
        assert!(machine.waits_for_jobs());
        machine.ended(2);
        assert_eq!(submits(&mut machine, NOW), [3, 4]);
        machine.accepted(false, NOW);
        machine.accepted(false, NOW);
        assert_eq!(machine.next(NOW), Next::Done);
    }

    #[test]
    fn a_detached_array_submits_all_so_many_at_a_time() {
        let mut machine = Machine::new(0..5, 2, false, 0);
        assert_eq!(submits(&mut machine, NOW), [0, 1]);
        machine.accepted(false, NOW);
        assert_eq!(submits(&mut machine, NOW), [2]);
        assert!(!machine.waits_for_jobs());
    }

    #[test]
    fn jobs_of_an_earlier_run_hold_their_places() {
        let mut machine = Machine::new(3..5, 2, true, 2);
        assert_eq!(machine.next(NOW), Next::Wait);
        assert!(machine.waits_for_jobs());
        machine.ended(1);
        assert_eq!(submits(&mut machine, NOW), [3]);
    }

    #[test]
    fn a_refusal_for_the_rate_holds_everybody_and_one_goes_ahead() {
        let mut machine = Machine::new(0..9, 3, false, 0);
        assert_eq!(submits(&mut machine, NOW), [0, 1, 2]);
        assert!(!machine.throttled(1, Some(seconds(7)), NOW));
        machine.accepted(false, seconds(1));
        assert!(!machine.throttled(2, Some(seconds(3)), seconds(1)));
        assert_eq!(machine.next(seconds(2)), Next::Hold(seconds(7)));
        assert_eq!(submits(&mut machine, seconds(7)), [2]);
        machine.accepted(false, seconds(7));
        assert_eq!(submits(&mut machine, seconds(7)), [1, 3, 4]);
    }

    #[test]
    fn an_overlapping_refusal_never_shortens_the_pause() {
        let mut machine = Machine::new(0..9, 3, false, 0);
        assert_eq!(submits(&mut machine, NOW), [0, 1, 2]);
        machine.throttled(0, Some(seconds(9)), NOW);
        machine.throttled(1, Some(seconds(1)), NOW);
        machine.throttled(2, None, NOW);
        assert_eq!(machine.next(NOW), Next::Hold(seconds(9)));
    }

    #[test]
    fn refusals_for_the_rate_end_an_array_that_never_gets_through() {
        let mut machine = Machine::new(0..2, 1, false, 0);
        let mut now = NOW;
        for _ in 0..MOST_THROTTLES {
            assert_eq!(machine.next(now), Next::Submit(0));
            assert!(!machine.throttled(0, None, now));
            now += LONGEST_PAUSE;
        }
        assert_eq!(machine.next(now), Next::Submit(0));
        assert!(machine.throttled(0, None, now));
        assert_eq!((machine.next(now), machine.left()), (Next::Done, 2));
    }

    #[test]
    fn a_definite_refusal_lets_the_others_come_back_and_submits_no_more() {
        let mut machine = Machine::new(0..9, 3, true, 0);
        assert_eq!(submits(&mut machine, NOW), [0, 1, 2]);
        machine.refused();
        assert_eq!(machine.next(NOW), Next::Wait);
        machine.accepted(false, NOW);
        machine.doubtful(NOW);
        assert_eq!((machine.next(NOW), machine.left()), (Next::Done, 6));
    }
}
