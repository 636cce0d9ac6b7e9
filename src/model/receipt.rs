//! What became of one candidate of a submit (cli.md §2.1).

use super::{Backend, Money, Timestamp};

/// What became of one candidate of `-p A,B,C`.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    pub provider: String,
    pub backend: Backend,
    /// Whether a create was sent to it.
    pub tried: bool,
    /// Whether the job is there.
    pub chosen: bool,
    /// The stable word for why not, where it was asked and said no.
    pub code: Option<String>,
    /// Why not, where it is not.
    pub reason: Option<String>,
    /// Of the whole job.
    pub price_per_hour: Option<Money>,
    /// When price and stock were read.
    pub as_of: Option<Timestamp>,
    /// Seconds between reading the data and telling of it.
    pub age_s: Option<i64>,
}

impl Receipt {
    /// A candidate that nobody has asked yet.
    pub fn unasked(provider: &str, backend: Backend) -> Self {
        Self {
            provider: provider.to_owned(),
            backend,
            tried: false,
            chosen: false,
            code: None,
            reason: None,
            price_per_hour: None,
            as_of: None,
            age_s: None,
        }
    }

    /// The receipt with the age that its data have now.
    #[must_use]
    pub fn told_at(&self, now: Timestamp) -> Self {
        Self {
            age_s: self.as_of.map(|as_of| now.duration_since(as_of).as_secs()),
            ..self.clone()
        }
    }
}
