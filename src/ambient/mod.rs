//! What pure code may not fetch for itself: the time, randomness, and somewhere to tell people things.

mod system;

use std::fmt;

use crate::model::Timestamp;

pub use system::{OsEntropy, SystemClock};

/// Tells the time.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;
}

/// Gives randomness.
pub trait Entropy: fmt::Debug + Send + Sync {
    /// Sixteen random bytes.
    fn bytes(&self) -> [u8; 16];

    /// 32 lower-case hex digits, for nonces.
    fn nonce(&self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.bytes()))
    }

    /// A number in `0.0..1.0`, for jitter.
    fn fraction(&self) -> f64 {
        let [first, second, ..] = self.bytes();
        f64::from(u16::from_be_bytes([first, second])) / 65_536.0
    }
}

/// Takes what people should know while a command runs; never results.
pub trait Reporter: fmt::Debug + Send + Sync {
    /// Something worth knowing, such as a retry or an emulation.
    fn note(&self, text: &str);
    /// Something that may need action.
    fn warning(&self, text: &str);
    /// Detail at `-v` (1), `-vv` (2), `-vvv` (3).
    fn detail(&self, level: u8, text: &str);
    /// HTTP traffic under `--trace-http`, redacted already.
    fn trace(&self, text: &str);
    /// Whether [`Self::trace`] goes anywhere.
    fn is_tracing(&self) -> bool;
}
