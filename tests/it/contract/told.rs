//! Events and costs, where a provider tells them.

use gpujob::error::Kind;
use gpujob::model::{Backend, ResourceRef};
use rstest::rstest;

use super::{Bench, spec};

#[rstest]
#[case::gongji(Backend::Gongji)]
#[case::pai_dlc(Backend::PaiDlc)]
#[tokio::test]
async fn events_of_an_ended_job_stand_by_time(#[case] backend: Backend) {
    let bench = Bench::new(backend).await;
    let (_, job) = bench.create(&spec(&["false"])).await;
    bench.end_of(&job.job_ref, false).await;
    let events = bench.provider.events().unwrap();
    let told = events.events_of(&job.job_ref).await.unwrap();
    assert!(told.len() > 1, "{told:?}");
    let times: Vec<_> = told.iter().filter_map(|event| event.time).collect();
    assert!(times.is_sorted(), "{told:?}");
    assert_eq!(times.len(), told.len(), "{told:?}");
    assert!(told.iter().all(|event| event.source.is_some()), "{told:?}");
    assert!(told.iter().any(|event| event.reason.is_some()), "{told:?}");
}

#[rstest]
#[case::gongji(Backend::Gongji, &["999999"])]
#[case::pai_dlc(Backend::PaiDlc, &["cn-hangzhou", "dlc0000000000000"])]
#[tokio::test]
async fn events_of_a_job_that_never_was_are_not_found(
    #[case] backend: Backend,
    #[case] path: &[&str],
) {
    let bench = Bench::new(backend).await;
    let events = bench.provider.events().unwrap();
    let unknown = ResourceRef::new(backend.as_str(), path.iter().copied());
    let error = events.events_of(&unknown).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound, "{error:?}");
}

#[tokio::test]
async fn costs_come_in_the_order_asked_and_unknown_jobs_have_none() {
    let bench = Bench::new(Backend::Gongji).await;
    let (_, first) = bench.create(&spec(&["true"])).await;
    let (_, second) = bench.create(&spec(&["true"])).await;
    let unknown = ResourceRef::new("gongji", ["999999"]);
    let asked = [second.job_ref, unknown, first.job_ref];
    let costs = bench
        .provider
        .cost()
        .unwrap()
        .costs_of(&asked)
        .await
        .unwrap();
    let refs: Vec<_> = costs
        .iter()
        .map(|cost| cost.as_ref().map(|cost| &cost.job_ref))
        .collect();
    assert_eq!(refs, [Some(&asked[0]), None, Some(&asked[2])]);
    let cost = costs[0].as_ref().unwrap();
    assert!(cost.cost.is_some(), "{cost:?}");
    assert!(cost.raw["billing_value"].is_i64(), "{cost:?}");
}
