//! The generic vocabulary: what a job, a type, a volume and a refusal are on every provider (job-model.md).
//!
//! Pure data. Nothing here knows a provider's wire format, a clock or a file.

mod backend;
mod cost;
pub mod event;
mod file;
mod job;
mod level;
mod marker;
mod money;
mod namespace;
mod offer;
mod receipt;
mod refs;
mod refusal;
mod state;
mod volume;

pub use backend::Backend;
pub use cost::JobCost;
pub use event::Event;
pub use file::{FileEntry, FilePath, FilePathError};
pub use job::{Gpu, Job, RawState};
pub use level::{FieldReport, Level};
pub use marker::{MARKER_ALPHABET, Marker};
pub use money::Money;
pub use namespace::Namespace;
pub use offer::{Offer, SpotOffer};
pub use receipt::Receipt;
pub use refs::{RefError, ResourceRef};
pub use refusal::{Refusal, RefusalCode};
pub use state::{Flag, State};
pub use volume::{TransferCredentials, Volume};

/// An instant in UTC.
pub type Timestamp = jiff::Timestamp;
