//! Tree to [`JobSpec`]: every key of job-model.md §2, its type and its range.
//!
//! Knows no provider: what one of them cannot do is its planner's to refuse.

mod fields;
mod network;
mod options;
mod program;
mod resources;
mod scalar;

use fields::{Field, Fields};

use super::error::SpecError;
use super::hint::nearest;
use super::model::{Framework, JobSpec, Placement, Timeout};
use super::tree::{Content, Node};

const KEYS: [&str; 38] = [
    "name",
    "provider",
    "placement",
    "priority",
    "labels",
    "description",
    "image",
    "registry_auth",
    "command",
    "script",
    "args",
    "env",
    "secrets",
    "workdir",
    "user",
    "privileged",
    "host_network",
    "ulimits",
    "code",
    "resources",
    "nodes",
    "array",
    "framework",
    "spot",
    "estimate",
    "timeout",
    "start_timeout",
    "retries",
    "grace",
    "ttl_after_finish",
    "budget",
    "max_price",
    "max_cost",
    "mounts",
    "ports",
    "vpc",
    "health_checks",
    "exit_code_carrier",
];

/// The key that stands beside [`KEYS`] and holds what one backend alone understands.
const PROVIDER_OPTIONS: &str = "provider_options";

const PLACEMENT_KEYS: [&str; 5] = ["namespace", "workspace", "cluster", "region", "queue"];

/// Reads a whole spec.
pub(super) fn job(root: &Node) -> Result<JobSpec, SpecError> {
    root.refuse_nul()?;
    let known: Vec<&str> = KEYS.iter().copied().chain([PROVIDER_OPTIONS]).collect();
    let fields = Fields::of_root(root, &known)?;
    let env = fields.read("env", program::env)?.unwrap_or_default();
    let secrets = fields.read("secrets", |field| program::secrets(field, &env))?;
    Ok(JobSpec {
        name: fields.read("name", name)?,
        provider: fields.read("provider", providers)?.unwrap_or_default(),
        placement: fields.read("placement", placement)?.unwrap_or_default(),
        priority: fields.read("priority", |field| field.whole(1, 9))?,
        labels: fields.read("labels", labels)?.unwrap_or_default(),
        description: fields.read("description", Field::text)?,
        image: fields.read("image", program::image)?,
        registry_auth: fields.read("registry_auth", program::registry_auth)?,
        program: program::program(&fields)?,
        env,
        secrets: secrets.unwrap_or_default(),
        workdir: fields.read("workdir", Field::absolute_path)?,
        user: fields.read("user", Field::identifier)?,
        privileged: fields.read("privileged", Field::boolean)?,
        host_network: fields.read("host_network", Field::boolean)?,
        ulimits: fields.read("ulimits", Field::scalars)?,
        code: fields.read("code", program::code)?,
        resources: fields
            .read("resources", resources::resources)?
            .unwrap_or_default(),
        nodes: fields.read("nodes", |field| field.whole(1, u32::MAX))?,
        array: fields.read("array", resources::array)?,
        framework: fields.read("framework", framework)?,
        spot: fields.read("spot", resources::spot)?.flatten(),
        estimate: fields.read("estimate", Field::some_time)?,
        timeout: fields.read("timeout", timeout)?.unwrap_or_default(),
        start_timeout: fields.read("start_timeout", Field::some_time)?,
        retries: fields.read("retries", |field| field.whole(0, u32::MAX))?,
        grace: fields.read("grace", Field::duration)?,
        ttl_after_finish: fields.read("ttl_after_finish", Field::duration)?,
        budget: fields.read("budget", Field::money)?,
        max_price: fields.read("max_price", Field::money)?,
        max_cost: fields.read("max_cost", Field::money)?,
        mounts: fields.read("mounts", network::mounts)?.unwrap_or_default(),
        ports: fields.read("ports", network::ports)?.unwrap_or_default(),
        vpc: fields.read("vpc", Field::identifier)?,
        health_checks: fields.read("health_checks", options::health_checks)?,
        exit_code_carrier: fields
            .read("exit_code_carrier", Field::boolean)?
            .unwrap_or_default(),
        provider_options: fields
            .read(PROVIDER_OPTIONS, options::provider_options)?
            .unwrap_or_default(),
    })
}

fn name(field: &Field<'_>) -> Result<String, SpecError> {
    let name = field.text()?;
    let length = name.chars().count();
    if length > 63 {
        return Err(field.bad_value(
            &format!("has {length} characters"),
            "write a name of 1 to 63 characters",
        ));
    }
    Ok(name)
}

/// One name or several, in the order in which they are to be tried.
fn providers(field: &Field<'_>) -> Result<Vec<String>, SpecError> {
    match &field.node.content {
        Content::List(_) => field.items()?.iter().map(Field::text).collect(),
        Content::Null
        | Content::Bool { .. }
        | Content::Number(_)
        | Content::Text(_)
        | Content::Word(_)
        | Content::Map(_) => Ok(vec![field.text()?]),
    }
}

fn placement(field: &Field<'_>) -> Result<Placement, SpecError> {
    let fields = field.fields(&PLACEMENT_KEYS)?;
    fields.refuse_both(
        "namespace",
        "workspace",
        "both mean the namespace; keep one of them",
    )?;
    let namespace = fields.read("namespace", Field::identifier)?;
    Ok(Placement {
        namespace: match namespace {
            Some(namespace) => Some(namespace),
            None => fields.read("workspace", Field::identifier)?,
        },
        cluster: fields.read("cluster", Field::identifier)?,
        region: fields.read("region", Field::identifier)?,
        queue: fields.read("queue", Field::identifier)?,
    })
}

fn labels(field: &Field<'_>) -> Result<std::collections::BTreeMap<String, String>, SpecError> {
    let labels = field.scalars()?;
    if labels.keys().any(|key| key.trim().is_empty()) {
        return Err(field.bad_value("has a label without a name", "name every label"));
    }
    Ok(labels)
}

fn framework(field: &Field<'_>) -> Result<Framework, SpecError> {
    let word = field.text()?;
    Framework::from_word(&word).ok_or_else(|| {
        let words = Framework::ALL.map(Framework::as_str);
        let hint = match nearest(&word, words) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write one of {}", words.join(", ")),
        };
        field.bad_value(
            &format!(
                "is `{}`, which is no framework",
                super::tree::shorten(&word)
            ),
            &hint,
        )
    })
}

fn timeout(field: &Field<'_>) -> Result<Timeout, SpecError> {
    match &field.node.content {
        Content::Text(text) | Content::Word(text) if text == "none" => Ok(Timeout::Unlimited),
        Content::Null => Err(field
            .wrong_type("a duration with its unit, such as `90m`")
            .with_hint("write `none` for no limit, or leave the key out")),
        Content::Bool { .. }
        | Content::Number(_)
        | Content::Text(_)
        | Content::Word(_)
        | Content::List(_)
        | Content::Map(_) => field.some_time().map(Timeout::After),
    }
}

#[cfg(test)]
mod tests;
