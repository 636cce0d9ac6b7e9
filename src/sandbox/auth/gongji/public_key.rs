//! The public half of a user's key as it is uploaded to the console: PEM of a `SubjectPublicKeyInfo` (gongji.md §1.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use thiserror::Error;

const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";

/// DER tags.
const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;

/// What stands before the key itself: `rsaEncryption` (1.2.840.113549.1.1.1) and its null parameters.
const RSA_ENCRYPTION: &[u8] = &[
    0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00,
];

/// Schemes that a client may have taken by mistake, for the log.
const OTHER_SCHEMES: [(&str, &dyn VerificationAlgorithm); 3] = [
    ("SHA-384", &RSA_PKCS1_2048_8192_SHA384),
    ("SHA-512", &RSA_PKCS1_2048_8192_SHA512),
    ("PSS padding", &RSA_PSS_2048_8192_SHA256),
];

/// An RSA public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// The inner `RSAPublicKey` of PKCS#1, which is what ring reads.
    pkcs1: Vec<u8>,
}

/// A text that is no RSA public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PublicKeyError {
    #[error("there is no PEM block `PUBLIC KEY`")]
    Pem,
    #[error("the PEM block holds no base64")]
    Base64,
    #[error("the PEM block holds no RSA key in a SubjectPublicKeyInfo")]
    Der,
}

impl PublicKey {
    /// Reads PEM; text before and after the block is ignored.
    pub fn from_pem(pem: &str) -> Result<Self, PublicKeyError> {
        let (_, rest) = pem.split_once(BEGIN).ok_or(PublicKeyError::Pem)?;
        let (block, _) = rest.split_once(END).ok_or(PublicKeyError::Pem)?;
        let text: String = block.split_whitespace().collect();
        let der = STANDARD.decode(text).map_err(|_| PublicKeyError::Base64)?;
        let pkcs1 = unwrap(&der).ok_or(PublicKeyError::Der)?.to_vec();
        Ok(Self { pkcs1 })
    }

    /// Whether the signature is RSASSA-PKCS1-v1_5 with SHA-256 of the text.
    pub(super) fn verifies(&self, text: &[u8], signature: &[u8]) -> bool {
        self.verifies_by(&RSA_PKCS1_2048_8192_SHA256, text, signature)
    }

    /// Another scheme by which the signature is right.
    pub(super) fn other_scheme(&self, text: &[u8], signature: &[u8]) -> Option<&'static str> {
        OTHER_SCHEMES
            .iter()
            .find(|(_, scheme)| self.verifies_by(*scheme, text, signature))
            .map(|(name, _)| *name)
    }

    fn verifies_by(
        &self,
        scheme: &'static dyn VerificationAlgorithm,
        text: &[u8],
        signature: &[u8],
    ) -> bool {
        UnparsedPublicKey::new(scheme, &self.pkcs1)
            .verify(text, signature)
            .is_ok()
    }
}

/// The content of the bit string in `SEQUENCE { SEQUENCE { rsaEncryption, NULL }, BIT STRING }`.
fn unwrap(der: &[u8]) -> Option<&[u8]> {
    let (info, rest) = element(der, SEQUENCE)?;
    let (algorithm, key) = element(info, SEQUENCE)?;
    let (bits, after) = element(key, BIT_STRING)?;
    let (unused_bits, pkcs1) = bits.split_first()?;
    let fits = rest.is_empty()
        && after.is_empty()
        && *unused_bits == 0
        && algorithm == RSA_ENCRYPTION
        && element(pkcs1, SEQUENCE).is_some();
    fits.then_some(pkcs1)
}

/// One DER element: its content and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = bytes.split_first()?;
    if *found != tag {
        return None;
    }
    let (first, mut rest) = rest.split_first()?;
    let mut length = usize::from(*first);
    if *first >= 0x80 {
        let count = usize::from(*first & 0x7F);
        // Longer lengths than two bytes do not occur in keys.
        if !(1..=2).contains(&count) {
            return None;
        }
        let (digits, after) = rest.split_at_checked(count)?;
        length = digits
            .iter()
            .fold(0, |sum, digit| sum * 256 + usize::from(*digit));
        rest = after;
    }
    rest.split_at_checked(length)
}
