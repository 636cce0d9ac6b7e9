//! `provider_options.gongji`: the closed list of keys (cli.md §10, "Names").
//!
//! Pure. Inside `task_qos` and `health_checks` the service's own member names stand; whatever is unknown or of the wrong
//! kind is refused, never dropped.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::model::{Backend, Refusal, RefusalCode};
use crate::provider::Assessment;
use crate::spec::{JobSpec, hint};

use super::wire::{HealthChecks, TaskQos};

/// Every key of the block.
pub const KEYS: [&str; 5] = [
    "task_qos",
    "health_checks",
    "weight",
    "index_backoff_limit",
    "max_failed_index",
];

/// The one class of service (gongji.md §2.3).
const GUARANTEED: &str = "Guaranteed";

/// The block, read.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Options {
    pub(super) task_qos: Option<TaskQos>,
    pub(super) health_checks: Option<HealthChecks>,
    pub(super) weight: Option<i64>,
    pub(super) index_backoff_limit: Option<u32>,
    pub(super) max_failed_index: Option<u32>,
}

/// Reads the block; what is wrong with it goes into the assessment.
pub(super) fn read(spec: &JobSpec, assessment: &mut Assessment) -> Options {
    let mut options = Options::default();
    for backend in spec.provider_options.keys() {
        if *backend != Backend::Gongji {
            assessment.note(format!(
                "`provider_options.{backend}` is for another system and is ignored here"
            ));
        }
    }
    let Some(block) = spec.provider_options.get(&Backend::Gongji) else {
        return options;
    };
    for (key, value) in block {
        let mut reader = Reader { key, assessment };
        match key.as_str() {
            "task_qos" => options.task_qos = reader.task_qos(value),
            "health_checks" => {
                options.health_checks = reader.decode(value, "`services[].health_checks`");
            }
            "weight" => options.weight = reader.decode(value, "`resources[].weight`"),
            "index_backoff_limit" => {
                options.index_backoff_limit =
                    reader.decode(value, "`mod_param.index.index_backoff_limit`");
            }
            "max_failed_index" => {
                options.max_failed_index =
                    reader.decode(value, "`mod_param.index.max_failed_index`");
            }
            _ => reader.unknown(),
        }
    }
    options
}

/// The path of a key, as it stands in reports.
pub(super) fn field(key: &str) -> String {
    format!("provider_options.{}.{key}", Backend::Gongji)
}

struct Reader<'a> {
    key: &'a str,
    assessment: &'a mut Assessment,
}

impl Reader<'_> {
    /// Decodes strictly; the message names the member.
    fn decode<T: DeserializeOwned>(&mut self, value: &Value, how: &str) -> Option<T> {
        match serde_path_to_error::deserialize(value) {
            Ok(decoded) => {
                self.assessment.native(&field(self.key), how);
                Some(decoded)
            }
            Err(error) => {
                let path = error.path().to_string();
                let place = if path == "." {
                    self.key.to_owned()
                } else {
                    format!("{}.{path}", self.key)
                };
                self.refuse(&place, &error.inner().to_string());
                None
            }
        }
    }

    /// The word alone, or the service's object around it.
    fn task_qos(&mut self, value: &Value) -> Option<TaskQos> {
        let qos = match value {
            Value::String(class) => {
                self.assessment.native(&field(self.key), "`task_qos`");
                TaskQos {
                    class: class.clone(),
                }
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => self.decode(value, "`task_qos`")?,
        };
        if qos.class == GUARANTEED {
            return Some(qos);
        }
        self.refuse(
            self.key,
            &format!("`{}` is no class; there is `{GUARANTEED}`", qos.class),
        );
        None
    }

    fn refuse(&mut self, place: &str, message: &str) {
        let field = field(place);
        self.assessment.refuse(
            Refusal::new(
                RefusalCode::UnsupportedValue,
                field.clone(),
                format!("`{field}` cannot be taken: {message}"),
            )
            .with_alternative("write it with the names and kinds of Gongji's own API"),
        );
    }

    fn unknown(&mut self) {
        let nearest = hint::nearest(self.key, KEYS);
        let alternative = nearest.map_or_else(
            || format!("the keys are `{}`", KEYS.join("`, `")),
            |nearest| format!("did you mean `{nearest}`"),
        );
        self.assessment.refuse(
            Refusal::new(
                RefusalCode::UnsupportedField,
                field(self.key),
                format!("`{}` is no option of Gongji", self.key),
            )
            .with_alternative(alternative),
        );
    }
}
