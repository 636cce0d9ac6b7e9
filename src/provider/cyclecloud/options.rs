//! `provider_options.cyclecloud` and the mode (cli.md §10, "Names"; cyclecloud.md §8.2).
//!
//! Pure. A closed list of keys; inside `node_attributes` the server's own names stand.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

use crate::model::{Backend, Refusal, RefusalCode};
use crate::provider::Assessment;
use crate::spec::{JobSpec, hint};

use super::fields::{as_flag, member};
use super::payload::TAGS;

/// Every key of the block.
pub const KEYS: [&str; 5] = ["mode", "result_dir", "keep", "node_attributes", "vm_image"];

/// Attributes that say which node it is: the server does not let them be set (§11 no. 7).
const FIXED_ATTRIBUTES: [&str; 4] = ["Name", "NodeId", "Template", "ClusterName"];

/// How a command gets onto the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// The operator has installed the runner.
    #[default]
    Runner,
    /// The job carries the runner.
    CloudInit,
    /// Nodes are started, and nothing is run.
    NodesOnly,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::Runner, Self::CloudInit, Self::NodesOnly];

    /// The word in specs and in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Runner => "runner",
            Self::CloudInit => "cloud-init",
            Self::NodesOnly => "nodes-only",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Mode {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.as_str() == word)
            .ok_or(())
    }
}

/// The block, read.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Options {
    pub(super) mode: Option<Mode>,
    pub(super) result_dir: Option<String>,
    pub(super) keep: Option<bool>,
    pub(super) node_attributes: Map<String, Value>,
    pub(super) vm_image: Option<String>,
}

/// The path of a key, as it stands in reports.
pub(super) fn field(key: &str) -> String {
    format!("provider_options.{}.{key}", Backend::Cyclecloud)
}

/// Reads the block; what is wrong with it goes into the assessment.
pub(super) fn read(spec: &JobSpec, assessment: &mut Assessment) -> Options {
    let mut options = Options::default();
    for backend in spec.provider_options.keys() {
        if *backend != Backend::Cyclecloud {
            assessment.note(format!(
                "`provider_options.{backend}` is for another system and is ignored here"
            ));
        }
    }
    let Some(block) = spec.provider_options.get(&Backend::Cyclecloud) else {
        return options;
    };
    for (key, value) in block {
        match key.as_str() {
            "mode" => options.mode = mode(value, assessment),
            "result_dir" => options.result_dir = result_dir(value, assessment),
            "keep" => options.keep = keep(value, assessment),
            "node_attributes" => {
                options.node_attributes = node_attributes(value, assessment).unwrap_or_default();
            }
            "vm_image" => options.vm_image = vm_image(value, assessment),
            _ => unknown(key, assessment),
        }
    }
    options
}

/// Whether a path can be a directory on every node.
pub(super) fn is_absolute(path: &str) -> bool {
    path.starts_with('/') && !path.contains(char::is_control)
}

fn mode(value: &Value, assessment: &mut Assessment) -> Option<Mode> {
    let mode = value.as_str().and_then(|word| word.parse::<Mode>().ok());
    match mode {
        Some(mode) => assessment.native(&field("mode"), format!("`{mode}`")),
        None => wrong(
            "mode",
            &format!("is {value}"),
            "write `runner`, `cloud-init` or `nodes-only`",
            assessment,
        ),
    }
    mode
}

fn result_dir(value: &Value, assessment: &mut Assessment) -> Option<String> {
    let path = value.as_str().filter(|path| is_absolute(path));
    if path.is_some() {
        assessment.native(&field("result_dir"), "`Configuration.gpujob.result_dir`");
    } else {
        wrong(
            "result_dir",
            &format!("is {value}, which is no absolute path"),
            "write the path of the shared directory as the nodes see it, such as `/mnt/results`",
            assessment,
        );
    }
    path.map(str::to_owned)
}

fn keep(value: &Value, assessment: &mut Assessment) -> Option<bool> {
    let keep = as_flag(value);
    match keep {
        Some(_) => assessment.native(&field("keep"), "`Configuration.gpujob.keep`"),
        None => wrong(
            "keep",
            &format!("is {value}"),
            "write `true` or `false`",
            assessment,
        ),
    }
    keep
}

fn vm_image(value: &Value, assessment: &mut Assessment) -> Option<String> {
    let image = value.as_str().filter(|image| !image.trim().is_empty());
    if let Some(image) = image {
        assessment.native(
            &field("vm_image"),
            format!("`nodeAttributes.{}`", image_attribute(image)),
        );
    } else {
        wrong(
            "vm_image",
            &format!("is {value}"),
            "write the name or the resource id of an image",
            assessment,
        );
    }
    image.map(str::to_owned)
}

/// A resource id is a path; everything else is a name.
pub(super) fn image_attribute(image: &str) -> &'static str {
    if image.starts_with('/') {
        "ImageId"
    } else {
        "ImageName"
    }
}

fn node_attributes(value: &Value, assessment: &mut Assessment) -> Option<Map<String, Value>> {
    const KEY: &str = "node_attributes";
    let Some(members) = value.as_object() else {
        wrong(
            KEY,
            "is no map",
            "write attributes with the server's own names, such as `KeepAlive: true`",
            assessment,
        );
        return None;
    };
    let before = assessment.refusals.len();
    for name in FIXED_ATTRIBUTES {
        if member(value, name).is_some() {
            wrong(
                KEY,
                &format!("sets `{name}`, which the server alone sets"),
                "leave it out",
                assessment,
            );
        }
    }
    if super::fields::path(value, &["Configuration", "gpujob"]).is_some() {
        wrong(
            KEY,
            "sets `Configuration.gpujob`, which is gpujob's own",
            "leave it out",
            assessment,
        );
    }
    for tag in TAGS {
        if super::fields::path(value, &["Tags", tag]).is_some() {
            wrong(
                KEY,
                &format!("sets the tag `{tag}`, which is gpujob's own"),
                "use another name",
                assessment,
            );
        }
    }
    for (name, attribute) in members {
        let is_map = matches!(name.as_str(), "Configuration" | "Tags");
        if is_map && !attribute.is_object() {
            wrong(
                KEY,
                &format!("has a `{name}` that is no map"),
                "write a map",
                assessment,
            );
        }
    }
    if assessment.refusals.len() > before {
        return None;
    }
    let names: Vec<&str> = members.keys().map(String::as_str).collect();
    assessment.native(
        &field(KEY),
        format!("`nodeAttributes`: {}", names.join(", ")),
    );
    Some(members.clone())
}

fn wrong(key: &str, what: &str, alternative: &str, assessment: &mut Assessment) {
    assessment.refuse(
        Refusal::new(
            RefusalCode::UnsupportedValue,
            field(key),
            format!("`{}` {what}", field(key)),
        )
        .with_alternative(alternative),
    );
}

fn unknown(key: &str, assessment: &mut Assessment) {
    let alternative = hint::nearest(key, KEYS).map_or_else(
        || format!("the keys are `{}`", KEYS.join("`, `")),
        |nearest| format!("did you mean `{nearest}`"),
    );
    assessment.refuse(
        Refusal::new(
            RefusalCode::UnsupportedField,
            field(key),
            format!("`{key}` is no option of CycleCloud"),
        )
        .with_alternative(alternative),
    );
}
