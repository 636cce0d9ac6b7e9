//! The credentials of a request, in every form in which a service may repeat them, kept out of what is shown.
//!
//! Pure. An error message and a trace are made of what a service says, and services have been met that say back what
//! they were sent (cyclecloud.md §3.1; pai-dlc.md §2.8).

use std::cmp::Reverse;

use crate::secret::Secret;

use super::{Answer, Signed};

/// What stands for a credential in a message.
const MARK: &str = "••••";

/// What must not be shown of a request: the values of its sensitive headers, whole and without the scheme before them,
/// and what the signer made them from; all of it also as JSON writes it. The longest first.
pub fn of(request: &Signed) -> Vec<Secret> {
    let headers = request.headers().values();
    let sent = headers
        .filter(|value| value.is_sensitive())
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| [Some(text), text.split_once(' ').map(|(_, bare)| bare)])
        .flatten();
    let texts: Vec<&str> = sent
        .chain(request.hidden().iter().map(Secret::expose))
        .filter(|text| !text.is_empty())
        .collect();
    let mut forms: Vec<Secret> = texts.iter().copied().map(Secret::new).collect();
    forms.extend(texts.iter().filter_map(|text| in_json(text)));
    forms.sort_by_key(|form| Reverse(form.expose().len()));
    forms
}

/// As it stands inside a JSON string, where that differs.
fn in_json(text: &str) -> Option<Secret> {
    let quoted = serde_json::to_string(text).ok()?;
    let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
    (inner != text).then(|| Secret::new(inner))
}

/// The answer without the credentials of its request; `None` if it repeats none of them.
pub fn left_out(answer: &Answer, request: &Signed) -> Option<Answer> {
    // A message may be made of what is no text in part.
    let text = String::from_utf8_lossy(&answer.body);
    let clean = replaced(&text, &of(request), |_| MARK.to_owned());
    (clean != text).then(|| Answer {
        body: clean.into(),
        ..answer.clone()
    })
}

/// The text with each credential replaced by its mark.
pub fn replaced(text: &str, credentials: &[Secret], mark: impl Fn(&str) -> String) -> String {
    credentials
        .iter()
        .map(Secret::expose)
        .fold(text.to_owned(), |text, credential| {
            if text.contains(credential) {
                text.replace(credential, &mark(credential))
            } else {
                text
            }
        })
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
    use rstest::rstest;

    use super::*;
    use crate::http::{BaseUrl, Target, Template, trace};
    use crate::sign::{AccessKey, Acs3, Basic, Bearer, SignContext, Signer};

    fn signed(signer: &dyn Signer) -> Signed {
        let base = BaseUrl::parse("https://cc.example").unwrap();
        let template = Template::new("list", Method::GET, &base, Target::new("/jobs"))
            .with_header(
                HeaderName::from_static("x-acs-action"),
                HeaderValue::from_static("ListJobs"),
            )
            .with_header(
                HeaderName::from_static("x-acs-version"),
                HeaderValue::from_static("2020-12-03"),
            );
        let context = SignContext {
            now: "2026-01-06T08:09:10Z".parse().unwrap(),
            nonce: "0123456789abcdef0123456789abcdef".to_owned(),
        };
        signer.sign(&template, &context).unwrap()
    }

    fn basic() -> Signed {
        signed(&Basic::new("ops", &Secret::new("pass\"word==")).unwrap())
    }

    fn told(body: &str) -> Answer {
        Answer {
            status: StatusCode::BAD_REQUEST,
            headers: HeaderMap::new(),
            body: body.to_owned().into(),
        }
    }

    #[rstest]
    #[case::password(r#"{"Message": "no: pass\"word== is wrong"}"#)]
    #[case::header(r#"{"Message": "got Basic b3BzOnBhc3Mid29yZD09"}"#)]
    #[case::pair(r#"{"Message": "got b3BzOnBhc3Mid29yZD09 from you"}"#)]
    fn a_credential_is_left_out_in_each_form(#[case] body: &str) {
        let request = basic();
        let clean = left_out(&told(body), &request).unwrap();
        let clean = String::from_utf8(clean.body.to_vec()).unwrap();
        assert!(
            clean.contains(MARK) && !clean.contains("word") && !clean.contains("b3Bz"),
            "{clean}"
        );
        let traced = trace::answer(&request, &told(body), std::time::Duration::ZERO);
        assert!(
            traced.contains("<masked ") && !traced.contains("word=="),
            "{traced}"
        );
        assert!(!traced.contains("b3Bz"), "{traced}");
    }

    #[test]
    fn a_byte_that_is_no_text_hides_no_credential() {
        let mut answer = told("");
        answer.body = b"\xff your pass\"word==".to_vec().into();
        let clean = left_out(&answer, &basic()).unwrap();
        assert_eq!(clean.first_line(), format!("\u{fffd} your {MARK}"));
    }

    #[test]
    fn an_answer_without_them_is_not_copied() {
        assert!(left_out(&told("{}"), &basic()).is_none());
    }

    #[test]
    fn the_secret_of_a_key_is_hidden_though_it_never_travels() {
        let key = AccessKey {
            id: "LTAI0".to_owned(),
            secret: Secret::new("hunter2"),
            token: None,
        };
        let request = signed(&Acs3::new(&key).unwrap());
        assert!(left_out(&told("your hunter2"), &request).is_some());
        assert!(
            left_out(&told("your LTAI0"), &request).is_none(),
            "an id is no secret"
        );
        let bearer = signed(&Bearer::new(&Secret::new("hunter2")).unwrap());
        assert!(left_out(&told("Bearer hunter2"), &bearer).is_some());
    }
}
