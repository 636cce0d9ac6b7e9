//! The verifier with the published vectors: whatever is changed in them is refused (pai-dlc.md §2).

mod canonical;
mod keys;
mod signed;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::ToSpan;
use proptest::prelude::*;
use serde::Deserialize;

use super::authorization::ALGORITHM;
use super::*;
use crate::model::Timestamp;
use crate::sandbox::service::RawRequest;
use crate::secret::Secret;

const VECTORS: [&str; 4] = [
    include_str!("../../../../../tests/vectors/acs3-doc-0-run-instances.json"),
    include_str!("../../../../../tests/vectors/acs3-doc-1-list-jobs.json"),
    include_str!("../../../../../tests/vectors/acs3-doc-2-create-job.json"),
    include_str!("../../../../../tests/vectors/acs3-doc-3-stop-job.json"),
];

const ALWAYS_SIGNED: [&str; 6] = [
    "host",
    "x-acs-action",
    "x-acs-version",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-content-sha256",
];

#[derive(Deserialize)]
struct Vector {
    name: String,
    method: String,
    target: String,
    headers: serde_json::Map<String, serde_json::Value>,
    body: String,
    secret: String,
    expect: Expected,
}

#[derive(Deserialize)]
struct Expected {
    canonical_request: String,
    string_to_sign: String,
    signature: String,
}

/// One vector, ready to be verified at its own instant with its own key.
struct Case {
    name: String,
    request: RawRequest,
    now: Timestamp,
    key: AccessKey,
    expect: Expected,
}

impl Case {
    fn store(&self) -> KeyStore {
        KeyStore::new(vec![self.key.clone()])
    }

    fn code_of(&self, request: &RawRequest) -> &'static str {
        verify(request, self.now, &self.store()).unwrap_err().code()
    }

    fn header(&self, name: &str) -> &str {
        self.request.header(name).unwrap()
    }

    fn signed(&self) -> Vec<String> {
        signed_names(self.header("authorization"))
    }
}

fn signed_names(authorization: &str) -> Vec<String> {
    let (_, rest) = authorization.split_once("SignedHeaders=").unwrap();
    let (names, _) = rest.split_once(',').unwrap();
    names.split(';').map(str::to_owned).collect()
}

fn cases() -> Vec<Case> {
    VECTORS
        .map(|text| case(serde_json::from_str(text).unwrap()))
        .into()
}

fn case(vector: Vector) -> Case {
    let mut headers = HeaderMap::new();
    for (name, value) in &vector.headers {
        headers.insert(
            HeaderName::try_from(name.as_str()).unwrap(),
            HeaderValue::from_str(value.as_str().unwrap()).unwrap(),
        );
    }
    let request = RawRequest {
        method: Method::from_bytes(vector.method.as_bytes()).unwrap(),
        target: vector.target,
        headers,
        body: vector.body.into(),
        upload: None,
    };
    let now: Timestamp = request.header("x-acs-date").unwrap().parse().unwrap();
    let authorization = request.header("authorization").unwrap();
    let (_, rest) = authorization.split_once("Credential=").unwrap();
    let key = AccessKey {
        id: rest.split_once(',').unwrap().0.to_owned(),
        secret: Secret::new(vector.secret),
        user_id: "1204455667788990".to_owned(),
        enabled: true,
        token: request.header("x-acs-security-token").map(|token| Token {
            text: Secret::new(token),
            expires: now + 1.hour(),
        }),
    };
    Case {
        name: vector.name,
        request,
        now,
        key,
        expect: vector.expect,
    }
}

/// The list of jobs: a query, no body, no token.
fn list() -> Case {
    cases().remove(1)
}

/// A create: a body and a content type.
fn create() -> Case {
    cases().remove(2)
}

/// A stop with a temporary key.
fn stop() -> Case {
    cases().remove(3)
}

fn with_header(request: &RawRequest, name: &str, value: &str) -> RawRequest {
    let mut changed = request.clone();
    changed.headers.insert(
        HeaderName::try_from(name).unwrap(),
        HeaderValue::from_str(value).unwrap(),
    );
    changed
}

/// Signs `request` anew over `names`, so that nothing but what a test changed can be wrong.
fn signed_again(request: &RawRequest, names: &[&str], key: &AccessKey) -> RawRequest {
    use hmac::{Hmac, KeyInit, Mac};
    let text = Canonical::of(request, names).string_to_sign();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.secret.expose().as_bytes()).unwrap();
    mac.update(text.as_bytes());
    let signature = hex(&mac.finalize().into_bytes());
    let authorization = format!(
        "{ALGORITHM} Credential={},SignedHeaders={},Signature={signature}",
        key.id,
        names.join(";")
    );
    with_header(request, "authorization", &authorization)
}

const ALWAYS_SIGNED_SORTED: [&str; 6] = [
    "host",
    "x-acs-action",
    "x-acs-content-sha256",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-version",
];
