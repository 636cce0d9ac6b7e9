//! Gongji's headers: token, time and version, and for RSA keys a signature over the raw request (gongji.md §1.2 to §1.4).
//!
//! Pure, and never sends. The vendor binds a token to one of two modes: a simple token must go without a signature, an
//! RSA token must have one; which it is cannot be seen on the token. Bodies are never encrypted here (§1.5).

#[cfg(test)]
mod tests;

use std::fmt;

use http::{HeaderName, HeaderValue};
use zeroize::Zeroizing;

use crate::http::{Signed, Template, redact};
use crate::secret::Secret;

use super::{Proof, RsaKey, Scheme, SignContext, SignError, Signer, sendable};

/// The one version of the API, in the header and in the signed text (§1.1).
pub const VERSION: &str = "1.0.0";

const TOKEN: HeaderName = HeaderName::from_static("token");
const TIMESTAMP: HeaderName = HeaderName::from_static("timestamp");
const VERSION_NAME: HeaderName = HeaderName::from_static("version");
/// With an underscore, which some proxies drop (§1.2).
const SIGNATURE: HeaderName = HeaderName::from_static("sign_str");

/// Signs with one API key, in the mode that it was made for.
pub struct GongjiSigner {
    token: Secret,
    header: HeaderValue,
    key: Option<RsaKey>,
}

impl GongjiSigner {
    /// Takes the token as people paste it, and the private key where the token is of the RSA kind.
    pub fn new(token: &Secret, private_key: Option<&Secret>) -> Result<Self, SignError> {
        let bare = sendable(token)?;
        let mut header =
            HeaderValue::from_str(bare).map_err(|_unsendable| SignError::UnsendableCredential)?;
        header.set_sensitive(true);
        Ok(Self {
            token: Secret::new(bare),
            header,
            key: private_key.map(RsaKey::parse).transpose()?,
        })
    }

    /// Whether requests carry a signature.
    pub fn signs(&self) -> bool {
        self.key.is_some()
    }
}

impl fmt::Debug for GongjiSigner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("GongjiSigner")
            .field("signs", &self.signs())
            .finish_non_exhaustive()
    }
}

impl Signer for GongjiSigner {
    fn scheme(&self) -> Scheme {
        if self.signs() {
            Scheme::SignedToken
        } else {
            Scheme::Token
        }
    }

    fn sign(&self, template: &Template, context: &SignContext) -> Result<Signed, SignError> {
        let timestamp = milliseconds(context);
        let mut headers = template.headers.clone();
        headers.insert(TOKEN, self.header.clone());
        headers.insert(
            TIMESTAMP,
            HeaderValue::from_str(&timestamp)
                .map_err(|error| SignError::Request(error.to_string()))?,
        );
        headers.insert(VERSION_NAME, HeaderValue::from_static(VERSION));
        if let Some(key) = &self.key {
            let text = string_to_sign(
                &template.full_target(),
                &timestamp,
                self.token.expose(),
                template.body_bytes(),
            );
            let mut value = HeaderValue::from_str(&key.sign(&text)?)
                .map_err(|_unsendable| SignError::UnsendableCredential)?;
            value.set_sensitive(true);
            headers.insert(SIGNATURE, value);
        }
        Ok(Signed::new(Proof::new(), template.clone(), headers))
    }

    /// The token is masked, and the body's secrets as in a trace: a create carries environments and passwords.
    fn canonical(&self, template: &Template, context: &SignContext) -> Option<String> {
        self.key.as_ref()?;
        let text = string_to_sign(
            &redact::target(&template.full_target()),
            &milliseconds(context),
            "<masked>",
            redact::body(template.body_bytes())
                .unwrap_or_default()
                .as_bytes(),
        );
        Some(String::from_utf8_lossy(&text).into_owned())
    }
}

/// The five fields of §1.4, joined by line feeds with nothing after the last: the request target as it travels, query
/// and all; the version; the time; the token; the body's own bytes, or nothing.
pub fn string_to_sign(
    target: &str,
    timestamp: &str,
    token: &str,
    body: &[u8],
) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(
        target.len() + timestamp.len() + token.len() + body.len() + 16,
    ));
    for field in [target, VERSION, timestamp, token] {
        text.extend_from_slice(field.as_bytes());
        text.push(b'\n');
    }
    text.extend_from_slice(body);
    text
}

/// Unix time in milliseconds: 13 digits until the year 2286.
fn milliseconds(context: &SignContext) -> String {
    context.now.as_millisecond().to_string()
}
