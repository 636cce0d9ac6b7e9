//! What a test can change about the service: each point that the contract leaves open has a switch (pai-dlc.md §10).

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::reply::Refusal;
use super::routes::Operation;
use super::status::{Group, Status};

/// All switches.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one independent question that the contract leaves open"
)]
pub(super) struct Switches {
    /// Jobs that come here stay here. `hold`: a generic word (`pending`, `starting`, `running`, `cancelling`,
    /// `reserving`), a status of the service, or null.
    pub(super) hold: Option<Hold>,
    /// `advance`: `"time"`, `"at-once"` or `{"reads": N}`.
    pub(super) advance: Advance,
    /// `delays`: seconds in a status at speed 1, by its word.
    pub(super) delays: BTreeMap<Status, f64>,
    /// `minute_seconds`: how long a minute of `JobMaxRunningTimeMinutes` and `JobReservedMinutes` is.
    pub(super) minute_seconds: f64,
    /// `stop_reason`: `StoppedByUser` or `JobStoppedByUser` (§4.2).
    pub(super) stop_reason: String,
    /// `time_limit_ends`: `Stopped` or `Failed` (§10, 8).
    pub(super) time_limit_ends: Status,
    /// `status_detail`: pods tell their exit code (§10, 20).
    pub(super) status_detail: bool,
    /// `first_worker_is_master` (§10, 16).
    pub(super) first_worker_is_master: bool,
    /// `master_on_loopback`: `MASTER_ADDR` is 127.0.0.1, so that a rendezvous works on one machine.
    pub(super) master_on_loopback: bool,
    /// `show_status`: job id or `*` to the word that is shown instead of the status (§10, 2).
    pub(super) shown_status: BTreeMap<String, String>,
    /// `log_keeps`: `newest` or `oldest` of more than `MaxLines` (§10, 5).
    pub(super) log_keeps_newest: bool,
    /// `log_order`: `oldest-first` or `newest-first`.
    pub(super) log_oldest_first: bool,
    /// `log_most_lines`: more lines are not answered, whatever `MaxLines` is, or null.
    pub(super) log_most_lines: Option<usize>,
    /// `no_stock`: nothing is free.
    pub(super) no_stock: bool,
    /// `deny`: actions that answer 403 `Forbidden.RAM`.
    denied: BTreeSet<String>,
    /// `throttle`: `{"status", "code", "retry_after", "times", "action"}`, each with a default, or null (§10, 11 and 23).
    throttle: Option<Throttle>,
}

/// Where jobs stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    Group(Group),
    Status(Status),
}

impl Throttle {
    fn shown(&self) -> Value {
        json!({
            "status": self.status.as_u16(),
            "code": self.code,
            "retry_after": self.retry_after,
            "times": self.times,
            "action": self.action,
        })
    }
}

impl Hold {
    const fn word(self) -> &'static str {
        match self {
            Self::Group(group) => group.word(),
            Self::Status(status) => status.word(),
        }
    }

    /// Whether a job that stands at `from` may not go to `to`.
    pub(super) fn keeps(self, from: Status, to: Status) -> bool {
        match self {
            Self::Group(group) => from.group() == group && to.group() != group,
            Self::Status(status) => from == status,
        }
    }
}

/// What moves jobs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Advance {
    Time,
    AtOnce,
    Reads(u32),
}

#[derive(Debug, Clone)]
struct Throttle {
    status: StatusCode,
    code: String,
    retry_after: Option<u64>,
    times: Option<u64>,
    action: Option<String>,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            hold: None,
            advance: Advance::Time,
            delays: [
                (Status::Creating, 1.0),
                (Status::Queuing, 2.0),
                (Status::Bidding, 2.0),
                (Status::EnvPreparing, 3.0),
                (Status::SanityChecking, 2.0),
                (Status::Restarting, 2.0),
                (Status::Stopping, 1.0),
            ]
            .into(),
            minute_seconds: 60.0,
            stop_reason: "StoppedByUser".to_owned(),
            time_limit_ends: Status::Stopped,
            status_detail: false,
            first_worker_is_master: true,
            master_on_loopback: false,
            shown_status: BTreeMap::new(),
            log_keeps_newest: true,
            log_oldest_first: true,
            log_most_lines: None,
            no_stock: false,
            denied: BTreeSet::new(),
            throttle: None,
        }
    }
}

impl Switches {
    /// The switches after `settings`, or what is wrong with them.
    pub(super) fn with(&self, settings: &Value) -> Result<Self, String> {
        let Value::Object(settings) = settings else {
            return Err("settings must be an object".to_owned());
        };
        let mut changed = self.clone();
        for (name, value) in settings {
            changed
                .set(name, value)
                .map_err(|wanted| format!("`{name}` must be {wanted}, not {value}"))?;
        }
        Ok(changed)
    }

    /// Sets one switch; the error says what it takes.
    fn set(&mut self, name: &str, value: &Value) -> Result<(), String> {
        match name {
            "hold" => self.hold = hold(value)?,
            "advance" => self.advance = advance(value)?,
            "delays" => {
                for (word, seconds) in members(value)? {
                    let status = Status::from_word(word)
                        .ok_or_else(|| format!("by status, and `{word}` is none"))?;
                    self.delays.insert(status, positive(seconds)?);
                }
            }
            "minute_seconds" => self.minute_seconds = positive(value)?,
            "stop_reason" => {
                word(value, &["StoppedByUser", "JobStoppedByUser"])?
                    .clone_into(&mut self.stop_reason);
            }
            "time_limit_ends" => {
                self.time_limit_ends = match word(value, &["Stopped", "Failed"])? {
                    "Failed" => Status::Failed,
                    _ => Status::Stopped,
                };
            }
            "status_detail" => self.status_detail = flag(value)?,
            "first_worker_is_master" => self.first_worker_is_master = flag(value)?,
            "master_on_loopback" => self.master_on_loopback = flag(value)?,
            "show_status" => self.shown_status = shown_status(value)?,
            "log_keeps" => self.log_keeps_newest = word(value, &["newest", "oldest"])? == "newest",
            "log_order" => {
                self.log_oldest_first =
                    word(value, &["oldest-first", "newest-first"])? == "oldest-first";
            }
            "log_most_lines" => self.log_most_lines = lines(value)?,
            "no_stock" => self.no_stock = flag(value)?,
            "deny" => self.denied = denied(value)?,
            "throttle" => self.throttle = throttle(value)?,
            _ => return Err("a switch of this service (it has none of this name)".to_owned()),
        }
        Ok(())
    }

    /// The switches under their names, in the form in which they can be set.
    pub(super) fn shown(&self) -> Value {
        let delays: Map<String, Value> = self
            .delays
            .iter()
            .map(|(status, seconds)| (status.word().to_owned(), json!(seconds)))
            .collect();
        json!({
            "hold": self.hold.map(Hold::word),
            "advance": match self.advance {
                Advance::Time => json!("time"),
                Advance::AtOnce => json!("at-once"),
                Advance::Reads(reads) => json!({ "reads": reads }),
            },
            "delays": delays,
            "minute_seconds": self.minute_seconds,
            "stop_reason": self.stop_reason,
            "time_limit_ends": self.time_limit_ends.word(),
            "status_detail": self.status_detail,
            "first_worker_is_master": self.first_worker_is_master,
            "master_on_loopback": self.master_on_loopback,
            "show_status": self.shown_status,
            "log_keeps": if self.log_keeps_newest { "newest" } else { "oldest" },
            "log_order": if self.log_oldest_first { "oldest-first" } else { "newest-first" },
            "log_most_lines": self.log_most_lines,
            "no_stock": self.no_stock,
            "deny": self.denied,
            "throttle": self.throttle.as_ref().map(Throttle::shown),
        })
    }

    /// The refusal that is scripted for an operation, counted down.
    pub(super) fn refuse(&mut self, operation: Operation, user: &str) -> Option<Refusal> {
        let action = operation.action();
        if let Some(throttle) = &mut self.throttle
            && throttle.action.as_deref().is_none_or(|only| only == action)
        {
            let refusal = Refusal {
                retry_after_milliseconds: throttle.retry_after,
                ..Refusal::gateway(
                    throttle.status,
                    &throttle.code,
                    "Request was denied due to user flow control.",
                )
            };
            match &mut throttle.times {
                None => return Some(refusal),
                Some(0) => self.throttle = None,
                Some(times) => {
                    *times -= 1;
                    return Some(refusal);
                }
            }
        }
        self.denied.contains(action).then(|| Refusal {
            access_denied: Some(Box::new(json!({
                "AuthAction": format!("paidlc:{action}"),
                "AuthPrincipalType": "SubUser",
                "AuthPrincipalDisplayName": user,
                "PolicyType": "AccountLevelIdentityBasedPolicy",
                "NoPermissionType": "ImplicitDeny",
            }))),
            ..Refusal::gateway(
                StatusCode::FORBIDDEN,
                "Forbidden.RAM",
                "User not authorized to operate on the specified resource, or this API doesn't support RAM.",
            )
        })
    }

    /// The word that is shown instead of a job's status.
    pub(super) fn shown_status(&self, job: &str) -> Option<&str> {
        self.shown_status
            .get(job)
            .or_else(|| self.shown_status.get("*"))
            .map(String::as_str)
    }
}

fn hold(value: &Value) -> Result<Option<Hold>, String> {
    if value.is_null() {
        return Ok(None);
    }
    let found = value.as_str().and_then(|word| {
        Group::from_word(word)
            .map(Hold::Group)
            .or_else(|| Status::from_word(word).map(Hold::Status))
    });
    found.map(Some).ok_or_else(|| {
        "pending, starting, running, cancelling, reserving, a Status of the service or null"
            .to_owned()
    })
}

fn advance(value: &Value) -> Result<Advance, String> {
    match value.as_str() {
        Some("time") => return Ok(Advance::Time),
        Some("at-once") => return Ok(Advance::AtOnce),
        Some(_) | None => {}
    }
    value
        .get("reads")
        .and_then(Value::as_u64)
        .and_then(|reads| u32::try_from(reads).ok())
        .map(Advance::Reads)
        .ok_or_else(|| "\"time\", \"at-once\" or {\"reads\": N}".to_owned())
}

fn shown_status(value: &Value) -> Result<BTreeMap<String, String>, String> {
    if value.is_null() {
        return Ok(BTreeMap::new());
    }
    members(value)?
        .iter()
        .filter(|(_, word)| !word.is_null())
        .map(|(job, word)| match word.as_str() {
            Some(word) => Ok((job.clone(), word.to_owned())),
            None => Err("an object of job ids (or `*`) and texts".to_owned()),
        })
        .collect()
}

fn denied(value: &Value) -> Result<BTreeSet<String>, String> {
    let wanted = || "a list of operations".to_owned();
    value
        .as_array()
        .ok_or_else(wanted)?
        .iter()
        .map(|action| {
            let action = action.as_str().ok_or_else(wanted)?;
            let operation = Operation::from_action(action)
                .ok_or_else(|| format!("a list of operations; `{action}` is none"))?;
            Ok(operation.action().to_owned())
        })
        .collect()
}

fn throttle(value: &Value) -> Result<Option<Throttle>, String> {
    if value.is_null() {
        return Ok(None);
    }
    let mut throttle = Throttle {
        status: StatusCode::TOO_MANY_REQUESTS,
        code: "Throttling.User".to_owned(),
        retry_after: None,
        times: None,
        action: None,
    };
    for (name, value) in members(value)? {
        let number = || {
            value
                .as_u64()
                .ok_or_else(|| format!("an object whose `{name}` is a whole number"))
        };
        match name.as_str() {
            "status" => {
                throttle.status = u16::try_from(number()?)
                    .ok()
                    .and_then(|status| StatusCode::from_u16(status).ok())
                    .filter(|status| matches!(status.as_u16(), 400 | 429 | 503))
                    .ok_or("an object whose `status` is 400, 429 or 503")?;
            }
            "code" => {
                value
                    .as_str()
                    .filter(|code| code.starts_with("Throttling"))
                    .ok_or("an object whose `code` begins with Throttling")?
                    .clone_into(&mut throttle.code);
            }
            _ if value.is_null() => {}
            "retry_after" => throttle.retry_after = Some(number()?),
            "times" => throttle.times = Some(number()?),
            "action" => {
                let action = value.as_str().and_then(Operation::from_action);
                let action = action.ok_or("an object whose `action` is an operation")?;
                throttle.action = Some(action.action().to_owned());
            }
            _ => return Err(format!("an object without `{name}`")),
        }
    }
    Ok(Some(throttle))
}

fn members(value: &Value) -> Result<&Map<String, Value>, String> {
    value.as_object().ok_or_else(|| "an object".to_owned())
}

fn flag(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| "true or false".to_owned())
}

fn lines(value: &Value) -> Result<Option<usize>, String> {
    if value.is_null() {
        return Ok(None);
    }
    value
        .as_u64()
        .and_then(|lines| usize::try_from(lines).ok())
        .filter(|lines| *lines > 0)
        .map(Some)
        .ok_or_else(|| "a number of lines, 1 or more, or null".to_owned())
}

fn positive(value: &Value) -> Result<f64, String> {
    value
        .as_f64()
        .filter(|seconds| seconds.is_finite() && *seconds >= 0.0)
        .ok_or_else(|| "seconds, 0 or more".to_owned())
}

fn word<'a>(value: &'a Value, words: &[&str]) -> Result<&'a str, String> {
    value
        .as_str()
        .filter(|word| words.contains(word))
        .ok_or_else(|| words.join(" or "))
}
