//! The language of fault rules, `BACKEND:OPERATION:ACTION[:OPTION…]`, read into values. Pure.
//!
//! Every error says what was found and what would do.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use http::StatusCode;

use super::action::{self, Action, Lag, When, Word};
use crate::sandbox::operation::{Deed, Operation};
use crate::sandbox::service::RawRequest;

/// How long nothing is answered if a rule does not say: longer than any client waits.
const TIMEOUT: Duration = Duration::from_secs(600);

/// How long slow bytes take if a rule does not say.
const SLOW: Duration = Duration::from_secs(5);

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    text: String,
    provider: String,
    target: Target,
    pub(super) action: Action,
    pub(super) when: When,
    choice: Choice,
}

/// Which requests.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Any,
    Deed(Deed),
    /// A service's own word.
    Name(String),
    /// A method, or any, and a path in which `*` stands for anything.
    Path {
        method: Option<String>,
        path: String,
    },
}

/// How many of them.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Choice {
    probability: f64,
    times: Option<u64>,
    every: u64,
    skip: u64,
}

impl Rule {
    /// The backend's word, or `*`.
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// Whether a backend is meant.
    pub fn provider_matches(&self, backend: &str) -> bool {
        self.provider == "*" || self.provider == backend
    }

    /// The operation by a service's own word, if the rule names one so.
    pub(super) fn operation_name(&self) -> Option<&str> {
        match &self.target {
            Target::Name(name) => Some(name),
            Target::Any | Target::Deed(_) | Target::Path { .. } => None,
        }
    }

    /// Whether a request is meant.
    pub(super) fn matches(
        &self,
        backend: &str,
        operation: Operation,
        request: &RawRequest,
    ) -> bool {
        self.provider_matches(backend)
            && match &self.target {
                Target::Any => true,
                Target::Deed(deed) => *deed == operation.deed,
                Target::Name(name) => name == operation.name,
                Target::Path { method, path } => {
                    method
                        .as_ref()
                        .is_none_or(|method| method == request.method.as_str())
                        && glob(path.as_bytes(), request.path().as_bytes())
                }
            }
    }

    /// Whether the rule befalls the request that is its `seen`th, after `fired` others; `drawn` is from 0 to 1.
    pub(super) fn befalls(&self, seen: u64, fired: u64, drawn: f64) -> bool {
        let Choice {
            probability,
            times,
            every,
            skip,
        } = self.choice;
        seen > skip
            && (seen - skip).is_multiple_of(every)
            && times.is_none_or(|times| fired < times)
            && drawn < probability
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        read(text).map_err(|wrong| format!("fault rule `{text}`: {wrong}"))
    }
}

fn read(text: &str) -> Result<Rule, String> {
    let mut parts = text.split(':');
    let (Some(provider), Some(operation), Some(word)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(
            "it has too few parts; write BACKEND:OPERATION:ACTION, as in `paracloud:create:reset-after`"
                .to_owned(),
        );
    };
    if provider.is_empty() {
        return Err("the backend is missing; write `*` for all".to_owned());
    }
    let target = target(operation)?;
    let (word, when) = action::find(word)?;
    let options = Options::read(parts, word)?;
    let action = options.action(word)?;
    check_target(&target, action)?;
    Ok(Rule {
        text: text.to_owned(),
        provider: provider.to_owned(),
        target,
        action,
        when,
        choice: options.choice()?,
    })
}

fn target(text: &str) -> Result<Target, String> {
    if text.is_empty() {
        return Err("the operation is missing; write `*` for all".to_owned());
    }
    if text == "*" {
        return Ok(Target::Any);
    }
    if let Some(deed) = Deed::from_word(text) {
        return Ok(Target::Deed(deed));
    }
    let (method, path) = match text.split_once(' ') {
        Some((method, path)) => (Some(method), path),
        None => (None, text),
    };
    if path.starts_with('/') {
        return Ok(Target::Path {
            method: method.map(str::to_ascii_uppercase),
            path: path.to_owned(),
        });
    }
    match method {
        Some(_) => Err(format!(
            "`{text}` has a path that does not begin with a slash; write a method and a path, as in `POST /api/*`"
        )),
        None => Ok(Target::Name(text.to_owned())),
    }
}

/// Some actions are about jobs that are created or shown, and mean nothing elsewhere.
fn check_target(target: &Target, action: Action) -> Result<(), String> {
    let Target::Deed(deed) = target else {
        return Ok(());
    };
    match action {
        Action::Partial { .. } | Action::SoldOut if *deed != Deed::Create => Err(format!(
            "`{}` gives no nodes; `partial` and `sold-out` go with `create`",
            deed.word()
        )),
        Action::Lag(_) if !deed.shows_jobs() => Err(format!(
            "`{}` shows no jobs; `lag` goes with `list`, `get` or `*`",
            deed.word()
        )),
        Action::Partial { .. }
        | Action::SoldOut
        | Action::Lag(_)
        | Action::Reset
        | Action::Timeout(_)
        | Action::Throttle { .. }
        | Action::Status { .. }
        | Action::Truncated
        | Action::Torn
        | Action::Html
        | Action::Empty
        | Action::Slow(_)
        | Action::Delay(_)
        | Action::Skew(_) => Ok(()),
    }
}

/// The options of one rule; each at most once.
#[derive(Debug)]
struct Options<'a>(Vec<(&'a str, Option<&'a str>)>);

/// Those of every rule.
const CHOICES: [&str; 4] = ["p", "times", "every", "skip"];

impl<'a> Options<'a> {
    fn read(parts: impl Iterator<Item = &'a str>, word: Word) -> Result<Self, String> {
        let mut options: Vec<(&str, Option<&str>)> = Vec::new();
        for part in parts {
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (part, None),
            };
            if !CHOICES.contains(&name) && !word.options.contains(&name) {
                let known: Vec<&str> = word.options.iter().chain(&CHOICES).copied().collect();
                return Err(format!(
                    "`{}` has no option `{name}`; it has {}",
                    word.text,
                    known.join(", ")
                ));
            }
            if options.iter().any(|(known, _)| *known == name) {
                return Err(format!("`{name}` is given twice"));
            }
            if (name == "page") != value.is_none() {
                return Err(match value {
                    Some(_) => "`page` takes no value".to_owned(),
                    None => format!("`{name}` has no value; write `{name}=` and a number"),
                });
            }
            options.push((name, value));
        }
        Ok(Self(options))
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.and_then(|(_, value)| *value)
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| *known == name)
    }

    fn number(&self, name: &str, least: u64) -> Result<Option<u64>, String> {
        self.value(name)
            .map(|text| {
                text.parse()
                    .ok()
                    .filter(|number| *number >= least)
                    .ok_or_else(|| format!("`{name}={text}` is no whole number of {least} or more"))
            })
            .transpose()
    }

    fn seconds(&self, name: &str) -> Result<Option<Duration>, String> {
        self.value(name)
            .map(|text| {
                text.parse()
                    .ok()
                    .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                    .filter(|wait| *wait <= Duration::from_secs(86_400))
                    .ok_or_else(|| {
                        format!(
                            "`{name}={text}` is no number of seconds from 0 to 86400, as in `{name}=2` or `{name}=0.5`"
                        )
                    })
            })
            .transpose()
    }

    fn action(&self, word: Word) -> Result<Action, String> {
        let needed = |option: &str| format!("`{}` needs `{option}`", word.text);
        Ok(match word.text {
            "reset" => Action::Reset,
            "timeout" => Action::Timeout(self.seconds("for")?.unwrap_or(TIMEOUT)),
            "429" => Action::Throttle {
                retry_after: self.seconds("retry-after")?,
            },
            "truncated" => Action::Truncated,
            "torn" => Action::Torn,
            "html" => Action::Html,
            "empty" => Action::Empty,
            "slow" => Action::Slow(self.seconds("for")?.unwrap_or(SLOW)),
            "delay" => Action::Delay(self.seconds("for")?.ok_or_else(|| needed("for=SECONDS"))?),
            "skew" => {
                let text = self.value("by").ok_or_else(|| needed("by=SECONDS"))?;
                let seconds: Option<i64> = text.parse().ok();
                let seconds = seconds.filter(|seconds| seconds.unsigned_abs() <= 31_536_000);
                Action::Skew(seconds.ok_or_else(|| {
                    format!(
                        "`by={text}` is no whole number of seconds within a year, as in `by=-1200`"
                    )
                })?)
            }
            "lag" => Action::Lag(match (self.seconds("for")?, self.number("reads", 1)?) {
                (Some(wait), None) => Lag::For(wait),
                (None, Some(reads)) => Lag::Reads(reads),
                (None, None) => return Err(needed("for=SECONDS` or `reads=N")),
                (Some(_), Some(_)) => {
                    return Err("`for` and `reads` are two ways to say one thing".to_owned());
                }
            }),
            "partial" => Action::Partial {
                nodes: self.number("nodes", 0)?.ok_or_else(|| needed("nodes=N"))?,
            },
            "sold-out" => Action::SoldOut,
            status => Action::Status {
                status: status
                    .parse::<StatusCode>()
                    .map_err(|error| error.to_string())?,
                page: self.has("page"),
            },
        })
    }

    fn choice(&self) -> Result<Choice, String> {
        let probability = match self.value("p") {
            None => 1.0,
            Some(text) => text
                .parse()
                .ok()
                .filter(|share| (0.0..=1.0).contains(share))
                .ok_or_else(|| format!("`p={text}` is no share from 0 to 1, as in `p=0.3`"))?,
        };
        Ok(Choice {
            probability,
            times: self.number("times", 1)?,
            every: self.number("every", 1)?.unwrap_or(1),
            skip: self.number("skip", 0)?.unwrap_or(0),
        })
    }
}

/// Whether `*` in a pattern can stand for what the text has there.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => {
            (0..=text.len()).any(|skipped| text.get(skipped..).is_some_and(|tail| glob(rest, tail)))
        }
        Some((wanted, rest)) => text
            .split_first()
            .is_some_and(|(found, tail)| found == wanted && glob(rest, tail)),
    }
}
