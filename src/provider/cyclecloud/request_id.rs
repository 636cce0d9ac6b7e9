//! The request id of a submission: a UUID made from the marker's ten identifying characters (cli.md §10, "Never twice").
//!
//! Pure and reversible: the ten characters are a number of 48 bits, the first six bytes; the rest is a digest of them, so
//! that a foreign UUID is not taken for ours. The spec's four characters travel as a tag.

use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use crate::model::{MARKER_ALPHABET, Marker};

/// Characters of the marker that are in the id.
const IDENTITY_LENGTH: usize = 10;

/// The request id of a marker.
pub(super) fn of_marker(marker: &Marker) -> Uuid {
    of_identity(marker.identity())
}

/// The id of a call that manages nodes: fresh for every call, since a repeated one is refused (cyclecloud.md §7).
pub(super) fn fresh(random: [u8; 16]) -> Uuid {
    Builder::from_random_bytes(random).into_uuid()
}

/// The whole marker behind a request id and the tag with the spec's characters; `None` where either is not ours.
pub(super) fn marker_of(request_id: &str, spec_part: &str) -> Option<Marker> {
    let id = Uuid::parse_str(request_id).ok()?;
    let mut number = id
        .as_bytes()
        .iter()
        .take(6)
        .fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    let mut identity = String::new();
    for _ in 0..IDENTITY_LENGTH {
        let digit = usize::try_from(number % 27).ok()?;
        identity.push(char::from(*MARKER_ALPHABET.get(digit)?));
        number /= 27;
    }
    (of_identity(&identity) == id)
        .then(|| Marker::parse(&format!("{identity}{spec_part}")))
        .flatten()
}

fn of_identity(identity: &str) -> Uuid {
    let number = identity.bytes().rev().fold(0_u64, |number, byte| {
        let digit = MARKER_ALPHABET
            .iter()
            .position(|symbol| *symbol == byte)
            .and_then(|position| u64::try_from(position).ok())
            .unwrap_or_default();
        number.wrapping_mul(27).wrapping_add(digit)
    });
    let mut digest = Sha256::new();
    digest.update(b"gpujob-cyclecloud-request-v1\0");
    digest.update(identity.as_bytes());
    let mut bytes = [0_u8; 16];
    let source = number
        .to_be_bytes()
        .into_iter()
        .skip(2)
        .chain(digest.finalize());
    for (byte, value) in bytes.iter_mut().zip(source) {
        *byte = value;
    }
    // In the form of a version 4: "UUIDs usual" (§6.1).
    Builder::from_random_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_id_depends_on_the_ten_characters_alone() {
        let one = Marker::from_key("nightly", "cyclecloud/lab", 1, &[1; 32]);
        let other = Marker::from_key("nightly", "cyclecloud/lab", 1, &[2; 32]);
        assert_ne!(one, other);
        assert_eq!(of_marker(&one), of_marker(&other));
        assert_eq!(of_marker(&one).get_version_num(), 4);
    }

    #[test]
    fn a_foreign_id_is_not_taken_for_ours() {
        assert_eq!(
            marker_of("3f0c1a52-9f1b-4f6e-8f53-0d4f8f4c2a10", "bcdf"),
            None
        );
        assert_eq!(marker_of("no uuid", "bcdf"), None);
    }

    proptest! {
        #[test]
        fn the_marker_comes_back(text in "[bcdfghjklmnpqrstvwxz2456789]{14}") {
            let marker = Marker::parse(&text).unwrap();
            let id = of_marker(&marker).to_string();
            prop_assert_eq!(marker_of(&id, marker.spec_part()), Some(marker));
        }

        #[test]
        fn no_text_panics(id in ".{0,40}", spec in ".{0,6}") {
            let _unused = marker_of(&id, &spec);
        }
    }
}
