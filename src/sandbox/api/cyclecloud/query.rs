//! Query parameters (cyclecloud.md §3 and §4). Pure.
//!
//! The contract does not say that unknown parameters are ignored, so they are refused: `requestId=` in place of
//! `request_id=` would otherwise show every node of the cluster.

use super::reply::Refusal;

/// Decoded parameters, each at most once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Decodes a raw query of which only these names are known.
    pub(super) fn parse(raw: &str, known: &[&str]) -> Result<Self, Refusal> {
        let mut parameters: Vec<(String, String)> = Vec::new();
        for part in raw.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (Some(name), Some(value)) =
                (percent_decode(name, true), percent_decode(value, true))
            else {
                return Err(Refusal::bad_request(format!(
                    "The parameter {part} is not UTF-8"
                )));
            };
            if !known.contains(&name.as_str()) {
                return Err(Refusal::bad_request(format!("Unknown parameter {name}")));
            }
            if parameters.iter().any(|(other, _)| *other == name) {
                return Err(Refusal::bad_request(format!("{name} is given twice")));
            }
            parameters.push((name, value));
        }
        Ok(Self(parameters))
    }

    /// A parameter's value.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// `true` or `false`; false without the parameter.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(Refusal::bad_request(format!(
                "{name} must be true or false, not {other}"
            ))),
        }
    }
}

/// Undoes percent-encoding, and `+` for a blank where that is meant; `None` if the result is not UTF-8 or a `%` is not
/// followed by two digits.
pub(super) fn percent_decode(text: &str, plus_is_blank: bool) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                decoded.push(u8::try_from(high * 16 + low).ok()?);
            }
            b'+' if plus_is_blank => decoded.push(b' '),
            other => decoded.push(other),
        }
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn parameters_are_decoded() {
        let query =
            Query::parse("request_id=a%2Fb+c&nodes=true", &["request_id", "nodes"]).unwrap();
        assert_eq!(query.get("request_id"), Some("a/b c"));
        assert_eq!(query.flag("nodes"), Ok(true));
        assert_eq!(query.flag("other"), Ok(false));
    }

    #[rstest]
    #[case("requestId=a")]
    #[case("nodes=true&nodes=true")]
    #[case("nodes=%ff")]
    #[case("nodes=%4")]
    fn wrong_queries_are_refused(#[case] raw: &str) {
        assert!(Query::parse(raw, &["nodes", "request_id"]).is_err());
    }

    #[test]
    fn booleans_are_lower_case_words() {
        for value in ["True", "1", "yes", ""] {
            let query = Query::parse(&format!("nodes={value}"), &["nodes"]).unwrap();
            assert!(query.flag("nodes").is_err(), "{value}");
        }
    }
}
