use serde_json::{Value, json};

use super::bench::{Bench, job, quota_job};

/// The job with one member changed; `null` takes it away.
fn with(mut body: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap()[name] = value;
    body
}

/// Every body is refused with a message that names what is wrong, and nothing is created.
fn refused(bodies: &[(Value, &str)]) {
    let bench = Bench::new();
    for (body, named) in bodies {
        let answer = bench.call("POST", "/api/v1/jobs", Some(body));
        assert_eq!(answer.refusal(), (400, "InvalidParameter"), "{body}");
        let message = answer.text("Message");
        assert!(message.contains(named), "`{named}` in: {message}");
    }
    assert_eq!(bench.get("/api/v1/jobs").body["TotalCount"], 0);
}

#[test]
fn wrong_words_are_refused() {
    let public = job("true");
    let long = "n".repeat(257);
    refused(&[
        (
            with(public.clone(), "/DisplayName", json!(null)),
            "DisplayName",
        ),
        (
            with(public.clone(), "/DisplayName", json!("two words")),
            "DisplayName",
        ),
        (
            with(public.clone(), "/DisplayName", json!("名字")),
            "DisplayName",
        ),
        (
            with(public.clone(), "/DisplayName", json!(long)),
            "DisplayName",
        ),
        (with(public.clone(), "/JobType", json!(null)), "JobType"),
        (
            with(public.clone(), "/JobType", json!("pytorch")),
            "pytorch",
        ),
        (with(public.clone(), "/JobType", json!("Custom")), "Custom"),
        (
            with(public.clone(), "/UserCommand", json!("")),
            "UserCommand",
        ),
        (with(public.clone(), "/Priority", json!(0)), "Priority"),
        (with(public.clone(), "/Priority", json!(10)), "Priority"),
        (with(public.clone(), "/Envs", json!({ "A": 1 })), "Envs"),
        (
            with(public.clone(), "/Settings", json!({ "Tags": ["a"] })),
            "Settings.Tags",
        ),
        (
            with(
                public.clone(),
                "/Settings",
                json!({ "JobReservedPolicy": "Never" }),
            ),
            "JobReservedPolicy",
        ),
        (
            with(public.clone(), "/JobMaxRunningTimeMinutes", json!(-1)),
            "JobMaxRunningTimeMinutes",
        ),
        (
            with(public.clone(), "/Accessibility", json!("SECRET")),
            "Accessibility",
        ),
        (
            with(public.clone(), "/SuccessPolicy", json!("AllWorkers")),
            "SuccessPolicy",
        ),
        (
            with(public.clone(), "/UserVpc", json!({ "SwitchId": "vsw-1" })),
            "VpcId",
        ),
        (
            with(
                public.clone(),
                "/UserVpc",
                json!({ "VpcId": "vpc-1", "SwitchId": "vsw-1" }),
            ),
            "ExtendedCIDRs",
        ),
        (
            with(
                public.clone(),
                "/UserVpc",
                json!({ "VpcId": "vpc-1", "DefaultRoute": "eth9" }),
            ),
            "DefaultRoute",
        ),
    ]);
}

#[test]
fn wrong_roles_are_refused() {
    let public = job("true");
    refused(&[
        (with(public.clone(), "/JobSpecs", json!([])), "JobSpecs"),
        (
            with(public.clone(), "/JobSpecs/0/Type", json!("worker")),
            "worker",
        ),
        (with(public.clone(), "/JobSpecs/0/Type", json!("PS")), "PS"),
        (
            with(public.clone(), "/JobSpecs/0/Image", json!(null)),
            "Image",
        ),
        (
            with(public.clone(), "/JobSpecs/0/PodCount", json!(0)),
            "PodCount",
        ),
        (
            with(public.clone(), "/JobSpecs/0/PodCount", json!("1")),
            "PodCount",
        ),
        (
            with(public.clone(), "/JobSpecs/0/PodCount", json!(1.5)),
            "PodCount",
        ),
        (
            with(public.clone(), "/JobSpecs/0/EcsSpec", json!(null)),
            "EcsSpec",
        ),
        (
            with(public.clone(), "/JobSpecs/0/EcsSpec", json!("ecs.none")),
            "ecs.none",
        ),
        (
            with(
                public.clone(),
                "/JobSpecs/0/ResourceConfig",
                json!({ "CPU": "1" }),
            ),
            "ResourceConfig",
        ),
        (
            with(
                public.clone(),
                "/JobSpecs/0/RestartPolicy",
                json!("Sometimes"),
            ),
            "RestartPolicy",
        ),
    ]);
}

#[test]
fn wrong_spot_limits_are_refused() {
    let spot = |spec: Value| with(job("true"), "/JobSpecs/0/SpotSpec", spec);
    refused(&[
        (
            spot(json!({ "SpotStrategy": "LowestPrice", "SpotDiscountLimit": 0.5 })),
            "SpotStrategy",
        ),
        (
            spot(json!({ "SpotStrategy": "SpotWithPriceLimit" })),
            "one of",
        ),
        (
            spot(
                json!({ "SpotStrategy": "SpotWithPriceLimit", "SpotDiscountLimit": 0.5, "SpotPriceLimit": 1.0 }),
            ),
            "one of",
        ),
        (
            spot(json!({ "SpotStrategy": "SpotWithPriceLimit", "SpotDiscountLimit": 50 })),
            "SpotDiscountLimit",
        ),
    ]);
}

#[test]
fn wrong_sources_are_refused() {
    let public = job("true");
    let source = |source: Value| with(public.clone(), "/DataSources", json!([source]));
    refused(&[
        (source(json!({ "MountPath": "/mnt/a" })), "required"),
        (
            source(json!({ "DataSourceId": "d-1", "Uri": "oss://a/" })),
            "exclude",
        ),
        (source(json!({ "Uri": "s3://a/" })), "s3://a/"),
        (
            source(json!({ "Uri": "oss://a/", "MountPath": "mnt" })),
            "MountPath",
        ),
        (
            source(json!({ "Uri": "oss://a/", "MountAccess": "rw" })),
            "MountAccess",
        ),
        (
            source(json!({ "Uri": "oss://a/", "Options": "a=b" })),
            "Options",
        ),
        (
            with(
                public.clone(),
                "/DataSources",
                json!([{ "Uri": "oss://a/", "MountPath": "/mnt/a" }, { "Uri": "oss://b/", "MountPath": "/mnt/a/" }]),
            ),
            "taken",
        ),
    ]);
}

#[test]
fn wrong_quota_resources_are_refused() {
    let quota = quota_job("true", 1);
    refused(&[
        (
            with(quota.clone(), "/JobSpecs/0/EcsSpec", json!("ecs.g6.xlarge")),
            "EcsSpec",
        ),
        (
            with(quota.clone(), "/JobSpecs/0/ResourceConfig", json!(null)),
            "ResourceConfig",
        ),
        (
            with(quota.clone(), "/JobSpecs/0/ResourceConfig/CPU", json!(8)),
            "CPU",
        ),
        (
            with(
                quota.clone(),
                "/JobSpecs/0/ResourceConfig/CPU",
                json!("8.5"),
            ),
            "CPU",
        ),
        (
            with(
                quota.clone(),
                "/JobSpecs/0/ResourceConfig/Memory",
                json!("64"),
            ),
            "Memory",
        ),
        (
            with(quota, "/JobSpecs/0/ResourceConfig/Memory", json!("64GB")),
            "Memory",
        ),
    ]);
}

#[test]
fn what_does_not_exist_is_not_found() {
    let bench = Bench::new();
    let (public, quota) = (job("true"), quota_job("true", 1));
    for body in [
        with(public.clone(), "/WorkspaceId", json!("999999")),
        with(quota, "/ResourceId", json!("quota00000000000")),
        with(
            public.clone(),
            "/DataSources",
            json!([{ "DataSourceId": "d-none" }]),
        ),
        with(public, "/TemplateId", json!("tpl-1")),
    ] {
        let answer = bench.call("POST", "/api/v1/jobs", Some(&body));
        assert_eq!(answer.refusal(), (404, "NotFound"), "{body}");
    }
}

#[test]
fn without_a_workspace_the_job_lands_in_the_default_one() {
    let bench = Bench::new();
    let id = bench.create(&with(job("true"), "/WorkspaceId", json!(null)));
    assert_eq!(bench.job(&id)["WorkspaceId"], "310042");
    let frozen = with(job("true"), "/WorkspaceId", json!("310099"));
    let answer = bench.call("POST", "/api/v1/jobs", Some(&frozen));
    assert_eq!(answer.refusal(), (400, "BadRequest"));
}

#[test]
fn nulls_empty_lists_and_unknown_members_are_nothing() {
    let bench = Bench::new();
    let mut body = job("true");
    for name in ["ElasticSpotSpecs", "LocalMountSpecs", "StartupDependencies"] {
        body["JobSpecs"][0][name] = json!([]);
    }
    body["JobSpecs"][0]["Future"] = json!({ "a": 1 });
    body["Settings"] = json!({ "QuotaInstanceTypes": ["x"], "Tags": null });
    body["ResourceId"] = json!("");
    body["UserVpc"] = json!(null);
    body["DataSources"] = json!([]);
    body["Whatever"] = json!(1);
    let id = bench.create(&body);
    let shown = bench.job(&id).to_string();
    for name in [
        "ElasticSpotSpecs",
        "Future",
        "QuotaInstanceTypes",
        "Whatever",
    ] {
        assert!(!shown.contains(name), "{name}");
    }
}

#[test]
fn an_unavailable_type_is_refused_for_lack_of_stock() {
    let bench = Bench::new();
    let body = with(
        job("true"),
        "/JobSpecs/0/EcsSpec",
        json!("ecs.gn7e-c16g1.4xlarge"),
    );
    let answer = bench.call("POST", "/api/v1/jobs", Some(&body));
    assert_eq!(answer.refusal(), (400, "ResourceAllocateFailed"));
    let many = with(job("true"), "/JobSpecs/0/PodCount", json!(1000));
    let answer = bench.call("POST", "/api/v1/jobs", Some(&many));
    assert_eq!(answer.refusal(), (400, "ResourceAllocateFailed"));
}

#[test]
fn the_body_has_a_size_a_form_and_a_type() {
    let bench = Bench::new();
    let huge = with(job("true"), "/Description", json!("x".repeat(65_536)));
    for body in [
        huge.to_string(),
        "{".to_owned(),
        "[]".to_owned(),
        "\"text\"".to_owned(),
    ] {
        let answer = bench.send(&bench.request(&bench.own(), "POST", "/api/v1/jobs", &body));
        assert_eq!(answer.refusal(), (400, "InvalidParameter"));
    }
    let mut untyped = bench.request(
        &bench.own(),
        "POST",
        "/api/v1/jobs",
        &job("true").to_string(),
    );
    untyped.headers.remove("content-type");
    super::bench::sign(&mut untyped, &bench.own());
    assert_eq!(bench.send(&untyped).refusal(), (400, "InvalidParameter"));
}

#[test]
fn every_job_type_has_its_roles() {
    let bench = Bench::new();
    for (kind, roles) in [
        ("PyTorchJob", vec!["Master", "Worker"]),
        (
            "TFJob",
            vec!["Chief", "PS", "Worker", "Evaluator", "GraphLearn"],
        ),
        ("MPIJob", vec!["Worker"]),
        ("XGBoostJob", vec!["Master"]),
        ("OneFlowJob", vec!["Worker"]),
        ("ElasticBatchJob", vec!["Worker"]),
        ("RayJob", vec!["Head", "Worker", "Worker-gpu"]),
        ("SlurmJob", vec!["Anything"]),
        ("DataJuicerJob", vec!["Worker"]),
        ("FlinkBatchJob", vec!["Worker"]),
    ] {
        let mut body = with(job("true"), "/JobType", json!(kind));
        let spec = body["JobSpecs"][0].clone();
        let specs = roles.iter().map(|role| {
            let mut spec = spec.clone();
            spec["Type"] = json!(role);
            spec
        });
        body["JobSpecs"] = specs.collect();
        bench.create(&body);
    }
    let mut twice = job("true");
    let spec = twice["JobSpecs"][0].clone();
    twice["JobSpecs"] = json!([spec, spec]);
    let answer = bench.call("POST", "/api/v1/jobs", Some(&twice));
    assert_eq!(answer.refusal(), (400, "InvalidParameter"));
}
