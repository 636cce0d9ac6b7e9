//! Gongji's headers in shell: token, time, version, and for RSA keys the signature (gongji.md §1.2 to §1.4).

use crate::http::Template;

use super::Parts;
use super::shell::in_quotes;

const VERSION: &str = "1.0.0";
const KEY: &str = "SUANLI_RSA_PRIVATE_KEY";

/// Adds the headers that every request has.
pub(super) fn identify(template: &Template, parts: &mut Parts) {
    parts.needs.insert("SUANLI_TOKEN".to_owned());
    parts.before.push_str("timestamp=$(date +%s)000\n");
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
}

/// Adds the signature too. Without a key nothing leaves: a token that was made for signing is refused without (§1.3).
pub(super) fn sign(template: &Template, parts: &mut Parts) {
    identify(template, parts);
    parts.needs.insert(KEY.to_owned());
    let body = if parts.body.is_some() { " body;" } else { "" };
    // A key comes as PEM, as one line of base64, or as either with literal `\n` (§1.3).
    let commands = format!(
        "key=$(mktemp)\n\
         case ${{{KEY}:?}} in\n  \
         *-----BEGIN*) printf '%b\\n' \"${KEY}\" | tr -d '\\r' ;;\n  \
         *) printf '%b' \"${KEY}\" | tr -d '[:space:]' | openssl base64 -d -A | openssl pkey -inform DER ;;\n\
         esac > \"$key\"\n\
         sign_str=$({{ printf '%s\\n%s\\n%s\\n%s\\n' {} {VERSION} \"$timestamp\" \"$SUANLI_TOKEN\";{body} }} |\n  \
         openssl dgst -sha256 -sign \"$key\" | openssl base64 -A)\n\
         rm -f \"$key\"\n",
        in_quotes(&template.full_target()),
    );
    parts.before.push_str(&commands);
    parts
        .arguments
        .push("--header \"sign_str: ${sign_str:?}\"".to_owned());
}
