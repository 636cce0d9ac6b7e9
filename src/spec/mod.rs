//! The job spec: what a user asks for, before any provider has looked at it (job-model.md §2).
//!
//! Pure: text and flags in, a [`JobSpec`] or an [`Error`](crate::Error) out. A `JobSpec` that exists is well-formed.
//! A document of any format and the flags become one tree whose values know where they stand (`tree`); one reader
//! checks it (`read`), so that a fault is placed by line and column or by the name of the flag.

mod error;
pub mod gpu;
mod hash;
pub mod hint;
mod model;
mod overrides;
mod parse;
pub mod quote;
mod read;
mod script;
mod tree;
pub mod units;

pub use hash::spec_hash;
pub use model::{
    Array, CodeSource, Framework, GpuRequest, JobSpec, Mount, MountSource, Placement, Port,
    Program, RegistryAuth, Resources, SecretSource, Spot, Timeout,
};
pub use overrides::{Document, EnvFile, Overrides, SpotFlag, assemble, assemble_noting};
pub use parse::Format;

use crate::error::Result;

/// Reads a document alone; `source` is its name in messages, such as `job.yaml`.
pub fn parse_document(source: &str, text: &str, format: Option<Format>) -> Result<JobSpec> {
    let format = format
        .or_else(|| Format::of_name(source))
        .unwrap_or_else(|| Format::of_look(text));
    parse::document(text, format)
        .and_then(|root| read::job(&root))
        .map_err(|error| error.into_error(source))
}
