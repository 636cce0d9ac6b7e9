//! The sandbox's own clock: real time plus a settable skew, and the speed at which delays pass (style.md §12).
//!
//! Two readings: [`Clock::now`] is what a service writes and checks signatures against, and jumps with the skew;
//! [`Clock::elapsed`] only grows, and delays are measured with it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::SignedDuration;

use crate::model::Timestamp;

/// The fastest the sandbox goes: beyond it every delay is none.
const MAXIMUM_SPEED: f64 = 1_000_000.0;

/// The slowest.
const MINIMUM_SPEED: f64 = 0.001;

/// A shared clock; clones show the same time.
#[derive(Debug, Clone)]
pub struct Clock {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    source: Source,
    skew: SignedDuration,
    speed: f64,
}

#[derive(Debug)]
enum Source {
    Real { start: Instant },
    Manual { start: Timestamp, elapsed: Duration },
}

impl Clock {
    /// This machine's clock, at normal speed.
    pub fn real() -> Self {
        Self::from_source(Source::Real {
            start: Instant::now(),
        })
    }

    /// A clock that stands still until [`Clock::advance`] moves it, for tests.
    pub fn manual(start: Timestamp) -> Self {
        Self::from_source(Source::Manual {
            start,
            elapsed: Duration::ZERO,
        })
    }

    /// The time of day as the service sees it.
    pub fn now(&self) -> Timestamp {
        let inner = self.lock();
        let now = match inner.source {
            Source::Real { .. } => Timestamp::now(),
            Source::Manual { start, elapsed } => shifted(start, signed(elapsed)),
        };
        shifted(now, inner.skew)
    }

    /// Time since the clock was made; never affected by skew.
    pub fn elapsed(&self) -> Duration {
        match self.lock().source {
            Source::Real { start } => start.elapsed(),
            Source::Manual { elapsed, .. } => elapsed,
        }
    }

    /// Whether a delay that began at `since` (a reading of [`Clock::elapsed`]) is over at the present speed.
    pub fn has_passed(&self, since: Duration, delay: Duration) -> bool {
        let speed = self.speed();
        self.elapsed().saturating_sub(since).as_secs_f64() * speed >= delay.as_secs_f64()
    }

    /// How many seconds of a delay pass in one second.
    pub fn speed(&self) -> f64 {
        self.lock().speed
    }

    /// Changes the speed of all delays, also of those that run already.
    pub fn set_speed(&self, speed: f64) -> Result<(), String> {
        if !(MINIMUM_SPEED..=MAXIMUM_SPEED).contains(&speed) {
            return Err(format!(
                "speed `{speed}` is out of range; give a number from {MINIMUM_SPEED} to {MAXIMUM_SPEED}"
            ));
        }
        self.lock().speed = speed;
        Ok(())
    }

    /// How far the service's clock is ahead of this machine's.
    pub fn skew(&self) -> SignedDuration {
        self.lock().skew
    }

    /// Sets how far the service's clock is ahead of this machine's.
    pub fn set_skew(&self, skew: SignedDuration) -> Result<(), String> {
        if Timestamp::now().checked_add(skew).is_err() {
            return Err(format!(
                "a clock offset of {} s leaves the calendar",
                skew.as_secs()
            ));
        }
        self.lock().skew = skew;
        Ok(())
    }

    /// An instant of this machine's clock, such as the end of a process, as the service would have read it.
    pub fn seen_by_service(&self, instant: Timestamp) -> Timestamp {
        let inner = self.lock();
        match inner.source {
            Source::Real { .. } => shifted(instant, inner.skew),
            Source::Manual { start, elapsed } => {
                shifted(shifted(start, signed(elapsed)), inner.skew)
            }
        }
    }

    /// Moves a manual clock on; a real one goes by itself.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual { elapsed, .. } = &mut self.lock().source {
            *elapsed = elapsed.saturating_add(by);
        }
    }

    fn from_source(source: Source) -> Self {
        Self {
            inner: Arc::new(Mutex::new(Inner {
                source,
                skew: SignedDuration::ZERO,
                speed: 1.0,
            })),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

fn shifted(instant: Timestamp, by: SignedDuration) -> Timestamp {
    instant.saturating_add(by).unwrap_or(instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock() -> Clock {
        Clock::manual("2024-03-08T01:15:02Z".parse().unwrap())
    }

    #[test]
    fn the_skew_moves_the_time_of_day_and_no_delay() {
        let clock = clock();
        let shared = clock.clone();
        shared.set_skew(SignedDuration::from_secs(1200)).unwrap();
        clock.advance(Duration::from_secs(3));
        assert_eq!(clock.now().to_string(), "2024-03-08T01:35:05Z");
        assert_eq!(clock.elapsed(), Duration::from_secs(3));
    }

    #[test]
    fn a_delay_passes_faster_at_a_higher_speed() {
        let clock = clock();
        clock.advance(Duration::from_secs(1));
        assert!(!clock.has_passed(Duration::ZERO, Duration::from_secs(10)));
        clock.set_speed(10.0).unwrap();
        assert!(clock.has_passed(Duration::ZERO, Duration::from_secs(10)));
        assert!(!clock.has_passed(Duration::from_secs(1), Duration::from_secs(10)));
    }

    #[test]
    fn impossible_speeds_and_offsets_are_refused() {
        let clock = clock();
        for speed in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(clock.set_speed(speed).is_err(), "{speed}");
        }
        assert!(clock.set_skew(SignedDuration::MAX).is_err());
        assert!((clock.speed() - 1.0).abs() < f64::EPSILON);
    }
}
