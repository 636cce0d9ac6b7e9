//! Script mode: when it is taken, what is sent, what is refused (paracloud.md §9.2).

use super::*;

const FOLDER: &str = "/.gpujob/bcdfghjklmnpqr";

/// The survey of an account on whose machine the credentials of these volumes are kept.
fn reaching(volumes: &[&str]) -> Survey {
    let mut survey = survey();
    survey.transfer = survey
        .volumes
        .iter()
        .filter(|volume| volumes.contains(&volume.id.as_str()))
        .map(|volume| {
            let base = BaseUrl::parse("https://dav.example").unwrap();
            (volume.volume_ref.clone(), base)
        })
        .collect();
    survey
}

fn script() -> JobSpec {
    JobSpec {
        program: Program::Script {
            text: "echo hello; exit 3\n".to_owned(),
            arguments: Vec::new(),
        },
        ..spec()
    }
}

fn with_option(spec: JobSpec, volume: &str) -> JobSpec {
    JobSpec {
        provider_options: options(json!({ "script_volume": volume })),
        ..spec
    }
}

fn mounting(spec: JobSpec, id: &str, path: &str) -> JobSpec {
    JobSpec {
        mounts: vec![mount(id, path)],
        ..spec
    }
}

fn attempt_reaching(spec: &JobSpec, volumes: &[&str]) -> Tried {
    try_with(spec, Policy::default(), &reaching(volumes), &[])
}

fn uploads(plan: &Plan) -> Vec<String> {
    plan.uploads
        .iter()
        .map(|upload| format!("{} {}", upload.request.method, upload.request.full_target()))
        .collect()
}

#[test]
fn a_script_goes_into_the_volume_of_the_option() {
    let tried = attempt_reaching(&with_option(script(), "x7m4tzb9"), &["x7m4tzb9"]);
    let container = &tried.body()["containers"][0];
    assert_eq!(
        container["command"],
        json!(["sh", format!("/gpujob{FOLDER}/run.sh")])
    );
    assert_eq!(
        container["volumeMounts"],
        json!([{"name": "x7m4tzb9", "mountPath": "/gpujob"}])
    );
    assert_eq!(
        uploads(tried.plan()),
        [
            "MKCOL /.gpujob/".to_owned(),
            format!("MKCOL {FOLDER}/"),
            format!("PUT {FOLDER}/run.sh"),
            format!("PUT {FOLDER}/script"),
        ]
    );
    assert_eq!(tried.plan().uploads[0].volume.id(), "x7m4tzb9");
    assert_eq!(tried.level("script"), Some(Level::Emulated));
    assert_eq!(tried.level("mounts[0]"), None);
    assert!(
        tried
            .level("provider_options.paracloud.script_volume")
            .is_some()
    );
    assert!(tried.level("command").is_none());
}

#[test]
fn the_volume_decides_the_cluster_and_a_ref_names_it_too() {
    let job = JobSpec {
        resources: gpu("A100", 1),
        ..script()
    };
    let reference = "para/k8r2wq/BSCC-N32-H/arm1";
    let tried = attempt_reaching(&with_option(job, reference), &["arm1"]);
    assert!(
        tried.plan().requests[0]
            .full_target()
            .contains("/BSCC-N32-H/")
    );
}

#[test]
fn the_first_mounted_volume_with_credentials_serves_too_where_it_is_mounted() {
    let job = JobSpec {
        mounts: vec![mount("v2", "/data"), mount("x7m4tzb9", "/work")],
        ..script()
    };
    let tried = attempt_reaching(&job, &["x7m4tzb9"]);
    let container = &tried.body()["containers"][0];
    assert_eq!(
        container["command"][1],
        format!("/work{FOLDER}/run.sh").as_str()
    );
    assert_eq!(container["volumeMounts"].as_array().unwrap().len(), 2);
    let tried = attempt_reaching(&with_option(job, "v2"), &["x7m4tzb9", "v2"]);
    let command = &tried.body()["containers"][0]["command"];
    assert_eq!(command[1], format!("/data{FOLDER}/run.sh").as_str());
}

#[test]
fn what_a_script_is_needed_for_is_refused_without_a_volume() {
    // Nothing to hold it: the spec alone shows that.
    let assessment = routes_planner(&script());
    assert_eq!(assessment.refusals[0].field, "script");
    // A mounted volume could hold it, so only the look shows that its credentials are elsewhere.
    let job = mounting(script(), "x7m4tzb9", "/data");
    assert_eq!(routes_planner(&job).refusals, []);
    let tried = attempt_reaching(&job, &[]);
    assert_eq!(tried.codes(), [(RefusalCode::UnsupportedField, "script")]);
    let alternative = tried.assessment().refusals[0].alternative.clone();
    assert!(alternative.unwrap().contains("script_volume"));
    // A volume that was asked for is named, whether it exists or not.
    for volume in ["x7m4tzb9", "nowhere"] {
        let tried = attempt_reaching(&with_option(spec(), volume), &[]);
        assert_eq!(
            tried.codes(),
            [(
                RefusalCode::VolumeMismatch,
                "provider_options.paracloud.script_volume"
            )]
        );
    }
}

fn routes_planner(spec: &JobSpec) -> Assessment {
    let routes = routes();
    let planner = Planner {
        provider: "para",
        namespace: None,
        routes: &routes,
    };
    planner.assess(spec, Policy::default())
}

#[test]
fn what_words_cannot_hold_a_script_does() {
    let mut job = mounting(spec(), "x7m4tzb9", "/data");
    job.program = command(&["sh", "-c", "echo \"$A\""]);
    job.env.insert("A".to_owned(), "it's".to_owned());
    job.workdir = Some("/data/run".to_owned());
    job.timeout = Timeout::After(60);
    job.exit_code_carrier = true;
    let tried = attempt_reaching(&job, &["x7m4tzb9"]);
    for field in ["command", "env", "workdir", "timeout", "exit_code_carrier"] {
        assert_eq!(tried.level(field), Some(Level::Emulated), "{field}");
    }
    assert_eq!(tried.plan().time_limit_s, Some(60));
    let run = tried.plan().uploads[2].request.body_bytes();
    let run = String::from_utf8(run.to_vec()).unwrap();
    for part in [
        "export A='it'\\''s'\n",
        "cd /data/run || exit 1\n",
        "exec timeout 60 sh -c 'echo \"$A\"'\n",
    ] {
        assert!(run.contains(part), "{part} is not in {run}");
    }
}

#[test]
fn unsafe_words_alone_take_a_script_where_there_is_one_and_a_warning_else() {
    let mut job = mounting(spec(), "x7m4tzb9", "/data");
    job.program = command(&["echo", "a b"]);
    let tried = attempt_reaching(&job, &["x7m4tzb9"]);
    assert_eq!(tried.plan().uploads.len(), 3);
    let tried = attempt_reaching(&job, &[]);
    assert!(tried.plan().uploads.is_empty());
    assert_eq!(
        tried.body()["containers"][0]["command"],
        json!(["echo", "a b"])
    );
    let policy = Policy {
        no_emulation: true,
        ..Policy::default()
    };
    let tried = try_with(&job, policy, &reaching(&["x7m4tzb9"]), &[]);
    assert!(tried.plan().uploads.is_empty());
    // Safe words need none.
    let job = mounting(spec(), "x7m4tzb9", "/data");
    assert!(
        attempt_reaching(&job, &["x7m4tzb9"])
            .plan()
            .uploads
            .is_empty()
    );
}

#[test]
fn without_emulation_a_script_is_refused() {
    let policy = Policy {
        no_emulation: true,
        ..Policy::default()
    };
    let job = with_option(script(), "x7m4tzb9");
    let tried = try_with(&job, policy, &reaching(&["x7m4tzb9"]), &[]);
    assert_eq!(tried.codes(), [(RefusalCode::EmulationDisabled, "script")]);
}

#[test]
fn secrets_go_into_a_file_of_their_own_and_only_when_they_may() {
    let mut job = with_option(script(), "x7m4tzb9");
    job.secrets.push("KEY".to_owned());
    let tried = attempt_reaching(&job, &["x7m4tzb9"]);
    assert_eq!(tried.codes(), [(RefusalCode::SecretExposure, "secrets")]);
    let policy = Policy {
        allow_secret_exposure: true,
        ..Policy::default()
    };
    let survey = reaching(&["x7m4tzb9"]);
    let tried = try_with(&job, policy, &survey, &[("KEY", "hunter 2")]);
    let plan = tried.plan();
    let last = &plan.uploads.last().unwrap().request;
    assert!(last.full_target().ends_with("/env"));
    assert_eq!(last.body_bytes(), b"export KEY='hunter 2'\n");
    assert_eq!(plan.secrets.len(), 1);
    for upload in plan.uploads.iter().rev().skip(1) {
        let body = String::from_utf8_lossy(upload.request.body_bytes()).into_owned();
        assert!(!body.contains("hunter"));
    }
    assert!(!tried.body().to_string().contains("hunter"));
    let tried = try_with(&job, policy, &survey, &[]);
    assert_eq!(tried.codes(), [(RefusalCode::MissingField, "secrets.KEY")]);
}

#[test]
fn the_scripts_volume_does_not_lie_in_another_mount() {
    let job = with_option(mounting(script(), "v2", "/gpujob"), "x7m4tzb9");
    let tried = attempt_reaching(&job, &["x7m4tzb9"]);
    assert_eq!(
        tried.codes(),
        [(
            RefusalCode::ConflictingFields,
            "provider_options.paracloud.script_volume"
        )]
    );
    let job = mounting(script(), "x7m4tzb9", "/my data");
    let tried = attempt_reaching(&job, &["x7m4tzb9"]);
    assert_eq!(tried.codes(), [(RefusalCode::UnsupportedValue, "mounts")]);
}
