//! ACS3-HMAC-SHA256 in shell, with `openssl` (pai-dlc.md §2).

use std::collections::BTreeMap;

use crate::http::{Template, encode};

use super::Parts;
use super::shell::in_quotes;

const TOKEN: &str = "ALIBABA_CLOUD_SECURITY_TOKEN";
const TOKEN_HEADER: &str = "x-acs-security-token";

/// Computes the signature into `$signature` and adds the headers that carry it.
pub(super) fn sign(template: &Template, parts: &mut Parts) {
    parts.needs.extend(
        [
            "ALIBABA_CLOUD_ACCESS_KEY_ID",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        ]
        .map(str::to_owned),
    );
    let target = template.full_target();
    let path = target.split('?').next().unwrap_or_default();
    let headers = signed_headers(template, parts);
    let names: String = headers
        .keys()
        .map(|name| {
            if *name == TOKEN_HEADER {
                format!("${{{TOKEN}:+{TOKEN_HEADER};}}")
            } else {
                format!("{name};")
            }
        })
        .collect();
    let mut lines = vec![
        in_quotes(template.method.as_str()),
        in_quotes(path),
        in_quotes(&canonical_query(template)),
    ];
    lines.extend(headers.values().cloned());
    lines.extend(["''", "\"$signed\"", "\"$hash\""].map(str::to_owned));
    let body = if parts.body.is_some() {
        "body"
    } else {
        "printf ''"
    };
    // `printf` repeats its format for every word, and `$(…)` drops the line feed after the last.
    parts.before = format!(
        "date=$(date -u +%Y-%m-%dT%H:%M:%SZ)\n\
         nonce=$(openssl rand -hex 16)\n\
         signed=\"{}\"\n\
         hash=$({body} | openssl dgst -sha256 -r | cut -d' ' -f1)\n\
         request=$(printf '%s\\n' {})\n\
         digest=$(printf '%s' \"$request\" | openssl dgst -sha256 -r | cut -d' ' -f1)\n\
         signature=$(printf 'ACS3-HMAC-SHA256\\n%s' \"$digest\" |\n  \
         openssl dgst -sha256 -hmac \"$ALIBABA_CLOUD_ACCESS_KEY_SECRET\" -r | cut -d' ' -f1)\n",
        names.trim_end_matches(';'),
        lines.join(" \\\n  "),
    );
    parts.arguments.extend(
        [
            "--header \"x-acs-date: $date\"",
            "--header \"x-acs-signature-nonce: $nonce\"",
            "--header \"x-acs-content-sha256: $hash\"",
            "${ALIBABA_CLOUD_SECURITY_TOKEN:+--header \"x-acs-security-token: $ALIBABA_CLOUD_SECURITY_TOKEN\"}",
            "--header \"authorization: ACS3-HMAC-SHA256 Credential=$ALIBABA_CLOUD_ACCESS_KEY_ID,SignedHeaders=$signed,Signature=$signature\"",
        ]
        .map(str::to_owned),
    );
}

/// The signed headers by name, each with the shell word of its canonical line: `host`, the content type and every
/// `x-acs-*` (pai-dlc.md §2.2).
fn signed_headers<'a>(template: &'a Template, parts: &Parts) -> BTreeMap<&'a str, String> {
    let mut headers = BTreeMap::from([
        (
            "host",
            in_quotes(&format!("host:{}", template.base.authority())),
        ),
        (
            "x-acs-content-sha256",
            "\"x-acs-content-sha256:$hash\"".to_owned(),
        ),
        ("x-acs-date", "\"x-acs-date:$date\"".to_owned()),
        (
            "x-acs-signature-nonce",
            "\"x-acs-signature-nonce:$nonce\"".to_owned(),
        ),
        (
            TOKEN_HEADER,
            format!("${{{TOKEN}:+\"{TOKEN_HEADER}:${TOKEN}\"}}"),
        ),
    ]);
    for (name, value) in &template.headers {
        let is_signed = name.as_str().starts_with("x-acs-") || name == http::header::CONTENT_TYPE;
        if let (true, Ok(value)) = (is_signed, value.to_str()) {
            let hidden = parts.hidden.iter().find(|(hidden, _)| hidden == name);
            let line = match hidden {
                Some((_, variable)) => format!("\"{name}:${variable}\""),
                None => in_quotes(&format!("{name}:{}", value.trim())),
            };
            headers.insert(name.as_str(), line);
        }
    }
    headers
}

/// Pairs sorted by the bytes of their encoded names, encoded strictly (pai-dlc.md §2.4).
fn canonical_query(template: &Template) -> String {
    let pairs: BTreeMap<String, String> = template
        .target
        .pairs()
        .iter()
        .map(|(name, value)| (encode::component(name), encode::component(value)))
        .collect();
    pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect::<Vec<_>>()
        .join("&")
}
