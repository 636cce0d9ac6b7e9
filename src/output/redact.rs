//! Keeps secrets out of shown requests: values of secrets in any form they may take, and headers nobody vouched for.
//!
//! A plan is shown by `explain`, `--dry-run` and `--trace-http`; the values in [`Plan::secrets`](crate::provider::Plan)
//! may stand in its bodies plain, inside a shell word, percent-encoded, inside JSON text, or inside base64 (style.md
//! rule 5 and the canary of §11).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::{HeaderName, HeaderValue};
use serde_json::Value;

use crate::http::encode;
use crate::secret::Secret;

/// What stands where a secret was.
pub const MASK: &str = "••••";

/// Shortest run of base64 symbols that is looked into.
const SHORTEST_BASE64: usize = 4;

/// Headers whose values are no secret. All others are masked: an allow-list cannot forget a credential.
const HARMLESS_HEADERS: [&str; 13] = [
    "accept",
    "content-length",
    "content-type",
    "depth",
    "destination",
    "host",
    "overwrite",
    "user-agent",
    "version",
    "x-acs-action",
    "x-acs-content-sha256",
    "x-acs-version",
    "x-cycle-client-version",
];

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// A piece of a text that may hold secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fragment<'text, 'redactor> {
    Plain(&'text str),
    /// A secret's value, under its name.
    Secret(&'redactor str),
    /// A run of base64 that holds a secret's value among other things.
    Encoded(&'redactor str),
}

/// Finds secrets in texts. Its `Debug` shows names only.
pub struct Redactor {
    needles: Vec<Needle>,
}

struct Needle {
    name: String,
    value: Secret,
    /// The value and its escaped forms.
    forms: Vec<Secret>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_list()
            .entries(self.needles.iter().map(|needle| &needle.name))
            .finish()
    }
}

impl Redactor {
    /// A redactor for secrets with names, and for further values, which get the names `SECRET_1`, `SECRET_2`, ….
    pub fn new(named: &BTreeMap<String, Secret>, unnamed: &[Secret]) -> Self {
        let mut needles: Vec<Needle> = named
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| Needle::new(name.clone(), value))
            .collect();
        let mut count = 0;
        for value in unnamed {
            if value.is_empty() || needles.iter().any(|needle| needle.value == *value) {
                continue;
            }
            count += 1;
            needles.push(Needle::new(format!("SECRET_{count}"), value));
        }
        Self { needles }
    }

    /// The text in pieces, secrets apart from the rest.
    pub fn fragments<'text, 'redactor>(
        &'redactor self,
        text: &'text str,
    ) -> Vec<Fragment<'text, 'redactor>> {
        let mut fragments = Vec::new();
        let mut rest = text;
        while let Some((start, length, name)) = self.first_in(rest) {
            let (before, from) = rest.split_at(start);
            self.push_searched(before, &mut fragments);
            fragments.push(Fragment::Secret(name));
            rest = from.split_at(length).1;
        }
        self.push_searched(rest, &mut fragments);
        fragments
    }

    /// The text with every secret masked.
    pub fn text(&self, text: &str) -> String {
        self.fragments(text)
            .into_iter()
            .map(|fragment| match fragment {
                Fragment::Plain(plain) => plain,
                Fragment::Secret(_) | Fragment::Encoded(_) => MASK,
            })
            .collect()
    }

    /// The value with every secret in its texts masked.
    pub fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => members
                .iter()
                .map(|(key, item)| (self.text(key), self.value(item)))
                .collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    /// A body as JSON where it is JSON, else as text; `Null` for no body.
    pub fn body(&self, body: Option<&[u8]>) -> Value {
        match body {
            None => Value::Null,
            Some(bytes) => match serde_json::from_slice::<Value>(bytes) {
                Ok(value) => self.value(&value),
                Err(_) => Value::String(self.text(&String::from_utf8_lossy(bytes))),
            },
        }
    }

    /// A header's value, or the mask.
    pub fn header(&self, name: &HeaderName, value: &HeaderValue) -> String {
        match value.to_str() {
            Ok(text) if is_harmless(name, value) => self.text(text),
            Ok(_) | Err(_) => MASK.to_owned(),
        }
    }

    /// Start, length and name of the first secret in the text; of several at one place the longest.
    fn first_in(&self, text: &str) -> Option<(usize, usize, &str)> {
        self.needles
            .iter()
            .flat_map(|needle| needle.forms.iter().map(move |form| (needle, form.expose())))
            .filter_map(|(needle, form)| {
                text.find(form)
                    .map(|start| (start, form.len(), needle.name.as_str()))
            })
            .min_by_key(|(start, length, _)| (*start, usize::MAX - length))
    }

    /// A text without plain secrets: runs of base64 are looked into.
    fn push_searched<'text, 'redactor>(
        &'redactor self,
        text: &'text str,
        fragments: &mut Vec<Fragment<'text, 'redactor>>,
    ) {
        let (mut plain_from, mut at) = (0, 0);
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let start = at + rest.find(is_base64).unwrap_or(rest.len());
            let from = text.get(start..).unwrap_or_default();
            let length = from
                .find(|character| !is_base64(character))
                .unwrap_or(from.len());
            at = start + length;
            if let Some(name) = self.hidden_in(text.get(start..at).unwrap_or_default()) {
                push_plain(text.get(plain_from..start), fragments);
                fragments.push(Fragment::Encoded(name));
                plain_from = at;
            }
        }
        push_plain(text.get(plain_from..), fragments);
    }

    /// The secret that a run of base64 holds. The run may begin with other symbols, so four beginnings are tried.
    fn hidden_in(&self, run: &str) -> Option<&str> {
        if run.len() < SHORTEST_BASE64 || self.needles.is_empty() {
            return None;
        }
        (0..4)
            .filter_map(|skip| run.get(skip..))
            .flat_map(|run| {
                // One symbol left over carries no whole byte.
                let run = if run.len() % 4 == 1 {
                    run.get(..run.len() - 1).unwrap_or(run)
                } else {
                    run
                };
                [STANDARD.decode(run), URL_SAFE.decode(run)]
            })
            .filter_map(Result::ok)
            .find_map(|decoded| {
                self.needles
                    .iter()
                    .find(|needle| contains(&decoded, needle.value.expose().as_bytes()))
                    .map(|needle| needle.name.as_str())
            })
    }
}

impl Needle {
    fn new(name: String, value: &Secret) -> Self {
        let plain = value.expose();
        let quoted = Value::String(plain.to_owned()).to_string();
        let mut forms = vec![
            plain.to_owned(),
            quoted.trim_matches('"').to_owned(),
            encode::component(plain),
            plain.replace('\'', r"'\''"),
        ];
        forms.sort();
        forms.dedup();
        Self {
            name,
            value: value.clone(),
            forms: forms
                .into_iter()
                .filter(|form| !form.is_empty())
                .map(Secret::new)
                .collect(),
        }
    }
}

/// Whether a header may be shown.
pub fn is_harmless(name: &HeaderName, value: &HeaderValue) -> bool {
    !value.is_sensitive() && HARMLESS_HEADERS.contains(&name.as_str())
}

/// A symbol of either base64 alphabet, padding apart.
fn is_base64(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '+' | '/' | '-' | '_')
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Appends plain text; empty pieces are left out.
fn push_plain<'text>(text: Option<&'text str>, fragments: &mut Vec<Fragment<'text, '_>>) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        fragments.push(Fragment::Plain(text));
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn redactor(values: &[&str]) -> Redactor {
        let secrets: Vec<Secret> = values.iter().copied().map(Secret::new).collect();
        Redactor::new(&BTreeMap::new(), &secrets)
    }

    #[test]
    fn every_written_form_of_a_secret_is_masked() {
        let secret = "it's/4 \"s\"ecret";
        let redactor = redactor(&[secret]);
        let blob = general_purpose::STANDARD.encode(format!("LR=1 TOKEN={secret} X=y"));
        for shown in [
            format!("a {secret} b"),
            format!("a '{}' b", secret.replace('\'', r"'\''")),
            format!("?a={}&b", encode::component(secret)),
            json!({ "a": secret }).to_string(),
            format!("env_b64={blob}=="),
            format!("/x{blob}"),
        ] {
            let masked = redactor.text(&shown);
            assert!(masked.contains(MASK), "{shown} -> {masked}");
            assert!(!masked.contains("ecret"), "{shown} -> {masked}");
            assert!(!masked.contains(&blob), "{shown} -> {masked}");
        }
    }

    #[test]
    fn what_holds_no_secret_is_shown_whole() {
        let body = json!({"image": "registry.example/team/bert:1.4", "args": ["python", "/data/train.py"], "n": 3});
        assert_eq!(redactor(&["hunter2", ""]).value(&body), body);
    }

    #[test]
    fn names_are_kept_and_unnamed_values_are_counted() {
        let named = BTreeMap::from([("WANDB_KEY".to_owned(), Secret::new("alpha-7"))]);
        let redactor = Redactor::new(&named, &[Secret::new("alpha-7"), Secret::new("beta-8")]);
        assert_eq!(
            redactor.fragments("x alpha-7 beta-8"),
            [
                Fragment::Plain("x "),
                Fragment::Secret("WANDB_KEY"),
                Fragment::Plain(" "),
                Fragment::Secret("SECRET_1")
            ]
        );
        assert!(!format!("{redactor:?}").contains("alpha"));
    }

    #[test]
    fn headers_nobody_vouched_for_are_masked() {
        let redactor = redactor(&[]);
        let shown = |name: &'static str, value: &'static str| {
            redactor.header(
                &HeaderName::from_static(name),
                &HeaderValue::from_static(value),
            )
        };
        assert_eq!(
            shown("content-type", "application/json"),
            "application/json"
        );
        assert_eq!(shown("authorization", "Bearer abc"), MASK);
        assert_eq!(shown("x-new-credential", "abc"), MASK);
    }

    proptest! {
        #[test]
        fn no_secret_survives_anywhere(before in "[ -~]{0,20}", secret in "[!-~]{6,20}", after in "[ -~]{0,20}") {
            let redactor = redactor(&[&secret]);
            let masked = redactor.text(&format!("{before}{secret}{after}"));
            prop_assert!(!masked.contains(&secret));
            let blob = general_purpose::STANDARD.encode(format!("{before}{secret}{after}"));
            prop_assert!(!redactor.text(&blob).contains(blob.trim_end_matches('=')));
        }
    }
}
