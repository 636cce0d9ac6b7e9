//! Just enough DER to tell one kind of key from another and to find the RSA key inside.
//!
//! Pure. It never judges whether a key is sound: that is ring's work.

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT_ID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
/// `[0]`, which begins the inside of a version 3 certificate.
const CONTEXT_0: u8 = 0xA0;

const RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
const RSA_PSS: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0A];
const ELLIPTIC: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
const DSA: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x38, 0x04, 0x01];
const X25519: &[u8] = &[0x2B, 0x65, 0x6E];
const X448: &[u8] = &[0x2B, 0x65, 0x6F];
const ED25519: &[u8] = &[0x2B, 0x65, 0x70];
const ED448: &[u8] = &[0x2B, 0x65, 0x71];

/// What a piece of DER turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contents<'a> {
    /// An RSA private key, as PKCS#1 DER, and the length of its modulus.
    RsaPrivate {
        pkcs1: &'a [u8],
        bits: usize,
    },
    /// Another private key; the word names its kind.
    OtherPrivate(&'static str),
    Public,
    Certificate,
    CertificateRequest,
    Encrypted,
    Unknown,
}

/// One element: its tag, its content, all of it, and what follows.
#[derive(Debug, Clone, Copy)]
struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    whole: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Element<'a> {
    fn read(input: &'a [u8]) -> Option<Self> {
        let [tag, first, after @ ..] = input else {
            return None;
        };
        let (length, after) = if *first < 0x80 {
            (usize::from(*first), after)
        } else {
            let (digits, after) = after.split_at_checked(usize::from(*first & 0x7F))?;
            if digits.is_empty() || digits.len() > 4 {
                return None;
            }
            let length = digits
                .iter()
                .fold(0, |length, digit| (length << 8) | usize::from(*digit));
            (length, after)
        };
        let (content, rest) = after.split_at_checked(length)?;
        Some(Self {
            tag: *tag,
            content,
            whole: input.get(..input.len().checked_sub(rest.len())?)?,
            rest,
        })
    }

    /// The elements inside.
    fn parts(&self) -> Vec<Self> {
        let mut parts = Vec::new();
        let mut rest = self.content;
        while let Some(part) = Self::read(rest) {
            rest = part.rest;
            parts.push(part);
        }
        parts
    }

    fn object_id(&self) -> Option<&'a [u8]> {
        let first = Self::read(self.content)?;
        (self.tag == SEQUENCE && first.tag == OBJECT_ID).then_some(first.content)
    }
}

/// Tells what DER holds, by its structure alone.
pub(super) fn contents(der: &[u8]) -> Contents<'_> {
    let Some(outer) = Element::read(der).filter(|outer| outer.tag == SEQUENCE) else {
        return Contents::Unknown;
    };
    let parts = outer.parts();
    let tags: Vec<u8> = parts.iter().map(|part| part.tag).collect();
    match (tags.as_slice(), parts.as_slice()) {
        ([INTEGER, SEQUENCE, OCTET_STRING, ..], [_, algorithm, key, ..]) => {
            pkcs8(algorithm.object_id(), key.content)
        }
        ([INTEGER, OCTET_STRING, ..], _) => Contents::OtherPrivate("an EC key"),
        ([INTEGER, INTEGER] | [SEQUENCE, BIT_STRING], _) => Contents::Public,
        ([INTEGER, INTEGER, INTEGER, INTEGER, INTEGER, INTEGER], _) => {
            Contents::OtherPrivate("a DSA key")
        }
        ([INTEGER, INTEGER, ..], [_, modulus, ..]) if parts.len() >= 9 => Contents::RsaPrivate {
            pkcs1: outer.whole,
            bits: bits(modulus.content),
        },
        ([SEQUENCE, OCTET_STRING], _) => Contents::Encrypted,
        ([SEQUENCE, SEQUENCE, BIT_STRING], [inside, ..]) => {
            match Element::read(inside.content).map(|first| first.tag) {
                Some(CONTEXT_0) => Contents::Certificate,
                _ => Contents::CertificateRequest,
            }
        }
        _ => Contents::Unknown,
    }
}

/// The inside of a PKCS#8 key, which names its algorithm.
fn pkcs8<'a>(algorithm: Option<&[u8]>, key: &'a [u8]) -> Contents<'a> {
    match algorithm {
        Some(RSA) => match contents(key) {
            found @ Contents::RsaPrivate { .. } => found,
            Contents::OtherPrivate(_)
            | Contents::Public
            | Contents::Certificate
            | Contents::CertificateRequest
            | Contents::Encrypted
            | Contents::Unknown => Contents::Unknown,
        },
        Some(RSA_PSS) => Contents::OtherPrivate("an RSA key for PSS signatures only"),
        Some(ELLIPTIC) => Contents::OtherPrivate("an EC key"),
        Some(ED25519) => Contents::OtherPrivate("an Ed25519 key"),
        Some(ED448) => Contents::OtherPrivate("an Ed448 key"),
        Some(X25519 | X448) => Contents::OtherPrivate("a key for key agreement"),
        Some(DSA) => Contents::OtherPrivate("a DSA key"),
        Some(_) | None => Contents::OtherPrivate("a key of an unknown kind"),
    }
}

/// The length of a number in bits.
fn bits(number: &[u8]) -> usize {
    let mut digits = number.iter().skip_while(|digit| **digit == 0);
    let Some(first) = digits.next() else {
        return 0;
    };
    let leading = usize::try_from(first.leading_zeros()).unwrap_or_default();
    (digits.count() + 1) * 8 - leading
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_length_of_a_number_ignores_leading_zeros() {
        assert_eq!(bits(&[0, 0x80, 0]), 16);
        assert_eq!(bits(&[0x7F, 0xFF]), 15);
        assert_eq!(bits(&[0, 0]), 0);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = contents(&bytes);
            let mut nested = vec![SEQUENCE, u8::try_from(bytes.len() % 128).unwrap()];
            nested.extend(bytes);
            let _ = contents(&nested);
        }
    }
}
