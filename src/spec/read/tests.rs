use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use crate::error::{Error, Kind};
use crate::model::{Backend, Money, ResourceRef};
use crate::spec::{
    Array, Format, GpuRequest, JobSpec, Mount, MountSource, Port, Program, Resources, SecretSource,
    Spot, Timeout, parse_document, spec_hash,
};

fn yaml(text: &str) -> JobSpec {
    parse_document("job.yaml", text, None).unwrap()
}

fn refused(text: &str) -> Error {
    let error = parse_document("job.yaml", text, None).unwrap_err();
    assert_eq!(error.kind(), Kind::Spec, "{error}");
    error
}

const FULL: [(&str, &str); 3] = [
    (
        "full.yaml",
        include_str!("../../../tests/vectors/spec/full.yaml"),
    ),
    (
        "full.toml",
        include_str!("../../../tests/vectors/spec/full.toml"),
    ),
    (
        "full.json",
        include_str!("../../../tests/vectors/spec/full.json"),
    ),
];

#[test]
fn three_formats_give_one_spec_and_one_hash() {
    let [yaml, toml, json] = FULL.map(|(name, text)| {
        parse_document(name, text, None).unwrap_or_else(|error| panic!("{error}"))
    });
    assert_eq!(yaml, json);
    assert_eq!(toml, json);
    assert_eq!(spec_hash(&yaml), spec_hash(&json));
    for (_, text) in FULL {
        assert_eq!(parse_document("-", text, None).unwrap(), json);
    }
}

#[test]
fn every_key_about_identity_and_program_reaches_its_field() {
    let spec = yaml(FULL[0].1);
    assert_eq!(spec.name.as_deref(), Some("bert finetune"));
    assert_eq!(spec.provider, ["paracloud", "pai-dlc"]);
    assert_eq!(spec.placement.namespace.as_deref(), Some("310042"));
    assert_eq!(spec.placement.queue.as_deref(), Some("gpu"));
    assert_eq!(spec.priority, Some(7));
    assert_eq!(spec.labels["app.example/stage"], "2");
    assert_eq!(
        spec.description.as_deref(),
        Some("Three epochs on the small set")
    );
    assert_eq!(
        spec.registry_auth.unwrap().password,
        SecretSource::Environment("REGISTRY_PASSWORD".to_owned())
    );
    assert_eq!(
        spec.program,
        Program::Command(
            [
                "python",
                "/data/train.py",
                "--epochs",
                "3",
                "--lr",
                "3e-5",
                "true",
                "no"
            ]
            .map(str::to_owned)
            .to_vec()
        )
    );
    let env: Vec<(&str, &str)> = spec
        .env
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        env,
        [
            ("DEBUG", "True"),
            ("EMPTY", ""),
            ("LR", "3e-5"),
            ("VERSION", "1.10"),
            ("ZIP", "007")
        ]
    );
}

#[test]
fn every_key_about_size_and_place_reaches_its_field() {
    let spec = yaml(FULL[0].1);
    assert_eq!(spec.secrets, ["WANDB_API_KEY"]);
    assert_eq!(spec.user.as_deref(), Some("1000"));
    assert_eq!(spec.ulimits.unwrap()["memlock"], "-1");
    assert_eq!(spec.code.unwrap().commit.as_deref(), Some("123e4567"));
    assert_eq!(
        spec.resources,
        Resources {
            instance_type: Some("n32h.xlarge".to_owned()),
            gpu: Some(GpuRequest {
                model: Some("4090".to_owned()),
                count: 2,
                memory_gib: Some(24),
            }),
            cpu: Some(6.5),
            memory: Some(30 << 30),
            shm: Some(16 << 30),
            disk: Some(100_000_000_000),
            arch: Some("amd64".to_owned()),
        }
    );
    assert_eq!(
        spec.array,
        Some(Array {
            first: 0,
            last: 9,
            parallel: 2,
            index: true
        })
    );
    assert_eq!(
        spec.spot,
        Some(Spot {
            max_discount: Some(0.8)
        })
    );
    assert_eq!(spec.timeout, Timeout::After(5_400));
    assert_eq!(spec.start_timeout, Some(3_600));
    assert_eq!(spec.grace, Some(30));
    assert_eq!(spec.max_price, Some(Money::from_micros(20_500_000, "CNY")));
}

#[test]
fn every_way_of_naming_storage_is_understood() {
    let spec = yaml(FULL[0].1);
    let mount = |source, path: Option<&str>| Mount {
        source,
        path: path.map(str::to_owned),
        readonly: false,
        subpath: None,
    };
    let typed = |kind: &str, id: &str, version: Option<&str>| MountSource::Typed {
        kind: kind.to_owned(),
        id: id.to_owned(),
        version: version.map(str::to_owned),
    };
    assert_eq!(
        spec.mounts,
        [
            mount(typed("volume", "x7m4tzb9", None), Some("/data")),
            Mount {
                readonly: true,
                ..mount(typed("dataset", "d-1", Some("v2")), None)
            },
            Mount {
                subpath: Some("a/b".to_owned()),
                ..mount(
                    MountSource::Uri("nfs://10.0.0.4/export".to_owned()),
                    Some("/nfs")
                )
            },
            mount(
                MountSource::Ref(ResourceRef::new("pai-dlc", ["cn-hangzhou", "d-2"])),
                Some("/two")
            ),
            mount(MountSource::Id("4711".to_owned()), Some("/three")),
        ]
    );
    assert_eq!(
        spec.ports,
        [
            Port::Named {
                name: "web".to_owned(),
                https: true
            },
            Port::Fixed(8080)
        ]
    );
    assert!(spec.exit_code_carrier);
    assert_eq!(
        spec.provider_options[&Backend::PaiDlc]["settings"],
        json!({"Oversold": true, "list": [1, 2.5, "x"]})
    );
}

#[rstest]
#[case(
    "job.yaml",
    "image: a\nimgae: b\n",
    "job.yaml:2:1: `imgae` is no key of a job spec",
    "`image`"
)]
#[case(
    "job.toml",
    "image = 'a'\n[resources]\ngpus = 2\n",
    "job.toml:3:1: `resources.gpus`",
    "`resources.gpu`"
)]
#[case(
    "job.json",
    "{\"image\": \"a\",\n  \"resources\": {\"mem\": \"1GiB\"}}",
    "job.json:2:17: `resources.mem`",
    "`resources.memory`"
)]
#[case(
    "-",
    "placement: {workspce: 1}\n",
    "-:1:13: `placement.workspce`",
    "`placement.workspace`"
)]
#[case(
    "job.yaml",
    "provider_options:\n  paidlc: {}\n",
    "job.yaml:2:3: `provider_options.paidlc`",
    "`provider_options.pai-dlc`"
)]
#[case(
    "job.yaml",
    "ports: [{name: a}, {zzz: 1}]\n",
    "job.yaml:1:21: `ports[1].zzz`",
    "name, https, port"
)]
fn an_unknown_key_is_named_with_its_place_and_the_nearest_known_one(
    #[case] source: &str,
    #[case] text: &str,
    #[case] message: &str,
    #[case] hint: &str,
) {
    let error = parse_document(source, text, None).unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Spec, "unknown_key"));
    assert!(error.message().starts_with(message), "{error}");
    let told = error.details().hint.as_deref().unwrap();
    assert!(told.contains(hint), "{told}");
}

#[rstest]
#[case(
    "job.yaml",
    "image: x\nresources:\n  gpu: {model: A100, count: two}\n",
    "job.yaml:3:29: `resources.gpu.count` is a whole number, but this is the text `two`"
)]
#[case("job.toml", "nodes = 'x'\n", "job.toml:1:9: `nodes` is a whole number")]
#[case(
    "job.json",
    "{\n \"privileged\": \"yes\"\n}",
    "job.json:2:16: `privileged` is `true` or `false`, but this is the text `yes`"
)]
#[case(
    "job.yaml",
    "env: [A=1]\n",
    "job.yaml:1:6: `env` is a map, but this is a list"
)]
#[case(
    "job.yaml",
    "env:\n  A: ~\n",
    "job.yaml:2:6: `env.A` is a text, but this is nothing (null)"
)]
#[case(
    "job.yaml",
    "env: {A: [1]}\n",
    "job.yaml:1:10: `env.A` is a text, but this is a list"
)]
#[case(
    "job.yaml",
    "name: true\n",
    "job.yaml:1:7: `name` is a text, but this is the truth value `true`"
)]
#[case(
    "job.yaml",
    "image: 5\n",
    "job.yaml:1:8: `image` is a text, but this is the number `5`"
)]
#[case("job.yaml", "resources: 4\n", "job.yaml:1:12: `resources` is a map")]
#[case(
    "job.yaml",
    "spot: sometimes\n",
    "job.yaml:1:7: `spot` is `true`, `false` or a map"
)]
#[case("job.yaml", "timeout:\n", "job.yaml:1:8: `timeout` is a duration")]
#[case("job.yaml", "mounts: {a: b}\n", "job.yaml:1:9: `mounts` is a list")]
fn a_wrong_type_is_told_with_the_path_of_the_field(
    #[case] source: &str,
    #[case] text: &str,
    #[case] message: &str,
) {
    let error = parse_document(source, text, None).unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Spec, "wrong_type"));
    assert!(error.message().starts_with(message), "{error}");
}

#[rstest]
#[case("priority: 0")]
#[case("priority: 10")]
#[case("priority: 2.5")]
#[case("nodes: 0")]
#[case("nodes: 4294967296")]
#[case("retries: -1")]
#[case("name: ''")]
#[case("name: '  '")]
#[case("name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
#[case("workdir: data")]
#[case("mounts: [{source: a, path: data}]")]
#[case("mounts: [{source: /data, path: /data}]")]
#[case("mounts: [{source: 'datset:d-1', path: /data}]")]
#[case("mounts: [{source: 'volume:', path: /data}]")]
#[case("mounts: [{source: 'nfs:host', path: /data}]")]
#[case("env: {1A: x}")]
#[case("env: {'': x}")]
#[case("env: {A-B: x}")]
#[case("secrets: [A=hunter2]")]
#[case("image: a b")]
#[case("command: []")]
#[case("command: ['']")]
#[case("script: ' '")]
#[case("resources: {gpu: {model: A100, count: 0}}")]
#[case("resources: {gpu: 2}")]
#[case("resources: {gpu: 'A100:0'}")]
#[case("resources: {cpu: 0}")]
#[case("resources: {cpu: .inf}")]
#[case("resources: {memory: 0GiB}")]
#[case("resources: {arch: x86_64}")]
#[case("array: {count: 0}")]
#[case("array: {count: 3, parallel: 0}")]
#[case("array: 9-5")]
#[case("array: 4294967295-4294967295%0")]
#[case("array: 99999999")]
#[case("framework: torch")]
#[case("spot: {max_discount: 1.5}")]
#[case("timeout: 0s")]
#[case("timeout: soon")]
#[case("max_price: free")]
#[case("max_price: 0 CNY")]
#[case("ports: [{port: 0}]")]
#[case("ports: [{port: 65536}]")]
#[case("ports: [{name: 'a b'}]")]
#[case("labels: {'': a}")]
#[case("description: \"a\\0b\"")]
#[case("command: [\"a\\0b\"]")]
fn a_value_out_of_range_is_refused_with_its_place(#[case] text: &str) {
    let error = refused(text);
    assert_eq!(error.code(), "bad_value", "{error}");
    assert!(error.message().starts_with("job.yaml:1:"), "{error}");
    assert!(!error.message().contains("hunter2"), "{error}");
}

#[rstest]
#[case("timeout: 90")]
#[case("timeout: '90'")]
#[case("start_timeout: 1h30")]
#[case("resources: {memory: 64}")]
#[case("resources: {memory: 64G}")]
#[case("resources: {gpu: {model: A100, memory: 80}}")]
#[case("resources: {gpu: 'A100:1:80'}")]
#[case("max_cost: 20")]
fn a_bare_number_where_a_unit_is_needed_is_refused(#[case] text: &str) {
    let error = refused(text);
    assert_eq!(error.code(), "bad_unit", "{error}");
    assert!(error.details().hint.is_some());
}

#[rstest]
#[case("script: a\ncommand: [b]", "`command` and `script`")]
#[case("command: [b]\nargs: [c]", "`command` and `args`")]
#[case(
    "placement: {namespace: a, workspace: b}",
    "`placement.namespace` and `placement.workspace`"
)]
#[case("ports: [{name: a, port: 1}]", "`ports[0].name` and `ports[0].port`")]
#[case(
    "ports: [{https: true, port: 1}]",
    "`ports[0].https` and `ports[0].port`"
)]
#[case(
    "env: {A: b}\nsecrets: [A]",
    "`A` stands under `env` and under `secrets`"
)]
#[case(
    "resources: {gpu: {model: A100-40G, memory: 80G}}",
    "`resources.gpu.model` names 40 GiB"
)]
#[case(
    "registry_auth: {username: a, password: {env: A, file: b}}",
    "`registry_auth.password.env` and"
)]
fn two_ways_of_saying_one_thing_conflict(#[case] text: &str, #[case] named: &str) {
    let error = refused(text);
    assert_eq!(error.code(), "conflicting_fields", "{error}");
    assert!(error.message().contains(named), "{error}");
}

#[rstest]
#[case("registry_auth: {username: a}", "`registry_auth.password`")]
#[case(
    "registry_auth: {username: a, password: {}}",
    "`registry_auth.password`"
)]
#[case("code: {branch: main}", "`code.id`")]
#[case("mounts: [{path: /data}]", "`mounts[0].source`")]
#[case("ports: [{https: true}]", "`ports[0]`")]
#[case("array: {parallel: 2}", "`array.count`")]
fn what_must_be_there_is_named(#[case] text: &str, #[case] named: &str) {
    let error = refused(text);
    assert_eq!(error.code(), "missing_field", "{error}");
    assert!(error.message().contains(named), "{error}");
}

#[rstest]
#[case("registry_auth: {username: a, password: hunter2}")]
#[case("secrets: {TOKEN: hunter2}")]
#[case("secrets: TOKEN=hunter2")]
fn a_secret_in_a_spec_is_refused_and_not_repeated(#[case] text: &str) {
    let error = refused(text);
    assert_eq!(error.code(), "wrong_type");
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[test]
fn a_command_in_one_text_points_to_script() {
    let error = refused("command: python train.py");
    assert_eq!(error.code(), "wrong_type");
    assert!(
        error
            .details()
            .hint
            .as_deref()
            .unwrap()
            .contains("`script`")
    );
}

#[test]
fn short_forms_mean_what_the_long_ones_do() {
    let gpu = |text: &str| yaml(&format!("resources: {{gpu: {text}}}")).resources.gpu;
    assert_eq!(
        gpu("'A100:2:80G'"),
        gpu("{model: A100, count: 2, memory: 80GiB}")
    );
    assert_eq!(gpu("4090"), gpu("{model: '4090'}"));
    assert_eq!(gpu("{count: 2}").unwrap().model, None);
    assert_eq!(yaml("spot: true").spot, Some(Spot { max_discount: None }));
    assert_eq!(yaml("spot: false").spot, None);
    assert_eq!(yaml("provider: gongji").provider, ["gongji"]);
    assert_eq!(yaml("timeout: none").timeout, Timeout::Unlimited);
    assert_eq!(
        yaml("code: https://git.example/x").code.unwrap().id,
        "https://git.example/x"
    );
    assert_eq!(yaml("array: 10").array, yaml("array: {count: 10}").array);
    assert_eq!(yaml("array: {count: 10}").array.unwrap().parallel, 8);
    assert_eq!(yaml("array: {count: 3}").array.unwrap().parallel, 3);
    assert_eq!(
        yaml("array: 5-9%2").array,
        Some(Array {
            first: 5,
            last: 9,
            parallel: 2,
            index: true
        })
    );
}

#[test]
fn a_script_takes_its_arguments_and_arguments_alone_keep_the_entry_point() {
    assert_eq!(
        yaml("script: |\n  echo $1\nargs: [a]\n").program,
        Program::Script {
            text: "echo $1\n".to_owned(),
            arguments: vec!["a".to_owned()],
        }
    );
    assert_eq!(
        yaml("args: [--epochs, 3]").program,
        Program::Arguments(vec!["--epochs".to_owned(), "3".to_owned()])
    );
    assert_eq!(yaml("image: a").program, Program::ImageDefault);
}

#[test]
fn the_format_can_be_told_against_the_name() {
    let spec = parse_document("job.txt", "image = 'a'", Some(Format::Toml)).unwrap();
    assert_eq!(spec.image.as_deref(), Some("a"));
}

#[test]
fn every_difference_changes_the_hash_and_the_candidates_do_not() {
    let base = "image: a\ncommand: [b]\n";
    let hash = |more: &str| spec_hash(&yaml(&format!("{base}{more}")));
    let variants = [
        "",
        "name: a",
        "priority: 1",
        "labels: {a: b}",
        "description: d",
        "env: {A: b}",
        "secrets: [A]",
        "workdir: /a",
        "user: u",
        "privileged: false",
        "host_network: true",
        "ulimits: {a: 1}",
        "code: c",
        "resources: {cpu: 1}",
        "resources: {memory: 1GiB}",
        "resources: {shm: 1GiB}",
        "resources: {disk: 1GiB}",
        "resources: {arch: amd64}",
        "resources: {instance_type: t}",
        "resources: {gpu: A100}",
        "resources: {gpu: 'A100:2'}",
        "nodes: 1",
        "array: {count: 2}",
        "framework: mpi",
        "spot: true",
        "spot: {max_discount: 0.5}",
        "estimate: 1m",
        "timeout: 1m",
        "timeout: none",
        "start_timeout: 1m",
        "retries: 0",
        "grace: 0s",
        "ttl_after_finish: 1m",
        "budget: 1 CNY",
        "max_price: 1 CNY",
        "max_cost: 1 CNY",
        "mounts: [{source: a, path: /a}]",
        "mounts: [{source: a, path: /a, readonly: true}]",
        "ports: [{port: 1}]",
        "ports: [{name: a}]",
        "vpc: v",
        "health_checks: {a: 1}",
        "exit_code_carrier: true",
        "provider_options: {gongji: {weight: 1}}",
        "provider_options: {gongji: {weight: null}}",
        "placement: {cluster: c}",
        "registry_auth: {username: u, password: {env: A}}",
        "registry_auth: {username: u, password: {file: A}}",
    ];
    let mut hashes: Vec<[u8; 32]> = variants.iter().map(|more| hash(more)).collect();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), variants.len());
    assert_eq!(hash("provider: gongji"), hash(""));
    assert_eq!(hash("exit_code_carrier: false"), hash(""));
    assert_eq!(hash("secrets: [A, B]"), hash("secrets: [B, A]"));
    assert_eq!(
        hash("provider_options: {gongji: {a: 1, b: {c: 1, d: 2}}}"),
        hash("provider_options: {gongji: {b: {d: 2, c: 1}, a: 1}}")
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_value_of_any_key_makes_the_reader_panic(
        key in prop::sample::select(super::KEYS.to_vec()),
        value in "(\\[|\\]|\\{|\\}|: |, |[a-z]{1,4}|[0-9%.-]{1,6}|gpu|count|source|path|name|port|true|~|'|\"|:){0,10}",
    ) {
        match parse_document("job.yaml", &format!("{key}: {value}"), None) {
            Ok(spec) => prop_assert_eq!(spec_hash(&spec), spec_hash(&spec.clone())),
            Err(error) => prop_assert_eq!(error.kind(), Kind::Spec),
        }
    }
}
