//! Whether and when a request is sent again: one pure function, asked after every attempt.
//!
//! It never sleeps, never reads a clock and never judges an unclear create; figures are those of paracloud.md §5.4 and
//! pai-dlc.md §7.4.

#[cfg(test)]
mod tests;

use std::time::Duration;

use http::StatusCode;
use jiff::SignedDuration;
use jiff::fmt::rfc2822::DateTimeParser;

use crate::model::Timestamp;

use super::dialect::Repeat;
use super::{Answer, Safety};

/// The middle of the first pause; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause of our own choice.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The longest pause a server may wish for (pai-dlc.md §7.4).
const LONGEST_WISH: Duration = Duration::from_secs(120);
/// Repeats after a status 500: more often a fault of the request than of the moment (paracloud.md §5.4).
const REPEATS_OF_500: u32 = 2;

/// How an attempt ended, as far as a repeat is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing left this machine, for a reason that may pass: connection refused, no name, no connection in time.
    Unsent,
    /// It was sent and no whole answer came: reset, timeout.
    Lost,
    /// No repeat can help: a refused certificate, an answer that is too large.
    Lasting,
    /// An answer came, and the backend's dialect called it a failure.
    Answered {
        status: StatusCode,
        repeat: Repeat,
        /// What the answer's headers ask for, where the dialect names no time.
        wish: Option<Duration>,
    },
}

/// What the decision depends on.
#[derive(Debug, Clone, Copy)]
pub struct Situation {
    pub outcome: Outcome,
    pub safety: Safety,
    /// Repeats made so far.
    pub repeats: u32,
    /// Repeats allowed (`--retries`).
    pub allowed: u32,
    /// Answers with status 500 so far, this one included.
    pub internal_errors: u32,
    /// Whether the clock was corrected already.
    pub clock_corrected: bool,
    /// Until the deadline of the whole command.
    pub remaining: Option<Duration>,
    /// A random number in `0.0..1.0`.
    pub fraction: f64,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Stop,
    After(Duration),
}

/// Decides whether the request is sent again, and after which pause; never one that reaches the deadline.
pub fn decide(situation: &Situation) -> Decision {
    let decision = match situation.outcome {
        Outcome::Lasting => Decision::Stop,
        // Always safe, creates too: the service has not seen a byte.
        Outcome::Unsent => again(situation, None),
        // The service may have acted on it.
        Outcome::Lost => for_repeatable(situation, None),
        Outcome::Answered {
            status,
            repeat,
            wish,
        } => answered(situation, status, repeat, wish),
    };
    match (decision, situation.remaining) {
        (Decision::After(pause), Some(remaining)) if pause >= remaining => Decision::Stop,
        (decided, _) => decided,
    }
}

fn answered(
    situation: &Situation,
    status: StatusCode,
    repeat: Repeat,
    wish: Option<Duration>,
) -> Decision {
    // CycleCloud locks accounts out, and a wrong token stays wrong (paracloud.md §1.4, cli.md §10).
    if status == StatusCode::UNAUTHORIZED {
        return Decision::Stop;
    }
    if status == StatusCode::INTERNAL_SERVER_ERROR && situation.internal_errors > REPEATS_OF_500 {
        return Decision::Stop;
    }
    match repeat {
        Repeat::Useless => Decision::Stop,
        Repeat::Helpful { after } => for_repeatable(situation, after.or(wish)),
        Repeat::HarmlessAndHelpful { after } => again(situation, after.or(wish)),
        // Not counted among the repeats: the first attempt was our own mistake (cli.md §10, PAI-DLC).
        Repeat::WithServerTime(_) if situation.clock_corrected => Decision::Stop,
        Repeat::WithServerTime(_) => Decision::After(Duration::ZERO),
        Repeat::WithFreshNonce => for_repeatable(situation, Some(Duration::ZERO)),
    }
}

fn for_repeatable(situation: &Situation, wish: Option<Duration>) -> Decision {
    match situation.safety {
        Safety::Repeatable => again(situation, wish),
        Safety::Once => Decision::Stop,
    }
}

fn again(situation: &Situation, wish: Option<Duration>) -> Decision {
    if situation.repeats >= situation.allowed {
        return Decision::Stop;
    }
    Decision::After(wish.map_or_else(
        || own_pause(situation.repeats, situation.fraction),
        |wish| wish.min(LONGEST_WISH),
    ))
}

/// Doubles with every repeat; the jitter of half the pause either way keeps many clients apart.
fn own_pause(repeats: u32, fraction: f64) -> Duration {
    FIRST_PAUSE
        .saturating_mul(2_u32.saturating_pow(repeats))
        .min(LONGEST_PAUSE)
        .mul_f64(0.5 + fraction.clamp(0.0, 1.0))
        .min(LONGEST_PAUSE)
}

/// What an answer asks for: `x-acs-retry-after` in milliseconds, `Retry-After` in seconds or as an HTTP date.
///
/// A wish for no milliseconds is none: the header holds a positive number (pai-dlc.md §7.4).
/// A date is measured from the answer's own `Date`, so that a wrong clock here does not matter; else from `now`.
pub fn wish(answer: &Answer, now: Timestamp) -> Option<Duration> {
    let milliseconds = whole_number(answer.header("x-acs-retry-after"));
    if let Some(milliseconds) = milliseconds.filter(|milliseconds| *milliseconds > 0) {
        return Some(Duration::from_millis(milliseconds));
    }
    let text = answer.header("retry-after")?;
    if let Some(seconds) = whole_number(Some(text)) {
        return Some(Duration::from_secs(seconds));
    }
    let until = http_date(text)?;
    let from = server_time(answer).unwrap_or(now);
    Some(Duration::try_from(until.duration_since(from)).unwrap_or(Duration::ZERO))
}

/// The time an answer says it was made at.
pub fn server_time(answer: &Answer) -> Option<Timestamp> {
    http_date(answer.header("date")?)
}

/// The usual reading of a failed status, for dialects whose contract says nothing else: 408, 425, 429 and 5xx pass.
pub fn advice_of_status(status: StatusCode) -> Repeat {
    match status.as_u16() {
        408 | 425 | 429 | 500..=599 => Repeat::Helpful { after: None },
        _ => Repeat::Useless,
    }
}

/// How far the service's clock is ahead of ours; negative when it is behind.
pub fn clock_difference(server: Timestamp, here: Timestamp) -> SignedDuration {
    server.duration_since(here)
}

fn whole_number(text: Option<&str>) -> Option<u64> {
    text?.trim().parse().ok()
}

/// The instant of a date as HTTP writes it.
pub fn http_date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text.trim()).ok()
}
