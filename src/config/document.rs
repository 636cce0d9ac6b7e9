//! The text of `config.toml` as typed entries with their lines; strict about keys (cli.md §10: unknown keys are 85).
//!
//! Pure. A broken part costs that part alone, so that `config show` can print what is left. Messages quote keys and
//! positions, never the line itself: it may hold a secret.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{Error, Kind};
use crate::model::Backend;
use crate::secret::Secret;
use crate::spec::SecretSource;

use super::keys::{self, BACKEND_KEY, Key, KeyKind};
use super::place;
use super::{Environment, Origin};

/// Names that mean something else where a provider is asked for.
const RESERVED_NAMES: &[&str] = &["any", "name", "key", "marker"];

/// What the file says, in its order.
#[derive(Debug, Clone, Default)]
pub(super) struct Document {
    pub(super) default_provider: Option<(String, usize)>,
    pub(super) providers: Vec<Table>,
}

/// One `[providers.NAME]`.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) backend: Backend,
    pub(super) backend_origin: Origin,
    pub(super) entries: BTreeMap<&'static str, Entry>,
}

/// One setting and its line.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) value: Value,
    pub(super) line: usize,
}

/// A value as written, not yet resolved.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Flag(bool),
    /// A secret given as it is.
    Literal(Secret),
    /// A text that has to be fetched.
    Source(SecretSource),
}

/// Reads a whole file; `path` is its name in messages.
pub(super) fn parse(text: &str, path: &str, environment: &Environment) -> (Document, Vec<Error>) {
    let (root, faults) = DeTable::parse_recoverable(text);
    let mut reader = Reader {
        text,
        path,
        environment,
        errors: Vec::new(),
    };
    for fault in faults {
        let offset = fault.span().map_or(0, |span| span.start);
        reader.report(offset, "bad_toml", fault.message(), None);
    }
    let document = reader.document(root.get_ref());
    (document, reader.errors)
}

struct Reader<'a> {
    text: &'a str,
    path: &'a str,
    environment: &'a Environment,
    errors: Vec<Error>,
}

impl Reader<'_> {
    fn report(&mut self, offset: usize, code: &'static str, what: &str, hint: Option<String>) {
        let (line, column) = place::of_offset(self.text, offset);
        let mut error = Error::new(
            Kind::Config,
            code,
            format!("{}, line {line}, column {column}: {what}", self.path),
        );
        if let Some(hint) = hint {
            error = error.with_hint(hint);
        }
        self.errors.push(error);
    }

    fn line(&self, offset: usize) -> usize {
        place::of_offset(self.text, offset).0
    }

    fn document(&mut self, root: &DeTable<'_>) -> Document {
        let mut document = Document::default();
        for (key, value) in in_file_order(root) {
            let offset = key.span().start;
            match key.get_ref().as_ref() {
                "default-provider" => match value.get_ref().as_str() {
                    Some(name) => {
                        document.default_provider = Some((name.to_owned(), self.line(offset)));
                    }
                    None => self.wrong_type(value, "default-provider", "a provider's name"),
                },
                "providers" => match value.get_ref().as_table() {
                    Some(tables) => document.providers = self.providers(tables),
                    None => self.wrong_type(value, "providers", "a table"),
                },
                other => {
                    let known = ["default-provider", "providers"];
                    let hint = match keys::nearest(other, known) {
                        Some(near) => format!("the nearest key is `{near}`"),
                        None if other.parse::<Backend>().is_ok() => {
                            format!("a provider's table is `[providers.{other}]`")
                        }
                        None => "keys at the top are `default-provider` and `providers`".to_owned(),
                    };
                    self.report(
                        offset,
                        "unknown_key",
                        &format!("`{other}` is no key of the configuration"),
                        Some(hint),
                    );
                }
            }
        }
        document
    }

    fn providers(&mut self, tables: &DeTable<'_>) -> Vec<Table> {
        let mut found: Vec<Table> = Vec::new();
        for (key, value) in in_file_order(tables) {
            let name = key.get_ref().as_ref();
            let offset = key.span().start;
            let Some(entries) = value.get_ref().as_table() else {
                self.wrong_type(value, &format!("providers.{name}"), "a table");
                continue;
            };
            if !is_provider_name(name) {
                self.report(
                    offset,
                    "bad_provider_name",
                    &format!("`{name}` cannot be a provider's name"),
                    Some(
                        "a name is of letters, digits, `-`, `_` and `.`, begins with a letter or digit, and is not \
                         `any`, `name`, `key` or `marker`"
                            .to_owned(),
                    ),
                );
                continue;
            }
            let twin = found.iter().find(|other| {
                keys::environment_prefix(&other.name) == keys::environment_prefix(name)
            });
            if let Some(twin) = twin {
                let what = format!(
                    "`{name}` and `{}` would share their environment variables, `{}…`",
                    twin.name,
                    keys::environment_prefix(name)
                );
                self.report(
                    offset,
                    "bad_provider_name",
                    &what,
                    Some("rename one of the two".to_owned()),
                );
                continue;
            }
            if let Some((backend, backend_origin)) = self.backend(name, offset, entries) {
                let entries = self.entries(name, backend, entries);
                found.push(Table {
                    name: name.to_owned(),
                    backend,
                    backend_origin,
                    entries,
                });
            }
        }
        found
    }

    /// The table's backend: its variable, its key, or its name.
    fn backend(
        &mut self,
        name: &str,
        offset: usize,
        entries: &DeTable<'_>,
    ) -> Option<(Backend, Origin)> {
        let known = || Backend::ALL.map(Backend::as_str);
        let list = || format!("backends are `{}`", known().join("`, `"));
        let variable = keys::environment_name(name, BACKEND_KEY);
        if let Some(word) = self.environment.variable(&variable) {
            if let Ok(backend) = word.parse() {
                return Some((backend, Origin::Variable(variable)));
            }
            self.report(
                offset,
                "unknown_backend",
                &format!("the variable `{variable}` names `{word}`, which is no backend"),
                Some(list()),
            );
            return None;
        }
        if let Some(value) = entries.get(BACKEND_KEY) {
            let Some(word) = value.get_ref().as_str() else {
                self.wrong_type(value, BACKEND_KEY, "a backend's name");
                return None;
            };
            if let Ok(backend) = word.parse() {
                let origin = Origin::File {
                    path: self.path.to_owned(),
                    line: self.line(value.span().start),
                };
                return Some((backend, origin));
            }
            let hint = keys::nearest(word, known())
                .map_or_else(list, |near| format!("the nearest backend is `{near}`"));
            self.report(
                value.span().start,
                "unknown_backend",
                &format!("`{word}` is no backend"),
                Some(hint),
            );
            return None;
        }
        if let Ok(backend) = name.parse() {
            return Some((backend, Origin::Default));
        }
        self.report(
            offset,
            "missing_backend",
            &format!("the provider `{name}` is not named like a backend and has no `backend` key"),
            Some(format!("add `backend = \"…\"`; {}", list())),
        );
        None
    }

    fn entries(
        &mut self,
        provider: &str,
        backend: Backend,
        table: &DeTable<'_>,
    ) -> BTreeMap<&'static str, Entry> {
        let mut entries = BTreeMap::new();
        for (name, value) in in_file_order(table) {
            let written = name.get_ref().as_ref();
            if written == BACKEND_KEY {
                continue;
            }
            let Some(key) = keys::find(backend, written) else {
                let names: Vec<&str> = keys::keys_of(backend).iter().map(|key| key.name).collect();
                let hint = match keys::nearest(written, names.iter().copied()) {
                    Some(near) => format!("the nearest key is `{near}`"),
                    None => format!("keys of {backend} are `{}`", names.join("`, `")),
                };
                self.report(
                    name.span().start,
                    "unknown_key",
                    &format!("`{written}` is no key of `providers.{provider}` ({backend})"),
                    Some(hint),
                );
                continue;
            };
            if let Some(value) = self.value(key, value) {
                let line = self.line(name.span().start);
                entries.insert(key.name, Entry { value, line });
            }
        }
        entries
    }

    fn value(&mut self, key: &Key, value: &Spanned<DeValue<'_>>) -> Option<Value> {
        match (key.kind, value.get_ref()) {
            (KeyKind::Text | KeyKind::Path | KeyKind::Identifier, DeValue::String(text)) => {
                Some(Value::Text(text.to_string()))
            }
            // `workspace = 310042`: an id of digits alone is easily written without quotes.
            (KeyKind::Text | KeyKind::Identifier, DeValue::Integer(number))
                if number.radix() == 10 =>
            {
                Some(Value::Text(number.as_str().to_owned()))
            }
            (KeyKind::Choice(words), DeValue::String(word)) => {
                if words.contains(&word.as_ref()) {
                    return Some(Value::Text(word.to_string()));
                }
                self.report(
                    value.span().start,
                    "unknown_value",
                    &format!("`{}` does not hold one of its words", key.name),
                    Some(format!("it can be `{}`", words.join("`, `"))),
                );
                None
            }
            (KeyKind::Flag, DeValue::Boolean(flag)) => Some(Value::Flag(*flag)),
            (KeyKind::Secret, DeValue::String(text)) => {
                Some(Value::Literal(Secret::new(text.as_ref())))
            }
            (KeyKind::Secret | KeyKind::Identifier, DeValue::Table(table)) => {
                self.source(key, value, table)
            }
            _ => {
                let wanted = match key.kind {
                    KeyKind::Text | KeyKind::Choice(_) => "a text",
                    KeyKind::Path => "a path",
                    KeyKind::Flag => "`true` or `false`",
                    KeyKind::Identifier | KeyKind::Secret => {
                        "a text, or one of `{ env = … }`, `{ file = … }`, `{ command = […] }`"
                    }
                };
                self.wrong_type(value, key.name, wanted);
                None
            }
        }
    }

    /// `{ env = "…" }`, `{ file = "…" }` or `{ command = ["…"] }`.
    fn source(
        &mut self,
        key: &Key,
        whole: &Spanned<DeValue<'_>>,
        table: &DeTable<'_>,
    ) -> Option<Value> {
        let found = in_file_order(table);
        let source = match found.as_slice() {
            [(name, value)] => match (name.get_ref().as_ref(), value.get_ref()) {
                ("env", DeValue::String(text)) if !text.is_empty() => {
                    Some(SecretSource::Environment(text.to_string()))
                }
                ("file", DeValue::String(text)) if !text.is_empty() => {
                    Some(SecretSource::File(text.to_string()))
                }
                ("command", DeValue::Array(words)) if !words.is_empty() => words
                    .iter()
                    .map(|word| word.get_ref().as_str().map(ToOwned::to_owned))
                    .collect::<Option<Vec<_>>>()
                    .map(SecretSource::Command),
                _ => None,
            },
            _ => None,
        };
        if source.is_none() {
            self.report(
                whole.span().start,
                "bad_secret_source",
                &format!("`{}` does not say where its value comes from", key.name),
                Some(
                    "write one of `{ env = \"NAME\" }`, `{ file = \"PATH\" }`, `{ command = [\"WORD\", …] }`"
                        .to_owned(),
                ),
            );
        }
        source.map(Value::Source)
    }

    fn wrong_type(&mut self, value: &Spanned<DeValue<'_>>, key: &str, wanted: &str) {
        let what = format!(
            "`{key}` is {}, where {wanted} belongs",
            with_article(value.get_ref().type_str())
        );
        self.report(value.span().start, "wrong_type", &what, None);
    }
}

/// The parser keeps tables sorted by name; receipts and fan-out go by the order of the file (cli.md §10).
fn in_file_order<'t, 'i>(
    table: &'t DeTable<'i>,
) -> Vec<(
    &'t Spanned<toml::de::DeString<'i>>,
    &'t Spanned<DeValue<'i>>,
)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

fn with_article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {noun}")
}

fn is_provider_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.chars().all(|character| {
            character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.')
        })
        && !RESERVED_NAMES.contains(&name)
}
