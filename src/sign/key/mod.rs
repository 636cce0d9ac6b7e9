//! RSA private keys as people hand them over: PEM of PKCS#8 or PKCS#1, or one line of base64 (gongji.md §1.3).
//!
//! Pure. A wrong kind of key is named for what it is, and no message holds any of its text.

mod der;
#[cfg(test)]
mod tests;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use zeroize::Zeroizing;

use crate::secret::Secret;

use super::SignError;

use der::Contents;

/// The one size that Gongji's rule of 256-byte signatures allows (gongji.md §1.4).
pub const KEY_BITS: usize = 2048;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// Padding is often lost when a key is pasted.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// An RSA private key of 2048 bits.
pub struct RsaKey(RsaKeyPair);

impl RsaKey {
    /// Reads a key in any of the accepted forms, with literal `\n`, CRLF, or everything on one line.
    pub fn parse(key: &Secret) -> Result<Self, SignError> {
        let text = unescaped(key.expose());
        if text.trim().is_empty() {
            return Err(wrong("is empty"));
        }
        let der = match Block::find(&text)? {
            Some(block) => block.der()?,
            None => bare(&text)?,
        };
        Self::from_der(&der)
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256, in one line of standard base64.
    pub fn sign(&self, message: &[u8]) -> Result<String, SignError> {
        let mut signature = vec![0; self.0.public().modulus_len()];
        // The randomness blinds the computation; the signature itself does not depend on it.
        self.0
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                message,
                &mut signature,
            )
            .map_err(|_unspecified| wrong("cannot sign, so it is likely damaged"))?;
        Ok(general_purpose::STANDARD.encode(signature))
    }

    fn from_der(der: &[u8]) -> Result<Self, SignError> {
        let (pkcs1, bits) = match der::contents(der) {
            Contents::RsaPrivate { pkcs1, bits } => (pkcs1, bits),
            Contents::OtherPrivate(kind) => {
                return Err(wrong(&format!(
                    "is {kind}; an RSA key of {KEY_BITS} bits is needed"
                )));
            }
            Contents::Public => {
                return Err(wrong(
                    "is a public key; give the private key that belongs to it",
                ));
            }
            Contents::Certificate => {
                return Err(wrong(
                    "is a certificate; give the private key, not what was made from it",
                ));
            }
            Contents::CertificateRequest => {
                return Err(wrong(
                    "is a certificate request; give the private key that it was made with",
                ));
            }
            Contents::Encrypted => return Err(encrypted()),
            Contents::Unknown => {
                return Err(wrong(
                    "is no key of a known form; PKCS#8 and PKCS#1 are read",
                ));
            }
        };
        if bits != KEY_BITS {
            return Err(wrong(&format!(
                "is an RSA key of {bits} bits; one of exactly {KEY_BITS} bits is needed"
            )));
        }
        RsaKeyPair::from_der(pkcs1)
            .map(Self)
            .map_err(|rejected| wrong(&format!("is a damaged RSA key ({rejected})")))
    }
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RsaKey(…)")
    }
}

/// One block of a PEM text.
struct Block<'a> {
    label: &'a str,
    body: &'a str,
}

impl<'a> Block<'a> {
    /// The first private key of a text, else its first block; `None` where the text is no PEM.
    fn find(text: &'a str) -> Result<Option<Self>, SignError> {
        let mut first = None;
        let mut rest = text;
        while let Some((_, after)) = rest.split_once(BEGIN) {
            let (label, after) = after
                .split_once(DASHES)
                .ok_or_else(|| wrong("is cut off: its first line does not end"))?;
            let (body, after) = after
                .split_once(&format!("{END}{label}{DASHES}"))
                .ok_or_else(|| wrong(&format!("is cut off: there is no `{END}{label}{DASHES}`")))?;
            let block = Self { label, body };
            if label.ends_with("PRIVATE KEY") {
                return Ok(Some(block));
            }
            first.get_or_insert(block);
            rest = after;
        }
        Ok(first)
    }

    fn der(&self) -> Result<Zeroizing<Vec<u8>>, SignError> {
        if self.label == "OPENSSH PRIVATE KEY" {
            return Err(wrong(
                "is in OpenSSH's own form; write it as PEM with `ssh-keygen -p -N '' -m PEM -f FILE`",
            ));
        }
        // RFC 1421 headers stand before the text of a PKCS#1 key with a passphrase.
        if self.label == "ENCRYPTED PRIVATE KEY" || self.body.contains("ENCRYPTED") {
            return Err(encrypted());
        }
        decode(self.body).ok_or_else(|| wrong("is PEM whose text is no base64"))
    }
}

/// The DER behind one line of base64.
fn bare(text: &str) -> Result<Zeroizing<Vec<u8>>, SignError> {
    decode(text).ok_or_else(|| {
        let start = text.trim_start();
        // Base64 has a slash too, but no dot.
        if start.starts_with(['/', '~', '.']) || text.contains(".pem") {
            wrong("looks like the name of a file; write `private-key = { file = \"…\" }`")
        } else {
            wrong("is neither PEM nor base64")
        }
    })
}

fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let joined: Zeroizing<String> = Zeroizing::new(text.split_whitespace().collect());
    LENIENT.decode(joined.as_bytes()).ok().map(Zeroizing::new)
}

/// The text with line breaks where an environment variable had `\n`, and without the quotes around it.
fn unescaped(text: &str) -> Zeroizing<String> {
    let bare = text
        .trim_matches(|character: char| character.is_whitespace() || character == '\u{feff}')
        .trim_matches(['"', '\'']);
    Zeroizing::new(bare.replace("\\r", "").replace("\\n", "\n"))
}

fn encrypted() -> SignError {
    wrong(
        "is protected by a passphrase; write it without one: `openssl pkey -in FILE -out NEWFILE`",
    )
}

fn wrong(what: &str) -> SignError {
    SignError::Key(format!("the private key {what}"))
}
