//! Gongji's headers in shell: token, time, version, and for RSA keys the signature (gongji.md §1.2 to §1.4).

use crate::http::Template;

use super::Parts;
use super::shell::in_quotes;

const VERSION: &str = "1.0.0";

/// Adds the headers; the signature only where a private key is set, since a simple token must go without.
pub(super) fn sign(template: &Template, parts: &mut Parts) {
    parts.needs.insert("SUANLI_TOKEN".to_owned());
    let body = if parts.body.is_some() { "$body" } else { "" };
    parts.before = format!(
        "timestamp=$(date +%s)000\n\
         sign_str=\n\
         if [ -n \"${{SUANLI_RSA_PRIVATE_KEY:-}}\" ]; then\n  \
         key=$(mktemp) && printf '%s\\n' \"$SUANLI_RSA_PRIVATE_KEY\" > \"$key\"\n  \
         sign_str=$(printf '%s\\n%s\\n%s\\n%s\\n%s' {} {VERSION} \"$timestamp\" \"$SUANLI_TOKEN\" \"{body}\" |\n    \
         openssl dgst -sha256 -sign \"$key\" | openssl base64 -A)\n  \
         rm -f \"$key\"\n\
         fi\n",
        in_quotes(&template.full_target()),
    );
    parts.arguments.extend(
        [
            "--header \"token: $SUANLI_TOKEN\"",
            "--header \"timestamp: $timestamp\"",
        ]
        .map(str::to_owned),
    );
    if !template.headers.contains_key("version") {
        parts
            .arguments
            .push(format!("--header 'version: {VERSION}'"));
    }
    parts
        .arguments
        .push("${sign_str:+--header \"sign_str: $sign_str\"}".to_owned());
}
