//! GPU names: one canonical form for what four providers and the user write in many ways (job-model.md §3).
//!
//! Never assumes that an opaque vendor code equals a public model, and never that two models are alike.

mod matching;
mod name;
mod request;
mod table;

pub use matching::{GpuDifference, gpu_differences};
pub use name::{FormFactor, GpuName};
pub use request::parse_gpu_request;
pub(in crate::spec) use request::with_memory_of_name;
pub use table::{known_memory_sizes, only_memory_size};

#[cfg(test)]
mod tests;
