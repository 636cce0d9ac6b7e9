//! Field by field: what is refused, what is had at which level.

use super::*;

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
