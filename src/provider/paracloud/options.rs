//! `provider_options.paracloud`: a closed list of keys (cli.md §10).
//!
//! Pure. An unknown key or a value of another type is a refusal, never ignored.

use serde_json::{Map, Value};

use crate::model::{Backend, Refusal, RefusalCode};
use crate::spec::{JobSpec, hint};

const STRICT_ARGV: &str = "strict_argv";
const SCRIPT_VOLUME: &str = "script_volume";
const KEYS: [&str; 2] = [STRICT_ARGV, SCRIPT_VOLUME];

/// The options, read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Options {
    /// Words that a shell could change are refused instead of warned about (paracloud.md §4.2).
    pub(super) strict_argv: Option<bool>,
    /// The volume for script mode.
    pub(super) script_volume: Option<String>,
}

impl Options {
    /// Reads the block of a spec; what is wrong with it comes beside what could be read.
    pub(super) fn read(spec: &JobSpec) -> (Self, Vec<Refusal>) {
        let mut options = Self::default();
        let mut refusals = Vec::new();
        let empty = Map::new();
        let block = spec
            .provider_options
            .get(&Backend::Paracloud)
            .unwrap_or(&empty);
        for (key, value) in block {
            match (key.as_str(), value) {
                (STRICT_ARGV, Value::Bool(strict)) => options.strict_argv = Some(*strict),
                (SCRIPT_VOLUME, Value::String(volume)) if !volume.trim().is_empty() => {
                    options.script_volume = Some(volume.trim().to_owned());
                }
                (STRICT_ARGV, _) => refusals.push(wrong_type(key, "true or false")),
                (SCRIPT_VOLUME, _) => refusals.push(wrong_type(key, "a volume's id or ref")),
                (_, _) => refusals.push(unknown(key)),
            }
        }
        (options, refusals)
    }
}

/// Path of a key in the spec.
pub(super) fn path(key: &str) -> String {
    format!("provider_options.{}.{key}", Backend::Paracloud)
}

fn wrong_type(key: &str, wanted: &str) -> Refusal {
    let path = path(key);
    Refusal::new(
        RefusalCode::UnsupportedValue,
        &path,
        format!("`{path}` must be {wanted}"),
    )
    .with_alternative(format!("write {wanted}, or leave the key out"))
}

fn unknown(key: &str) -> Refusal {
    let alternative = hint::nearest(key, KEYS).map_or_else(
        || format!("the keys are `{}`", KEYS.join("` and `")),
        |nearest| format!("did you mean `{nearest}`?"),
    );
    let path = path(key);
    Refusal::new(
        RefusalCode::UnsupportedField,
        &path,
        format!("`{path}` is no option of Paracloud"),
    )
    .with_alternative(alternative)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(block: &Value) -> (Options, Vec<Refusal>) {
        let spec = JobSpec {
            provider_options: [(Backend::Paracloud, block.as_object().unwrap().clone())].into(),
            ..JobSpec::default()
        };
        Options::read(&spec)
    }

    #[test]
    fn the_two_keys_are_read() {
        let (options, refusals) = read(&json!({"strict_argv": true, "script_volume": "x7m4tzb9"}));
        assert_eq!(refusals, []);
        assert_eq!(options.strict_argv, Some(true));
        assert_eq!(options.script_volume.as_deref(), Some("x7m4tzb9"));
    }

    #[test]
    fn unknown_keys_and_wrong_types_are_refused_together() {
        let (options, refusals) =
            read(&json!({"strict_agv": true, "strict_argv": "yes", "script_volume": 3}));
        assert_eq!(options, Options::default());
        let fields: Vec<&str> = refusals
            .iter()
            .map(|refusal| refusal.field.as_str())
            .collect();
        assert_eq!(
            fields,
            [
                "provider_options.paracloud.strict_agv",
                "provider_options.paracloud.strict_argv",
                "provider_options.paracloud.script_volume",
            ]
        );
        assert_eq!(
            refusals[0].alternative.as_deref(),
            Some("did you mean `strict_argv`?")
        );
    }
}
