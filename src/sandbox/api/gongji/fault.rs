//! Answers that are not the operation's own: what proxies, overload and broken connections do (gongji.md §11).
//!
//! Delays and resets belong to the port, not to the service, and are not here.

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};

use super::reply::{self, Refusal};
use super::routes;
use super::switches::Statuses;
use crate::sandbox::service::RawAnswer;

/// Which requests are answered otherwise, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FaultRule {
    pub(super) kind: Kind,
    /// Whether the operation takes place all the same.
    #[serde(default)]
    pub(super) when: When,
    /// The path behind `/api/`; null is any.
    #[serde(default)]
    pub(super) operation: Option<String>,
    /// How often; null is always.
    #[serde(default)]
    pub(super) times: Option<u64>,
    /// For `too-many-requests`, in seconds.
    #[serde(default)]
    pub(super) retry_after: Option<u64>,
    /// For `code`: the code of the envelope.
    #[serde(default)]
    pub(super) code: Option<String>,
    /// For `code`: the message of the envelope.
    #[serde(default)]
    pub(super) message: Option<String>,
}

/// What is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// 502 with a web page.
    BadGateway,
    /// 500 with an envelope.
    ServerError,
    /// 503 with an empty body.
    Unavailable,
    /// 429 with `Retry-After`.
    TooManyRequests,
    /// 200 without a body.
    EmptyBody,
    /// The operation's answer without its second half.
    Truncated,
    /// A failure with any code.
    Code,
}

/// Before the operation, so that it does not take place, or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum When {
    #[default]
    Before,
    After,
}

impl FaultRule {
    /// Whether the rule makes sense.
    pub(super) fn check(&self) -> Result<(), String> {
        if let Some(operation) = &self.operation
            && routes::by_name(operation).is_none()
        {
            return Err(format!(
                "`fault`: there is no operation `{operation}`; give a path behind /api/, such as task/job/create"
            ));
        }
        if self.kind == Kind::Code && self.code.is_none() {
            return Err("`fault`: the kind `code` needs a `code`".to_owned());
        }
        Ok(())
    }

    /// Whether a request is meant; counts it if so.
    pub(super) fn matches(&mut self, operation: &str) -> bool {
        let meant = self
            .operation
            .as_ref()
            .is_none_or(|wanted| wanted == operation);
        if !meant || self.times == Some(0) {
            return false;
        }
        if let Some(times) = &mut self.times {
            *times -= 1;
        }
        true
    }

    /// The answer, made from the operation's own one where there is one.
    pub(super) fn answer(&self, own: Option<RawAnswer>) -> RawAnswer {
        match self.kind {
            Kind::BadGateway => RawAnswer::html(
                StatusCode::BAD_GATEWAY,
                "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>\n",
            ),
            Kind::ServerError => {
                let failure = Refusal::scripted("C999", "system error");
                let answer = reply::render(Err(failure), Statuses::Ok);
                RawAnswer {
                    status: StatusCode::INTERNAL_SERVER_ERROR,
                    ..answer
                }
            }
            Kind::Unavailable => RawAnswer::empty(StatusCode::SERVICE_UNAVAILABLE),
            Kind::TooManyRequests => {
                let answer = RawAnswer::text(StatusCode::TOO_MANY_REQUESTS, "slow down\n");
                match self.retry_after {
                    Some(seconds) => {
                        answer.with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
                    }
                    None => answer,
                }
            }
            Kind::EmptyBody => RawAnswer::empty(StatusCode::OK),
            Kind::Truncated => {
                let mut answer = own.unwrap_or_else(|| {
                    RawAnswer::json(StatusCode::OK, &serde_json::json!({ "code": "0000" }))
                });
                answer.body = half(&answer.body);
                answer
            }
            Kind::Code => {
                let code = self.code.as_deref().unwrap_or_default();
                let message = self.message.as_deref().unwrap_or("scripted failure");
                reply::render(Err(Refusal::scripted(code, message)), Statuses::Ok)
            }
        }
    }
}

fn half(body: &Bytes) -> Bytes {
    body.slice(..body.len() / 2)
}
