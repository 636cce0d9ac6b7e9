//! The submission marker: 14 characters that travel inside a job (cli.md §10, "Never twice").

use std::fmt;

use sha2::{Digest, Sha256};

/// 27 symbols without vowels and without 0, 1 and 3: safe in every provider's names (cli.md §10).
pub const MARKER_ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

const IDENTITY_LENGTH: usize = 10;
const SPEC_LENGTH: usize = 4;

/// Ten characters that identify the submission and four that fingerprint its spec, in one piece.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Marker(String);

impl Marker {
    /// A marker for one submission without a key, from random bytes and the spec's hash.
    pub fn random(random: [u8; 16], spec_hash: &[u8; 32]) -> Self {
        Self::from_seed(&random, spec_hash)
    }

    /// The marker of an idempotency key in a provider's scope: the same on every machine.
    pub fn from_key(key: &str, scope: &str, attempt: u32, spec_hash: &[u8; 32]) -> Self {
        let mut digest = Sha256::new();
        digest.update(b"gpujob-key-v1\0");
        digest.update(scope.as_bytes());
        digest.update(b"\0");
        digest.update(key.as_bytes());
        digest.update(b"\0");
        digest.update(attempt.to_be_bytes());
        Self::from_seed(&digest.finalize(), spec_hash)
    }

    /// A marker found in a provider's name: the last 14 characters after a dash, if they are of the alphabet.
    pub fn from_suffix(text: &str) -> Option<Self> {
        let (_, suffix) = text.rsplit_once('-')?;
        Self::parse(suffix)
    }

    /// A marker typed or stored as text.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == IDENTITY_LENGTH + SPEC_LENGTH
            && text.bytes().all(|byte| MARKER_ALPHABET.contains(&byte)))
        .then(|| Self(text.to_owned()))
    }

    /// The whole marker.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The ten characters by which a submission is found again.
    pub fn identity(&self) -> &str {
        self.0.get(..IDENTITY_LENGTH).unwrap_or_default()
    }

    /// The four characters of the spec's hash: another value under the same identity is another spec.
    pub fn spec_part(&self) -> &str {
        self.0.get(IDENTITY_LENGTH..).unwrap_or_default()
    }

    fn from_seed(seed: &[u8], spec_hash: &[u8; 32]) -> Self {
        let mut text = symbols(&Sha256::digest(seed), IDENTITY_LENGTH);
        text.push_str(&symbols(spec_hash, SPEC_LENGTH));
        Self(text)
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The first `count` base-27 digits of the bytes read as one large number.
fn symbols(bytes: &[u8], count: usize) -> String {
    let mut number = bytes
        .iter()
        .take(16)
        .fold(0_u128, |number, byte| (number << 8) | u128::from(*byte));
    let mut text = String::with_capacity(count);
    for _ in 0..count {
        let digit = usize::try_from(number % 27).unwrap_or_default();
        text.push(char::from(
            MARKER_ALPHABET.get(digit).copied().unwrap_or(b'b'),
        ));
        number /= 27;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_gives_the_same_identity_for_every_spec() {
        let one = Marker::from_key("nightly-7", "paracloud/k8r2wq", 1, &[1; 32]);
        let two = Marker::from_key("nightly-7", "paracloud/k8r2wq", 1, &[2; 32]);
        assert_eq!(one.identity(), two.identity());
        assert_ne!(one.spec_part(), two.spec_part());
    }

    #[test]
    fn scope_and_attempt_change_the_identity() {
        let base = Marker::from_key("k", "a", 1, &[0; 32]);
        assert_ne!(
            base.identity(),
            Marker::from_key("k", "b", 1, &[0; 32]).identity()
        );
        assert_ne!(
            base.identity(),
            Marker::from_key("k", "a", 2, &[0; 32]).identity()
        );
    }

    #[test]
    fn a_suffix_is_recognised_and_other_text_is_not() {
        let marker = Marker::random([7; 16], &[9; 32]);
        let name = format!("bert-finetune-{marker}");
        assert_eq!(Marker::from_suffix(&name), Some(marker));
        assert_eq!(Marker::from_suffix("bert-finetune"), None);
        assert_eq!(Marker::from_suffix("bert-aaaaaaaaaaaaaa"), None);
    }
}
