//! Verifies `ACS3-HMAC-SHA256`, the signature of Alibaba's gateways (pai-dlc.md §2).
//!
//! [`verify()`] is pure: a request as it came over the wire, an instant and the keys give an identity or a fault, in the
//! order of §2.8 (steps 1 to 6). The memory of nonces, step 7, stands beside it in [`NonceMemory`], since only a
//! signature that proved right may be remembered. Nothing here knows how a client signs.

mod authorization;
mod canonical;
mod fault;
mod keys;
mod nonce;
#[cfg(test)]
mod tests;
mod verify;

pub use canonical::{Canonical, decode_query, hex, sha256_hex};
pub use fault::Fault;
pub use keys::{AccessKey, KeyStore, Token};
pub use nonce::NonceMemory;
pub use verify::{Verified, verify};
