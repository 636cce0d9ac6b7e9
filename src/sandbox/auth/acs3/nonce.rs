//! Remembers the nonces of signatures that proved right (pai-dlc.md §2.8, step 7).

use std::collections::HashMap;

use jiff::SignedDuration;

use super::fault::Fault;
use crate::model::Timestamp;

/// How long a pair of key and nonce is remembered: at least the 15 minutes of the clock window, better twice that.
const MEMORY: SignedDuration = SignedDuration::from_mins(30);

/// Pairs of key and nonce with the instant they were first seen.
#[derive(Debug, Default)]
pub struct NonceMemory {
    seen: HashMap<(String, String), Timestamp>,
}

impl NonceMemory {
    /// Remembers a pair, or refuses one that is remembered. Call it only after [`verify`](super::verify()) said yes, so
    /// that a forged request cannot burn a nonce.
    pub fn admit(&mut self, key_id: &str, nonce: &str, now: Timestamp) -> Result<(), Fault> {
        self.seen
            .retain(|_, seen| now.duration_since(*seen) <= MEMORY);
        let pair = (key_id.to_owned(), nonce.to_owned());
        if self.seen.contains_key(&pair) {
            return Err(Fault::NonceUsed);
        }
        self.seen.insert(pair, now);
        Ok(())
    }
}
