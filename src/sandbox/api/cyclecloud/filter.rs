//! The part of the datastore's expressions that clients use (cyclecloud.md §7 and §13): comparisons with `===` and
//! `!==`, joined by `&&`. Pure.

use serde_json::Value;

/// A filter over node records.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Filter(Vec<Comparison>);

#[derive(Debug, Clone, PartialEq)]
struct Comparison {
    /// An attribute, or a path of several.
    path: Vec<String>,
    is_equal: bool,
    literal: Value,
}

impl Filter {
    /// Reads an expression; what is not understood is named.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut comparisons = Vec::new();
        let mut rest = text;
        loop {
            let (comparison, tail) = comparison(rest)?;
            comparisons.push(comparison);
            let tail = tail.trim_start();
            if tail.is_empty() {
                return Ok(Self(comparisons));
            }
            rest = tail
                .strip_prefix("&&")
                .ok_or_else(|| format!("`&&` is expected before `{tail}`"))?;
        }
    }

    /// Whether a record, with its keys as they are stored, fits.
    pub(super) fn accepts(&self, record: &Value) -> bool {
        self.0.iter().all(|comparison| {
            let found = comparison
                .path
                .iter()
                .try_fold(record, |value, name| member(value, name))
                .unwrap_or(&Value::Null);
            (*found == comparison.literal) == comparison.is_equal
        })
    }
}

fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value
        .as_object()?
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn comparison(text: &str) -> Result<(Comparison, &str), String> {
    let text = text.trim_start();
    let end = text
        .find(|character: char| !(character.is_ascii_alphanumeric() || "_.".contains(character)))
        .unwrap_or(text.len());
    let (path, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    if path.is_empty() || path.split('.').any(str::is_empty) {
        return Err(format!("an attribute is expected at `{text}`"));
    }
    let rest = rest.trim_start();
    let (is_equal, rest) = match (rest.strip_prefix("==="), rest.strip_prefix("!==")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return Err(format!("`===` or `!==` is expected at `{rest}`")),
    };
    let (literal, rest) = literal(rest.trim_start())?;
    let comparison = Comparison {
        path: path.split('.').map(str::to_owned).collect(),
        is_equal,
        literal,
    };
    Ok((comparison, rest))
}

/// A JSON text, number, boolean or null, or the word `undefined`.
fn literal(text: &str) -> Result<(Value, &str), String> {
    if let Some(rest) = text.strip_prefix("undefined") {
        return Ok((Value::Null, rest));
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let value = match values.next() {
        Some(Ok(value)) if !value.is_object() && !value.is_array() => value,
        Some(_) | None => return Err(format!("a literal is expected at `{text}`")),
    };
    let rest = text.get(values.byte_offset()..).unwrap_or_default();
    Ok((value, rest))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn accepts(filter: &str) -> bool {
        let record = json!({
            "Template": "gpu", "Status": "Failed", "KeepAlive": false, "Hostname": null,
            "Configuration": {"gpujob": {"job_id": "a && b"}}, "CoreCount": 6,
        });
        Filter::parse(filter).unwrap().accepts(&record)
    }

    #[rstest]
    #[case(r#"Template === "gpu" && Status === "Failed""#, true)]
    #[case(r#"template==="gpu"&&KeepAlive===false"#, true)]
    #[case(r#"Template === "gpu" && Status !== "Failed""#, false)]
    #[case(r#"Template === "GPU""#, false)]
    #[case(r#"Configuration.gpujob.job_id === "a && b""#, true)]
    #[case("Hostname === undefined && Nothing === null", true)]
    #[case("CoreCount === 6", true)]
    #[case(r#"CoreCount === "6""#, false)]
    fn simple_expressions_are_understood(#[case] filter: &str, #[case] expected: bool) {
        assert_eq!(accepts(filter), expected);
    }

    #[rstest]
    #[case("")]
    #[case("Template")]
    #[case("Template == \"gpu\"")]
    #[case("Template === gpu")]
    #[case("Template === \"gpu\" || true")]
    #[case("Template === \"gpu\" &&")]
    #[case("a..b === 1")]
    fn everything_else_is_refused(#[case] filter: &str) {
        assert!(Filter::parse(filter).is_err());
    }
}
