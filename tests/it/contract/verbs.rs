//! The capability table, the accessors and the behaviour agree.

use gpujob::error::Kind;
use gpujob::model::{Backend, RefusalCode};
use gpujob::provider::{Creation, Policy, Support, Verb, VolumeRequest};
use gpujob::spec::parse_document;
use rstest::rstest;

use super::Bench;

#[rstest]
#[case::paracloud(Backend::Paracloud)]
#[case::cyclecloud(Backend::Cyclecloud)]
#[case::gongji(Backend::Gongji)]
#[case::pai_dlc(Backend::PaiDlc)]
#[tokio::test]
async fn the_capability_table_tells_what_the_accessors_do(#[case] backend: Backend) {
    let bench = Bench::new(backend).await;
    let table = bench.provider.capabilities();
    for verb in Verb::ALL {
        assert_eq!(
            table
                .verbs
                .iter()
                .filter(|(listed, _)| *listed == verb)
                .count(),
            1,
            "{verb:?}"
        );
        if let Support::No {
            reason,
            alternative,
        } = table.support(verb)
        {
            assert!(!reason.is_empty() && !alternative.is_empty(), "{verb:?}");
        }
    }
    assert_eq!(
        bench.provider.volumes().is_some(),
        table.has(Verb::VolumesList)
    );
    assert_eq!(
        bench.provider.namespaces().is_some(),
        table.has(Verb::NamespacesList)
    );
    assert_eq!(bench.provider.files().is_some(), table.has(Verb::Files));
    assert_eq!(bench.provider.logs().is_some(), table.has(Verb::Logs));
    assert_eq!(bench.provider.events().is_some(), table.has(Verb::Events));
    assert_eq!(bench.provider.cost().is_some(), table.has(Verb::Cost));
    assert!(table.has(Verb::Types));
    assert!(!bench.provider.types().await.unwrap().is_empty());
}

/// Fields that hardly any provider can express, each alone beside a complete job.
#[rstest]
#[case("user: root")]
#[case("privileged: true")]
#[case("host_network: true")]
#[case("ulimits: {nofile: '1024'}")]
#[case("retries: 3")]
#[case("ttl_after_finish: 1h")]
#[case("budget: 20 CNY")]
#[case("health_checks: {a: 1}")]
#[case("nodes: 2")]
#[case("resources: {gpu: {model: V100, count: 1}, arch: arm64, shm: 1GiB}")]
#[tokio::test]
async fn what_cannot_be_expressed_is_refused_before_any_request(
    #[case] field: &str,
    #[values(
        Backend::Paracloud,
        Backend::Cyclecloud,
        Backend::Gongji,
        Backend::PaiDlc
    )]
    backend: Backend,
) {
    let expressible = match backend {
        Backend::Cyclecloud => field.starts_with("nodes"),
        Backend::Gongji => field.starts_with("retries"),
        Backend::Paracloud | Backend::PaiDlc => false,
    };
    if expressible {
        return;
    }
    let bench = Bench::new(backend).await;
    let resources = if field.starts_with("resources") {
        ""
    } else {
        "resources: {gpu: {model: V100, count: 1}}\n"
    };
    let text = format!("image: tool:1\ncommand: [sleep, '1']\n{resources}{field}\n");
    let spec = parse_document("job.yaml", &text, None).unwrap();
    let assessment = bench.provider.assess(&spec, &Policy::default());
    assert!(
        !assessment.refusals.is_empty(),
        "{field} is dropped silently on {backend}"
    );
    for refusal in &assessment.refusals {
        assert!(
            refusal.alternative.is_some(),
            "{refusal:?} names no alternative"
        );
        assert_eq!(refusal.kind, Kind::Spec);
    }
}

#[rstest]
#[case::paracloud(Backend::Paracloud)]
#[case::cyclecloud(Backend::Cyclecloud)]
#[case::gongji(Backend::Gongji)]
#[case::pai_dlc(Backend::PaiDlc)]
#[tokio::test]
async fn all_refusals_come_at_once(#[case] backend: Backend) {
    let bench = Bench::new(backend).await;
    let text = "image: x\ncommand: [a]\nresources: {gpu: V100}\nuser: root\nprivileged: true\nttl_after_finish: 1h\n";
    let spec = parse_document("job.yaml", text, None).unwrap();
    let refused: Vec<String> = bench
        .provider
        .assess(&spec, &Policy::default())
        .refusals
        .into_iter()
        .filter(|refusal| refusal.code == RefusalCode::UnsupportedField)
        .map(|refusal| refusal.field)
        .collect();
    for field in ["user", "privileged", "ttl_after_finish"] {
        assert!(
            refused.iter().any(|listed| listed == field),
            "{field} is not among {refused:?}"
        );
    }
}

#[rstest]
#[case::paracloud(Backend::Paracloud)]
#[case::cyclecloud(Backend::Cyclecloud)]
#[case::gongji(Backend::Gongji)]
#[case::pai_dlc(Backend::PaiDlc)]
#[tokio::test]
async fn an_impossible_volume_is_refused_before_it_is_sent(#[case] backend: Backend) {
    let bench = Bench::new(backend).await;
    let volumes = bench.provider.volumes().unwrap();
    let before = volumes.list(None).await.unwrap().len();
    let request = VolumeRequest {
        size_bytes: Some(1 << 30),
        settings: vec![("no-such-setting".to_owned(), "1".to_owned())],
        ..VolumeRequest::default()
    };
    let Creation::Refused(error) = volumes.create(&request).await else {
        panic!("it was sent");
    };
    assert_eq!(error.kind(), Kind::Spec, "{error:?}");
    assert_eq!(volumes.list(None).await.unwrap().len(), before);
}
