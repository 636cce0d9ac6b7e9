//! The JSON of a temporary key; pure (pai-dlc.md §2.9).

use std::fmt;

use jiff::tz::Offset;
use serde_json::Value;
use zeroize::Zeroize;

use crate::model::Timestamp;
use crate::provider::time;
use crate::secret::Secret;
use crate::sign::AccessKey;

/// A key and its end, where that is told.
pub(super) struct TemporaryKey {
    pub(super) key: AccessKey,
    pub(super) expires: Option<Timestamp>,
}

impl fmt::Debug for TemporaryKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TemporaryKey")
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// Reads `Code`, `AccessKeyId`, `AccessKeySecret`, `SecurityToken` and `Expiration`. The error says what is wrong
/// without a value of the answer.
pub(super) fn read(body: &[u8]) -> Result<TemporaryKey, String> {
    let mut answer: Value = serde_json::from_slice(body).map_err(|_| "is no JSON".to_owned())?;
    if !answer.is_object() {
        return Err("is no JSON object".to_owned());
    }
    match answer.get("Code").and_then(Value::as_str) {
        None | Some("" | "Success") => {}
        Some(code) => return Err(format!("says `{code}` instead of `Success`")),
    }
    let id = text(&mut answer, "AccessKeyId").ok_or("lacks `AccessKeyId`")?;
    let secret = text(&mut answer, "AccessKeySecret").ok_or("lacks `AccessKeySecret`")?;
    let token = text(&mut answer, "SecurityToken");
    let expires = match text(&mut answer, "Expiration") {
        None => None,
        Some(expires) => Some(
            time::read_text(expires.expose(), Offset::UTC)
                .ok_or("has an `Expiration` that is no time")?,
        ),
    };
    Ok(TemporaryKey {
        key: AccessKey {
            id: id.expose().to_owned(),
            secret,
            token,
        },
        expires,
    })
}

/// A text that is not empty, moved out of the answer.
fn text(answer: &mut Value, name: &str) -> Option<Secret> {
    let Value::String(text) = answer.get_mut(name)? else {
        return None;
    };
    let secret = Secret::new(text.as_str());
    text.zeroize();
    (!secret.is_empty()).then_some(secret)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_whole_answer_is_a_key_with_its_token_and_end() {
        let body =
            br#"{"Code":"Success","AccessKeyId":"STS.a","AccessKeySecret":"b","SecurityToken":"c",
            "Expiration":"2026-01-06T08:09:10Z","LastUpdated":"2026-01-06T02:09:10Z"}"#;
        let found = read(body).unwrap();
        assert_eq!(found.key.id, "STS.a");
        assert_eq!(found.key.secret.expose(), "b");
        assert_eq!(found.key.token.unwrap().expose(), "c");
        assert_eq!(found.expires, Some("2026-01-06T08:09:10Z".parse().unwrap()));
    }

    #[test]
    fn token_end_and_code_may_be_missing() {
        let found =
            read(br#"{"AccessKeyId":"a","AccessKeySecret":"b","SecurityToken":""}"#).unwrap();
        assert!(found.key.token.is_none() && found.expires.is_none());
    }

    #[rstest]
    #[case::no_json("<html>canary</html>", "no JSON")]
    #[case::no_object("[\"canary\"]", "no JSON object")]
    #[case::failed(
        r#"{"Code":"Failed","AccessKeyId":"a","AccessKeySecret":"canary"}"#,
        "`Failed`"
    )]
    #[case::no_id(r#"{"Code":"Success","AccessKeySecret":"canary"}"#, "`AccessKeyId`")]
    #[case::no_secret(r#"{"AccessKeyId":"a","SecurityToken":"canary"}"#, "`AccessKeySecret`")]
    #[case::no_time(
        r#"{"AccessKeyId":"a","AccessKeySecret":"canary","Expiration":"soon"}"#,
        "no time"
    )]
    fn what_is_wrong_is_said_without_a_value(#[case] body: &str, #[case] words: &str) {
        let why = read(body.as_bytes()).unwrap_err();
        assert!(why.contains(words), "{why}");
        assert!(!why.contains("canary"), "{why}");
    }
}
