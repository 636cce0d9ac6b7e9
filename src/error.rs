//! The one error of the crate: what happened, to what, why, and what to do next.
//!
//! Its fields are those of `gpujob/error/v1` and its kinds are the words of the exit-code table (cli.md §4 and §6).
//! Modules have small errors of their own; they become this one at the module's border.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::model::{Receipt, Refusal};

/// A result with the crate's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The class of a failure. Each has one exit code (cli.md §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Usage,
    Spec,
    NotFound,
    Capacity,
    Auth,
    Config,
    Temporary,
    Protocol,
    OutcomeUnknown,
    Internal,
    JobFailed,
    JobCancelled,
    ResultUnknown,
    Rejected,
    Timeout,
    Interrupted,
    Terminated,
}

impl Kind {
    /// Every kind, in the order of the exit-code table.
    pub const ALL: [Self; 17] = [
        Self::Usage,
        Self::Spec,
        Self::NotFound,
        Self::Capacity,
        Self::Auth,
        Self::Config,
        Self::Temporary,
        Self::Protocol,
        Self::OutcomeUnknown,
        Self::Internal,
        Self::JobFailed,
        Self::JobCancelled,
        Self::ResultUnknown,
        Self::Rejected,
        Self::Timeout,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// The exit code of cli.md §6 (143 for SIGTERM: cli.md §10).
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Usage => 80,
            Self::Spec => 81,
            Self::NotFound => 82,
            Self::Capacity => 83,
            Self::Auth => 84,
            Self::Config => 85,
            Self::Temporary => 86,
            Self::Protocol => 87,
            Self::OutcomeUnknown => 88,
            Self::Internal => 89,
            Self::JobFailed => 90,
            Self::JobCancelled => 91,
            Self::ResultUnknown => 92,
            Self::Rejected => 93,
            Self::Timeout => 124,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// The word of cli.md §6, as it stands in `error.kind`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Spec => "spec",
            Self::NotFound => "not-found",
            Self::Capacity => "capacity",
            Self::Auth => "auth",
            Self::Config => "config",
            Self::Temporary => "temporary",
            Self::Protocol => "protocol",
            Self::OutcomeUnknown => "outcome-unknown",
            Self::Internal => "internal",
            Self::JobFailed => "job-failed",
            Self::JobCancelled => "job-cancelled",
            Self::ResultUnknown => "result-unknown",
            Self::Rejected => "rejected",
            Self::Timeout => "timeout",
            // SIGTERM is as Ctrl-C, but for the number (cli.md §10, "More codes").
            Self::Interrupted | Self::Terminated => "interrupted",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What went wrong, in the fields of `gpujob/error/v1`. Boxed: results stay small.
#[derive(Debug, Clone, PartialEq)]
pub struct Error(Box<Details>);

/// The fields of an [`Error`].
#[derive(Debug, Clone, PartialEq)]
pub struct Details {
    /// The class, which fixes the exit code.
    pub kind: Kind,
    /// A stable finer word (job-model.md §9 for refusals), such as `unknown_key`.
    pub code: Cow<'static, str>,
    /// One sentence: lower-case first letter, no full stop.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// The configured provider's name.
    pub provider: Option<String>,
    /// HTTP status of the answer.
    pub http_status: Option<u16>,
    /// The provider's own code.
    pub provider_code: Option<String>,
    /// The provider's id of the HTTP request.
    pub request_id: Option<String>,
    /// Whether the same command may succeed later.
    pub retryable: bool,
    /// How long the service wants to be left alone.
    pub retry_after: Option<Duration>,
    /// The job ref the error is about.
    pub job: Option<String>,
    /// The marker of a submit in doubt.
    pub marker: Option<String>,
    /// All refusals of a spec, at once.
    pub refusals: Vec<Refusal>,
    /// What an ambiguous name could have meant.
    pub candidates: Vec<String>,
    /// What became of each candidate of a submit.
    pub receipts: Vec<Receipt>,
    /// Underlying causes, outermost first.
    pub causes: Vec<String>,
}

impl Error {
    /// An error of `kind`; temporary ones are marked retryable.
    pub fn new(kind: Kind, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            kind,
            code: code.into(),
            message: message.into(),
            hint: None,
            provider: None,
            http_status: None,
            provider_code: None,
            request_id: None,
            retryable: kind == Kind::Temporary,
            retry_after: None,
            job: None,
            marker: None,
            refusals: Vec::new(),
            candidates: Vec::new(),
            receipts: Vec::new(),
            causes: Vec::new(),
        }))
    }

    /// An impossible case: a bug of gpujob, told as a sentence.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Kind::Internal, "internal", message)
            .with_hint("this is a bug in gpujob; run again with -vv and report what it prints")
    }

    /// All refusals of a spec as one error: `several` when there is more than one (cli.md §4).
    ///
    /// The kind is that of the gravest: a spec that cannot be expressed comes before what is not found or sold out.
    pub fn refused(provider: &str, refusals: Vec<Refusal>) -> Self {
        let kind = refusals
            .iter()
            .map(|refusal| refusal.kind)
            .min()
            .unwrap_or(Kind::Spec);
        let (code, message): (Cow<'static, str>, String) = match refusals.as_slice() {
            [only] => (
                only.code.as_str().into(),
                format!(
                    "`{provider}` cannot do this: `{}`: {}",
                    only.field, only.message
                ),
            ),
            several => (
                "several".into(),
                format!("`{provider}` cannot do this, for {} reasons", several.len()),
            ),
        };
        let mut error = Self::new(kind, code, message).with_provider(provider);
        error.0.candidates = refusals
            .iter()
            .flat_map(|refusal| refusal.candidates.iter().cloned())
            .collect();
        error.0.refusals = refusals;
        error
    }

    /// Replaces the class, where the place that reports it knows better what it means for the command.
    #[must_use]
    pub fn with_kind(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Replaces the sentence, for one that knows more.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.0.message = message.into();
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Names the provider, unless one is named already.
    #[must_use]
    pub fn with_provider(mut self, provider: &str) -> Self {
        self.0.provider.get_or_insert_with(|| provider.to_owned());
        self
    }

    /// Names the job.
    #[must_use]
    pub fn with_job(mut self, job: impl Into<String>) -> Self {
        self.0.job = Some(job.into());
        self
    }

    /// Names the marker of a submit in doubt.
    #[must_use]
    pub fn with_marker(mut self, marker: impl Into<String>) -> Self {
        self.0.marker = Some(marker.into());
        self
    }

    /// Lists what an ambiguous name could have meant.
    #[must_use]
    pub fn with_candidates(mut self, candidates: Vec<String>) -> Self {
        self.0.candidates = candidates;
        self
    }

    /// Tells what became of each candidate of a submit.
    #[must_use]
    pub fn with_receipts(mut self, receipts: Vec<Receipt>) -> Self {
        self.0.receipts = receipts;
        self
    }

    /// Carries refusals along.
    #[must_use]
    pub fn with_refusals(mut self, refusals: Vec<Refusal>) -> Self {
        self.0.refusals = refusals;
        self
    }

    /// Adds an underlying cause.
    #[must_use]
    pub fn with_cause(mut self, cause: impl fmt::Display) -> Self {
        self.0.causes.push(cause.to_string());
        self
    }

    /// Adds what the HTTP answer told.
    #[must_use]
    pub fn with_http(
        mut self,
        status: u16,
        provider_code: Option<String>,
        request_id: Option<String>,
    ) -> Self {
        self.0.http_status = Some(status);
        self.0.provider_code = provider_code;
        self.0.request_id = request_id;
        self
    }

    /// How long the service wants to be left alone; told to nobody, for those who pace requests.
    #[must_use]
    pub fn with_retry_after(mut self, pause: Option<Duration>) -> Self {
        self.0.retry_after = pause;
        self
    }

    /// Says whether the same command may succeed later.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = retryable;
        self
    }

    /// The class.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Whether somebody ended the command by a signal.
    pub fn is_interruption(&self) -> bool {
        matches!(self.kind(), Kind::Interrupted | Kind::Terminated)
    }

    /// The stable finer word.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The sentence.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// All fields.
    pub fn details(&self) -> &Details {
        &self.0
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RefusalCode;

    #[test]
    fn every_kind_has_its_own_code_and_word() {
        let mut codes: Vec<u8> = Kind::ALL.iter().map(|kind| kind.exit_code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Kind::ALL.len());
    }

    #[test]
    fn several_refusals_take_the_gravest_kind() {
        let error = Error::refused(
            "paracloud",
            vec![
                Refusal::new(RefusalCode::Capacity, "resources.gpu", "nothing free")
                    .with_kind(Kind::Capacity),
                Refusal::new(RefusalCode::UnsupportedField, "workdir", "no such concept"),
            ],
        );
        assert_eq!(error.kind(), Kind::Spec);
        assert_eq!(error.code(), "several");
        assert_eq!(error.details().refusals.len(), 2);
    }
}
