//! `--fail-if`: what ends a wait early, and how it is written (cli.md §6: exit 90). Pure.

use std::fmt;
use std::time::Duration;

use crate::error::{Error, Kind, Result};
use crate::model::{Job, ResourceRef, State};

const GRAMMAR: &str = "write `pending>DURATION`, such as pending>20m, or `reason=PATTERN`, such as reason=*BackOff, where `*` stands for any text and `?` for one character";

/// One condition under which waiting for a job is given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Not running for so long; a job that starts is not running yet (job-model.md §6).
    Pending { limit: Duration, text: String },
    /// A reason of the job, or of an event of it or its pods, that fits a pattern.
    Reason { pattern: String, text: String },
}

/// A condition that a job meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Met {
    pub job_ref: ResourceRef,
    pub condition: Condition,
    /// What was seen, such as `ImagePullBackOff` or `20m`.
    pub seen: String,
}

impl Condition {
    /// Reads a condition; `duration` reads a duration of a flag.
    pub fn parse(text: &str, duration: impl Fn(&str) -> Result<Duration>) -> Result<Self> {
        let trimmed = text.trim();
        if let Some((word, limit)) = trimmed.split_once('>')
            && word.trim() == "pending"
        {
            return Ok(Self::Pending {
                limit: duration(limit.trim())?,
                text: trimmed.to_owned(),
            });
        }
        match trimmed.split_once('=') {
            Some((word, pattern)) if word.trim() == "reason" && !pattern.trim().is_empty() => {
                Ok(Self::Reason {
                    pattern: pattern.trim().to_owned(),
                    text: trimmed.to_owned(),
                })
            }
            Some(_) | None => Err(Error::new(
                Kind::Usage,
                "bad_condition",
                format!("--fail-if: `{text}` is no condition"),
            )
            .with_hint(GRAMMAR)),
        }
    }

    /// How long a job may be without running, if this is about that.
    pub(super) fn limit(&self) -> Option<Duration> {
        match self {
            Self::Pending { limit, .. } => Some(*limit),
            Self::Reason { .. } => None,
        }
    }

    /// Whether this is about reasons, which events tell too.
    pub fn wants_reasons(&self) -> bool {
        matches!(self, Self::Reason { .. })
    }

    /// The first of some reasons that this condition is about. A word for what goes on well, such as `ImagePulling`, is
    /// no trouble that `ImagePull*` would mean; it counts where it is spelled out.
    pub(super) fn fits<'a>(&self, mut reasons: impl Iterator<Item = &'a str>) -> Option<&'a str> {
        match self {
            Self::Pending { .. } => None,
            Self::Reason { pattern, .. } => {
                let means_progress = is_progress(pattern);
                reasons.find(|reason| {
                    matches(pattern, reason) && (means_progress || !is_progress(reason))
                })
            }
        }
    }
}

/// Whether a reason or a pattern ends as words for something under way do: `Creating`, `ImagePulling`.
fn is_progress(word: &str) -> bool {
    word.to_ascii_lowercase().ends_with("ing")
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pending { text, .. } | Self::Reason { text, .. } => formatter.write_str(text),
        }
    }
}

impl Met {
    /// The error that a waiting command ends with.
    pub fn error(&self) -> Error {
        let Self {
            job_ref,
            condition,
            seen,
        } = self;
        let what = match condition {
            Condition::Pending { .. } => format!("{job_ref} has not been running for {seen}"),
            Condition::Reason { .. } => format!("{job_ref} tells `{seen}`"),
        };
        Error::new(
            Kind::JobFailed,
            "fail_if",
            format!("{what}: `--fail-if {condition}`"),
        )
        .with_provider(&job_ref.provider)
        .with_job(job_ref.to_string())
    }
}

/// Whether a job still waits for its resources or is being started, as its provider tells it.
pub fn is_waiting(job: &Job) -> bool {
    matches!(job.state, State::Pending | State::Starting)
}

/// Whether a text fits a pattern with `*` and `?`, without regard to the case of ASCII letters: providers spell the
/// same reason differently (pai-dlc.md §4.2).
fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.trim().chars().collect();
    let (mut at, mut from) = (0, 0);
    // Where the last `*` stands, and how much of the text it has taken.
    let mut star: Option<(usize, usize)> = None;
    while let Some(character) = text.get(from) {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || wanted.eq_ignore_ascii_case(character) => {
                at += 1;
                from += 1;
            }
            Some(_) | None => match star {
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    at = place + 1;
                    from = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern
        .get(at..)
        .is_some_and(|rest| rest.iter().all(|left| *left == '*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Condition> {
        Condition::parse(text, |text| {
            text.strip_suffix('m')
                .and_then(|count| count.parse().ok())
                .map(|minutes: u64| Duration::from_secs(60 * minutes))
                .ok_or_else(|| Error::new(Kind::Usage, "bad_duration", "no duration"))
        })
    }

    #[test]
    fn conditions_are_read() {
        let pending = parse("pending>20m").unwrap();
        assert_eq!(pending.limit(), Some(Duration::from_secs(1200)));
        assert_eq!(pending.to_string(), "pending>20m");
        assert_eq!(parse(" pending > 20m ").unwrap().limit(), pending.limit());
        let reason = parse("reason=ImagePull*").unwrap();
        assert!(reason.wants_reasons());
        assert_eq!(reason.to_string(), "reason=ImagePull*");
        // An equal sign may be a part of the pattern.
        assert!(
            parse("reason=a=b")
                .unwrap()
                .fits(["a=b"].into_iter())
                .is_some()
        );
    }

    #[test]
    fn what_is_no_condition_is_refused_with_the_grammar() {
        for text in [
            "",
            "pending",
            "pending<20m",
            "reason",
            "reason=",
            "running>2m",
            "reason>2m",
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(
                (error.kind(), error.code()),
                (Kind::Usage, "bad_condition"),
                "{text}"
            );
            let hint = error.details().hint.clone().unwrap();
            assert!(hint.contains("pending>DURATION") && hint.contains("reason=PATTERN"));
        }
        assert_eq!(parse("pending>20").unwrap_err().code(), "bad_duration");
    }

    #[test]
    fn patterns_fit_as_in_a_shell() {
        for (pattern, text, fits) in [
            ("ImagePull*", "ImagePullBackOff", true),
            ("ImagePull*", "ErrImagePull", false),
            ("*ImagePull*", "ErrImagePull", true),
            ("*BackOff", "ImagePullBackOff", true),
            ("*BackOff", "BackOffTooLong", false),
            ("imagepull?ackoff", "ImagePullBackOff", true),
            ("*a*b*c", "xxaxbbxxc", true),
            ("*a*b*c", "xxaxbbxx", false),
            ("Failed", "Failed", true),
            ("Failed", "FailedMount", false),
            ("*", "", true),
            ("?", "", false),
            ("镜像*", "镜像拉取失败", true),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn a_word_for_what_goes_on_well_is_no_trouble_unless_it_is_spelled_out() {
        let fits = |condition: &str, reason| {
            parse(condition)
                .unwrap()
                .fits([reason].into_iter())
                .is_some()
        };
        assert!(!fits("reason=ImagePull*", "ImagePulling"));
        assert!(!fits("reason=*", "ContainerCreating"));
        assert!(fits("reason=ImagePulling", "ImagePulling"));
        assert!(fits("reason=ImagePull*", "ImagePullBackOff"));
    }

    #[test]
    fn a_met_condition_ends_the_command_as_a_failed_job() {
        let met = Met {
            job_ref: ResourceRef::new("gongji", ["1"]),
            condition: parse("reason=ImagePull*").unwrap(),
            seen: "ImagePullBackOff".to_owned(),
        };
        let error = met.error();
        assert_eq!((error.kind().exit_code(), error.code()), (90, "fail_if"));
        assert_eq!(error.details().job.as_deref(), Some("gongji/1"));
        assert!(error.message().contains("ImagePullBackOff"));
    }
}
