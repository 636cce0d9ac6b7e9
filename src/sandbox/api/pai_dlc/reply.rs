//! What the service says: bodies with a `RequestId`, and refusals of the gateway or of the product (pai-dlc.md §7.1).

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};

use super::times;
use crate::model::Timestamp;
use crate::sandbox::auth::acs3::Fault;
use crate::sandbox::service::{Delivery, RawAnswer};

/// The members of a successful answer, `RequestId` excepted.
pub(super) type Body = Map<String, Value>;

/// A request that is not served.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: String,
    pub(super) message: String,
    /// The gateway adds `HostId` and `Recommend`; the product does not (§9.9).
    pub(super) from_gateway: bool,
    /// `AccessDeniedDetail` of a 403.
    pub(super) access_denied: Option<Box<Value>>,
    pub(super) retry_after_milliseconds: Option<u64>,
}

impl Refusal {
    fn product(status: StatusCode, code: &str, message: String) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message,
            from_gateway: false,
            access_denied: None,
            retry_after_milliseconds: None,
        }
    }

    /// A refusal of the gateway.
    pub(super) fn gateway(status: StatusCode, code: &str, message: &str) -> Self {
        Self {
            from_gateway: true,
            ..Self::product(status, code, message.to_owned())
        }
    }

    /// 400: a member or parameter is missing or wrong.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::product(StatusCode::BAD_REQUEST, "InvalidParameter", message.into())
    }

    /// 404: no such thing.
    pub(super) fn not_found(what: &str, id: &str) -> Self {
        Self::product(
            StatusCode::NOT_FOUND,
            "NotFound",
            format!("{what} {id} is not found."),
        )
    }

    /// 400: not in this state.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::product(StatusCode::BAD_REQUEST, "BadRequest", message.into())
    }

    /// 400: nothing free (§4.2).
    pub(super) fn no_capacity(message: impl Into<String>) -> Self {
        Self::product(
            StatusCode::BAD_REQUEST,
            "ResourceAllocateFailed",
            message.into(),
        )
    }

    /// 404: no operation for this verb and path, or not the one that was named.
    pub(super) fn no_such_api() -> Self {
        Self::gateway(
            StatusCode::NOT_FOUND,
            "InvalidApi.NotFound",
            "Specified api is not found, please check your url and method.",
        )
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::gateway(fault.status(), fault.code(), &fault.message())
    }
}

/// What an answer needs beside its content.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    /// An upper-case UUID, new in every answer (§11.5).
    pub(super) request_id: String,
    /// The service's clock, for the `Date` by which a client corrects its own (§7.2).
    pub(super) now: Timestamp,
    pub(super) host: &'a str,
    pub(super) product: &'a str,
}

/// Puts an outcome into bytes.
pub(super) fn render(outcome: Result<Body, Refusal>, envelope: &Envelope<'_>) -> RawAnswer {
    let mut headers = HeaderMap::new();
    let (status, mut body) = match outcome {
        Ok(body) => (StatusCode::OK, body),
        Err(refusal) => {
            if let Some(milliseconds) = refusal.retry_after_milliseconds {
                headers.insert(
                    HeaderName::from_static("x-acs-retry-after"),
                    HeaderValue::from(milliseconds),
                );
            }
            (refusal.status, refusal_body(refusal, envelope))
        }
    };
    body.insert("RequestId".to_owned(), json!(envelope.request_id));
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json;charset=utf-8"),
    );
    if let Ok(date) = HeaderValue::from_str(&times::http_date(envelope.now)) {
        headers.insert(header::DATE, date);
    }
    if let Ok(id) = HeaderValue::from_str(&envelope.request_id) {
        headers.insert(HeaderName::from_static("x-acs-request-id"), id);
    }
    RawAnswer {
        status,
        headers,
        body: Bytes::from(Value::Object(body).to_string()),
        file: None,
        delivery: Delivery::default(),
    }
}

fn refusal_body(refusal: Refusal, envelope: &Envelope<'_>) -> Body {
    let mut body = Body::new();
    if refusal.from_gateway {
        body.insert("HostId".to_owned(), json!(envelope.host));
        body.insert(
            "Recommend".to_owned(),
            json!(format!(
                "https://api.aliyun.com/troubleshoot?q={}&product={}&requestId={}",
                refusal.code, envelope.product, envelope.request_id
            )),
        );
    }
    if let Some(detail) = refusal.access_denied {
        body.insert("AccessDeniedDetail".to_owned(), *detail);
    }
    body.insert("Code".to_owned(), json!(refusal.code));
    body.insert("Message".to_owned(), json!(refusal.message));
    body
}
