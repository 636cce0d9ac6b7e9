//! What came back: status, headers and the bytes, before anybody believes them.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// One HTTP answer, read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// The first value of a header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON, whatever its content type says.
    pub fn json(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_slice(self.text_bytes())
    }

    /// The body as a wire type.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(self.text_bytes())
    }

    /// The body without a byte order mark, which a reader of JSON may ignore (RFC 8259 §8.1).
    pub fn text_bytes(&self) -> &[u8] {
        self.body
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(&self.body)
    }

    /// Whether the body looks like a web page instead of an API's answer.
    pub fn looks_like_html(&self) -> bool {
        let html_type = self
            .header("content-type")
            .is_some_and(|value| value.to_ascii_lowercase().contains("text/html"));
        let start: Vec<u8> = self
            .body
            .iter()
            .skip_while(|byte| byte.is_ascii_whitespace())
            .take(14)
            .map(u8::to_ascii_lowercase)
            .collect();
        html_type || start.starts_with(b"<!doctype html") || start.starts_with(b"<html")
    }

    /// The first line of the body, at most 200 characters, for messages.
    pub fn first_line(&self) -> String {
        String::from_utf8_lossy(
            self.body
                .get(..self.body.len().min(2048))
                .unwrap_or_default(),
        )
        .trim_start()
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(200)
        .collect()
    }
}
