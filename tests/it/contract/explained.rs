//! What `explain` shows is what the service receives: generated jobs, planned twice and sent once over a recorded wire.
//!
//! The two plans differ in their marker alone. Method, URL, headers and body are compared; secrets are masked on both
//! sides by the same rule, and the shown text is searched for them.

mod specs;

use std::collections::BTreeMap;

use gpujob::model::{Backend, Marker};
use gpujob::output::redact::{MASK, Redactor};
use gpujob::output::{Format, PlanEntry, PlanOutcome, Style, render_plans};
use gpujob::provider::{Creation, Plan, PlanInput, Policy};
use gpujob::secret::Secret;
use gpujob::sign::Scheme;
use gpujob::spec::{JobSpec, parse_document, spec_hash};
use rstest::rstest;
use serde_json::Value;

use super::Bench;
use crate::support::recorder::Recorder;
use crate::support::relay::Received;

use specs::Generator;

/// Jobs that are compared on each backend, at least.
const ENOUGH: usize = 200;

/// Jobs on one sandbox: more would use up its stock.
const TOGETHER: usize = 12;

const POLICY: Policy = Policy {
    no_emulation: false,
    allow_secret_exposure: true,
    allow_partial: false,
};

#[rstest]
#[case::paracloud(Backend::Paracloud, "GPUJOB_PARACLOUD_BASE_URL", &[])]
#[case::cyclecloud(Backend::Cyclecloud, "GPUJOB_CYCLECLOUD_BASE_URL", &[])]
#[case::gongji(Backend::Gongji, "GPUJOB_GONGJI_BASE_URL", &[])]
#[case::pai_dlc(Backend::PaiDlc, "GPUJOB_PAI_DLC_BASE_URL", &["GPUJOB_PAI_DLC_AIWORKSPACE_BASE_URL"])]
#[tokio::test]
async fn what_is_explained_is_what_is_sent(
    #[case] backend: Backend,
    #[case] variable: &str,
    #[case] further: &[&str],
) {
    let mut generator = Generator::new(backend, 20_261_129);
    let mut tally = Tally::default();
    while tally.compared < ENOUGH {
        let bench = Bench::new(backend).await;
        bench.hold(backend, "pending");
        let recorder = Recorder::start(bench.sandbox.base_url(backend).unwrap());
        let variables: Vec<(&str, &str)> = further
            .iter()
            .chain([&variable])
            .map(|name| (*name, recorder.url.as_str()))
            .collect();
        let bench = bench.through(backend, &variables);
        generator.prepare(&bench).await;
        for _ in 0..TOGETHER {
            let generated = generator.next();
            let text = generated.document.to_string();
            let spec = parse_document("job.json", &text, None)
                .unwrap_or_else(|error| panic!("{error}: {text}"));
            match compare(&bench, &recorder, &spec, &generated.secrets).await {
                Outcome::Refused => tally.refused += 1,
                Outcome::Same => tally.count(&generated.document),
                Outcome::Different(why) => panic!("{why}\n{text}"),
            }
            assert!(
                tally.refused < 4 * ENOUGH,
                "most jobs are refused: {tally:?}"
            );
        }
    }
    eprintln!("{backend}: {tally:?}");
    for field in specs::fields(backend) {
        let count = tally.fields.get(*field).copied().unwrap_or_default();
        assert!(
            count >= 5,
            "`{field}` was compared {count} times: {tally:?}"
        );
    }
}

/// What was compared.
#[derive(Debug, Default)]
struct Tally {
    compared: usize,
    refused: usize,
    /// Jobs with this field, among those compared.
    fields: BTreeMap<String, usize>,
}

impl Tally {
    fn count(&mut self, document: &Value) {
        self.compared += 1;
        for field in document.as_object().unwrap().keys() {
            *self.fields.entry(field.clone()).or_default() += 1;
        }
    }
}

enum Outcome {
    /// The planner refuses the job, so that nothing is sent.
    Refused,
    Same,
    Different(String),
}

async fn compare(
    bench: &Bench,
    recorder: &Recorder,
    spec: &JobSpec,
    secrets: &BTreeMap<String, Secret>,
) -> Outcome {
    if !bench.provider.assess(spec, &POLICY).refusals.is_empty() {
        return Outcome::Refused;
    }
    let survey = bench.provider.survey(spec).await.unwrap();
    let password = Secret::new(specs::REGISTRY_PASSWORD);
    let plan = |seed: u8| {
        let marker = Marker::random([seed; 16], &spec_hash(spec));
        let input = PlanInput {
            spec,
            marker: &marker,
            policy: &POLICY,
            secrets,
            registry_password: Some(&password),
        };
        bench.provider.plan(&input, &survey)
    };
    let (Ok(explained), Ok(sent)) = (plan(1), plan(2)) else {
        return Outcome::Refused;
    };
    recorder.take();
    match bench.provider.create(&sent).await {
        Creation::Accepted(_) => {}
        Creation::Refused(error) | Creation::Ambiguous(error) => {
            return Outcome::Different(format!("the sandbox does not take it: {error:?}"));
        }
    }
    let received = recorder.take();
    let shown = shown(&explained);
    for secret in secrets.values().chain([&password]) {
        if shown.to_string().contains(secret.expose()) {
            return Outcome::Different(format!("a secret is shown: {shown}"));
        }
    }
    let requests = shown["items"][0]["requests"].as_array().unwrap();
    let creates: Vec<&Received> = received
        .iter()
        .filter(|request| !request.first.starts_with("GET "))
        .collect();
    if requests.len() != creates.len() {
        return Outcome::Different(format!(
            "{} requests are explained and {} were received",
            requests.len(),
            creates.len()
        ));
    }
    let redactor = Redactor::new(&BTreeMap::new(), &sent.secrets);
    requests
        .iter()
        .zip(creates)
        .find_map(|(request, received)| {
            let explained = unmarked(request, &explained.marker);
            let arrived = unmarked(
                &as_shown(request, received, recorder, &redactor),
                &sent.marker,
            );
            (explained != arrived).then(|| {
                Outcome::Different(format!("explained {explained:#}\nreceived {arrived:#}"))
            })
        })
        .unwrap_or(Outcome::Same)
}

/// The very JSON of `explain -o json`.
fn shown(plan: &Plan) -> Value {
    let entry = PlanEntry {
        provider: &plan.provider,
        backend: plan.backend,
        scheme: Scheme::Bearer,
        outcome: PlanOutcome::Planned(plan),
        estimated_cost: None,
        secrets: &BTreeMap::new(),
    };
    let text = render_plans(&[entry], &[], &Style::plain(Format::Json)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// What was received, in the form that `explain` shows. Of headers only those are compared that are shown: a client
/// adds its length, its signature and the like.
fn as_shown(shown: &Value, received: &Received, recorder: &Recorder, redactor: &Redactor) -> Value {
    let mut words = received.first.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let headers: serde_json::Map<String, Value> = shown["headers"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| {
            let arrived = received.header(name);
            let arrived = match (value.as_str(), arrived) {
                (Some(MASK), Some(_)) => MASK,
                (_, arrived) => arrived.unwrap_or("(none)"),
            };
            (name.clone(), arrived.into())
        })
        .collect();
    let body = (!received.body.is_empty()).then_some(received.body.as_slice());
    serde_json::json!({
        "method": method,
        "url": format!("{}{target}", recorder.url),
        "headers": headers,
        "body": redactor.body(body),
    })
}

/// The request without its marker: the text, and on CycleCloud the request id that is made from it.
fn unmarked(request: &Value, marker: &Marker) -> Value {
    let request_id = request["body"]["requestId"].as_str().map(str::to_owned);
    let mut text = request.to_string();
    if let Some(id) = request_id {
        text = text.replace(&id, "REQUEST-ID");
    }
    let text = text
        .replace(marker.as_str(), "MARKER")
        .replace(marker.identity(), "IDENTITY");
    serde_json::from_str(&text).unwrap()
}
