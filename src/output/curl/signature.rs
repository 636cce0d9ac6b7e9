//! The headers of a signature that was made already, for `--show-signature`: good for minutes, and for this request alone.

use crate::http::Signed;
use crate::model::Backend;
use crate::output::sanitize;

use super::Parts;
use super::shell::in_quotes;

/// Adds the signer's headers; a token among them stays a variable.
pub(super) fn show(backend: Backend, signed: &Signed, parts: &mut Parts) {
    for (name, value) in signed.headers() {
        if signed.template().headers.contains_key(name) || name == http::header::HOST {
            continue;
        }
        let token = match (backend, name.as_str()) {
            (Backend::PaiDlc, "x-acs-security-token") => Some("ALIBABA_CLOUD_SECURITY_TOKEN"),
            (Backend::Gongji, "token") => Some("SUANLI_TOKEN"),
            _ => None,
        };
        let header = match (token, value.to_str()) {
            (Some(variable), _) => {
                parts.needs.insert(variable.to_owned());
                format!("\"{name}: ${variable}\"")
            }
            (None, Ok(text)) => in_quotes(&sanitize::line(&format!("{name}: {text}"))),
            (None, Err(_)) => continue,
        };
        parts.arguments.push(format!("--header {header}"));
    }
}
