//! The nearest known name to one that is not known: for hints only, never to act upon.

use std::cmp::Reverse;

/// The known name that is most like `given`, if one is like it at all.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest_several(given, known, 1).into_iter().next()
}

/// Up to `limit` known names that are like `given`, the most alike first.
pub fn nearest_several<'a>(
    given: &str,
    known: impl IntoIterator<Item = &'a str>,
    limit: usize,
) -> Vec<&'a str> {
    let given = given.to_ascii_lowercase();
    let length = given.chars().count();
    let mut found: Vec<(usize, Reverse<usize>, &str)> = known
        .into_iter()
        .filter_map(|name| {
            let folded = name.to_ascii_lowercase();
            let distance = strsim::damerau_levenshtein(&given, &folded);
            // A third of the word may be wrong; a shared beginning (`mem` for `memory`) counts as near too.
            let allowed = length.max(folded.chars().count()).div_ceil(3);
            let begins = length >= 3 && (folded.starts_with(&given) || given.starts_with(&folded));
            (distance <= allowed || begins).then(|| {
                let shared = given
                    .chars()
                    .zip(folded.chars())
                    .take_while(|(left, right)| left == right)
                    .count();
                (distance, Reverse(shared), name)
            })
        })
        .collect();
    found.sort();
    found.dedup();
    found
        .into_iter()
        .take(limit)
        .map(|(_, _, name)| name)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 6] = ["image", "script", "memory", "mounts", "timeout", "retries"];

    #[test]
    fn a_slip_of_the_finger_finds_the_key() {
        assert_eq!(nearest("imgae", KEYS), Some("image"));
        assert_eq!(nearest("Timeout", KEYS), Some("timeout"));
        assert_eq!(nearest("mount", KEYS), Some("mounts"));
        assert_eq!(nearest("mem", KEYS), Some("memory"));
    }

    #[test]
    fn a_strange_word_finds_nothing() {
        assert_eq!(nearest("zzzzzz", KEYS), None);
        assert_eq!(nearest("", []), None);
    }

    #[test]
    fn several_come_the_most_alike_first() {
        let types = ["n32h.large", "n32h.xlarge", "c7.small"];
        assert_eq!(
            nearest_several("n32h.xlrge", types, 5),
            ["n32h.xlarge", "n32h.large"]
        );
    }
}
