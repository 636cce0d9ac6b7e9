//! What requests are called across services, and what a service is asked to say in its own words: the words of fault
//! rules (`faults/`).

use std::time::Duration;

use http::StatusCode;

/// What a request means, whatever its service calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// A job is created.
    Create,
    /// One job, or what became of one create, is read.
    Get,
    /// Jobs are listed or searched.
    List,
    /// A job is stopped.
    Cancel,
    Types,
    Logs,
    Events,
    Cost,
    Volumes,
    Namespaces,
    /// Files of a volume are read or written.
    Files,
    /// Anything else, and what is no request of this API.
    Other,
}

impl Deed {
    /// Every deed, in the order of the documentation.
    pub const ALL: [Self; 12] = [
        Self::Create,
        Self::Get,
        Self::List,
        Self::Cancel,
        Self::Types,
        Self::Logs,
        Self::Events,
        Self::Cost,
        Self::Volumes,
        Self::Namespaces,
        Self::Files,
        Self::Other,
    ];

    /// The word in fault rules.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Get => "get",
            Self::List => "list",
            Self::Cancel => "cancel",
            Self::Types => "types",
            Self::Logs => "logs",
            Self::Events => "events",
            Self::Cost => "cost",
            Self::Volumes => "volumes",
            Self::Namespaces => "namespaces",
            Self::Files => "files",
            Self::Other => "other",
        }
    }

    /// The deed of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|deed| deed.word() == word)
    }

    /// Whether the answer shows jobs that were created before.
    pub const fn shows_jobs(self) -> bool {
        matches!(self, Self::Get | Self::List)
    }
}

/// A request's name with its service, and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// The service's own word, such as `CreateJob`; empty for what is no request of this API.
    pub name: &'static str,
    pub deed: Deed,
}

impl Operation {
    /// What no route knows.
    pub const UNKNOWN: Self = Self::new("", Deed::Other);

    /// An operation.
    pub const fn new(name: &'static str, deed: Deed) -> Self {
        Self { name, deed }
    }
}

/// An answer that a fault rule wants in the service's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// Too many requests; with the wait that the service asks for.
    Throttled { retry_after: Option<Duration> },
    /// The service is in trouble: an error of this status in its envelope.
    Failed(StatusCode),
    /// There is no such job.
    NotFound,
    /// Nothing free for this create.
    SoldOut,
    /// The create, with so many of the wanted nodes at most.
    Partly { nodes: u64 },
}

/// A job as its service holds it: the truth that tests compare with what a client says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub id: String,
    /// Everything that the client gave and by which it finds the job again: name, request id, tags.
    pub names: Vec<String>,
}
