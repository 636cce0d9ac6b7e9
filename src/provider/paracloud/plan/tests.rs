//! The planner field by field: what is sent, what is emulated, what stays here, what is refused.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Map, Value, json};

use super::*;
use crate::http::{BaseUrl, Safety};
use crate::model::{Marker, Money, Namespace, Volume};
use crate::provider::paracloud::catalogue;
use crate::provider::paracloud::parse::{self, Place};
use crate::provider::paracloud::tests::recorded;
use crate::secret::Secret;
use crate::spec::{
    Array, CodeSource, Framework, GpuRequest, Mount, MountSource, Port, Program, RegistryAuth,
    Resources, SecretSource, Spot, Timeout,
};

const MARKER: &str = "bcdfghjklmnpqr";

fn routes() -> Routes {
    Routes::new(BaseUrl::parse("https://eci.example").unwrap())
}

fn volume(id: &str, cluster: &str) -> Volume {
    let place = Place {
        provider: "para",
        namespace: "k8r2wq",
        cluster: Some(cluster),
    };
    parse::volume(&json!({ "id": id }), place).unwrap()
}

/// The catalogue of the contract, one type of two clusters, one without GPU and one that tells no cluster.
fn survey() -> Survey {
    let mut types = recorded("instance-types");
    types["instanceTypes"].as_array_mut().unwrap().extend([
        json!({"id": "same.large", "clusterID": "NC-N30", "cpu": {"cores": 4}, "memory": {"sizeGB": 8}}),
        json!({"id": "same.large", "clusterID": "BSCC-N32-H", "cpu": {"cores": 5}, "memory": {"sizeGB": 8}}),
        json!({"id": "roaming.large", "cpu": {"cores": 64}, "memory": {"sizeGB": 64}}),
    ]);
    let list = parse::list(&types, "instanceTypes").unwrap();
    Survey {
        namespace: Some(Namespace {
            id: "k8r2wq".to_owned(),
            name: None,
            default: Some(true),
            raw: Value::Null,
        }),
        offers: catalogue::catalogue(&list, None).offers,
        volumes: vec![
            volume("x7m4tzb9", "NC-N30"),
            volume("v2", "NC-N30"),
            volume("arm1", "BSCC-N32-H"),
        ],
        as_of: None,
        ..Survey::default()
    }
}

fn command(words: &[&str]) -> Program {
    Program::Command(words.iter().map(|word| (*word).to_owned()).collect())
}

fn gpu(model: &str, count: u32) -> Resources {
    Resources {
        gpu: Some(GpuRequest {
            model: Some(model.to_owned()),
            count,
            memory_gib: None,
        }),
        ..Resources::default()
    }
}

fn typed(name: &str) -> Resources {
    Resources {
        instance_type: Some(name.to_owned()),
        ..Resources::default()
    }
}

fn mount(id: &str, path: &str) -> Mount {
    Mount {
        source: MountSource::Id(id.to_owned()),
        path: Some(path.to_owned()),
        readonly: false,
        subpath: None,
    }
}

fn port(name: &str, https: bool) -> Port {
    Port::Named {
        name: name.to_owned(),
        https,
    }
}

fn spec() -> JobSpec {
    JobSpec {
        name: Some("bert".to_owned()),
        image: Some("pytorch/pytorch:2.1.0-cuda12.1-cudnn8-runtime".to_owned()),
        program: command(&["python", "/data/train.py"]),
        resources: gpu("RTX3090", 2),
        ..JobSpec::default()
    }
}

struct Tried {
    result: Result<Plan, PlanRefusal>,
}

impl Tried {
    fn assessment(&self) -> &Assessment {
        match &self.result {
            Ok(plan) => &plan.assessment,
            Err(refusal) => &refusal.assessment,
        }
    }

    fn codes(&self) -> Vec<(RefusalCode, &str)> {
        self.assessment()
            .refusals
            .iter()
            .map(|refusal| (refusal.code, refusal.field.as_str()))
            .collect()
    }

    fn plan(&self) -> &Plan {
        match &self.result {
            Ok(plan) => plan,
            Err(refusal) => panic!("{:#?}", refusal.assessment.refusals),
        }
    }

    fn body(&self) -> Value {
        serde_json::from_slice(self.plan().requests[0].body_bytes()).unwrap()
    }

    fn words(&self) -> Vec<String> {
        serde_json::from_value(self.body()["containers"][0]["command"].clone()).unwrap()
    }

    fn notes(&self) -> String {
        self.assessment().notes.join("\n")
    }

    fn level(&self, field: &str) -> Option<Level> {
        let lines: Vec<Level> = self
            .assessment()
            .report
            .iter()
            .filter(|line| line.field == field)
            .map(|line| line.level)
            .collect();
        assert!(lines.len() <= 1, "`{field}` has several levels: {lines:?}");
        lines.first().copied()
    }
}

fn try_with(spec: &JobSpec, policy: Policy, survey: &Survey, secrets: &[(&str, &str)]) -> Tried {
    let routes = routes();
    let planner = Planner {
        provider: "para",
        namespace: None,
        routes: &routes,
    };
    let secrets: BTreeMap<String, Secret> = secrets
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Secret::new(*value)))
        .collect();
    let marker = Marker::parse(MARKER).unwrap();
    let input = PlanInput {
        spec,
        marker: &marker,
        policy: &policy,
        secrets: &secrets,
        registry_password: None,
    };
    Tried {
        result: planner.plan(&input, survey),
    }
}

fn attempt(spec: &JobSpec) -> Tried {
    try_with(spec, Policy::default(), &survey(), &[])
}

fn options(block: Value) -> BTreeMap<Backend, Map<String, Value>> {
    let Value::Object(block) = block else {
        panic!("no object")
    };
    [(Backend::Paracloud, block)].into()
}

#[test]
fn the_body_is_that_of_the_contract() {
    let tried = attempt(&JobSpec {
        program: command(&["python", "/data/train.py", "--port", "$BAT_PORT_ui"]),
        env: [("EPOCHS".to_owned(), "3".to_owned())].into(),
        ports: vec![port("ui", true)],
        mounts: vec![mount("x7m4tzb9", "/data")],
        ..spec()
    });
    let mut expected = recorded("group-request");
    expected["containers"][0]["name"] = json!(format!("bert-{MARKER}"));
    let plan = tried.plan();
    assert_eq!(
        plan.requests[0].body_bytes(),
        serde_json::to_vec(&expected).unwrap(),
        "{}",
        tried.body()
    );
    assert_eq!(
        plan.requests[0].full_target(),
        "/api/v1beta2/namespaces/k8r2wq/clusters/NC-N30/containerGroups"
    );
    assert_eq!(plan.requests[0].safety, Safety::Once);
    assert_eq!(plan.scope, "paracloud/k8r2wq");
    assert_eq!((plan.nodes, plan.time_limit_s), (1, None));
    assert_eq!(tried.level("env"), Some(Level::Emulated));
    assert_eq!(tried.level("mounts[0]"), Some(Level::Native));
    assert_eq!(tried.level("resources.gpu"), Some(Level::Native));
}

#[test]
fn the_job_of_the_model_is_translated_as_it_says() {
    let tried = attempt(&JobSpec {
        name: Some("bert finetune".to_owned()),
        program: command(&["python", "/data/train.py", "--epochs", "3"]),
        env: [("LR".to_owned(), "3e-5".to_owned())].into(),
        timeout: Timeout::After(5400),
        mounts: vec![mount("x7m4tzb9", "/data")],
        ..spec()
    });
    assert_eq!(
        tried.words(),
        [
            "timeout",
            "5400",
            "env",
            "LR=3e-5",
            "python",
            "/data/train.py",
            "--epochs",
            "3"
        ]
    );
    assert_eq!(
        tried.body()["containers"][0]["name"],
        format!("bert-finetune-{MARKER}")
    );
    assert_eq!(tried.plan().time_limit_s, Some(5400));
    assert_eq!(tried.level("timeout"), Some(Level::Emulated));
    assert!(tried.notes().contains("kept in gpujob's own records"));
}

#[test]
fn nothing_is_sent_for_what_is_not_asked_for() {
    let body = attempt(&spec()).body();
    let members: Vec<&String> = body["containers"][0].as_object().unwrap().keys().collect();
    assert_eq!(members, ["name", "image", "command"]);
    assert_eq!(body.as_object().unwrap().len(), 2);
}

/// Each field that the tables mark R, alone on a job that is fine without it.
#[rstest]
#[case::queue(|spec: &mut JobSpec| spec.placement.queue = Some("q".to_owned()), RefusalCode::UnsupportedField, "placement.queue")]
#[case::priority(|spec: &mut JobSpec| spec.priority = Some(5), RefusalCode::UnsupportedField, "priority")]
#[case::registry(|spec: &mut JobSpec| spec.registry_auth = Some(RegistryAuth { username: "u".to_owned(), password: SecretSource::Environment("P".to_owned()), registry: None }), RefusalCode::UnsupportedField, "registry_auth")]
#[case::no_image(|spec: &mut JobSpec| spec.image = None, RefusalCode::MissingField, "image")]
#[case::script(|spec: &mut JobSpec| spec.program = Program::Script { text: "true".to_owned(), arguments: vec![] }, RefusalCode::UnsupportedField, "script")]
#[case::arguments(|spec: &mut JobSpec| spec.program = Program::Arguments(vec!["a".to_owned()]), RefusalCode::UnsupportedField, "args")]
#[case::no_command(|spec: &mut JobSpec| spec.program = Program::ImageDefault, RefusalCode::MissingField, "command")]
#[case::unsafe_env(|spec: &mut JobSpec| { spec.env.insert("A".to_owned(), "two words".to_owned()); }, RefusalCode::UnsupportedValue, "env.A")]
#[case::port_in_env(|spec: &mut JobSpec| { spec.env.insert("A".to_owned(), "$BAT_PORT_ui".to_owned()); }, RefusalCode::UnsupportedValue, "env.A")]
#[case::secrets(|spec: &mut JobSpec| spec.secrets = vec!["TOKEN".to_owned()], RefusalCode::SecretExposure, "secrets")]
#[case::workdir(|spec: &mut JobSpec| spec.workdir = Some("/w".to_owned()), RefusalCode::UnsupportedField, "workdir")]
#[case::user(|spec: &mut JobSpec| spec.user = Some("1000".to_owned()), RefusalCode::UnsupportedField, "user")]
#[case::privileged(|spec: &mut JobSpec| spec.privileged = Some(true), RefusalCode::UnsupportedField, "privileged")]
#[case::host_network(|spec: &mut JobSpec| spec.host_network = Some(false), RefusalCode::UnsupportedField, "host_network")]
#[case::ulimits(|spec: &mut JobSpec| spec.ulimits = Some(BTreeMap::new()), RefusalCode::UnsupportedField, "ulimits")]
#[case::code(|spec: &mut JobSpec| spec.code = Some(CodeSource::default()), RefusalCode::UnsupportedField, "code")]
#[case::shm(|spec: &mut JobSpec| spec.resources.shm = Some(1 << 30), RefusalCode::UnsupportedField, "resources.shm")]
#[case::disk(|spec: &mut JobSpec| spec.resources.disk = Some(1 << 30), RefusalCode::UnsupportedField, "resources.disk")]
#[case::nodes(|spec: &mut JobSpec| spec.nodes = Some(2), RefusalCode::UnsupportedValue, "nodes")]
#[case::framework(|spec: &mut JobSpec| spec.framework = Some(Framework::Pytorch), RefusalCode::UnsupportedValue, "framework")]
#[case::spot(|spec: &mut JobSpec| spec.spot = Some(Spot { max_discount: None }), RefusalCode::UnsupportedField, "spot")]
#[case::retries(|spec: &mut JobSpec| spec.retries = Some(3), RefusalCode::UnsupportedField, "retries")]
#[case::grace(|spec: &mut JobSpec| spec.grace = Some(30), RefusalCode::UnsupportedField, "grace")]
#[case::ttl(|spec: &mut JobSpec| spec.ttl_after_finish = Some(30), RefusalCode::UnsupportedField, "ttl_after_finish")]
#[case::budget(|spec: &mut JobSpec| spec.budget = Some(Money::from_micros(1, "CNY")), RefusalCode::UnsupportedField, "budget")]
#[case::max_price(|spec: &mut JobSpec| spec.max_price = Some(Money::from_micros(1, "CNY")), RefusalCode::UnsupportedValue, "max_price")]
#[case::max_cost(|spec: &mut JobSpec| spec.max_cost = Some(Money::from_micros(1, "CNY")), RefusalCode::UnsupportedValue, "max_cost")]
#[case::readonly(|spec: &mut JobSpec| spec.mounts = vec![Mount { readonly: true, ..mount("x7m4tzb9", "/data") }], RefusalCode::UnsupportedField, "mounts[0].readonly")]
#[case::subpath(|spec: &mut JobSpec| spec.mounts = vec![Mount { subpath: Some("s".to_owned()), ..mount("x7m4tzb9", "/data") }], RefusalCode::UnsupportedField, "mounts[0].subpath")]
#[case::no_path(|spec: &mut JobSpec| spec.mounts = vec![Mount { path: None, ..mount("x7m4tzb9", "/data") }], RefusalCode::MissingField, "mounts[0].path")]
#[case::uri(|spec: &mut JobSpec| spec.mounts = vec![Mount { source: MountSource::Uri("oss://b/p".to_owned()), ..mount("", "/data") }], RefusalCode::UnsupportedValue, "mounts[0].source")]
#[case::dataset(|spec: &mut JobSpec| spec.mounts = vec![Mount { source: MountSource::Typed { kind: "dataset".to_owned(), id: "d-1".to_owned(), version: None }, ..mount("", "/data") }], RefusalCode::UnsupportedValue, "mounts[0].source")]
#[case::version(|spec: &mut JobSpec| spec.mounts = vec![Mount { source: MountSource::Typed { kind: "volume".to_owned(), id: "x7m4tzb9".to_owned(), version: Some("v2".to_owned()) }, ..mount("", "/data") }], RefusalCode::UnsupportedValue, "mounts[0].source")]
#[case::fixed_port(|spec: &mut JobSpec| spec.ports = vec![Port::Fixed(8080)], RefusalCode::UnsupportedField, "ports[0]")]
#[case::hyphen_port(|spec: &mut JobSpec| spec.ports = vec![port("my-ui", false)], RefusalCode::UnsupportedValue, "ports[0]")]
#[case::twin_port(|spec: &mut JobSpec| spec.ports = vec![port("ui", false), port("ui", true)], RefusalCode::ConflictingFields, "ports[1]")]
#[case::vpc(|spec: &mut JobSpec| spec.vpc = Some("v".to_owned()), RefusalCode::UnsupportedField, "vpc")]
#[case::health(|spec: &mut JobSpec| spec.health_checks = Some(json!({})), RefusalCode::UnsupportedField, "health_checks")]
#[case::carrier(|spec: &mut JobSpec| spec.exit_code_carrier = true, RefusalCode::UnsupportedField, "exit_code_carrier")]
#[case::zero_timeout(|spec: &mut JobSpec| spec.timeout = Timeout::After(0), RefusalCode::UnsupportedValue, "timeout")]
#[case::unknown_option(|spec: &mut JobSpec| spec.provider_options = options(json!({"command_mode": "x"})), RefusalCode::UnsupportedField, "provider_options.paracloud.command_mode")]
#[case::wildcard_namespace(|spec: &mut JobSpec| spec.placement.namespace = Some("-".to_owned()), RefusalCode::UnsupportedValue, "placement.namespace")]
#[case::two_places(|spec: &mut JobSpec| { spec.placement.cluster = Some("NC-N30".to_owned()); spec.placement.region = Some("BSCC-N32-H".to_owned()); }, RefusalCode::ConflictingFields, "placement.region")]
#[case::nothing_wanted(|spec: &mut JobSpec| spec.resources = Resources::default(), RefusalCode::MissingField, "resources")]
fn a_field_that_cannot_be_had_is_refused_alone_and_with_an_alternative(
    #[case] change: fn(&mut JobSpec),
    #[case] code: RefusalCode,
    #[case] field: &str,
) {
    let mut spec = spec();
    change(&mut spec);
    let tried = attempt(&spec);
    assert_eq!(tried.codes(), [(code, field)]);
    assert_eq!(tried.level(field), Some(Level::Refused));
    let refusal = &tried.assessment().refusals[0];
    assert_eq!(refusal.kind, Kind::Spec);
    assert!(refusal.alternative.is_some(), "{refusal:?}");
    let shown = format!("{refusal:?}");
    assert!(
        !shown.contains("script mode") && !shown.contains("logs"),
        "{shown}"
    );
}

/// The spec alone shows these: they are in the assessment too, before anything is sent.
#[test]
fn everything_that_the_spec_shows_is_refused_before_a_look_and_all_at_once() {
    let routes = routes();
    let planner = Planner {
        provider: "para",
        namespace: None,
        routes: &routes,
    };
    let spec = JobSpec {
        image: None,
        priority: Some(1),
        nodes: Some(4),
        workdir: Some("/w".to_owned()),
        ports: vec![Port::Fixed(80)],
        mounts: vec![mount("a", "relative"), mount("a", "/")],
        ..JobSpec::default()
    };
    let fields: BTreeSet<String> = planner
        .assess(&spec, Policy::default())
        .refusals
        .into_iter()
        .map(|refusal| refusal.field)
        .collect();
    let expected = [
        "command",
        "image",
        "mounts[0].path",
        "mounts[1]",
        "mounts[1].path",
        "nodes",
        "ports[0]",
        "priority",
        "resources",
        "workdir",
    ];
    assert_eq!(fields, expected.iter().map(ToString::to_string).collect());
}

#[rstest]
#[case(|spec: &mut JobSpec| spec.nodes = Some(1), "nodes", Level::Native)]
#[case(|spec: &mut JobSpec| spec.retries = Some(0), "retries", Level::Native)]
#[case(|spec: &mut JobSpec| spec.privileged = Some(false), "privileged", Level::Native)]
#[case(|spec: &mut JobSpec| spec.framework = Some(Framework::None), "framework", Level::Native)]
#[case(|spec: &mut JobSpec| spec.timeout = Timeout::Unlimited, "timeout", Level::Native)]
#[case(|spec: &mut JobSpec| spec.placement.cluster = Some("NC-N30".to_owned()), "placement.cluster", Level::Native)]
#[case(|spec: &mut JobSpec| spec.placement.region = Some("NC-N30".to_owned()), "placement.region", Level::Native)]
#[case(|spec: &mut JobSpec| spec.description = Some("d".to_owned()), "description", Level::Local)]
#[case(|spec: &mut JobSpec| { spec.labels.insert("k".to_owned(), "v".to_owned()); }, "labels", Level::Local)]
#[case(|spec: &mut JobSpec| spec.estimate = Some(60), "estimate", Level::Local)]
#[case(|spec: &mut JobSpec| spec.start_timeout = Some(60), "start_timeout", Level::Local)]
#[case(|spec: &mut JobSpec| spec.provider_options = options(json!({"strict_argv": true})), "provider_options.paracloud.strict_argv", Level::Local)]
#[case(|spec: &mut JobSpec| spec.provider_options = options(json!({"script_volume": "v"})), "provider_options.paracloud.script_volume", Level::Local)]
fn a_field_that_can_be_had_has_its_level(
    #[case] change: fn(&mut JobSpec),
    #[case] field: &str,
    #[case] level: Level,
) {
    let mut spec = spec();
    change(&mut spec);
    let tried = attempt(&spec);
    tried.plan();
    assert_eq!(tried.level(field), Some(level));
}

#[test]
fn without_emulation_each_emulated_field_is_refused() {
    let spec = JobSpec {
        env: [("A".to_owned(), "1".to_owned())].into(),
        secrets: vec!["TOKEN".to_owned()],
        timeout: Timeout::After(60),
        ..spec()
    };
    let policy = Policy {
        no_emulation: true,
        allow_secret_exposure: true,
        ..Policy::default()
    };
    let tried = try_with(&spec, policy, &survey(), &[("TOKEN", "t0ken")]);
    assert_eq!(
        tried.codes(),
        [
            (RefusalCode::EmulationDisabled, "env"),
            (RefusalCode::EmulationDisabled, "secrets"),
            (RefusalCode::EmulationDisabled, "timeout"),
        ]
    );
}

#[test]
fn allowed_secrets_travel_as_variables_after_the_others() {
    let spec = JobSpec {
        env: [("ZED".to_owned(), "1".to_owned())].into(),
        secrets: vec!["TOKEN".to_owned()],
        ..spec()
    };
    let policy = Policy {
        allow_secret_exposure: true,
        ..Policy::default()
    };
    let tried = try_with(&spec, policy, &survey(), &[("TOKEN", "hunter2")]);
    assert_eq!(
        tried.words(),
        ["env", "ZED=1", "TOKEN=hunter2", "python", "/data/train.py"]
    );
    assert_eq!(tried.plan().secrets, [Secret::new("hunter2")]);
    assert!(!format!("{:?}", tried.assessment()).contains("hunter2"));
}

#[rstest]
#[case(&[("TOKEN", "hunter2 $x")], RefusalCode::UnsupportedValue)]
#[case(&[], RefusalCode::MissingField)]
fn a_secret_without_a_sendable_value_is_refused_and_not_shown(
    #[case] values: &[(&str, &str)],
    #[case] code: RefusalCode,
) {
    let spec = JobSpec {
        secrets: vec!["TOKEN".to_owned()],
        ..spec()
    };
    let policy = Policy {
        allow_secret_exposure: true,
        ..Policy::default()
    };
    let tried = try_with(&spec, policy, &survey(), values);
    assert_eq!(tried.codes(), [(code, "secrets.TOKEN")]);
    assert!(!format!("{:?}", tried.assessment()).contains("hunter2"));
}

#[rstest]
#[case("A=1")]
#[case("-c")]
fn env_would_swallow_such_a_program(#[case] first: &str) {
    let with = JobSpec {
        program: command(&[first, "x"]),
        env: [("K".to_owned(), "v".to_owned())].into(),
        ..spec()
    };
    assert_eq!(
        attempt(&with).codes(),
        [(RefusalCode::ConflictingFields, "command")]
    );
    let without = JobSpec {
        env: BTreeMap::new(),
        ..with
    };
    assert_eq!(attempt(&without).words(), [first, "x"]);
}

#[test]
fn unsafe_words_are_named_or_refused_and_never_quoted() {
    let words = [
        "sh",
        "-c",
        "exit 7; echo $HOME",
        "",
        "$BAT_PORT_ui",
        "$BAT_PORT_tb",
        "数据",
    ];
    let mut spec = JobSpec {
        program: command(&words),
        ports: vec![port("ui", false)],
        ..spec()
    };
    let tried = attempt(&spec);
    assert_eq!(tried.words(), words);
    let notes = tried.notes();
    for word in ["`exit 7; echo $HOME`", "``", "`$BAT_PORT_tb`", "`数据`"] {
        assert!(notes.contains(word), "{word}: {notes}");
    }
    assert!(!notes.contains("`$BAT_PORT_ui`"), "{notes}");
    assert!(notes.contains("a port `tb` that `ports` does not declare"));
    spec.provider_options = options(json!({"strict_argv": true}));
    let tried = attempt(&spec);
    assert_eq!(tried.codes(), [(RefusalCode::UnsupportedValue, "command")]);
}

#[test]
fn an_image_that_a_shell_could_change_is_sent_and_warned_about() {
    let tried = attempt(&JobSpec {
        image: Some("ubuntu;id".to_owned()),
        ..spec()
    });
    assert_eq!(tried.body()["containers"][0]["image"], "ubuntu;id");
    assert!(tried.notes().contains("`ubuntu;id`"));
}

#[rstest]
#[case("data")]
#[case("/data/../etc")]
#[case("/")]
#[case("//")]
#[case("/data/")]
#[case("/data//x")]
#[case("/data/./x")]
#[case("/da\nta")]
fn a_mount_path_is_absolute_and_in_its_shortest_form(#[case] path: &str) {
    let spec = JobSpec {
        mounts: vec![mount("x7m4tzb9", path)],
        ..spec()
    };
    assert_eq!(
        attempt(&spec).codes(),
        [(RefusalCode::UnsupportedValue, "mounts[0].path")]
    );
}

#[rstest]
#[case("/data", "/data")]
#[case("/data", "/data/in")]
#[case("/data/in", "/data")]
fn mounts_do_not_lie_in_each_other(#[case] first: &str, #[case] second: &str) {
    let mut spec = JobSpec {
        mounts: vec![mount("x7m4tzb9", first), mount("v2", second)],
        ..spec()
    };
    assert_eq!(
        attempt(&spec).codes(),
        [(RefusalCode::ConflictingFields, "mounts[1].path")]
    );
    spec.mounts[1] = mount("v2", "/data2");
    spec.mounts[0] = mount("x7m4tzb9", "/data");
    assert_eq!(attempt(&spec).codes(), []);
    spec.mounts[1] = mount("x7m4tzb9", "/other");
    assert_eq!(
        attempt(&spec).codes(),
        [(RefusalCode::ConflictingFields, "mounts[1]")]
    );
}

#[rstest]
#[case("/root", true)]
#[case("/home/me", true)]
#[case("/roots", false)]
fn hidden_image_content_is_warned_about(#[case] path: &str, #[case] warned: bool) {
    let tried = attempt(&JobSpec {
        mounts: vec![mount("x7m4tzb9", path)],
        ..spec()
    });
    tried.plan();
    assert_eq!(tried.notes().contains("hides"), warned);
}

#[test]
fn volumes_decide_the_cluster() {
    let spec = JobSpec {
        resources: gpu("A100", 1),
        mounts: vec![mount("arm1", "/data")],
        ..spec()
    };
    let tried = attempt(&spec);
    let target = tried.plan().requests[0].full_target();
    assert!(target.contains("/clusters/BSCC-N32-H/"), "{target}");
    let elsewhere = JobSpec {
        resources: gpu("RTX3090", 2),
        ..spec
    };
    let tried = attempt(&elsewhere);
    assert_eq!(
        tried.codes(),
        [(RefusalCode::NoMatchingResource, "resources.gpu")]
    );
    assert_eq!(tried.assessment().refusals[0].kind, Kind::Capacity);
}

#[rstest]
#[case::unknown(vec![mount("gone", "/a")], None, "mounts[0]", Kind::NotFound)]
#[case::two_clusters(vec![mount("x7m4tzb9", "/a"), mount("arm1", "/b")], None, "mounts[1]", Kind::Spec)]
#[case::other_cluster(vec![mount("arm1", "/a")], Some("NC-N30"), "mounts[0]", Kind::Spec)]
fn volumes_must_be_where_the_job_goes(
    #[case] mounts: Vec<Mount>,
    #[case] cluster: Option<&str>,
    #[case] field: &str,
    #[case] kind: Kind,
) {
    let mut spec = JobSpec { mounts, ..spec() };
    spec.placement.cluster = cluster.map(str::to_owned);
    let tried = attempt(&spec);
    assert_eq!(tried.codes(), [(RefusalCode::VolumeMismatch, field)]);
    assert_eq!(tried.assessment().refusals[0].kind, kind);
}

#[rstest]
#[case("para/k8r2wq/NC-N30/x7m4tzb9", None)]
#[case("para/k8r2wq/-/x7m4tzb9", None)]
#[case("para/other/NC-N30/x7m4tzb9", Some(RefusalCode::VolumeMismatch))]
#[case("para/k8r2wq/BSCC-N32-H/x7m4tzb9", Some(RefusalCode::VolumeMismatch))]
#[case("pai/k8r2wq/NC-N30/x7m4tzb9", Some(RefusalCode::VolumeMismatch))]
#[case("para/x7m4tzb9", Some(RefusalCode::UnsupportedValue))]
fn a_full_ref_must_lead_to_the_volume(#[case] text: &str, #[case] code: Option<RefusalCode>) {
    let tried = attempt(&JobSpec {
        mounts: vec![Mount {
            source: MountSource::Ref(text.parse().unwrap()),
            ..mount("", "/data")
        }],
        ..spec()
    });
    let codes: Vec<RefusalCode> = tried.codes().into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, Vec::from_iter(code));
}

#[test]
fn a_ref_of_another_namespace_is_refused_before_a_look_where_one_is_chosen() {
    let routes = routes();
    let planner = Planner {
        provider: "para",
        namespace: Some("k8r2wq"),
        routes: &routes,
    };
    let spec = JobSpec {
        mounts: vec![Mount {
            source: MountSource::Ref("para/other/NC-N30/x7m4tzb9".parse().unwrap()),
            ..mount("", "/data")
        }],
        ..spec()
    };
    let refusals = planner.assess(&spec, Policy::default()).refusals;
    assert_eq!(refusals[0].code, RefusalCode::VolumeMismatch);
}

#[rstest]
#[case::only_here("n30.2xlarge", None, Ok("NC-N30"))]
#[case::in_full("BSCC-N32-H/same.large", None, Ok("BSCC-N32-H"))]
#[case::chosen("same.large", Some("NC-N30"), Ok("NC-N30"))]
#[case::catalogue_tells_no_cluster("roaming.large", None, Ok("-"))]
#[case::named_cluster_for_it("roaming.large", Some("NC-N30"), Ok("NC-N30"))]
#[case::ambiguous("same.large", None, Err(Kind::Spec))]
#[case::elsewhere("n30.2xlarge", Some("BSCC-N32-H"), Err(Kind::Spec))]
#[case::unknown("n99.huge", None, Err(Kind::NotFound))]
#[case::unknown_cluster("n30.2xlarge", Some("nc-n30"), Err(Kind::NotFound))]
fn the_cluster_is_named_when_the_catalogue_tells_it(
    #[case] name: &str,
    #[case] cluster: Option<&str>,
    #[case] expected: Result<&str, Kind>,
) {
    let mut spec = JobSpec {
        resources: typed(name),
        ..spec()
    };
    spec.placement.cluster = cluster.map(str::to_owned);
    let tried = attempt(&spec);
    match expected {
        Ok(cluster) => {
            let target = tried.plan().requests[0].full_target();
            assert!(
                target.contains(&format!("/clusters/{cluster}/")),
                "{target}"
            );
            let bare = name.rsplit('/').next().unwrap();
            assert_eq!(tried.body()["instanceType"], bare);
        }
        Err(kind) => {
            assert_eq!(tried.assessment().refusals.len(), 1);
            assert_eq!(tried.assessment().refusals[0].kind, kind);
        }
    }
}

#[test]
fn a_type_whose_cluster_is_untold_with_a_volume_goes_to_the_volumes_cluster() {
    let tried = attempt(&JobSpec {
        resources: typed("roaming.large"),
        mounts: vec![mount("arm1", "/data")],
        ..spec()
    });
    let target = tried.plan().requests[0].full_target();
    assert!(target.contains("/clusters/BSCC-N32-H/"), "{target}");
}

#[test]
fn an_arm_node_is_warned_about_unless_it_was_asked_for() {
    let mut spec = JobSpec {
        resources: gpu("A100", 1),
        ..spec()
    };
    assert!(attempt(&spec).notes().contains("exec format error"));
    spec.resources.arch = Some("arm64".to_owned());
    assert!(!attempt(&spec).notes().contains("exec format error"));
    spec.resources.arch = Some("amd64".to_owned());
    assert_eq!(attempt(&spec).assessment().refusals[0].kind, Kind::Capacity);
}

#[rstest]
#[case("b", "ui", true)]
#[case("abcdefghijklmnopqrstuv", "ui", true)]
#[case("abcdefghijklmnopqrstuvw", "ui", false)]
#[case("bert", "abcdefghijklmnopqrst", true)]
#[case("bert", "abcdefghijklmnopqrstu", false)]
fn an_https_address_is_one_dns_label(
    #[case] name: &str,
    #[case] port_name: &str,
    #[case] fits: bool,
) {
    // `k8r2wq-nc-n30-xxxxxxxx-<name>-<marker>-<port>`: 6 + 6 + 8 + 4 + name + 15 + port.
    let mut spec = JobSpec {
        name: Some(name.to_owned()),
        ports: vec![port(port_name, true)],
        ..spec()
    };
    let tried = attempt(&spec);
    let expected: &[(RefusalCode, &str)] = if fits {
        &[]
    } else {
        &[(RefusalCode::ConflictingFields, "ports[0]")]
    };
    assert_eq!(tried.codes(), expected);
    spec.ports = vec![port(port_name, false)];
    assert_eq!(attempt(&spec).codes(), []);
}

#[test]
fn the_longest_name_leaves_room_for_the_marker() {
    let tried = attempt(&JobSpec {
        name: Some("x".repeat(63)),
        ..spec()
    });
    let body = tried.body();
    let name = body["containers"][0]["name"].as_str().unwrap();
    assert_eq!(name.len(), 63);
    assert_eq!(Marker::from_suffix(name).unwrap().as_str(), MARKER);
}

#[test]
fn a_block_for_another_provider_is_noted() {
    let tried = attempt(&JobSpec {
        provider_options: [(Backend::Gongji, Map::new())].into(),
        ..spec()
    });
    tried.plan();
    assert!(tried.notes().contains("provider_options.gongji"));
}

#[test]
fn no_namespace_is_a_matter_of_configuration() {
    let tried = try_with(
        &spec(),
        Policy::default(),
        &Survey {
            namespace: None,
            ..survey()
        },
        &[],
    );
    assert_eq!(tried.assessment().refusals[0].kind, Kind::Config);
}

#[rstest]
#[case(1_000_000, None, true)]
#[case(999_999, None, false)]
#[case(1_000_000, Some(2_000_000), true)]
#[case(1_000_000, Some(1_999_999), false)]
fn a_price_from_elsewhere_is_compared(
    #[case] max_price: i128,
    #[case] max_cost: Option<i128>,
    #[case] fits: bool,
) {
    let mut survey = survey();
    for offer in &mut survey.offers {
        offer.price_per_hour = Some(Money::from_micros(1_000_000, "CNY"));
    }
    let spec = JobSpec {
        max_price: Some(Money::from_micros(max_price, "CNY")),
        max_cost: max_cost.map(|micros| Money::from_micros(micros, "CNY")),
        timeout: Timeout::After(7200),
        ..spec()
    };
    let tried = try_with(&spec, Policy::default(), &survey, &[]);
    assert_eq!(tried.result.is_ok(), fits, "{:?}", tried.codes());
}

/// Paths of the fields that a spec sets, as the report names them; elements of lists by their beginning.
fn set_fields(spec: &JobSpec) -> Vec<&'static str> {
    let resources = &spec.resources;
    [
        (spec.name.is_some(), "name"),
        (spec.placement.namespace.is_some(), "placement.namespace"),
        (spec.placement.cluster.is_some(), "placement.cluster"),
        (spec.placement.region.is_some(), "placement.region"),
        (spec.placement.queue.is_some(), "placement.queue"),
        (spec.priority.is_some(), "priority"),
        (!spec.labels.is_empty(), "labels"),
        (spec.description.is_some(), "description"),
        (spec.image.is_some(), "image"),
        (matches!(spec.program, Program::Command(_)), "command"),
        (matches!(spec.program, Program::Script { .. }), "script"),
        (matches!(spec.program, Program::Arguments(_)), "args"),
        (!spec.env.is_empty(), "env"),
        (!spec.secrets.is_empty(), "secrets"),
        (spec.workdir.is_some(), "workdir"),
        (spec.user.is_some(), "user"),
        (spec.privileged.is_some(), "privileged"),
        (spec.host_network.is_some(), "host_network"),
        (resources.instance_type.is_some(), "resources.instance_type"),
        (resources.gpu.is_some(), "resources.gpu"),
        (resources.cpu.is_some(), "resources.cpu"),
        (resources.memory.is_some(), "resources.memory"),
        (resources.shm.is_some(), "resources.shm"),
        (resources.disk.is_some(), "resources.disk"),
        (resources.arch.is_some(), "resources.arch"),
        (spec.nodes.is_some(), "nodes"),
        (spec.array.is_some(), "array"),
        (spec.spot.is_some(), "spot"),
        (spec.estimate.is_some(), "estimate"),
        (spec.timeout != Timeout::Unset, "timeout"),
        (spec.start_timeout.is_some(), "start_timeout"),
        (spec.retries.is_some(), "retries"),
        (spec.grace.is_some(), "grace"),
        (spec.max_price.is_some(), "max_price"),
        (!spec.mounts.is_empty(), "mounts[0]"),
        (!spec.ports.is_empty(), "ports[0]"),
        (spec.vpc.is_some(), "vpc"),
        (spec.exit_code_carrier, "exit_code_carrier"),
    ]
    .into_iter()
    .filter_map(|(set, field)| set.then_some(field))
    .collect()
}

prop_compose! {
    fn any_program()(words in prop::collection::vec(".{0,8}", 1..4), which in 0..4) -> Program {
        match which {
            0 => Program::ImageDefault,
            1 => Program::Arguments(words),
            2 => Program::Script { text: words.concat(), arguments: words },
            _ => Program::Command(words),
        }
    }
}

prop_compose! {
    fn any_resources()(
        instance_type in prop::option::of(prop_oneof!["n30.2xlarge", "same.large", ".{0,6}"]),
        model in prop::option::of(prop_oneof!["RTX3090", "A100", ".{0,6}"]),
        count in 0_u32..4,
        cpu in prop::option::of(0.0..99.0_f64),
        memory in prop::option::of(any::<u64>()),
        shm in prop::option::of(any::<u64>()),
        arch in prop::option::of(prop_oneof!["amd64", "arm64"]),
    ) -> Resources {
        Resources {
            instance_type,
            gpu: model.map(|model| GpuRequest { model: Some(model), count, memory_gib: None }),
            cpu,
            memory,
            shm,
            disk: None,
            arch,
        }
    }
}

prop_compose! {
    fn any_mount()(
        id in prop_oneof!["x7m4tzb9", "arm1", ".{0,5}"],
        path in prop::option::of(prop_oneof!["/data", "/root", "/.{0,6}", ".{0,6}"]),
        readonly in any::<bool>(),
    ) -> Mount {
        Mount { source: MountSource::Id(id), path, readonly, subpath: None }
    }
}

prop_compose! {
    fn any_spec()(
        (name, image, workdir, cluster, namespace, description) in (
            prop::option::of(".{0,70}"),
            prop::option::of(".{0,9}"),
            prop::option::of(".{0,5}"),
            prop::option::of(prop_oneof!["NC-N30", "BSCC-N32-H", ".{0,5}"]),
            prop::option::of(prop_oneof!["k8r2wq", ".{0,5}"]),
            prop::option::of(".{0,5}"),
        ),
        program in any_program(),
        env in prop::collection::btree_map("[A-Z]{1,4}", ".{0,5}", 0..3),
        secrets in prop::collection::vec("[A-Z]{1,4}", 0..2),
        resources in any_resources(),
        mounts in prop::collection::vec(any_mount(), 0..3),
        ports in prop::collection::vec(
            prop_oneof![
                (".{0,4}", any::<bool>()).prop_map(|(name, https)| Port::Named { name, https }),
                any::<u16>().prop_map(Port::Fixed),
            ],
            0..3,
        ),
        (priority, nodes, retries, estimate, array) in (
            prop::option::of(1_u8..10),
            prop::option::of(1_u32..3),
            prop::option::of(0_u32..3),
            prop::option::of(any::<u64>()),
            prop::option::of((any::<u32>(), any::<u32>())),
        ),
        timeout in prop_oneof![
            Just(Timeout::Unset),
            Just(Timeout::Unlimited),
            any::<u64>().prop_map(Timeout::After),
        ],
        max_price in prop::option::of(any::<i64>()),
        exit_code_carrier in any::<bool>(),
    ) -> JobSpec {
        let mut spec = JobSpec {
            name, image, workdir, program, env, secrets, resources, mounts, ports, priority, nodes, retries, estimate,
            timeout, exit_code_carrier, description,
            array: array.map(|(first, last)| Array { first, last, parallel: 1, index: true }),
            max_price: max_price.map(|micros| Money::from_micros(i128::from(micros), "CNY")),
            ..JobSpec::default()
        };
        spec.placement.cluster = cluster;
        spec.placement.namespace = namespace;
        spec
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_field_that_is_set_is_expressed_or_refused(
        spec in any_spec(),
        no_emulation in any::<bool>(),
        allow_secret_exposure in any::<bool>(),
    ) {
        let policy = Policy { no_emulation, allow_secret_exposure, ..Policy::default() };
        let tried = try_with(&spec, policy, &survey(), &[("A", "x")]);
        let assessment = tried.assessment();
        prop_assert_eq!(tried.result.is_err(), !assessment.refusals.is_empty());
        for field in set_fields(&spec) {
            prop_assert!(
                assessment.report.iter().any(|line| line.field.starts_with(field)),
                "`{}` has no level: {:#?}", field, assessment.report
            );
        }
        for refusal in &assessment.refusals {
            prop_assert!(refusal.alternative.is_some(), "{:?}", refusal);
        }
        if let Ok(plan) = &tried.result {
            prop_assert_eq!(plan.requests.len(), 1);
            let name = tried.body()["containers"][0]["name"].as_str().unwrap().to_owned();
            prop_assert!(name.len() <= 63 && name.ends_with(MARKER));
            prop_assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
        }
    }
}
