//! What a job file becomes on the wire (pai-dlc.md §5; job-model.md §2 and §11).

use rstest::rstest;
use serde_json::{Value, json};

use super::{MARKER, body_of, catalogue, plan_of, plan_with, recorded, survey};
use crate::http::Safety;
use crate::model::{Level, Volume};
use crate::provider::pai_dlc::datasets;
use crate::provider::{Plan, Policy, Survey};

const SMALL: &str = "
image: registry.example/team/bert:1.4
command: [python, /data/train.py]
resources: { gpu: { model: A10, count: 1 } }
";

const ON_QUOTA: &str = "
image: registry.example/team/bert:1.4
command: [python, /data/train.py]
placement: { queue: quota7h2k9d4m1x0 }
";

fn planned(yaml: &str) -> Plan {
    plan_of(yaml).unwrap_or_else(|refusal| panic!("{:#?}", refusal.assessment.refusals))
}

fn body(yaml: &str) -> Value {
    body_of(&planned(yaml))
}

fn with_dataset() -> Survey {
    Survey {
        volumes: vec![dataset()],
        ..survey()
    }
}

fn dataset() -> Volume {
    let page = recorded("datasets");
    datasets::volume(&page["Datasets"][0], "pai-dlc", "cn-hangzhou").unwrap()
}

#[test]
fn the_job_models_example_becomes_one_exact_request() {
    let yaml = "
name: bert finetune
image: registry.example/team/bert:1.4
command: [\"python\", \"/data/train.py\", \"--epochs\", \"3\"]
env: { LR: \"3e-5\" }
resources: { gpu: { model: A10, count: 1 }, cpu: 6, memory: 30GiB }
timeout: 90m
mounts: [ { source: d-4k7m2x9q1w8e3r6t5y, path: /data } ]
";
    let plan = plan_with(yaml, &with_dataset(), Policy::default()).unwrap();
    assert_eq!(
        body_of(&plan),
        json!({
            "DisplayName": format!("bert-finetune-{MARKER}"),
            "JobType": "PyTorchJob",
            "WorkspaceId": "310042",
            "UserCommand": "python /data/train.py --epochs 3",
            "JobMaxRunningTimeMinutes": 90,
            "Envs": {"LR": "3e-5"},
            "JobSpecs": [{
                "Type": "Worker",
                "PodCount": 1,
                "Image": "registry.example/team/bert:1.4",
                "EcsSpec": "ecs.gn7i-c8g1.2xlarge",
            }],
            "DataSources": [{
                "DataSourceId": "d-4k7m2x9q1w8e3r6t5y", "MountPath": "/data", "MountAccess": "RW",
            }],
            "Settings": {"Tags": {"gpujob-name": "bert finetune", "gpujob-run": MARKER}},
        })
    );
    assert_eq!(plan.scope, "pai-dlc/cn-hangzhou/310042");
    assert_eq!(plan.time_limit_s, Some(5400));
    assert_eq!(plan.nodes, 1);
    assert_eq!(plan.offer.unwrap().id, "ecs.gn7i-c8g1.2xlarge");
    let request = &plan.requests[0];
    assert_eq!(request.safety, Safety::Once);
    assert_eq!(request.full_target(), "/api/v1/jobs");
    assert_eq!(request.base.authority(), "pai-dlc.cn-hangzhou.aliyuncs.com");
    assert_eq!(request.headers["x-acs-action"], "CreateJob");
    assert_eq!(request.headers["x-acs-version"], "2020-12-03");
    assert_eq!(
        request.headers["content-type"],
        "application/json; charset=utf-8"
    );
}

#[test]
fn a_job_on_a_quota_is_sized_by_exact_texts() {
    let yaml = "
name: llm-sft-2n
image: acme-registry-vpc.cn-wulanchabu.cr.aliyuncs.com/train/sft:12
registry_auth: { username: puller, password: { env: PULL } }
script: 'torchrun --nnodes $WORLD_SIZE sft.py'
framework: pytorch
nodes: 2
priority: 5
grace: 30s
description: the second try
labels: { team: vision }
placement: { queue: quota7h2k9d4m1x0, namespace: '77', region: cn-hangzhou }
resources: { gpu: { model: Tesla-V100-16G, count: 8 }, cpu: 96, memory: 1200GB, shm: 600GiB, disk: 100GB }
timeout: 61s
provider_options:
  pai-dlc:
    user_vpc: { VpcId: vpc-0, SwitchId: vsw-0, SecurityGroupId: sg-0, ExtendedCIDRs: [10.20.0.0/16], DefaultRoute: eth1 }
    settings: { EnableRDMA: true, EnableSanityCheck: true, Tags: { stage: b } }
    options: { fs.oss.download.thread.concurrency: 10, b: x }
    thirdparty_libs: [numpy==1.26]
    thirdparty_lib_dir: /mnt/code
    restart_policy: OnFailure
    accessibility: PUBLIC
    code_source: { CodeSourceId: code-1, Branch: main, MountPath: /mnt/code }
";
    let plan = plan_with(yaml, &Survey::default(), Policy::default()).unwrap();
    assert_eq!(
        body_of(&plan),
        json!({
            "DisplayName": format!("llm-sft-2n-{MARKER}"),
            "JobType": "PyTorchJob",
            "WorkspaceId": "77",
            "Description": "the second try",
            "ResourceId": "quota7h2k9d4m1x0",
            "Priority": 5,
            "Accessibility": "PUBLIC",
            "UserCommand": "torchrun --nnodes $WORLD_SIZE sft.py",
            "JobMaxRunningTimeMinutes": 2,
            "JobSpecs": [{
                "Type": "Worker",
                "PodCount": 2,
                "Image": "acme-registry-vpc.cn-wulanchabu.cr.aliyuncs.com/train/sft:12",
                "ImageConfig": {
                    "DockerRegistry": "acme-registry-vpc.cn-wulanchabu.cr.aliyuncs.com",
                    "Username": "puller", "Password": "pull-password",
                },
                "ResourceConfig": {
                    "CPU": "96", "GPU": "8", "GPUType": "Tesla-V100-16G",
                    "Memory": "1118Gi", "SharedMemory": "600Gi",
                },
                "RestartPolicy": "OnFailure",
                "SystemDisk": {"Size": 94},
            }],
            "CodeSource": {"CodeSourceId": "code-1", "Branch": "main", "MountPath": "/mnt/code"},
            "UserVpc": {
                "VpcId": "vpc-0", "SwitchId": "vsw-0", "SecurityGroupId": "sg-0",
                "ExtendedCIDRs": ["10.20.0.0/16"], "DefaultRoute": "eth1",
            },
            "ThirdpartyLibs": ["numpy==1.26"],
            "ThirdpartyLibDir": "/mnt/code",
            "Settings": {
                "Tags": {
                    "stage": "b", "team": "vision", "gpujob-name": "llm-sft-2n", "gpujob-run": MARKER,
                },
                "EnableRDMA": true, "EnableSanityCheck": true, "TerminationGracePeriodSeconds": 30,
            },
            "Options": "fs.oss.download.thread.concurrency=10,b=x",
        })
    );
    assert_eq!(plan.scope, "pai-dlc/cn-hangzhou/77");
    assert_eq!(plan.offer, None);
    assert!(
        plan.secrets
            .iter()
            .any(|secret| secret.expose() == "pull-password")
    );
    assert!(
        plan.assessment
            .notes
            .iter()
            .any(|note| note.contains("61 s is rounded up to 2 min"))
    );
}

#[test]
fn no_limit_is_said_aloud_whichever_way() {
    let plan = planned(SMALL);
    assert_eq!(body_of(&plan)["JobMaxRunningTimeMinutes"], 1440);
    assert_eq!(plan.time_limit_s, Some(86_400));
    assert!(
        plan.assessment
            .notes
            .iter()
            .any(|note| note.contains("24 h"))
    );
    let plan = planned(&format!("{SMALL}timeout: none\n"));
    assert_eq!(body_of(&plan).get("JobMaxRunningTimeMinutes"), None);
    assert_eq!(plan.time_limit_s, None);
}

#[test]
fn a_job_without_a_name_says_so_in_its_record() {
    let plan = planned(SMALL);
    let body = body_of(&plan);
    assert_eq!(body["DisplayName"], format!("gpujob-{MARKER}"));
    assert_eq!(body["Settings"]["Tags"], json!({"gpujob-run": MARKER}));
}

#[rstest]
#[case("训练 v2.1_x", "v2.1_x")]
#[case("视觉", "gpujob")]
#[case("a  b//c-", "a-b-c")]
fn a_name_keeps_its_allowed_letters(#[case] name: &str, #[case] shown: &str) {
    let body = body(&format!("{SMALL}name: '{name}'\n"));
    assert_eq!(body["DisplayName"], format!("{shown}-{MARKER}"));
    assert_eq!(body["Settings"]["Tags"]["gpujob-name"], name);
}

#[rstest]
#[case("pytorch", "PyTorchJob", json!([["Worker", 3]]))]
#[case("tensorflow", "TFJob", json!([["Worker", 3]]))]
#[case("mpi", "MPIJob", json!([["Worker", 3]]))]
#[case("xgboost", "XGBoostJob", json!([["Worker", 3]]))]
#[case("oneflow", "OneFlowJob", json!([["Worker", 3]]))]
#[case("elasticbatch", "ElasticBatchJob", json!([["Worker", 3]]))]
#[case("ray", "RayJob", json!([["Head", 1], ["Worker", 2]]))]
#[case("slurm", "SlurmJob", json!([["Worker", 3]]))]
#[case("datajuicer", "DataJuicerJob", json!([["Worker", 3]]))]
fn a_framework_is_a_job_type_with_its_roles(
    #[case] framework: &str,
    #[case] job_type: &str,
    #[case] roles: Value,
) {
    let plan = planned(&format!("{SMALL}framework: {framework}\nnodes: 3\n"));
    let body = body_of(&plan);
    assert_eq!(body["JobType"], job_type);
    let found: Vec<Value> = body["JobSpecs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|role| json!([role["Type"], role["PodCount"]]))
        .collect();
    assert_eq!(Value::from(found), roles);
    assert_eq!(plan.nodes, 3);
}

#[test]
fn none_is_one_worker_and_a_lone_ray_node_is_the_head() {
    let one = body(&format!("{SMALL}framework: none\nnodes: 1\n"));
    assert_eq!(one["JobType"], "PyTorchJob");
    assert_eq!(one["JobSpecs"][0]["Type"], "Worker");
    assert_eq!(one["JobSpecs"][0]["PodCount"], 1);
    let ray = body(&format!("{SMALL}framework: ray\n"));
    assert_eq!(ray["JobSpecs"].as_array().unwrap().len(), 1);
    assert_eq!(ray["JobSpecs"][0]["Type"], "Head");
}

#[test]
fn a_job_type_of_ones_own_lets_several_nodes_run() {
    let body = body(&format!(
        "{SMALL}nodes: 2\nprovider_options: {{ pai-dlc: {{ job_type: FlinkBatchJob }} }}\n"
    ));
    assert_eq!(body["JobType"], "FlinkBatchJob");
    assert_eq!(body["JobSpecs"][0]["PodCount"], 2);
}

#[rstest]
#[case("spot: true", 1.0)]
#[case("spot: { max_discount: 0.5 }", 0.5)]
fn spot_always_has_a_limit(#[case] spot: &str, #[case] limit: f64) {
    let body = body(&format!("{SMALL}{spot}\n"));
    assert_eq!(
        body["JobSpecs"][0]["SpotSpec"],
        json!({"SpotStrategy": "SpotWithPriceLimit", "SpotDiscountLimit": limit})
    );
}

#[test]
fn a_spot_limit_below_the_present_price_is_taken_with_a_note() {
    let plan = planned(&format!("{SMALL}spot: {{ max_discount: 0.2 }}\n"));
    assert!(
        plan.assessment
            .notes
            .iter()
            .any(|note| note.contains("may wait"))
    );
}

#[test]
fn mounts_always_say_their_access() {
    let yaml = format!(
        "{SMALL}
mounts:
  - {{ source: 'dataset:d-4k7m2x9q1w8e3r6t5y:v2', path: /a, readonly: true }}
  - {{ source: pai-dlc/cn-hangzhou/d-4k7m2x9q1w8e3r6t5y }}
  - {{ source: 'oss://acme-out.oss-cn-hangzhou-internal.aliyuncs.com/runs/', path: /b }}
  - {{ source: 'oss://acme-out.oss-cn-beijing.aliyuncs.com/runs/', path: /b2 }}
  - {{ source: 'nas://fs1.cn-hangzhou/x/', path: /c }}
  - {{ source: 'bmcpfs://cpfs-9.cn-hangzhou/', path: /d, readonly: true }}
"
    );
    let plan = plan_with(&yaml, &with_dataset(), Policy::default()).unwrap();
    let id = "d-4k7m2x9q1w8e3r6t5y";
    assert_eq!(
        body_of(&plan)["DataSources"],
        json!([
            {"DataSourceId": id, "DataSourceVersion": "v2", "MountPath": "/a", "MountAccess": "RO"},
            {"DataSourceId": id, "MountAccess": "RW"},
            {"Uri": "oss://acme-out.oss-cn-hangzhou-internal.aliyuncs.com/runs/", "MountPath": "/b", "MountAccess": "RW"},
            {"Uri": "oss://acme-out.oss-cn-beijing.aliyuncs.com/runs/", "MountPath": "/b2", "MountAccess": "RW"},
            {"Uri": "nas://fs1.cn-hangzhou/x/", "MountPath": "/c", "MountAccess": "RW"},
            {"Uri": "bmcpfs://cpfs-9.cn-hangzhou/", "MountPath": "/d", "MountAccess": "RO"},
        ])
    );
    assert!(
        plan.assessment
            .notes
            .iter()
            .any(|note| note.contains("user_vpc"))
    );
}

#[test]
fn a_read_only_dataset_that_is_mounted_for_writing_is_told() {
    let mut volume = dataset();
    volume.raw["MountAccess"] = json!("RO");
    let survey = Survey {
        volumes: vec![volume],
        ..survey()
    };
    let yaml = format!("{SMALL}mounts: [ {{ source: d-4k7m2x9q1w8e3r6t5y }} ]\n");
    let plan = plan_with(&yaml, &survey, Policy::default()).unwrap();
    assert!(
        plan.assessment
            .notes
            .iter()
            .any(|note| note.contains("read-only"))
    );
}

#[test]
fn generic_code_and_vpc_have_their_places() {
    let body = body(&format!(
        "{SMALL}
code: {{ id: code-7, branch: main, commit: abc, path: /mnt/code }}
vpc: vpc-1
provider_options: {{ pai-dlc: {{ user_vpc: {{ SecurityGroupId: sg-1 }} }} }}
"
    ));
    assert_eq!(
        body["CodeSource"],
        json!({"CodeSourceId": "code-7", "Branch": "main", "Commit": "abc", "MountPath": "/mnt/code"})
    );
    assert_eq!(
        body["UserVpc"],
        json!({"VpcId": "vpc-1", "SecurityGroupId": "sg-1"})
    );
}

#[test]
fn a_named_type_goes_verbatim_and_stock_is_ignored_only_on_demand() {
    let yaml = "
image: i
command: [a]
resources: { instance_type: ecs.gn7e-c16g1.4xlarge }
provider_options: { pai-dlc: { settings: { DisableEcsStockCheck: true } } }
";
    let body = body(yaml);
    assert_eq!(body["JobSpecs"][0]["EcsSpec"], "ecs.gn7e-c16g1.4xlarge");
}

#[test]
fn a_quota_takes_numbers_alone() {
    let body = body(&format!(
        "{ON_QUOTA}resources: {{ cpu: 0.5, memory: 1MiB }}\n"
    ));
    assert_eq!(
        body["JobSpecs"][0]["ResourceConfig"],
        json!({"CPU": "0.5", "Memory": "1Gi"})
    );
    assert_eq!(body["JobSpecs"][0].get("EcsSpec"), None);
}

#[test]
fn allowed_secrets_travel_as_variables_and_are_masked_in_what_is_shown() {
    let policy = Policy {
        allow_secret_exposure: true,
        ..Policy::default()
    };
    let yaml = format!("{SMALL}secrets: [TOKEN]\nenv: {{ A: b }}\n");
    let plan = plan_with(&yaml, &survey(), policy).unwrap();
    assert_eq!(
        body_of(&plan)["Envs"],
        json!({"A": "b", "TOKEN": "s3cret-value"})
    );
    assert!(
        plan.secrets
            .iter()
            .any(|secret| secret.expose() == "s3cret-value")
    );
}

#[test]
fn a_block_for_another_system_is_ignored_with_a_note() {
    let plan = planned(&format!(
        "{SMALL}provider_options: {{ gongji: {{ weight: 1 }} }}\n"
    ));
    assert!(
        plan.assessment
            .notes
            .iter()
            .any(|note| note.contains("provider_options.gongji"))
    );
}

#[test]
fn every_given_field_has_a_level() {
    let plan = planned(&format!(
        "{SMALL}name: n\nworkdir: /w\nestimate: 5m\nstart_timeout: 1h\nenv: {{ A: b }}\n"
    ));
    let level = |field: &str| {
        plan.assessment
            .report
            .iter()
            .find(|line| line.field == field)
            .map(|line| line.level)
    };
    for (field, expected) in [
        ("image", Level::Native),
        ("command", Level::Native),
        ("name", Level::Native),
        ("env", Level::Native),
        ("timeout", Level::Native),
        ("resources.gpu", Level::Native),
        ("workdir", Level::Emulated),
        ("estimate", Level::Local),
        ("start_timeout", Level::Local),
    ] {
        assert_eq!(level(field), Some(expected), "{field}");
    }
    assert_eq!(
        body_of(&plan)["UserCommand"],
        "cd /w && python /data/train.py"
    );
}

#[test]
fn a_limit_on_money_is_compared_with_the_price_file() {
    let mut priced = catalogue();
    for offer in &mut priced {
        offer.price_per_hour = Some("10 CNY".parse().unwrap());
    }
    let survey = Survey {
        offers: priced,
        ..Survey::default()
    };
    let policy = Policy::default();
    for (limits, fits) in [
        ("max_price: 20 CNY", true),
        ("max_price: 19.99 CNY", false),
        ("max_cost: 40 CNY", true),
        ("max_cost: 39 CNY", false),
        ("max_cost: 40 USD", false),
    ] {
        let yaml = format!("{SMALL}framework: pytorch\nnodes: 2\ntimeout: 2h\n{limits}\n");
        let plan = plan_with(&yaml, &survey, policy);
        assert_eq!(plan.is_ok(), fits, "{limits}");
    }
}
