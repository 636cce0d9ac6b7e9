//! One job, four translations (job-model.md §11): what `explain` says of the contract's own job file, word for word.
//!
//! Where the sandbox's catalogue has no such card the refusal is kept, and the job with a card that there is.

use std::collections::BTreeMap;

use gpujob::model::{Backend, Marker};
use gpujob::output::{Format, PlanEntry, PlanOutcome, Style, render_plans};
use gpujob::provider::{Assessment, Creation, Plan, PlanInput, PlanRefusal, Policy, VolumeRequest};
use gpujob::sign::Scheme;
use gpujob::spec::{JobSpec, parse_document};
use rstest::rstest;

use super::Bench;

const JOB: &str = include_str!("../../vectors/translations/job.yaml");

#[rstest]
#[case::paracloud("paracloud", Backend::Paracloud, "RTX4090")]
#[case::paracloud_with_its_card("paracloud_rtx3090", Backend::Paracloud, "RTX3090")]
#[case::cyclecloud("cyclecloud", Backend::Cyclecloud, "RTX4090")]
#[case::cyclecloud_with_its_card("cyclecloud_a100", Backend::Cyclecloud, "A100")]
#[case::gongji("gongji", Backend::Gongji, "RTX4090")]
#[case::pai_dlc("pai_dlc", Backend::PaiDlc, "RTX4090")]
#[case::pai_dlc_with_its_card("pai_dlc_a10", Backend::PaiDlc, "A10")]
#[tokio::test]
async fn the_contracts_job_reads_as_it_says(
    #[case] name: &str,
    #[case] backend: Backend,
    #[case] model: &str,
) {
    let bench = Bench::new(backend).await;
    let text = JOB
        .replace("<provider volume>", &volume(&bench, backend).await)
        .replace("RTX4090", model);
    let spec = parse_document("job.yaml", &text, None).unwrap();
    let outcome = plan(&bench, &spec).await;
    let entry = PlanEntry {
        provider: backend.as_str(),
        backend,
        scheme: Scheme::Bearer,
        outcome: match &outcome {
            Ok(plan) => PlanOutcome::Planned(plan),
            Err(assessment) => PlanOutcome::Refused(assessment),
        },
        estimated_cost: None,
        secrets: &BTreeMap::new(),
    };
    let base = bench.sandbox.base_url(backend).unwrap();
    let results = bench.sandbox.folder().to_str().unwrap().to_owned();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots/translations");
    settings.set_prepend_module_to_snapshot(false);
    for format in [Format::Table, Format::Json] {
        let shown = render_plans(std::slice::from_ref(&entry), &[], &Style::plain(format)).unwrap();
        let shown = shown
            .replace(base, "http://SERVICE")
            .replace(&results, "/SANDBOX");
        settings.bind(|| insta::assert_snapshot!(format!("{name}_{format}"), shown));
    }
}

/// Something to mount: made where the provider makes it, else what the sandbox has.
async fn volume(bench: &Bench, backend: Backend) -> String {
    let request = match backend {
        Backend::Paracloud => VolumeRequest {
            cluster: Some("NC-N30".to_owned()),
            ..VolumeRequest::default()
        },
        Backend::PaiDlc => {
            let uri = "oss://suite.oss-cn-hangzhou-internal.aliyuncs.com/data/";
            VolumeRequest {
                name: Some("suite".to_owned()),
                settings: vec![("uri".to_owned(), uri.to_owned())],
                ..VolumeRequest::default()
            }
        }
        Backend::Cyclecloud => return "nfs://10.20.0.5/exports/data".to_owned(),
        Backend::Gongji => return "share:72".to_owned(),
    };
    match bench.provider.volumes().unwrap().create(&request).await {
        Creation::Accepted(created) => created.volume.id,
        Creation::Refused(error) | Creation::Ambiguous(error) => panic!("{error:?}"),
    }
}

async fn plan(bench: &Bench, spec: &JobSpec) -> Result<Plan, Assessment> {
    let policy = Policy::default();
    let assessment = bench.provider.assess(spec, &policy);
    if !assessment.refusals.is_empty() {
        return Err(assessment);
    }
    let survey = bench.provider.survey(spec).await.unwrap();
    let marker = Marker::parse("bcdfghjklmnpqr").unwrap();
    let input = PlanInput {
        spec,
        marker: &marker,
        policy: &policy,
        secrets: &BTreeMap::new(),
        registry_password: None,
    };
    bench
        .provider
        .plan(&input, &survey)
        .map_err(|PlanRefusal { assessment }| assessment)
}
