//! A token in the `Authorization` header (paracloud.md §1.2; also Gongji's plain mode). Signs nothing.

use std::fmt;

use http::HeaderValue;
use http::header::AUTHORIZATION;

use crate::http::{Signed, Template};
use crate::secret::Secret;

use super::{Proof, Scheme, SignContext, SignError, Signer, sendable};

const SCHEME: &str = "bearer";

/// Puts `Authorization: Bearer TOKEN` on every request.
#[derive(Clone)]
pub struct Bearer(HeaderValue);

impl Bearer {
    /// Takes a token as people paste it: blanks around it and one leading `Bearer ` are dropped. The token must be
    /// printable ASCII without spaces; one sample is no grammar, so nothing else is checked (paracloud.md §1.2).
    pub fn new(token: &Secret) -> Result<Self, SignError> {
        let bare = bare(token);
        let line = Secret::new(format!("Bearer {}", sendable(&bare)?));
        let mut value = HeaderValue::from_str(line.expose())
            .map_err(|_unsendable| SignError::UnsendableCredential)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }
}

/// The token itself, out of what people paste.
pub fn bare(token: &Secret) -> Secret {
    let pasted = token.expose().trim();
    Secret::new(match pasted.split_once(char::is_whitespace) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(SCHEME) => rest.trim_start(),
        None if pasted.eq_ignore_ascii_case(SCHEME) => "",
        Some(_) | None => pasted,
    })
}

impl fmt::Debug for Bearer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Bearer(…)")
    }
}

impl Signer for Bearer {
    fn scheme(&self) -> Scheme {
        Scheme::Bearer
    }

    fn sign(&self, template: &Template, _context: &SignContext) -> Result<Signed, SignError> {
        let mut headers = template.headers.clone();
        headers.insert(AUTHORIZATION, self.0.clone());
        Ok(Signed::new(Proof::new(), template.clone(), headers))
    }

    fn canonical(&self, _template: &Template, _context: &SignContext) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use http::Method;
    use rstest::rstest;

    use super::*;
    use crate::http::{BaseUrl, Target};

    fn context() -> SignContext {
        SignContext {
            now: "2026-01-06T08:09:10Z".parse().unwrap(),
            nonce: "8f14e45fceea167a5a36dedd4bea2543".to_owned(),
        }
    }

    fn template() -> Template {
        let base = BaseUrl::parse("https://eci.example").unwrap();
        Template::new("listNamespaces", Method::GET, &base, Target::new("/api"))
    }

    #[rstest]
    #[case::plain("tokenA-100000001")]
    #[case::pasted_with_a_newline("  tokenA-100000001\r\n")]
    #[case::pasted_with_its_scheme("Bearer tokenA-100000001")]
    #[case::scheme_in_capitals("BEARER   tokenA-100000001 ")]
    fn a_token_travels_bare_however_it_was_pasted(#[case] pasted: &str) {
        let bearer = Bearer::new(&Secret::new(pasted)).unwrap();
        let signed = bearer.sign(&template(), &context()).unwrap();
        let value = signed.headers().get(AUTHORIZATION).unwrap();
        assert_eq!(value, "Bearer tokenA-100000001");
        assert!(value.is_sensitive());
        assert_eq!(signed.headers().get("accept").unwrap(), "application/json");
        assert_eq!(bearer.canonical(&template(), &context()), None);
    }

    #[test]
    fn only_one_scheme_is_stripped() {
        assert_eq!(
            Bearer::new(&Secret::new("Bearer Bearer t")).unwrap_err(),
            SignError::UnsendableCredential
        );
    }

    #[rstest]
    #[case::nothing("", SignError::EmptyCredential)]
    #[case::blanks(" \n", SignError::EmptyCredential)]
    #[case::a_scheme_alone("Bearer  ", SignError::EmptyCredential)]
    #[case::a_space_inside("one two", SignError::UnsendableCredential)]
    #[case::a_line_feed_inside("one\ntwo", SignError::UnsendableCredential)]
    #[case::a_letter_that_is_not_ascii("tökén", SignError::UnsendableCredential)]
    fn what_cannot_travel_is_refused(#[case] token: &str, #[case] expected: SignError) {
        assert_eq!(Bearer::new(&Secret::new(token)).unwrap_err(), expected);
    }

    #[test]
    fn debug_shows_nothing() {
        let bearer = Bearer::new(&Secret::new("hunter2")).unwrap();
        assert_eq!(format!("{bearer:?}"), "Bearer(…)");
    }
}
