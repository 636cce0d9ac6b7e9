//! Requests and answers: the strict encoder, templates, the retry policy and the one loop that sends.
//!
//! `encode`, `request`, `answer`, `retry` and `redact` are pure; `live`, `tls` and `send` do I/O.

pub mod answer;
pub mod dialect;
pub mod encode;
pub mod request;
pub mod send;

pub use answer::Answer;
pub use request::{BaseUrl, Safety, Signed, Target, Template};
pub use send::{Failure, Fate, Session};
