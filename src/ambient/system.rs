//! The real clock and the real randomness; only the edge hands them in (style.md rule 1).

use crate::model::Timestamp;

use super::{Clock, Entropy};

/// The clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// The randomness of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        if getrandom::fill(&mut bytes).is_err() {
            // Nonces and markers must be unique, not secret: a generator seeded from the standard library's own
            // random state is enough where the system call is forbidden, for example by a sandbox's filter.
            bytes = fastrand::u128(..).to_be_bytes();
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn nonces_are_32_lower_case_hex_digits_and_differ() {
        let nonces: HashSet<String> = (0..100).map(|_| OsEntropy.nonce()).collect();
        assert_eq!(nonces.len(), 100);
        for nonce in nonces {
            assert_eq!(nonce.len(), 32);
            assert!(
                nonce
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
            );
        }
    }

    #[test]
    fn a_fraction_is_at_least_zero_and_less_than_one() {
        for _ in 0..100 {
            assert!((0.0..1.0).contains(&OsEntropy.fraction()));
        }
    }

    #[test]
    fn the_clock_goes_forward() {
        let first = SystemClock.now();
        assert!(first <= SystemClock.now());
    }
}
