//! How Gongji says yes and no (gongji.md §7; cli.md §10).
//!
//! Pure. An answer is a success only if its status *and* its envelope's code say so. The meanings of most codes are
//! unpublished: words in a message give a hint and never decide. Known secrets are taken out of every text.

use std::sync::Arc;

use http::StatusCode;
use jiff::SignedDuration;
use serde_json::Value;

use crate::ambient::Clock;
use crate::error::{Error, Kind};
use crate::http::dialect::{Dialect, Repeat, Verdict, kind_of_status};
use crate::http::{Answer, retry};
use crate::secret::Secret;

use super::wire::lenient;

/// The one code of success (§7.1).
const SUCCESS: &str = "0000";

/// At most so much of a message is shown.
const SHOWN_AT_MOST: usize = 500;

const NOT_THE_API: &str = "check `base-url` and any proxy between here and the service";

/// Gongji's reading of answers.
#[derive(Debug, Clone)]
pub struct GongjiDialect {
    /// Never shown, even if the service repeats them.
    secrets: Vec<Secret>,
    /// Whether requests are signed, for hints.
    signs: bool,
    /// For the difference between two clocks, in hints.
    clock: Arc<dyn Clock>,
}

impl GongjiDialect {
    /// A dialect that takes `secrets` (the token) out of what it tells; `signs` is the signer's mode.
    pub fn new(secrets: Vec<Secret>, signs: bool, clock: Arc<dyn Clock>) -> Self {
        Self {
            secrets,
            signs,
            clock,
        }
    }
}

impl Dialect for GongjiDialect {
    fn judge(&self, operation: &'static str, answer: &Answer) -> Verdict {
        let envelope = Envelope::read(answer);
        let code = envelope
            .as_ref()
            .and_then(|envelope| envelope.code.as_deref());
        match (answer.status.is_success(), code) {
            (true, Some(SUCCESS)) => Verdict::Success,
            (true, None) => not_this_api(operation, answer, envelope.is_some()),
            (true, Some(_)) | (false, _) => self.failure(operation, answer, envelope),
        }
    }
}

/// What an answer says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Envelope {
    code: Option<String>,
    message: Option<String>,
}

impl Envelope {
    /// `None` for what is no JSON object.
    fn read(answer: &Answer) -> Option<Self> {
        let Ok(Value::Object(members)) = answer.json() else {
            return None;
        };
        let text = |name: &str| members.get(name).and_then(lenient::text_of);
        Some(Self {
            code: text("code"),
            // The second is a gateway's (§7.3).
            message: text("message").or_else(|| text("error")),
        })
    }
}

impl GongjiDialect {
    fn failure(
        &self,
        operation: &'static str,
        answer: &Answer,
        envelope: Option<Envelope>,
    ) -> Verdict {
        let status = answer.status;
        let is_json = envelope.is_some();
        let Envelope { code, message } = envelope.unwrap_or(Envelope {
            code: None,
            message: None,
        });
        let kind = kind_of(status, code.as_deref(), is_json);
        if kind == Kind::Protocol {
            return not_this_api(operation, answer, is_json);
        }
        let text = message
            .or_else(|| {
                (!is_json).then(|| {
                    if answer.looks_like_html() {
                        "a web page".to_owned()
                    } else {
                        first_words(answer)
                    }
                })
            })
            .map(|text| self.shown(&text))
            .filter(|text| !text.is_empty());
        let what = match (&code, &text) {
            (Some(code), Some(text)) => format!("{text} (`{}`)", self.shown(code)),
            (Some(code), None) => format!("`{}` without a message", self.shown(code)),
            (None, Some(text)) => text.clone(),
            (None, None) => "no details".to_owned(),
        };
        let how = if status.is_success() {
            "was refused".to_owned()
        } else {
            format!("failed with HTTP {}", status.as_u16())
        };
        let mut error = Error::new(kind, word_of(kind), format!("`{operation}` {how}: {what}"))
            .with_http(status.as_u16(), code.clone(), request_id(answer));
        if let Some(hint) = self.hint(kind, text.as_deref().unwrap_or_default(), answer) {
            error = error.with_hint(hint);
        }
        Verdict::Failure {
            error,
            // A refusal in an envelope stays one; 408, 425, 429 and 5xx may pass (§7.2).
            repeat: if kind == Kind::Temporary {
                retry::advice_of_status(status)
            } else {
                Repeat::Useless
            },
        }
    }

    /// One line without control characters and secrets.
    fn shown(&self, text: &str) -> String {
        let line: String = text
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .chars()
            .filter(|character| !character.is_control())
            .collect();
        let clean = self
            .secrets
            .iter()
            // As it travels: without the blanks that were pasted around it.
            .map(|secret| secret.expose().trim())
            .filter(|secret| !secret.is_empty())
            .fold(line, |line, secret| line.replace(secret, "••••"));
        clean
            .trim_end_matches(['.', '。'])
            .chars()
            .take(SHOWN_AT_MOST)
            .collect()
    }

    /// What to do next, from the kind and from words of the message; only ever a hint (§7.2).
    fn hint(&self, kind: Kind, message: &str, answer: &Answer) -> Option<String> {
        let lower = message.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        let is_about_time = says(&["timestamp", "时间戳"]);
        if is_about_time {
            return Some(self.clock_hint(answer));
        }
        if says(&["sign", "签"]) {
            return Some(self.mode_hint().to_owned());
        }
        if kind == Kind::Auth {
            return Some(format!(
                "make a new API key in the console and set it as `token`; {}",
                self.mode_hint()
            ));
        }
        let fixed = if says(&["token"]) && says(&["expired", "invalid", "过期", "无效", "失效"])
        {
            "make a new API key in the console and set it as `token`"
        } else if says(&["余额", "欠费", "insufficient", "balance"]) {
            "this is likely the account's balance: see the console"
        } else if says(&["库存", "inventory", "sold out"]) {
            "this is likely the stock: `gpujob types` shows what is free now"
        } else if says(&["不存在", "not found", "not exist"]) {
            "check the id, and that the token belongs to the same account"
        } else {
            return None;
        };
        Some(fixed.to_owned())
    }

    /// A token works in the mode it was made for, and in no other (§1.3).
    const fn mode_hint(&self) -> &'static str {
        if self.signs {
            "requests are signed with `private-key`: it must be the half of the public key that this token was made with, and a simple token must go without it"
        } else {
            "requests go without a signature: a token made in RSA mode needs `private-key`"
        }
    }

    /// The service allows five minutes (§1.2); only the difference tells whether that is it.
    fn clock_hint(&self, answer: &Answer) -> String {
        let allowed = "the clocks may differ by less than 5 minutes";
        let Some(server) = retry::server_time(answer) else {
            return format!("set this machine's clock: {allowed}");
        };
        let difference = retry::clock_difference(server, self.clock.now());
        let side = if difference.is_negative() {
            "ahead of"
        } else {
            "behind"
        };
        let whole = SignedDuration::from_secs(difference.abs().as_secs());
        format!("this machine's clock is {whole:#} {side} the service's, and {allowed}")
    }
}

/// Credentials by status or by the two codes that are known for it; everything else by status (§7.2).
fn kind_of(status: StatusCode, code: Option<&str>, is_json: bool) -> Kind {
    if !status.is_server_error() && matches!(code, Some("A003" | "C003")) {
        return Kind::Auth;
    }
    if status.is_success() {
        return Kind::Rejected;
    }
    kind_of_status(status, is_json)
}

const fn word_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Auth => "credentials_refused",
        Kind::NotFound => "not_found",
        Kind::Temporary => "temporary",
        Kind::Protocol
        | Kind::Capacity
        | Kind::Config
        | Kind::Rejected
        | Kind::Usage
        | Kind::Spec
        | Kind::OutcomeUnknown
        | Kind::Internal
        | Kind::JobFailed
        | Kind::JobCancelled
        | Kind::ResultUnknown
        | Kind::Timeout
        | Kind::Interrupted
        | Kind::Terminated => "rejected",
    }
}

/// An answer without this API's envelope, whatever its status.
fn not_this_api(operation: &str, answer: &Answer, is_json: bool) -> Verdict {
    let what = if answer.body.is_empty() {
        "an empty body".to_owned()
    } else if answer.looks_like_html() {
        "a web page".to_owned()
    } else if is_json {
        "JSON without the envelope's `code`".to_owned()
    } else {
        format!("no JSON object: {}", first_words(answer))
    };
    let status = answer.status.as_u16();
    Verdict::Failure {
        error: Error::new(
            Kind::Protocol,
            "unexpected_answer",
            format!("`{operation}` was answered with HTTP {status} and {what}"),
        )
        .with_http(status, None, request_id(answer))
        .with_hint(NOT_THE_API),
        repeat: Repeat::Useless,
    }
}

/// The beginning of what is no JSON, short enough to hold no whole credential.
fn first_words(answer: &Answer) -> String {
    answer
        .first_line()
        .chars()
        .filter(|character| !character.is_control())
        .take(32)
        .collect()
}

/// None is documented; gateways often add one.
fn request_id(answer: &Answer) -> Option<String> {
    answer.header("x-request-id").map(str::to_owned)
}
