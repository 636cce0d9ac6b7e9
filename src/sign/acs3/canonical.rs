//! The canonical request of ACS3 (pai-dlc.md §2.2 to §2.4), from exactly what goes on the wire.
//!
//! Which headers are signed is a parameter: the vendor's clients differ, and all are accepted (§2.2).

use std::collections::BTreeMap;

use http::HeaderMap;

use crate::http::encode;

use super::SignError;

/// A canonical request and the list of what it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canonical {
    /// The six parts, joined by line feeds.
    pub text: String,
    /// The lower-case names of the signed headers, sorted, joined by `;`.
    pub signed_headers: String,
}

/// Builds the canonical request of a method and a full request target as it stands on the request line.
///
/// The query is read as a verifier reads it, form-decoded (`+` is a space), then encoded and sorted: so the result
/// is the same whatever client wrote the target.
pub fn canonical_request(
    method: &str,
    full_target: &str,
    headers: &HeaderMap,
    is_signed: impl Fn(&str) -> bool,
    payload_hash: &str,
) -> Result<Canonical, SignError> {
    let (path, query) = full_target.split_once('?').unwrap_or((full_target, ""));
    let path = if path.is_empty() { "/" } else { path };
    let query = canonical_query(query)?;
    let headers = signed_values(headers, is_signed)?;
    let lines: String = headers
        .iter()
        .flat_map(|(name, value)| [name, ":", value.as_str(), "\n"])
        .collect();
    let signed_headers = headers.keys().copied().collect::<Vec<_>>().join(";");
    Ok(Canonical {
        text: [method, path, &query, &lines, &signed_headers, payload_hash].join("\n"),
        signed_headers,
    })
}

/// Pairs sorted by the bytes of their encoded names; a name given twice has no canonical form (§2.4).
fn canonical_query(query: &str) -> Result<String, SignError> {
    let mut pairs = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let encoded = encode::component(&form_decoded(name)?);
        let value = encode::component(&form_decoded(value)?);
        if pairs.insert(encoded, value).is_some() {
            return Err(SignError::Request(format!(
                "the query parameter `{name}` is given twice, which this signature does not allow"
            )));
        }
    }
    Ok(pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect::<Vec<_>>()
        .join("&"))
}

fn form_decoded(text: &str) -> Result<String, SignError> {
    encode::decode(&text.replace('+', "%20")).ok_or_else(|| {
        SignError::Request(format!(
            "the query holds `{text}`, which is not percent-encoded UTF-8"
        ))
    })
}

/// Values trimmed at both ends; several of one name are sorted and joined by `,` (§2.2).
fn signed_values(
    headers: &HeaderMap,
    is_signed: impl Fn(&str) -> bool,
) -> Result<BTreeMap<&str, String>, SignError> {
    let mut signed = BTreeMap::new();
    for name in headers.keys().filter(|name| is_signed(name.as_str())) {
        let mut values = headers
            .get_all(name)
            .iter()
            .map(|value| std::str::from_utf8(value.as_bytes()).map(str::trim))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_not_text| {
                SignError::Request(format!("the header `{name}` does not hold UTF-8"))
            })?;
        values.sort_unstable();
        signed.insert(name.as_str(), values.join(","));
    }
    Ok(signed)
}
