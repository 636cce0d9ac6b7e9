use rstest::rstest;

use crate::error::{Error, Kind};
use crate::spec::{Array, GpuRequest, Mount, MountSource, Port, Program, Spot, Timeout};

use super::*;

fn environment(name: &str) -> Option<String> {
    (name == "HOME_TOWN").then(|| "Ulm=1".to_owned())
}

fn try_assemble(document: Option<&str>, overrides: &Overrides) -> Result<JobSpec> {
    let document = document.map(|text| Document {
        source: "job.yaml".to_owned(),
        text: text.to_owned(),
        format: None,
    });
    assemble(document.as_ref(), overrides, &environment)
}

fn with(document: &str, overrides: &Overrides) -> JobSpec {
    try_assemble(Some(document), overrides).unwrap_or_else(|error| panic!("{error}"))
}

fn flags(overrides: &Overrides) -> JobSpec {
    try_assemble(None, overrides).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(document: Option<&str>, overrides: &Overrides) -> Error {
    try_assemble(document, overrides).unwrap_err()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The text of a flag that was given.
macro_rules! some {
    ($text:expr) => {
        Some($text.to_owned())
    };
}

fn set(assignments: &[&str]) -> Overrides {
    Overrides {
        set: words(assignments),
        ..Overrides::default()
    }
}

/// Every flag there is.
fn all_flags() -> Overrides {
    Overrides {
        providers: words(&["paracloud", "gongji"]),
        name: some!("42"),
        image: some!("img:1"),
        words: words(&["python", "train.py", "--", "3"]),
        gpu: some!("A100:2:80G"),
        instance_type: some!("lab/n32h.xlarge"),
        cpu: some!("1.5"),
        memory: some!("64GiB"),
        shm: some!("16GiB"),
        nodes: some!("2"),
        env: words(&["A=b=c", "EMPTY=", "HOME_TOWN"]),
        secrets: words(&["TOKEN"]),
        mounts: words(&["dataset:d-1:v2:/data:ro"]),
        ports: words(&["web:https", "8080"]),
        time: some!("90m"),
        job_retries: some!("3"),
        spot: Some(SpotFlag::AtMost("0.8".to_owned())),
        priority: some!("9"),
        labels: words(&["team=nlp", "a.b/c=d=e"]),
        workdir: some!("/work"),
        exit_code_carrier: true,
        max_price: some!("20 CNY"),
        max_cost: some!("30CNY"),
        array: some!("5-9%2"),
        estimate: some!("1h"),
        start_timeout: some!("10m"),
        ..Overrides::default()
    }
}

#[test]
fn flags_alone_make_a_spec() {
    let spec = flags(&all_flags());
    assert_eq!(spec.provider, ["paracloud", "gongji"]);
    assert_eq!(spec.name.as_deref(), Some("42"));
    assert_eq!(
        spec.program,
        Program::Command(words(&["python", "train.py", "--", "3"]))
    );
    assert_eq!(
        spec.resources.gpu,
        Some(GpuRequest {
            model: some!("A100"),
            count: 2,
            memory_gib: Some(80)
        })
    );
    assert_eq!(
        spec.resources.instance_type.as_deref(),
        Some("lab/n32h.xlarge")
    );
    assert_eq!(spec.resources.cpu, Some(1.5));
    assert_eq!(spec.resources.memory, Some(64 << 30));
    assert_eq!(spec.resources.shm, Some(16 << 30));
    assert_eq!(spec.nodes, Some(2));
    assert_eq!(spec.env["A"], "b=c");
    assert_eq!(spec.env["EMPTY"], "");
    assert_eq!(spec.env["HOME_TOWN"], "Ulm=1");
    assert_eq!(spec.secrets, ["TOKEN"]);
}

#[test]
fn every_flag_reaches_its_field() {
    let spec = flags(&all_flags());
    assert_eq!(
        spec.mounts,
        [Mount {
            source: MountSource::Typed {
                kind: "dataset".to_owned(),
                id: "d-1".to_owned(),
                version: some!("v2"),
            },
            path: some!("/data"),
            readonly: true,
            subpath: None,
        }]
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
    assert_eq!(spec.timeout, Timeout::After(5_400));
    assert_eq!(spec.retries, Some(3));
    assert_eq!(
        spec.spot,
        Some(Spot {
            max_discount: Some(0.8)
        })
    );
    assert_eq!(spec.priority, Some(9));
    assert_eq!(spec.labels["a.b/c"], "d=e");
    assert_eq!(spec.workdir.as_deref(), Some("/work"));
    assert!(spec.exit_code_carrier);
    assert_eq!(spec.max_price.unwrap().amount(), "20");
    assert_eq!(spec.max_cost.unwrap().amount(), "30");
    assert_eq!(
        spec.array,
        Some(Array {
            first: 5,
            last: 9,
            parallel: 2,
            index: true
        })
    );
    assert_eq!(
        (spec.estimate, spec.start_timeout),
        (Some(3_600), Some(600))
    );
}

#[test]
fn flags_win_over_the_document() {
    let document = "
name: a
image: old
command: [old]
env: {A: 1, B: 2}
labels: {x: y}
resources: {gpu: {model: H100, count: 8, memory: 80G}, cpu: 4}
timeout: 1h
mounts: [{source: v1, path: /data}, {source: v2, path: /more}]
ports: [{name: web}, {port: 80}]
provider: gongji
";
    let spec = with(
        document,
        &Overrides {
            providers: words(&["paracloud"]),
            image: some!("new"),
            words: words(&["new", "word"]),
            gpu: some!("A100"),
            env: words(&["B=3"]),
            labels: words(&["x=z"]),
            time: some!("none"),
            mounts: words(&["v3:/data"]),
            ports: words(&["web:https"]),
            ..Overrides::default()
        },
    );
    assert_eq!(spec.name.as_deref(), Some("a"));
    assert_eq!(spec.provider, ["paracloud"]);
    assert_eq!(spec.image.as_deref(), Some("new"));
    assert_eq!(spec.program, Program::Command(words(&["new", "word"])));
    assert_eq!(
        spec.resources.gpu,
        Some(GpuRequest {
            model: some!("A100"),
            count: 1,
            memory_gib: None
        })
    );
    assert_eq!(spec.resources.cpu, Some(4.0));
    assert_eq!((spec.env["A"].as_str(), spec.env["B"].as_str()), ("1", "3"));
    assert_eq!(spec.labels["x"], "z");
    assert_eq!(spec.timeout, Timeout::Unlimited);
    let paths: Vec<(&MountSource, Option<&str>)> = spec
        .mounts
        .iter()
        .map(|mount| (&mount.source, mount.path.as_deref()))
        .collect();
    assert_eq!(
        paths,
        [
            (&MountSource::Id("v2".to_owned()), Some("/more")),
            (&MountSource::Id("v3".to_owned()), Some("/data")),
        ]
    );
    assert_eq!(
        spec.ports,
        [
            Port::Fixed(80),
            Port::Named {
                name: "web".to_owned(),
                https: true
            }
        ]
    );
}

#[test]
fn a_program_of_another_kind_is_replaced() {
    let script = |text: &str| Overrides {
        script: some!(text),
        ..Overrides::default()
    };
    let after_dashes = Overrides {
        words: words(&["a", "b"]),
        ..Overrides::default()
    };
    assert_eq!(
        with("command: [x]", &script("echo")).program,
        Program::Script {
            text: "echo".to_owned(),
            arguments: vec![]
        }
    );
    assert_eq!(
        with("args: [x]", &after_dashes).program,
        Program::Command(words(&["a", "b"]))
    );
    assert_eq!(
        with("script: old\nargs: [x]", &script("new")).program,
        Program::Script {
            text: "new".to_owned(),
            arguments: vec![]
        }
    );
    assert_eq!(
        with("script: old\n", &set(&["command=[a, b]"])).program,
        Program::Command(words(&["a", "b"]))
    );
}

#[test]
fn words_after_the_dashes_are_a_scripts_positional_parameters() {
    let overrides = Overrides {
        words: words(&["a", "b"]),
        ..Overrides::default()
    };
    let expected = |text: &str| Program::Script {
        text: text.to_owned(),
        arguments: words(&["a", "b"]),
    };
    assert_eq!(
        with("script: run\nargs: [x]", &overrides).program,
        expected("run")
    );
    let both = Overrides {
        script: some!("echo $1"),
        ..overrides
    };
    assert_eq!(flags(&both).program, expected("echo $1"));
    assert_eq!(with("command: [x]", &both).program, expected("echo $1"));
}

#[test]
fn spot_without_a_limit_keeps_the_documents_limit() {
    let spot = Overrides {
        spot: Some(SpotFlag::Default),
        ..Overrides::default()
    };
    assert_eq!(
        with("spot: {max_discount: 0.5}", &spot).spot,
        Some(Spot {
            max_discount: Some(0.5)
        })
    );
    assert_eq!(
        with("spot: false", &spot).spot,
        Some(Spot { max_discount: None })
    );
}

#[test]
fn a_flag_decides_whether_a_variable_is_secret() {
    let secret = Overrides {
        secrets: words(&["A"]),
        ..Overrides::default()
    };
    let spec = with("env: {A: plain}", &secret);
    assert!(spec.env.is_empty());
    assert_eq!(spec.secrets, ["A"]);
    let plain = Overrides {
        env: words(&["A=x"]),
        ..Overrides::default()
    };
    let spec = with("secrets: [A, B]", &plain);
    assert_eq!(spec.env["A"], "x");
    assert_eq!(spec.secrets, ["B"]);
    let both = Overrides {
        env: words(&["A=x"]),
        secrets: words(&["A"]),
        ..Overrides::default()
    };
    assert_eq!(refused(None, &both).code(), "conflicting_fields");
}

#[test]
fn an_env_file_stands_below_env_and_keeps_values_as_they_are() {
    let spec = flags(&Overrides {
        env_files: vec![EnvFile {
            name: "vars".to_owned(),
            text: "# comment\n\nA=1\nB= \"two\" # no comment\r\n  C=3\nHOME_TOWN\n".to_owned(),
        }],
        env: words(&["A=9"]),
        ..Overrides::default()
    });
    assert_eq!(spec.env["A"], "9");
    assert_eq!(spec.env["B"], " \"two\" # no comment");
    assert_eq!(spec.env["C"], "3");
    assert_eq!(spec.env["HOME_TOWN"], "Ulm=1");
    let error = refused(
        None,
        &Overrides {
            env_files: vec![EnvFile {
                name: "vars".to_owned(),
                text: "A=1\nNOT_SET\n".to_owned(),
            }],
            ..Overrides::default()
        },
    );
    assert_eq!((error.kind(), error.code()), (Kind::Usage, "missing_env"));
    assert!(error.message().contains("vars:2"), "{error}");
}

#[rstest]
#[case("v1:/data", "v1", "/data", false)]
#[case("nfs://host/x:/data:ro", "nfs://host/x", "/data", true)]
#[case("nfs://host:2049/x:/data", "nfs://host:2049/x", "/data", false)]
#[case("oss://bucket/a:b/c:/data:rw", "oss://bucket/a:b/c", "/data", false)]
fn a_mount_is_read_from_the_right(
    #[case] text: &str,
    #[case] source: &str,
    #[case] path: &str,
    #[case] readonly: bool,
) {
    let spec = flags(&Overrides {
        mounts: words(&[text]),
        ..Overrides::default()
    });
    let source = if source.contains("://") {
        MountSource::Uri(source.to_owned())
    } else {
        MountSource::Id(source.to_owned())
    };
    assert_eq!(
        spec.mounts,
        [Mount {
            source,
            path: some!(path),
            readonly,
            subpath: None
        }]
    );
}

#[test]
fn set_puts_values_where_the_path_leads() {
    let spec = with(
        "resources: {gpu: 'A100:2'}\nspot: true\nmounts: [{source: a, path: /a}]\n",
        &set(&[
            "resources.gpu.count=4",
            "spot.max_discount=0.5",
            "mounts.0.readonly=true",
            "mounts.1={source: b, path: /b}",
            "env.A=no",
            "labels.a.b/c=d=e",
            "placement.workspace=310042",
            "array.count=10",
            "name=[not a list]",
            "provider_options.pai-dlc.settings.Oversold=true",
            "provider_options.gongji.weight=3",
            "timeout=none",
            "script={ echo a; }",
            "exit_code_carrier=true",
        ]),
    );
    assert_eq!(
        spec.resources.gpu,
        Some(GpuRequest {
            model: some!("A100"),
            count: 4,
            memory_gib: None
        })
    );
    assert_eq!(
        spec.spot,
        Some(Spot {
            max_discount: Some(0.5)
        })
    );
    assert_eq!(spec.mounts.len(), 2);
    assert!(spec.mounts[0].readonly);
    assert_eq!(spec.env["A"], "no");
    assert_eq!(spec.labels["a.b/c"], "d=e");
    assert_eq!(spec.placement.namespace.as_deref(), Some("310042"));
    assert_eq!(spec.array.unwrap().last, 9);
    assert_eq!(spec.name.as_deref(), Some("[not a list]"));
    assert_eq!(
        serde_json::to_value(&spec.provider_options[&crate::model::Backend::PaiDlc]).unwrap(),
        serde_json::json!({"settings": {"Oversold": true}})
    );
    assert_eq!(
        spec.provider_options[&crate::model::Backend::Gongji]["weight"],
        3
    );
    assert_eq!(spec.timeout, Timeout::Unlimited);
    assert!(spec.exit_code_carrier);
    assert!(matches!(spec.program, Program::Script { .. }));
}

#[rstest]
#[case(set(&["nodes"]), "bad_value", "`--set`")]
#[case(set(&["=1"]), "bad_value", "`--set`")]
#[case(set(&["resources.gpus=1"]), "unknown_key", "`--set resources.gpus`")]
#[case(set(&["nodes=none"]), "wrong_type", "`--set nodes`")]
#[case(set(&["nodes=0"]), "bad_value", "`--set nodes`")]
#[case(set(&["image.tag=1"]), "bad_value", "`--set image.tag`")]
#[case(set(&["mounts=[{"]), "syntax", "`--set mounts`")]
#[case(Overrides { gpu: some!("A100:0"), ..Overrides::default() }, "bad_value", "`--gpu`")]
#[case(Overrides { time: some!("90"), ..Overrides::default() }, "bad_unit", "`--time`")]
#[case(Overrides { memory: some!("64"), ..Overrides::default() }, "bad_unit", "`--memory`")]
#[case(Overrides { cpu: some!("many"), ..Overrides::default() }, "wrong_type", "`--cpu`")]
#[case(Overrides { nodes: some!("0"), ..Overrides::default() }, "bad_value", "`--nodes`")]
#[case(Overrides { priority: some!("10"), ..Overrides::default() }, "bad_value", "`--priority`")]
#[case(Overrides { workdir: some!("rel"), ..Overrides::default() }, "bad_value", "`--workdir`")]
#[case(Overrides { array: some!("0"), ..Overrides::default() }, "bad_value", "`--array`")]
#[case(Overrides { max_price: some!("20"), ..Overrides::default() }, "bad_value", "`--max-price`")]
#[case(Overrides { env: words(&["NOT_SET"]), ..Overrides::default() }, "missing_env", "`--env`")]
#[case(Overrides { env: words(&["1A=b"]), ..Overrides::default() }, "bad_value", "`--env`")]
#[case(Overrides { labels: words(&["a"]), ..Overrides::default() }, "bad_value", "`--label`")]
#[case(Overrides { mounts: words(&["v1"]), ..Overrides::default() }, "bad_value", "`--mount`")]
#[case(Overrides { mounts: words(&["nfs://host/x"]), ..Overrides::default() }, "bad_value", "`--mount`")]
#[case(Overrides { mounts: words(&[":/data"]), ..Overrides::default() }, "bad_value", "`--mount`")]
#[case(Overrides { ports: words(&["web:ftp"]), ..Overrides::default() }, "bad_value", "`--port`")]
#[case(Overrides { ports: words(&["99999"]), ..Overrides::default() }, "bad_value", "`--port`")]
#[case(Overrides { spot: Some(SpotFlag::AtMost("2".to_owned())), ..Overrides::default() }, "bad_value", "`--spot`")]
#[case(Overrides { script: some!(" "), ..Overrides::default() }, "bad_value", "`--script`")]
#[case(Overrides { words: words(&[""]), ..Overrides::default() }, "bad_value", "`--`")]
fn a_bad_flag_is_usage_and_named(
    #[case] overrides: Overrides,
    #[case] code: &str,
    #[case] flag: &str,
) {
    let error = refused(Some("image: a\n"), &overrides);
    assert_eq!((error.kind(), error.code()), (Kind::Usage, code), "{error}");
    assert!(error.message().starts_with(flag), "{error}");
}

#[test]
fn a_secrets_value_on_the_command_line_is_refused_and_not_repeated() {
    let error = refused(
        None,
        &Overrides {
            secrets: words(&["TOKEN=hunter2"]),
            ..Overrides::default()
        },
    );
    assert_eq!(error.kind(), Kind::Usage);
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[test]
fn a_fault_of_the_document_keeps_its_line_beside_flags() {
    let error = refused(
        Some("image: a\nnodes: 0\n"),
        &Overrides {
            gpu: some!("A100"),
            ..Overrides::default()
        },
    );
    assert_eq!(error.kind(), Kind::Spec);
    assert!(error.message().starts_with("job.yaml:2:8: "), "{error}");
}

#[test]
fn two_programs_from_flags_conflict_under_the_flags_name() {
    let error = refused(
        None,
        &Overrides {
            script: some!("a"),
            ..set(&["command=[b]"])
        },
    );
    assert_eq!(
        (error.kind(), error.code()),
        (Kind::Usage, "conflicting_fields")
    );
}
