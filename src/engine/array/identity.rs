//! What an array and its jobs are called: the array by a key, its jobs by that key and their index, `KEY[7]`. Pure.

use crate::sign::hex;

/// What generated keys begin with.
const STEM: &str = "array";

/// The variable that tells a job its index (cli.md §10, "Arrays").
pub const INDEX_VARIABLE: &str = "GPUJOB_ARRAY_INDEX";

/// The key of one index.
pub fn index_key(key: &str, index: u32) -> String {
    format!("{key}[{index}]")
}

/// The index in the key of one of the array's jobs.
pub fn index_of(key: &str, index_key: &str) -> Option<u32> {
    let number = index_key
        .strip_prefix(key)?
        .strip_prefix('[')?
        .strip_suffix(']')?;
    let is_canonical = number == "0" || !number.starts_with('0');
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    (is_canonical && is_number)
        .then(|| number.parse().ok())
        .flatten()
}

/// The array that a job's key belongs to.
pub fn array_of(index_key: &str) -> Option<&str> {
    let (key, _) = index_key.rsplit_once('[')?;
    index_of(key, index_key).map(|_| key)
}

/// What the generated keys of a spec's arrays begin with: by it the same command finds what it left unfinished.
pub fn generated_stem(spec_hash: &[u8; 32]) -> String {
    let digits = hex::encode(spec_hash);
    format!("{STEM}-{}-", digits.get(..10).unwrap_or_default())
}

/// A key for an array without one. Its random part keeps it from meeting the array of another machine.
pub fn generated(spec_hash: &[u8; 32], random: [u8; 16]) -> String {
    let digits = hex::encode(&random);
    format!(
        "{}{}",
        generated_stem(spec_hash),
        digits.get(..8).unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jobs_key_names_the_array_and_the_index() {
        assert_eq!(index_key("sweep", 7), "sweep[7]");
        assert_eq!(index_of("sweep", "sweep[7]"), Some(7));
        assert_eq!(index_of("a[1]", "a[1][2]"), Some(2));
        assert_eq!(array_of("a[1][2]"), Some("a[1]"));
        for other in [
            "sweep",
            "sweep[]",
            "sweep[x]",
            "sweep[07]",
            "sweep[-1]",
            "sweeper[7]",
        ] {
            assert_eq!(index_of("sweep", other), None, "{other}");
        }
    }

    #[test]
    fn generated_keys_are_of_their_spec_and_not_of_another_run() {
        let (one, other) = (generated(&[7; 32], [1; 16]), generated(&[7; 32], [2; 16]));
        assert_eq!(one, "array-0707070707-01010101");
        assert_ne!(one, other);
        assert!(other.starts_with(&generated_stem(&[7; 32])));
        assert!(!other.starts_with(&generated_stem(&[8; 32])));
    }
}
