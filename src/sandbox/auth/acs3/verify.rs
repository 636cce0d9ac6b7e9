//! Steps 1 to 6 of what a verifying gateway does (pai-dlc.md §2.8).

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use jiff::SignedDuration;
use sha2::Sha256;

use super::authorization::{ALGORITHM, Authorization};
use super::canonical::{Canonical, repeated_name, sha256_hex, unhex};
use super::fault::{Fault, Mismatch};
use super::keys::{AccessKey, KeyStore};
use crate::model::Timestamp;
use crate::sandbox::service::RawRequest;

/// How far `x-acs-date` may be away, to either side.
const WINDOW: SignedDuration = SignedDuration::from_mins(15);

/// Headers that every request has and signs (§2.1, §2.2).
const ALWAYS_SIGNED: [&str; 6] = [
    "host",
    "x-acs-action",
    "x-acs-version",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-content-sha256",
];

/// Who sent a request whose signature is right. The nonce is still to be admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub key_id: String,
    pub user_id: String,
    pub nonce: String,
}

/// Finds out who signed `request`, at the instant `now` of the gateway's clock.
pub fn verify(request: &RawRequest, now: Timestamp, keys: &KeyStore) -> Result<Verified, Fault> {
    let authorization = Authorization::parse(authorization_header(&request.headers)?)?;
    if authorization.algorithm != ALGORITHM {
        return Err(Fault::Method(authorization.algorithm.to_owned()));
    }
    let key = keys.find(authorization.key_id).ok_or(Fault::UnknownKey)?;
    if !key.enabled {
        return Err(Fault::DisabledKey);
    }
    check_date(request.header("x-acs-date"), now)?;
    check_token(request.header("x-acs-security-token"), key, now, keys)?;
    check_signature(request, &authorization, key)?;
    Ok(Verified {
        key_id: key.id.clone(),
        user_id: key.user_id.clone(),
        nonce: request
            .header("x-acs-signature-nonce")
            .unwrap_or_default()
            .to_owned(),
    })
}

fn authorization_header(headers: &HeaderMap) -> Result<&str, Fault> {
    let mut values = headers.get_all(http::header::AUTHORIZATION).iter();
    let value = values
        .next()
        .ok_or_else(|| Fault::Incomplete("no Authorization header".to_owned()))?;
    if values.next().is_some() {
        return Err(Fault::Incomplete(
            "several Authorization headers".to_owned(),
        ));
    }
    value
        .to_str()
        .map_err(|_| Fault::Incomplete("the Authorization header is not ASCII text".to_owned()))
}

fn check_date(date: Option<&str>, now: Timestamp) -> Result<(), Fault> {
    let date = date.and_then(parse_date).ok_or(Fault::DateFormat)?;
    if now.duration_since(date).abs() > WINDOW {
        return Err(Fault::DateExpired);
    }
    Ok(())
}

/// Reads `YYYY-MM-DDThh:mm:ssZ` and no other form of an instant.
fn parse_date(text: &str) -> Option<Timestamp> {
    let form = b"dddd-dd-ddTdd:dd:ddZ";
    let fits = text.len() == form.len()
        && text.bytes().zip(form).all(|(byte, wanted)| match wanted {
            b'd' => byte.is_ascii_digit(),
            other => byte == *other,
        });
    if fits { text.parse().ok() } else { None }
}

fn check_token(
    sent: Option<&str>,
    key: &AccessKey,
    now: Timestamp,
    keys: &KeyStore,
) -> Result<(), Fault> {
    let sent = sent.map(str::trim).filter(|sent| !sent.is_empty());
    match (sent, &key.token) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(Fault::TokenMissing),
        (Some(sent), Some(token)) if token.text.expose() == sent => {
            if now >= token.expires {
                Err(Fault::TokenExpired)
            } else {
                Ok(())
            }
        }
        (Some(sent), _) if keys.knows_token(sent) => Err(Fault::TokenMismatch),
        (Some(_), _) => Err(Fault::TokenMalformed),
    }
}

fn check_signature(
    request: &RawRequest,
    authorization: &Authorization<'_>,
    key: &AccessKey,
) -> Result<(), Fault> {
    let canonical = Canonical::of(request, &authorization.signed_headers);
    let string_to_sign = canonical.string_to_sign();
    let mismatch = |reason: String| {
        Fault::Mismatch(Mismatch {
            string_to_sign: string_to_sign.clone(),
            canonical_request: canonical.shown(request.header("x-acs-security-token")),
            reason,
        })
    };
    if let Some(name) = unsigned_header(&request.headers, &authorization.signed_headers) {
        return Err(mismatch(format!(
            "`{name}` is not among the signed headers"
        )));
    }
    if let Some(name) = authorization
        .signed_headers
        .iter()
        .find(|name| !request.headers.contains_key(**name))
    {
        return Err(mismatch(format!("the signed header `{name}` was not sent")));
    }
    if let Some(name) = repeated_name(request.raw_query()) {
        return Err(mismatch(format!(
            "the query has `{name}` twice, so it has no canonical form"
        )));
    }
    if request.header("x-acs-content-sha256").map(str::trim)
        != Some(sha256_hex(&request.body).as_str())
    {
        return Err(mismatch(
            "`x-acs-content-sha256` is not the hash of the body".to_owned(),
        ));
    }
    let fits = unhex(authorization.signature).is_some_and(|signature| {
        // Compares in constant time.
        Hmac::<Sha256>::new_from_slice(key.secret.expose().as_bytes()).is_ok_and(|mac| {
            mac.chain_update(string_to_sign.as_bytes())
                .verify_slice(&signature)
                .is_ok()
        })
    });
    if fits {
        Ok(())
    } else {
        Err(mismatch(
            "the signature was made with another secret or over another canonical request"
                .to_owned(),
        ))
    }
}

/// A header that must be signed and is not: one of the six, a `content-type` or an `x-acs-*` that was sent.
fn unsigned_header(headers: &HeaderMap, signed: &[&str]) -> Option<String> {
    let sent = headers
        .keys()
        .map(http::HeaderName::as_str)
        .filter(|name| *name == "content-type" || name.starts_with("x-acs-"));
    ALWAYS_SIGNED
        .into_iter()
        .chain(sent)
        .find(|name| !signed.contains(name))
        .map(str::to_owned)
}
