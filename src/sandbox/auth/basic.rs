//! Basic credentials over the raw header, and the lock-out that follows wrong ones (cyclecloud.md §2.1 and §11.2).

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use thiserror::Error;

use crate::sandbox::clock::Clock;
use crate::secret::Secret;

#[cfg(test)]
mod tests;

/// A user and the password.
#[derive(Debug, Clone)]
pub struct Account {
    pub username: String,
    pub password: Secret,
}

/// Why a request is not let in. Which part was wrong is for the log; only the lock is told.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    #[error("there is no Authorization header")]
    Missing,
    #[error("there is more than one Authorization header")]
    Repeated,
    #[error("the Authorization header is not printable ASCII")]
    NotText,
    #[error("the Authorization header does not begin with `Basic `")]
    WrongScheme,
    #[error("the credentials are not padded base64, or have a blank before, in or after them")]
    NotBase64,
    #[error("the decoded credentials are not UTF-8")]
    NotUtf8,
    #[error("the decoded credentials hold no colon")]
    NoColon,
    #[error("there is no user of that name")]
    UnknownUser,
    #[error("the password is wrong")]
    WrongPassword,
    #[error("the account is locked after repeated failures")]
    Locked,
}

/// When repeated failures lock an account, and for how long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    pub failures: u32,
    /// The most that may lie between two failures of one series.
    pub within: Duration,
    pub lasts: Duration,
}

/// Failures by user name, also of names that nobody has: a stranger must not learn which exist.
#[derive(Debug, Default)]
pub struct Lockout {
    series: BTreeMap<String, Series>,
}

#[derive(Debug)]
struct Series {
    failures: u32,
    last: Duration,
    locked_at: Option<Duration>,
}

impl Lockout {
    /// Forgets every failure and opens every account.
    pub fn clear(&mut self) {
        self.series.clear();
    }

    /// Whether the account takes no password at all now; a lock that is over is forgotten with its series.
    fn is_locked(&mut self, username: &str, rule: &Rule, clock: &Clock) -> bool {
        let Some(locked_at) = self
            .series
            .get(username)
            .and_then(|series| series.locked_at)
        else {
            return false;
        };
        if clock.has_passed(locked_at, rule.lasts) {
            self.series.remove(username);
            return false;
        }
        true
    }

    fn note_failure(&mut self, username: &str, rule: &Rule, clock: &Clock) {
        let now = clock.elapsed();
        let series = self.series.entry(username.to_owned()).or_insert(Series {
            failures: 0,
            last: now,
            locked_at: None,
        });
        if clock.has_passed(series.last, rule.within) && rule.within > Duration::ZERO {
            series.failures = 0;
        }
        series.failures = series.failures.saturating_add(1);
        series.last = now;
        if series.failures >= rule.failures {
            series.locked_at = Some(now);
        }
    }
}

/// The account of a request. A wrong password counts against the name it came with; a header that names nobody cannot.
pub fn verify<'a>(
    headers: &HeaderMap,
    accounts: &'a [Account],
    lockout: &mut Lockout,
    rule: &Rule,
    clock: &Clock,
) -> Result<&'a Account, Refused> {
    let (username, password) = credentials(headers)?;
    if lockout.is_locked(&username, rule, clock) {
        return Err(Refused::Locked);
    }
    let account = accounts
        .iter()
        .find(|account| account.username == username)
        .ok_or(Refused::UnknownUser);
    let verified = account.and_then(|account| {
        if account.password == password {
            Ok(account)
        } else {
            Err(Refused::WrongPassword)
        }
    });
    match &verified {
        Ok(_) => drop(lockout.series.remove(&username)),
        Err(_) => lockout.note_failure(&username, rule, clock),
    }
    verified
}

/// User name and password of the one header: what comes before the first colon, and everything after it.
fn credentials(headers: &HeaderMap) -> Result<(String, Secret), Refused> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(Refused::Missing)?;
    if values.next().is_some() {
        return Err(Refused::Repeated);
    }
    let value = value.to_str().map_err(|_| Refused::NotText)?;
    let (scheme, encoded) = value.split_once(' ').ok_or(Refused::WrongScheme)?;
    // The name of a scheme has no case in HTTP.
    if !scheme.eq_ignore_ascii_case("Basic") {
        return Err(Refused::WrongScheme);
    }
    let decoded = STANDARD.decode(encoded).map_err(|_| Refused::NotBase64)?;
    let decoded = String::from_utf8(decoded).map_err(|_| Refused::NotUtf8)?;
    let (username, password) = decoded.split_once(':').ok_or(Refused::NoColon)?;
    Ok((username.to_owned(), Secret::new(password)))
}
