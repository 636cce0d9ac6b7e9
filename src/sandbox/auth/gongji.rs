//! Verifies the tokens and `RSA-SHA256` signatures of Gongji's Open API (gongji.md §1, §11 steps 1 to 4).
//!
//! [`verify`] is pure: a request as it came over the wire, an instant and the keys give an [`ApiKey`] or a [`Fault`].
//! Nothing is decoded, re-ordered or normalised on the way, and nothing here knows how a client signs. What a wrong
//! signature was made over is guessed for the log only (`diagnosis`).

mod diagnosis;
mod fault;
mod public_key;
#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;

pub use self::fault::Fault;
pub use self::public_key::{PublicKey, PublicKeyError};

use crate::model::Timestamp;
use crate::sandbox::service::RawRequest;
use crate::secret::Secret;

/// The only version (§1.1).
pub const VERSION: &str = "1.0.0";

/// A clock may be less than this away from the service's (§1.2).
const WINDOW: SignedDuration = SignedDuration::from_mins(5);

/// Unix milliseconds of our time have so many digits.
const TIMESTAMP_DIGITS: usize = 13;

/// The length of a signature by a key of 2048 bits (§1.4).
const SIGNATURE_BYTES: usize = 256;

/// One API key of the console.
#[derive(Debug, Clone)]
pub struct ApiKey {
    pub token: Secret,
    /// Whose key it is.
    pub tenant: String,
    pub mode: Mode,
}

/// How a key was made; it cannot be used the other way (§1.3).
#[derive(Debug, Clone)]
pub enum Mode {
    /// The token alone.
    Simple,
    /// The token and a signature by the private half of this key.
    Rsa(PublicKey),
}

/// What is let in although the contract says otherwise; all off by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tolerance {
    /// A `GET` that was signed with the body `{}` (§1.4, second table).
    pub empty_object_body: bool,
    /// A target that was signed without its query (§1.4, second table).
    pub path_only: bool,
    /// A signature that a simple key does not need (§1.3 forbids it, §11 would ignore it).
    pub needless_signature: bool,
}

/// The five fields that are signed, each exactly as it came (§1.4).
#[derive(Debug, Clone, Copy)]
struct Signed<'a> {
    target: &'a str,
    version: &'a str,
    timestamp: &'a str,
    token: &'a str,
    body: &'a [u8],
}

impl Signed<'_> {
    /// The canonical string.
    fn text(&self) -> Vec<u8> {
        let head = [self.target, self.version, self.timestamp, self.token].join("\n");
        [head.as_bytes(), b"\n", self.body].concat()
    }
}

/// Steps 1 to 4 of §11.
pub fn verify<'a>(
    request: &RawRequest,
    now: Timestamp,
    keys: &'a [ApiKey],
    tolerance: Tolerance,
) -> Result<&'a ApiKey, Fault> {
    let token = single(request, "token")
        .map_err(Fault::Token)?
        .ok_or_else(|| Fault::Token("there is no `token` header".to_owned()))?;
    let key = keys
        .iter()
        .find(|key| key.token.expose() == token)
        .ok_or_else(|| Fault::Token("the token is not known".to_owned()))?;
    let timestamp = single(request, "timestamp").map_err(Fault::Timestamp)?;
    let version = single(request, "version").map_err(Fault::Version)?;
    let signature = single(request, "sign_str").map_err(Fault::Signature)?;
    match &key.mode {
        Mode::Simple => {
            // A simple key needs its token only; what else is sent must be right all the same.
            if let Some(timestamp) = timestamp {
                check_timestamp(timestamp, now)?;
            }
            if let Some(version) = version {
                check_version(version)?;
            }
            if signature.is_some_and(|signature| !signature.is_empty())
                && !tolerance.needless_signature
            {
                return Err(Fault::Signature(
                    "the token belongs to a simple key, which is used without `sign_str`"
                        .to_owned(),
                ));
            }
        }
        Mode::Rsa(public_key) => {
            let timestamp = timestamp
                .ok_or_else(|| Fault::Timestamp("there is no `timestamp` header".to_owned()))?;
            check_timestamp(timestamp, now)?;
            let version =
                version.ok_or_else(|| Fault::Version("there is no `version` header".to_owned()))?;
            check_version(version)?;
            let signed = Signed {
                target: &request.target,
                version,
                timestamp,
                token,
                body: &request.body,
            };
            let signature = decode_signature(signature)?;
            check_signature(request, &signed, &signature, public_key, tolerance)?;
        }
    }
    Ok(key)
}

/// The value of a header that may stand once.
fn single<'a>(request: &'a RawRequest, name: &str) -> Result<Option<&'a str>, String> {
    let mut values = request.headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(format!("there is more than one `{name}` header"));
    }
    value
        .to_str()
        .map(Some)
        .map_err(|_| format!("the `{name}` header is not printable ASCII"))
}

fn check_timestamp(text: &str, now: Timestamp) -> Result<(), Fault> {
    let refused = |reason: String| Err(Fault::Timestamp(reason));
    if text.len() != TIMESTAMP_DIGITS || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        let hint = if text.len() == 10 {
            " (10 digits are seconds; milliseconds are wanted)"
        } else {
            ""
        };
        return refused(format!("`{text}` is not a number of 13 digits{hint}"));
    }
    let Some(sent) = text
        .parse()
        .ok()
        .and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok())
    else {
        return refused(format!("`{text}` is outside of the calendar"));
    };
    let difference = sent.duration_since(now);
    if difference.abs() >= WINDOW {
        return refused(format!(
            "it differs from the service's clock by {} s; less than {} s are allowed",
            difference.as_secs(),
            WINDOW.as_secs()
        ));
    }
    Ok(())
}

fn check_version(version: &str) -> Result<(), Fault> {
    if version == VERSION {
        Ok(())
    } else {
        Err(Fault::Version(format!(
            "`{version}` is not the version {VERSION}"
        )))
    }
}

fn decode_signature(header: Option<&str>) -> Result<Vec<u8>, Fault> {
    let refused = |reason: String| Err(Fault::Signature(reason));
    let Some(text) = header.filter(|text| !text.is_empty()) else {
        return refused("the token belongs to an RSA key, and there is no `sign_str`".to_owned());
    };
    let Ok(signature) = STANDARD.decode(text) else {
        return refused("`sign_str` is not standard base64 with padding".to_owned());
    };
    if signature.len() != SIGNATURE_BYTES {
        return refused(format!(
            "the signature has {} bytes and not {SIGNATURE_BYTES}",
            signature.len()
        ));
    }
    Ok(signature)
}

fn check_signature(
    request: &RawRequest,
    signed: &Signed<'_>,
    signature: &[u8],
    public_key: &PublicKey,
    tolerance: Tolerance,
) -> Result<(), Fault> {
    let verifies = |signed: &Signed<'_>| public_key.verifies(&signed.text(), signature);
    if verifies(signed) {
        return Ok(());
    }
    let as_object = Signed {
        body: b"{}",
        ..*signed
    };
    let path_only = Signed {
        target: request.path(),
        ..*signed
    };
    if (tolerance.empty_object_body && signed.body.is_empty() && verifies(&as_object))
        || (tolerance.path_only && verifies(&path_only))
    {
        return Ok(());
    }
    let host = request.header("host").unwrap_or_default();
    Err(Fault::Signature(diagnosis::explain(
        signed, host, signature, public_key,
    )))
}
