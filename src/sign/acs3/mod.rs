//! Alibaba Cloud's ACS3-HMAC-SHA256 (pai-dlc.md §2): the canonical request, the string to sign, the header.
//!
//! Pure, and never sends: the send loop asks for a new signature, with a new nonce, for every attempt.

mod canonical;
#[cfg(test)]
mod tests;

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest, Sha256};

use crate::http::{Signed, Template};
use crate::secret::Secret;

use super::{Proof, Scheme, SignContext, SignError, Signer, hex, sendable};

pub use canonical::{Canonical, canonical_request};

/// The algorithm's name, first in the string to sign and in the header.
pub const ALGORITHM: &str = "ACS3-HMAC-SHA256";

const ACTION: HeaderName = HeaderName::from_static("x-acs-action");
const VERSION: HeaderName = HeaderName::from_static("x-acs-version");
const DATE: HeaderName = HeaderName::from_static("x-acs-date");
const NONCE: HeaderName = HeaderName::from_static("x-acs-signature-nonce");
const CONTENT_HASH: HeaderName = HeaderName::from_static("x-acs-content-sha256");
const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-acs-security-token");
const ACCESS_KEY_ID: HeaderName = HeaderName::from_static("x-acs-accesskey-id");

/// An access key: a fixed one, or a temporary one with its security token.
#[derive(Debug, Clone)]
pub struct AccessKey {
    pub id: String,
    pub secret: Secret,
    /// Present exactly for temporary (STS) keys.
    pub token: Option<Secret>,
}

/// Signs with one access key.
#[derive(Clone)]
pub struct Acs3 {
    id: HeaderValue,
    id_text: String,
    secret: Secret,
    token: Option<HeaderValue>,
}

impl Acs3 {
    /// Takes a key as people paste it, without the blanks around its parts.
    pub fn new(key: &AccessKey) -> Result<Self, SignError> {
        let id = Secret::new(key.id.as_str());
        let id_text = sendable(&id)?.to_owned();
        Ok(Self {
            id: header_value(&id_text)?,
            secret: Secret::new(sendable(&key.secret)?),
            token: key
                .token
                .as_ref()
                .map(|token| header_value(sendable(token)?).map(sensitive))
                .transpose()?,
            id_text,
        })
    }

    /// The template's headers and all that is signed beside them, on a copy.
    fn prepared(&self, template: &Template, context: &SignContext) -> Result<HeaderMap, SignError> {
        for name in [ACTION, VERSION] {
            if !template.headers.contains_key(&name) {
                return Err(SignError::Request(format!(
                    "`{}` has no header `{name}`",
                    template.operation
                )));
            }
        }
        let mut headers = template.headers.clone();
        let date = context.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        headers.insert(HOST, header_value(template.base.authority())?);
        headers.insert(DATE, header_value(&date)?);
        headers.insert(NONCE, header_value(&context.nonce)?);
        headers.insert(CONTENT_HASH, header_value(&hash(template.body_bytes()))?);
        if let Some(token) = &self.token {
            headers.insert(SECURITY_TOKEN, token.clone());
            headers.insert(ACCESS_KEY_ID, self.id.clone());
        }
        Ok(headers)
    }
}

impl fmt::Debug for Acs3 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Acs3")
            .field("temporary", &self.token.is_some())
            .finish_non_exhaustive()
    }
}

impl Signer for Acs3 {
    fn scheme(&self) -> Scheme {
        Scheme::Acs3
    }

    fn sign(&self, template: &Template, context: &SignContext) -> Result<Signed, SignError> {
        let mut headers = self.prepared(template, context)?;
        let canonical = canonical_of(template, &headers)?;
        let signature = signature(&self.secret, &string_to_sign(&canonical.text))?;
        let authorization = format!(
            "{ALGORITHM} Credential={},SignedHeaders={},Signature={signature}",
            self.id_text, canonical.signed_headers
        );
        headers.insert(AUTHORIZATION, sensitive(header_value(&authorization)?));
        let signed = Signed::new(Proof::new(), template.clone(), headers);
        Ok(signed.hiding([self.secret.clone()]))
    }

    fn canonical(&self, template: &Template, context: &SignContext) -> Option<String> {
        let mut headers = self.prepared(template, context).ok()?;
        if let Some(token) = headers.get_mut(SECURITY_TOKEN) {
            *token = HeaderValue::from_static("<masked>");
        }
        Some(canonical_of(template, &headers).ok()?.text)
    }
}

/// The set that the vendor's Go and JavaScript clients sign: `host`, `content-type` and every `x-acs-*` (§2.2).
pub fn is_signed_by_go(name: &str) -> bool {
    matches!(name, "host" | "content-type") || name.starts_with("x-acs-")
}

/// The string that is signed: the algorithm and the hash of the canonical request (§2.5).
pub fn string_to_sign(canonical_request: &str) -> String {
    format!("{ALGORITHM}\n{}", hash(canonical_request.as_bytes()))
}

/// The signature in lower-case hex. The key is the bare secret: nothing is put behind it (§2.5).
pub fn signature(secret: &Secret, string_to_sign: &str) -> Result<String, SignError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
        .map_err(|_length| SignError::Key("the access key's secret has no usable length".into()))?;
    mac.update(string_to_sign.as_bytes());
    Ok(hex::encode(&mac.finalize().into_bytes()))
}

fn canonical_of(template: &Template, headers: &HeaderMap) -> Result<Canonical, SignError> {
    canonical_request(
        template.method.as_str(),
        &template.full_target(),
        headers,
        is_signed_by_go,
        &hash(template.body_bytes()),
    )
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(&Sha256::digest(bytes))
}

fn header_value(text: &str) -> Result<HeaderValue, SignError> {
    HeaderValue::from_str(text).map_err(|_unsendable| SignError::UnsendableCredential)
}

fn sensitive(mut value: HeaderValue) -> HeaderValue {
    value.set_sensitive(true);
    value
}
