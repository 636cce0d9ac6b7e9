//! The job spec: what a user asks for, before any provider has looked at it (job-model.md §2).
//!
//! Pure: text in, [`JobSpec`] or a [`SpecError`](crate::Error) out. A `JobSpec` that exists is well-formed.

pub mod gpu;
pub mod hint;
mod model;
pub mod quote;
pub mod units;

pub use model::{
    Array, CodeSource, Framework, GpuRequest, JobSpec, Mount, MountSource, Placement, Port,
    Program, RegistryAuth, Resources, SecretSource, Spot, Timeout,
};
