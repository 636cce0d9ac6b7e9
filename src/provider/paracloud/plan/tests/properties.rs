//! Whatever a spec holds: each field is expressed or refused.

use super::*;

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
