//! Requests and answers: the strict encoder, templates, the retry policy and the one loop that sends.
//!
//! `encode`, `request`, `answer`, `dialect`, `retry`, `redact` and `trace` are pure; `live`, `tls` and `send` do I/O.

pub mod answer;
pub mod credentials;
pub mod dialect;
pub mod encode;
pub mod live;
pub mod redact;
pub mod request;
pub mod retry;
pub mod send;
pub mod stream;
pub mod tls;
pub mod trace;

pub use answer::Answer;
pub use live::Live;
pub use request::{BaseUrl, Safety, Signed, Target, Template};
pub use send::{Failure, Fate, Patience, Session, Transport, TransportError, within};
pub use stream::{BodySource, Incoming, Streaming};
pub use tls::TrustSettings;
