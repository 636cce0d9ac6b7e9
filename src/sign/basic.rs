//! User name and password in the `Authorization` header (cyclecloud.md §2.1). Signs nothing.
//!
//! Five wrong passwords lock an account, so nothing here guesses: both texts travel exactly as they were given.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::header::AUTHORIZATION;

use crate::http::{Signed, Template};
use crate::secret::Secret;

use super::{Proof, Scheme, SignContext, SignError, Signer};

/// Puts `Authorization: Basic base64(user:password)` on every request.
#[derive(Clone)]
pub struct Basic {
    header: HeaderValue,
    password: Secret,
}

impl Basic {
    /// Takes a user name without `:` and a password of any printable text; both are encoded as UTF-8 (§2.1).
    pub fn new(username: &str, password: &Secret) -> Result<Self, SignError> {
        if username.is_empty() {
            return Err(SignError::UserName("is empty"));
        }
        if username.contains(':') {
            return Err(SignError::UserName(
                "holds a `:`, which ends it in Basic authentication",
            ));
        }
        if username.contains(char::is_control) {
            return Err(SignError::UserName("holds a control character"));
        }
        if password.is_empty() {
            return Err(SignError::EmptyCredential);
        }
        // A line feed at the end is a slip of whoever wrote the file, and would cost one of five attempts.
        if password.expose().contains(char::is_control) {
            return Err(SignError::UnsendableCredential);
        }
        let pair = Secret::new(format!("{username}:{}", password.expose()));
        let line = Secret::new(format!("Basic {}", STANDARD.encode(pair.expose())));
        let mut value = HeaderValue::from_str(line.expose())
            .map_err(|_unsendable| SignError::UnsendableCredential)?;
        value.set_sensitive(true);
        Ok(Self {
            header: value,
            password: password.clone(),
        })
    }
}

impl fmt::Debug for Basic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Basic(…)")
    }
}

impl Signer for Basic {
    fn scheme(&self) -> Scheme {
        Scheme::Basic
    }

    fn sign(&self, template: &Template, _context: &SignContext) -> Result<Signed, SignError> {
        let mut headers = template.headers.clone();
        headers.insert(AUTHORIZATION, self.header.clone());
        let signed = Signed::new(Proof::new(), template.clone(), headers);
        Ok(signed.hiding([self.password.clone()]))
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
    use crate::error::{Error, Kind};
    use crate::http::{BaseUrl, Target};

    fn header(username: &str, password: &str) -> Result<HeaderValue, SignError> {
        let context = SignContext {
            now: "2026-03-02T09:30:11Z".parse().unwrap(),
            nonce: "8f14e45fceea167a5a36dedd4bea2543".to_owned(),
        };
        let base = BaseUrl::parse("https://cc.example:8443").unwrap();
        let template = Template::new("ClusterStatus", Method::GET, &base, Target::new("/x"));
        let basic = Basic::new(username, &Secret::new(password))?;
        assert_eq!(basic.canonical(&template, &context), None);
        let signed = basic.sign(&template, &context)?;
        Ok(signed.headers()[AUTHORIZATION].clone())
    }

    /// RFC 7617 §2 and §2.1 are the sources of the first and the third.
    #[rstest]
    #[case::of_the_standard("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")]
    #[case::a_colon_in_the_password("ops", "a:b:c", "Basic b3BzOmE6Yjpj")]
    #[case::beyond_ascii("test", "123£", "Basic dGVzdDoxMjPCow==")]
    #[case::blanks_are_part_of_it("ops", " p ", "Basic b3BzOiBwIA==")]
    fn the_pair_travels_exactly(#[case] user: &str, #[case] password: &str, #[case] line: &str) {
        let value = header(user, password).unwrap();
        assert_eq!(value, line);
        assert!(value.is_sensitive());
    }

    #[rstest]
    #[case::no_user("", "p", SignError::UserName("is empty"))]
    #[case::no_password("ops", "", SignError::EmptyCredential)]
    #[case::a_line_feed("ops", "secret\n", SignError::UnsendableCredential)]
    #[case::a_colon(
        "a:b",
        "p",
        SignError::UserName("holds a `:`, which ends it in Basic authentication")
    )]
    fn what_would_be_another_account_is_refused(
        #[case] user: &str,
        #[case] password: &str,
        #[case] expected: SignError,
    ) {
        let error = header(user, password).unwrap_err();
        assert_eq!(error, expected);
        assert_eq!(Error::from(error).kind(), Kind::Config);
    }

    #[test]
    fn debug_shows_nothing() {
        let basic = Basic::new("ops", &Secret::new("hunter2")).unwrap();
        assert_eq!(format!("{basic:?}"), "Basic(…)");
    }
}
