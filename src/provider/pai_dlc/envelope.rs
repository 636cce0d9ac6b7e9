//! The error envelope of both products: JSON in two spellings, or XML (pai-dlc.md §7.1).

use serde_json::{Map, Value};

use crate::http::Answer;

use super::lenient;

/// What an answer says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Envelope {
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) request_id: Option<String>,
    /// Who lacked which permission, as compact JSON.
    pub(super) access_denied: Option<String>,
    /// Whether the body had this API's form at all.
    pub(super) is_structured: bool,
    /// The body's first line, when it had not.
    pub(super) first_line: String,
}

impl Envelope {
    /// Reads whatever the body is; never fails.
    pub(super) fn read(answer: &Answer) -> Self {
        let mut envelope = match lenient::json(answer) {
            Ok(Value::Object(members)) => Self::from_json(&members),
            Ok(_) | Err(_) if is_xml(answer) => Self::from_xml(&answer.body),
            Ok(_) | Err(_) => Self::default(),
        };
        if !envelope.is_structured {
            envelope.first_line = answer.first_line();
        }
        if envelope.request_id.is_none() {
            envelope.request_id = answer.header("x-acs-request-id").map(str::to_owned);
        }
        envelope
    }

    fn from_json(members: &Map<String, Value>) -> Self {
        let text = |names: &[&str]| {
            names
                .iter()
                .filter_map(|name| members.get(*name)?.as_str())
                .find(|text| !text.is_empty())
                .map(str::to_owned)
        };
        Self {
            code: text(&["Code", "code"]),
            message: text(&["Message", "message"]).map(|message| first_sentences(&message)),
            request_id: text(&["RequestId", "requestId", "RequestID"]),
            access_denied: members
                .get("AccessDeniedDetail")
                .filter(|detail| !detail.is_null())
                .map(Value::to_string),
            is_structured: true,
            first_line: String::new(),
        }
    }

    fn from_xml(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        Self {
            code: element(&text, "Code"),
            message: element(&text, "Message").map(|message| first_sentences(&message)),
            request_id: element(&text, "RequestId"),
            access_denied: None,
            is_structured: text.contains("<Error"),
            first_line: String::new(),
        }
    }
}

fn is_xml(answer: &Answer) -> bool {
    answer
        .header("content-type")
        .is_some_and(|value| value.to_ascii_lowercase().contains("xml"))
}

/// A mismatch is answered with both canonical texts, and those hold the security token: they are cut off (§2.8).
fn first_sentences(message: &str) -> String {
    let lower = message.to_ascii_lowercase();
    let end = ["server stringtosign", "server canonicalrequest"]
        .iter()
        .filter_map(|mark| lower.find(mark))
        .min();
    let shown = end.and_then(|end| message.get(..end)).unwrap_or(message);
    shown.trim_end().trim_end_matches('.').to_owned()
}

/// The text of the first element of a name.
fn element(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (inner, _) = rest.split_once(&format!("</{name}>"))?;
    let inner = inner.trim();
    (!inner.is_empty()).then(|| {
        inner
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&apos;", "'")
            .replace("&amp;", "&")
    })
}
