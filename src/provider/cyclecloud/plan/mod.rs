//! Spec and survey to one create of nodes, or to all refusals (cyclecloud.md §6.1, §8.2; job-model.md §2).
//!
//! Pure. What stands in the plan is what `explain` shows and what is sent, byte for byte.

mod fields;
mod mounts;
mod place;
mod program;

use serde_json::{Map, Value, json};

use crate::error::Kind;
use crate::model::{Backend, Refusal, RefusalCode, ResourceRef};
use crate::provider::money::{self, Extent};
use crate::provider::{Assessment, Plan, PlanInput, PlanRefusal, Policy, Survey};
use crate::spec::JobSpec;

use super::offers::cards;
use super::options::{self, Mode, Options, image_attribute};
use super::payload::{Payload, TAG_ID, TAG_NAME, TAG_SPEC, TAG_START_TIMEOUT, TAGS};
use super::request_id;
use super::routes::Routes;
use super::runner;
use super::status::ClusterStatus;

use place::Place;

/// The most that Azure takes as custom data, in base64 (cyclecloud.md §8.2, `CloudInit`).
const CLOUD_INIT_LIMIT: usize = 64 * 1024;

/// The configured account, as far as planning needs it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account<'a> {
    /// The provider's name.
    pub name: &'a str,
    pub routes: &'a Routes,
    pub cluster: Option<&'a str>,
    pub nodearray: Option<&'a str>,
    pub result_dir: Option<&'a str>,
    pub mode: Mode,
}

/// What the spec alone decides.
struct Draft {
    assessment: Assessment,
    options: Options,
    mode: Mode,
    payload: Option<Payload>,
}

/// What the spec alone shows.
pub(super) fn assess(account: &Account<'_>, spec: &JobSpec, policy: Policy) -> Assessment {
    draft(account, spec, policy).assessment
}

/// The cluster a job would go to.
pub(super) fn cluster(account: &Account<'_>, spec: &JobSpec) -> Option<String> {
    place::cluster(account, spec)
}

/// Where the marker is looked up: the same text on every machine, whatever the provider is called there.
pub(super) fn scope(cluster: &str) -> String {
    ResourceRef::new(Backend::Cyclecloud.as_str(), [cluster]).to_string()
}

/// The line of the report that says that fewer nodes are taken.
const ALLOW_PARTIAL: &str = "allow_partial";

/// Whether a plan takes fewer nodes than it asks for: the switch is a line of its report, so that `explain` shows it.
pub(super) fn allows_partial(plan: &Plan) -> bool {
    plan.assessment
        .report
        .iter()
        .any(|line| line.field == ALLOW_PARTIAL)
}

/// The one create, or every reason against it.
pub(super) fn plan(
    account: &Account<'_>,
    input: &PlanInput<'_>,
    survey: &Survey,
) -> Result<Plan, PlanRefusal> {
    let spec = input.spec;
    let Draft {
        mut assessment,
        options,
        mode,
        payload,
    } = draft(account, spec, *input.policy);
    let place = place::choose(account, spec, *input.policy, survey, &mut assessment);
    let cluster = place::cluster(account, spec);
    let (Some(place), Some(cluster)) = (place, cluster) else {
        return Err(PlanRefusal { assessment });
    };
    let status = survey
        .namespace
        .as_ref()
        .map(|namespace| ClusterStatus::read(&namespace.raw))
        .unwrap_or_default();
    let shares = status
        .nodearray(&place.nodearray)
        .map(|array| mounts::entries(spec, account.name, &cluster, array, &mut assessment))
        .unwrap_or_default();
    warn(&options, mode, &place, !shares.is_empty(), &mut assessment);
    let id = request_id::of_marker(input.marker).to_string();
    let payload = payload.map(|payload| Payload {
        job_id: id.clone(),
        gpus: cards(place.offer.gpu.as_ref()),
        ..payload
    });
    let time_limit_s = payload.as_ref().and_then(|payload| payload.time_limit_s);
    let extent = Extent::of(spec);
    // Nodes that are kept cost on after the end.
    let paid_s = time_limit_s.filter(|_| options.keep != Some(true));
    money::weigh(spec, Some(&place.offer), extent, paid_s, &mut assessment);
    let attributes = attributes(
        input,
        &options,
        mode,
        &place,
        payload.as_ref(),
        &shares,
        &id,
    );
    check_cloud_init(&attributes, &mut assessment);
    let set = set(spec, &place, &id, attributes, &mut assessment);
    let body = json!({ "requestId": id, "sets": [set] });
    let request = match account.routes.create(&cluster, &body) {
        Ok(request) => request,
        Err(error) => {
            assessment.refuse(
                Refusal::new(
                    RefusalCode::UnsupportedValue,
                    "spec",
                    error.message().to_owned(),
                )
                .with_kind(Kind::Internal),
            );
            return Err(PlanRefusal { assessment });
        }
    };
    if !assessment.refusals.is_empty() {
        return Err(PlanRefusal { assessment });
    }
    Ok(Plan {
        provider: account.name.to_owned(),
        backend: Backend::Cyclecloud,
        marker: input.marker.clone(),
        scope: scope(&cluster),
        offer: Some(place.offer),
        assessment,
        uploads: Vec::new(),
        requests: vec![request],
        secrets: Vec::new(),
        time_limit_s,
        nodes: place::nodes(spec),
        extent,
    })
}

/// Goes through the whole spec and never stops at a refusal.
fn draft(account: &Account<'_>, spec: &JobSpec, policy: Policy) -> Draft {
    let mut assessment = Assessment::default();
    let options = options::read(spec, &mut assessment);
    let mode = options.mode.unwrap_or(account.mode);
    fields::assess(spec, policy, &mut assessment);
    names(spec, &mut assessment);
    if policy.allow_partial {
        assessment.local(ALLOW_PARTIAL, "fewer nodes than asked for are kept");
    }
    place::assess(account, spec, &mut assessment);
    mounts::assess(spec, account.name, &mut assessment);
    let payload = program::payload(spec, mode, &options, policy, &mut assessment);
    let result_dir = options.result_dir.as_deref().or(account.result_dir);
    check_result_dir(mode, result_dir, &mut assessment);
    let payload = payload.map(|payload| Payload {
        result_dir: result_dir.map(str::to_owned),
        ..payload
    });
    Draft {
        assessment,
        options,
        mode,
        payload,
    }
}

/// Name and labels as tags.
fn names(spec: &JobSpec, assessment: &mut Assessment) {
    if spec.name.is_some() {
        assessment.native("name", format!("the tag `{TAG_NAME}`"));
    }
    if !spec.labels.is_empty() {
        assessment.native("labels", "`nodeAttributes.Tags`");
    }
    for label in spec
        .labels
        .keys()
        .filter(|label| TAGS.iter().any(|tag| tag.eq_ignore_ascii_case(label)))
    {
        assessment.refuse(
            Refusal::new(
                RefusalCode::UnsupportedValue,
                format!("labels.{label}"),
                format!("the tag `{label}` is gpujob's own"),
            )
            .with_alternative("use another name"),
        );
    }
}

/// Without a shared directory nobody learns how a job ended (cli.md §10).
fn check_result_dir(mode: Mode, result_dir: Option<&str>, assessment: &mut Assessment) {
    match (mode, result_dir) {
        (Mode::Runner, None) => assessment.refuse(
            Refusal::new(
                RefusalCode::MissingField,
                options::field("result_dir"),
                "the runner needs a shared directory for output and the exit code",
            )
            .with_alternative(
                "set `result-dir` in the configuration, or `provider_options.cyclecloud.result_dir`",
            ),
        ),
        (Mode::CloudInit, None) => assessment.note(
            "without `result_dir` the output stays on the node, and how the job ended is never learned",
        ),
        (Mode::Runner | Mode::CloudInit, Some(path)) if !options::is_absolute(path) => {
            assessment.refuse(
                Refusal::new(
                    RefusalCode::UnsupportedValue,
                    options::field("result_dir"),
                    format!("`{path}` is no absolute path"),
                )
                .with_alternative("write the path of the shared directory as the nodes see it"),
            );
        }
        (Mode::Runner | Mode::CloudInit, Some(_)) | (Mode::NodesOnly, _) => {}
    }
}

/// What has left nodes stuck in other people's clusters (cyclecloud.md §12).
fn warn(
    options: &Options,
    mode: Mode,
    place: &Place,
    changes_mounts: bool,
    assessment: &mut Assessment,
) {
    let others = format!("{} nodes of `{}` run now", place.active, place.nodearray);
    if mode == Mode::CloudInit {
        assessment.note(
            "mode `cloud-init`: the create may fail with a scale-set mismatch while other nodes of the array run with different data",
        );
    }
    if options.vm_image.is_some() && place.active > 0 {
        assessment.note(format!(
            "{others}: with another image the new ones will be stuck with a scale-set mismatch"
        ));
    }
    if changes_mounts && place.active > 0 {
        assessment.note(format!(
            "{others}: before CycleCloud 8.1.1 other mounts than theirs end in a scale-set mismatch"
        ));
    }
}

/// Everything that every node of the set gets: the user's attributes first, ours over them.
fn attributes(
    input: &PlanInput<'_>,
    options: &Options,
    mode: Mode,
    place: &Place,
    payload: Option<&Payload>,
    shares: &Map<String, Value>,
    id: &str,
) -> Map<String, Value> {
    let spec = input.spec;
    let mut tags = Map::new();
    tags.insert(TAG_ID.to_owned(), json!(id));
    tags.insert(TAG_SPEC.to_owned(), json!(input.marker.spec_part()));
    if let Some(name) = &spec.name {
        tags.insert(TAG_NAME.to_owned(), json!(name));
    }
    if let Some(seconds) = spec.start_timeout {
        tags.insert(TAG_START_TIMEOUT.to_owned(), json!(seconds.to_string()));
    }
    for (label, value) in &spec.labels {
        tags.insert(label.clone(), json!(value));
    }
    let mut configuration = Map::new();
    if let (Mode::Runner, Some(payload)) = (mode, payload) {
        configuration.insert("gpujob".to_owned(), Value::Object(payload.configuration()));
    }
    if !shares.is_empty() {
        configuration.insert("cyclecloud".to_owned(), json!({ "mounts": shares }));
    }
    let mut own = Map::new();
    own.insert("Tags".to_owned(), Value::Object(tags));
    if !configuration.is_empty() {
        own.insert("Configuration".to_owned(), Value::Object(configuration));
    }
    if let (Mode::CloudInit, Some(payload)) = (mode, payload) {
        own.insert(
            "CloudInit".to_owned(),
            json!(runner::cloud_init(&payload.values())),
        );
    }
    if spec.spot.is_some() && !place.is_spot {
        own.insert("Interruptible".to_owned(), json!(true));
    }
    if let Some(image) = &options.vm_image {
        own.insert(image_attribute(image).to_owned(), json!(image));
    }
    let mut attributes = options.node_attributes.clone();
    merge(&mut attributes, own);
    attributes
}

/// Key-wise, as the server itself merges configurations (cyclecloud.md §8.2).
fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

/// Long scripts do not fit into a machine's custom data.
fn check_cloud_init(attributes: &Map<String, Value>, assessment: &mut Assessment) {
    let bytes = attributes
        .get("CloudInit")
        .and_then(Value::as_str)
        .map_or(0, str::len);
    if bytes.div_ceil(3) * 4 > CLOUD_INIT_LIMIT {
        assessment.refuse(
            Refusal::new(
                RefusalCode::UnsupportedValue,
                "script",
                format!("the job is {bytes} bytes as `CloudInit`, and Azure takes {CLOUD_INIT_LIMIT} in base64"),
            )
            .with_alternative("use the mode `runner`, or put long scripts on the shared file system"),
        );
    }
}

/// The one set of the create (cyclecloud.md §6.1).
fn set(
    spec: &JobSpec,
    place: &Place,
    id: &str,
    attributes: Map<String, Value>,
    assessment: &mut Assessment,
) -> Value {
    let mut set = Map::new();
    set.insert("nodearray".to_owned(), json!(place.nodearray));
    set.insert("count".to_owned(), json!(place::nodes(spec)));
    set.insert("definition".to_owned(), place.bucket.definition.clone());
    if place.needs_group {
        let group = format!("job{}", id.split('-').next().unwrap_or(id));
        assessment.note(format!("placement group `{group}`"));
        set.insert("placementGroupId".to_owned(), json!(group));
    }
    set.insert("nodeAttributes".to_owned(), Value::Object(attributes));
    Value::Object(set)
}
