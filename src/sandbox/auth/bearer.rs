//! Bearer tokens, checked over the raw header (paracloud.md §1.2).

use http::HeaderMap;
use http::header::AUTHORIZATION;
use thiserror::Error;

use crate::secret::Secret;

/// A token and whose it is.
#[derive(Debug, Clone)]
pub struct Token {
    pub secret: Secret,
    pub user: String,
}

/// Why a request is not let in; for the log only.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    #[error("there is no Authorization header")]
    Missing,
    #[error("there is more than one Authorization header")]
    Repeated,
    #[error("the Authorization header is not printable ASCII")]
    NotText,
    #[error("the Authorization header does not begin with `Bearer `")]
    WrongScheme,
    #[error("the token is empty, or has a blank before, in or after it")]
    Malformed,
    #[error("the token that ends in `{last_four}` is not known")]
    Unknown { last_four: String },
}

/// The token of a request.
///
/// HTTP itself strips blanks around a header's value, so a token that was pasted with a newline cannot come here.
pub fn verify<'a>(headers: &HeaderMap, tokens: &'a [Token]) -> Result<&'a Token, Refused> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(Refused::Missing)?;
    if values.next().is_some() {
        return Err(Refused::Repeated);
    }
    let value = value.to_str().map_err(|_| Refused::NotText)?;
    let token = value.strip_prefix("Bearer ").ok_or(Refused::WrongScheme)?;
    if token.is_empty() || token.contains(char::is_whitespace) {
        return Err(Refused::Malformed);
    }
    tokens
        .iter()
        .find(|known| known.secret.expose() == token)
        .ok_or_else(|| Refused::Unknown {
            last_four: last_four(token),
        })
}

/// All that a log may hold of a token (paracloud.md §10); of a short one nothing.
fn last_four(token: &str) -> String {
    if token.len() < 16 {
        return "…".to_owned();
    }
    let start: usize = token.chars().count().saturating_sub(4);
    token.chars().skip(start).collect()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use rstest::rstest;

    use super::*;

    fn tokens() -> Vec<Token> {
        vec![
            Token {
                secret: Secret::new("EXAMPLEKEYxNOTxREAL-100000001"),
                user: "1024".to_owned(),
            },
            Token {
                secret: Secret::new("EXAMPLEKEYxNOTxREAL-100000002"),
                user: "2048".to_owned(),
            },
        ]
    }

    fn verified(values: &[&[u8]]) -> Result<String, Refused> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        verify(&headers, &tokens()).map(|token| token.user.clone())
    }

    #[test]
    fn a_known_token_names_its_user() {
        assert_eq!(
            verified(&[b"Bearer EXAMPLEKEYxNOTxREAL-100000002"]),
            Ok("2048".to_owned())
        );
    }

    #[rstest]
    #[case::nothing(&[], Refused::Missing)]
    #[case::twice(&[b"Bearer a".as_slice(), b"Bearer b".as_slice()], Refused::Repeated)]
    #[case::bytes(&[b"Bearer \xff".as_slice()], Refused::NotText)]
    #[case::bare(&[b"EXAMPLEKEYxNOTxREAL-100000001".as_slice()], Refused::WrongScheme)]
    #[case::basic(&[b"Basic dTpw".as_slice()], Refused::WrongScheme)]
    #[case::lower(&[b"bearer EXAMPLEKEYxNOTxREAL-100000001".as_slice()], Refused::WrongScheme)]
    #[case::doubled(&[b"Bearer Bearer EXAMPLEKEYxNOTxREAL-100000001".as_slice()], Refused::Malformed)]
    #[case::two_blanks(&[b"Bearer  EXAMPLEKEYxNOTxREAL-100000001".as_slice()], Refused::Malformed)]
    #[case::other(&[b"Bearer EXAMPLEKEYxNOTxREAL-100000003".as_slice()], Refused::Unknown { last_four: "0003".to_owned() })]
    #[case::short(&[b"Bearer secret".as_slice()], Refused::Unknown { last_four: "…".to_owned() })]
    fn anything_else_is_refused(#[case] values: &[&[u8]], #[case] refused: Refused) {
        assert_eq!(verified(values), Err(refused));
    }
}
