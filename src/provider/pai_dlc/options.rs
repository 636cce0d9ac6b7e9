//! `provider_options.pai-dlc`: the closed list of keys (cli.md §10, "Names" and "PAI-DLC, small print").
//!
//! Pure. Inside `user_vpc`, `settings` and `code_source` the service's own member names stand; whatever is unknown or
//! of the wrong kind is refused, never dropped.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::model::{Backend, Refusal, RefusalCode};
use crate::provider::Assessment;
use crate::spec::{JobSpec, hint};

use super::wire::{CodeSource, Settings, UserVpc};

/// Every key of the block.
pub const KEYS: [&str; 9] = [
    "user_vpc",
    "settings",
    "options",
    "code_source",
    "thirdparty_libs",
    "thirdparty_lib_dir",
    "restart_policy",
    "job_type",
    "accessibility",
];

/// The job types of pai-dlc.md §5.2: case-sensitive, without aliases.
pub const JOB_TYPES: [&str; 10] = [
    "PyTorchJob",
    "TFJob",
    "MPIJob",
    "XGBoostJob",
    "OneFlowJob",
    "ElasticBatchJob",
    "RayJob",
    "SlurmJob",
    "DataJuicerJob",
    "FlinkBatchJob",
];

const RESTART_POLICIES: [&str; 4] = ["Always", "Never", "OnFailure", "ExitCode"];
const ACCESSIBILITIES: [&str; 2] = ["PRIVATE", "PUBLIC"];

/// The block, read.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Options {
    pub(super) user_vpc: Option<UserVpc>,
    pub(super) settings: Settings,
    pub(super) tuning: Option<String>,
    pub(super) code_source: Option<CodeSource>,
    pub(super) thirdparty_libs: Vec<String>,
    pub(super) thirdparty_lib_dir: Option<String>,
    pub(super) restart_policy: Option<String>,
    pub(super) job_type: Option<String>,
    pub(super) accessibility: Option<String>,
}

/// Reads the block; what is wrong with it goes into the assessment.
pub(super) fn read(spec: &JobSpec, assessment: &mut Assessment) -> Options {
    let mut options = Options::default();
    for backend in spec.provider_options.keys() {
        if *backend != Backend::PaiDlc {
            assessment.note(format!(
                "`provider_options.{backend}` is for another system and is ignored here"
            ));
        }
    }
    let Some(block) = spec.provider_options.get(&Backend::PaiDlc) else {
        return options;
    };
    for (key, value) in block {
        let mut reader = Reader { key, assessment };
        match key.as_str() {
            "user_vpc" => options.user_vpc = reader.decode(value, "`UserVpc`"),
            "settings" => {
                options.settings = reader.decode(value, "`Settings`").unwrap_or_default();
            }
            "options" => options.tuning = reader.pairs(value),
            "code_source" => options.code_source = reader.code_source(value),
            "thirdparty_libs" => {
                options.thirdparty_libs =
                    reader.decode(value, "`ThirdpartyLibs`").unwrap_or_default();
            }
            "thirdparty_lib_dir" => {
                options.thirdparty_lib_dir = reader.decode(value, "`ThirdpartyLibDir`");
            }
            "restart_policy" => {
                options.restart_policy =
                    reader.word(value, &RESTART_POLICIES, "`JobSpecs[].RestartPolicy`");
            }
            "job_type" => options.job_type = reader.word(value, &JOB_TYPES, "`JobType`"),
            "accessibility" => {
                options.accessibility = reader.word(value, &ACCESSIBILITIES, "`Accessibility`");
            }
            _ => reader.unknown(),
        }
    }
    check_vpc(options.user_vpc.as_ref(), assessment);
    options
}

/// The path of a key, as it stands in reports.
pub(super) fn field(key: &str) -> String {
    format!("provider_options.{}.{key}", Backend::PaiDlc)
}

/// A switch in a network of one's own needs the other ranges named (§5.6).
fn check_vpc(vpc: Option<&UserVpc>, assessment: &mut Assessment) {
    if let Some(vpc) = vpc
        && vpc.switch_id.is_some()
        && vpc.extended_cidrs.is_empty()
    {
        assessment.refuse(
            Refusal::new(
                RefusalCode::MissingField,
                field("user_vpc.ExtendedCIDRs"),
                "`SwitchId` is given, and PAI-DLC then needs `ExtendedCIDRs`",
            )
            .with_alternative("list the address ranges, or leave out `SwitchId`"),
        );
    }
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

    /// One of a few words, exactly.
    fn word(&mut self, value: &Value, allowed: &[&str], how: &str) -> Option<String> {
        let word: String = self.decode(value, how)?;
        if allowed.contains(&word.as_str()) {
            return Some(word);
        }
        self.refuse(
            self.key,
            &format!("`{word}` is none of `{}`", allowed.join("`, `")),
        );
        None
    }

    /// `k=v,k=v`: a text as it stands, or a map in its order.
    fn pairs(&mut self, value: &Value) -> Option<String> {
        if let Value::String(text) = value {
            self.assessment.native(&field(self.key), "`Options`");
            return Some(text.clone());
        }
        let members: Map<String, Value> = self.decode(value, "`Options`, as `k=v,k=v`")?;
        let mut pairs = Vec::new();
        for (name, member) in &members {
            let text = match member {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                Value::Bool(flag) => flag.to_string(),
                Value::Null | Value::Array(_) | Value::Object(_) => {
                    self.refuse(
                        &format!("{}.{name}", self.key),
                        "this is no text, number or boolean",
                    );
                    return None;
                }
            };
            if name.is_empty() || name.contains([',', '=']) || text.contains(',') {
                self.refuse(
                    &format!("{}.{name}", self.key),
                    "a comma or `=` cannot be told from the separators of `k=v,k=v`",
                );
                return None;
            }
            pairs.push(format!("{name}={text}"));
        }
        (!pairs.is_empty()).then(|| pairs.join(","))
    }

    /// An id alone, or an object.
    fn code_source(&mut self, value: &Value) -> Option<CodeSource> {
        let source = match value {
            Value::String(id) => {
                self.assessment.native(&field(self.key), "`CodeSource`");
                CodeSource {
                    code_source_id: id.clone(),
                    ..CodeSource::default()
                }
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => self.decode(value, "`CodeSource`")?,
        };
        if source.code_source_id.trim().is_empty() {
            self.refuse(self.key, "the id is empty");
            return None;
        }
        Some(source)
    }

    fn refuse(&mut self, place: &str, message: &str) {
        self.assessment.refuse(
            Refusal::new(
                RefusalCode::UnsupportedValue,
                field(place),
                format!("`{}` cannot be taken: {message}", field(place)),
            )
            .with_alternative("write it with the names and kinds of PAI-DLC's own API"),
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
                format!("`{}` is no option of PAI-DLC", self.key),
            )
            .with_alternative(alternative),
        );
    }
}
