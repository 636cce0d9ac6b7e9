//! The thirteen words of a job's `Status` and their groups (pai-dlc.md §4.1).

/// What a job is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Status {
    Creating,
    Queuing,
    Bidding,
    EnvPreparing,
    SanityChecking,
    Running,
    /// Its pods are replaced; nothing but a trouble of the control route restarts a job here.
    Restarting,
    Stopping,
    SucceededReserving,
    FailedReserving,
    Succeeded,
    Failed,
    Stopped,
}

/// Several states that a user would call one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Pending,
    Starting,
    Running,
    Cancelling,
    Reserving,
    Terminal,
}

impl Status {
    pub(super) const ALL: [Self; 13] = [
        Self::Creating,
        Self::Queuing,
        Self::Bidding,
        Self::EnvPreparing,
        Self::SanityChecking,
        Self::Running,
        Self::Restarting,
        Self::Stopping,
        Self::SucceededReserving,
        Self::FailedReserving,
        Self::Succeeded,
        Self::Failed,
        Self::Stopped,
    ];

    /// The service's own word, case-sensitive.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::Queuing => "Queuing",
            Self::Bidding => "Bidding",
            Self::EnvPreparing => "EnvPreparing",
            Self::SanityChecking => "SanityChecking",
            Self::Running => "Running",
            Self::Restarting => "Restarting",
            Self::Stopping => "Stopping",
            Self::SucceededReserving => "SucceededReserving",
            Self::FailedReserving => "FailedReserving",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Stopped => "Stopped",
        }
    }

    /// The status of a word.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }

    pub(super) const fn group(self) -> Group {
        match self {
            Self::Creating | Self::Queuing | Self::Bidding => Group::Pending,
            Self::EnvPreparing | Self::SanityChecking => Group::Starting,
            Self::Running | Self::Restarting => Group::Running,
            Self::Stopping => Group::Cancelling,
            Self::SucceededReserving | Self::FailedReserving => Group::Reserving,
            Self::Succeeded | Self::Failed | Self::Stopped => Group::Terminal,
        }
    }

    pub(super) const fn is_terminal(self) -> bool {
        matches!(self.group(), Group::Terminal)
    }
}

impl Group {
    /// Where jobs can be held: those that ended stay where they are anyway.
    const HOLDABLE: [Self; 5] = [
        Self::Pending,
        Self::Starting,
        Self::Running,
        Self::Cancelling,
        Self::Reserving,
    ];

    /// The generic word, as `--hold` takes it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Cancelling => "cancelling",
            Self::Reserving => "reserving",
            Self::Terminal => "terminal",
        }
    }

    /// The group of a generic word.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::HOLDABLE
            .into_iter()
            .find(|group| group.word() == word)
    }
}
