//! Takes the `Authorization` header apart (pai-dlc.md §2.5).

use super::fault::Fault;

/// The one algorithm that is served; `ACS3-HMAC-SM3` and `ACS3-RSA-SHA256` exist and are refused.
pub(super) const ALGORITHM: &str = "ACS3-HMAC-SHA256";

/// The parts of an `Authorization` header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Authorization<'a> {
    pub(super) algorithm: &'a str,
    pub(super) key_id: &'a str,
    /// Lower-case, ascending, without repetition: anything else is refused while parsing.
    pub(super) signed_headers: Vec<&'a str>,
    /// As it came: whether it is hexadecimal is the comparison's business.
    pub(super) signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Reads `ALGORITHM Credential=ID,SignedHeaders=a;b,Signature=HEX`: one blank, none after the commas.
    pub(super) fn parse(text: &'a str) -> Result<Self, Fault> {
        let incomplete = |why: &str| Fault::Incomplete(why.to_owned());
        let (algorithm, rest) = text
            .split_once(' ')
            .ok_or_else(|| incomplete("no blank after the algorithm"))?;
        if algorithm.is_empty() {
            return Err(incomplete("no algorithm"));
        }
        let mut fields = rest.split(',');
        let mut field = |name: &str| {
            fields
                .next()
                .and_then(|field| field.strip_prefix(name))
                .and_then(|field| field.strip_prefix('='))
                .filter(|value| !value.is_empty() && !value.contains(char::is_whitespace))
                .ok_or_else(|| Fault::Incomplete(format!("`{name}=` is missing or not in place")))
        };
        let key_id = field("Credential")?;
        let signed = field("SignedHeaders")?;
        let signature = field("Signature")?;
        if fields.next().is_some() {
            return Err(incomplete("something follows the signature"));
        }
        Ok(Self {
            algorithm,
            key_id,
            signed_headers: header_names(signed)?,
            signature,
        })
    }
}

/// The names of `SignedHeaders`, which must stand in the order of the canonical headers.
fn header_names(text: &str) -> Result<Vec<&str>, Fault> {
    let names: Vec<&str> = text.split(';').collect();
    for name in &names {
        if name.is_empty() || name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(Fault::Incomplete(format!(
                "`{name}` in SignedHeaders is not a lower-case header name"
            )));
        }
    }
    if !names.is_sorted_by(|left, right| left < right) {
        return Err(Fault::Incomplete(
            "SignedHeaders is not sorted or names a header twice".to_owned(),
        ));
    }
    Ok(names)
}
