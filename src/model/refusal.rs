//! Why a provider cannot take a job as asked (job-model.md §9).

use crate::error::Kind;

/// One machine-readable word per refusal; scripts rely on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusalCode {
    UnsupportedField,
    UnsupportedValue,
    ConflictingFields,
    MissingField,
    NoMatchingResource,
    Capacity,
    VolumeMismatch,
    SecretExposure,
    EmulationDisabled,
}

impl RefusalCode {
    /// The word of job-model.md §9.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnsupportedField => "unsupported_field",
            Self::UnsupportedValue => "unsupported_value",
            Self::ConflictingFields => "conflicting_fields",
            Self::MissingField => "missing_field",
            Self::NoMatchingResource => "no_matching_resource",
            Self::Capacity => "capacity",
            Self::VolumeMismatch => "volume_mismatch",
            Self::SecretExposure => "secret_exposure",
            Self::EmulationDisabled => "emulation_disabled",
        }
    }

    /// The class a refusal of this code has unless it says otherwise (cli.md §10).
    const fn usual_kind(self) -> Kind {
        match self {
            Self::UnsupportedField
            | Self::UnsupportedValue
            | Self::ConflictingFields
            | Self::MissingField
            | Self::VolumeMismatch
            | Self::SecretExposure
            | Self::EmulationDisabled => Kind::Spec,
            Self::NoMatchingResource | Self::Capacity => Kind::Capacity,
        }
    }
}

/// One refused field, with the nearest alternative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: RefusalCode,
    /// The class it has among exit codes.
    pub kind: Kind,
    /// Path of the spec field.
    pub field: String,
    /// What cannot be done, and why.
    pub message: String,
    /// What would do instead.
    pub alternative: Option<String>,
    /// What it could mean, where it is ambiguous; told as the error's candidates.
    pub candidates: Vec<String>,
}

impl Refusal {
    /// A refusal with the usual kind of its code.
    pub fn new(code: RefusalCode, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code,
            kind: code.usual_kind(),
            field: field.into(),
            message: message.into(),
            alternative: None,
            candidates: Vec::new(),
        }
    }

    /// Another kind than the code's usual one, such as `not-found` for a type that does not exist.
    #[must_use]
    pub fn with_kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// What an ambiguous value could mean.
    #[must_use]
    pub fn with_candidates(mut self, candidates: impl IntoIterator<Item = String>) -> Self {
        self.candidates.extend(candidates);
        self
    }

    /// What would do instead.
    #[must_use]
    pub fn with_alternative(mut self, alternative: impl Into<String>) -> Self {
        self.alternative = Some(alternative.into());
        self
    }
}
