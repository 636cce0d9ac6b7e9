//! `logs -f`, over made-up readers: what ends it, and what does not.

use rstest::rstest;

use super::bench::Act::{Fails, Writes};
use super::bench::{Act, Made, follow, job};
use crate::error::Kind;
use crate::model::{Flag, Job, State};
use crate::provider::LogStream::{Errors, Output};

/// Runs from the start, has ended after so many seconds.
fn ends_after(seconds: u64) -> [(u64, Job); 2] {
    [(0, job(State::Running)), (seconds, job(State::Succeeded))]
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_not_found_yet_has_its_whole_log_later() {
    let made =
        Made::new(&[("a", None, &[Writes("all\n")])]).listing(&[Kind::NotFound, Kind::NotFound]);
    let outcome = follow(&made, &ends_after(60)).await;
    assert_eq!(outcome.printed, "all\n");
    assert_eq!(outcome.failure, None);
    assert!(outcome.told.is_empty(), "{:?}", outcome.told);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_gone_ends_its_log_with_a_warning() {
    let made = Made::new(&[("a", None, &[Writes("begun\n")])]);
    let mut gone = job(State::Unknown);
    gone.terminal = true;
    gone.flags.insert(Flag::Gone);
    let life = [(0, job(State::Running)), (15, gone)];
    let listings = async {
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        made.forget();
        std::future::pending::<()>().await;
    };
    let outcome = tokio::select! {
        outcome = follow(&made, &life) => outcome,
        () = listings => unreachable!(),
    };
    assert_eq!(outcome.printed, "begun\n");
    assert_eq!(outcome.failure, None);
    let [told] = outcome.told.as_slice() else {
        panic!("{:?}", outcome.told);
    };
    assert!(
        told.contains("is not known to the provider any more"),
        "{told}"
    );
}

#[rstest]
#[case::answers_that_are_none(Kind::Protocol)]
#[case::refusals(Kind::Rejected)]
#[tokio::test(start_paused = true)]
async fn what_repeating_does_not_mend_ends_soon_after_the_job(#[case] kind: Kind) {
    let made = Made::new(&[
        ("a", None, &[Writes("a\n"), Fails(kind)]),
        ("b", None, &[Writes("b\n"), Writes("late\n")]),
    ]);
    let outcome = follow(&made, &ends_after(5)).await;
    assert_eq!(outcome.printed, "[a] a\n[b] b\n[b] late\n");
    assert_eq!(outcome.failure, Some(kind));
    assert!(outcome.took < 30, "{outcome:?}");
}

#[rstest]
#[case::listings(&[], &[Kind::Protocol; 9])]
#[case::reads(&[Fails(Kind::Protocol)], &[])]
#[tokio::test(start_paused = true)]
async fn nothing_is_said_of_a_log_that_could_not_be_read(
    #[case] reads: &[Act],
    #[case] listings: &[Kind],
) {
    let made = Made::new(&[("a", None, reads)]).listing(listings);
    let outcome = follow(&made, &[(0, job(State::Failed))]).await;
    assert_eq!(outcome.failure, Some(Kind::Protocol));
    assert!(outcome.took < 30, "{outcome:?}");
    let told = outcome.told.concat();
    assert!(!told.contains("written nothing"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn the_network_is_given_the_whole_tolerance() {
    let made = Made::new(&[("a", None, &[Fails(Kind::Temporary)])]);
    let outcome = follow(&made, &ends_after(5)).await;
    assert_eq!(outcome.failure, Some(Kind::Temporary));
    assert!(outcome.took >= 600, "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn missing_credentials_end_it_at_once() {
    let made = Made::new(&[]).listing(&[Kind::Config]);
    let outcome = follow(&made, &ends_after(60)).await;
    assert_eq!((outcome.failure, outcome.took), (Some(Kind::Config), 0));
}

#[tokio::test(start_paused = true)]
async fn a_failed_job_without_a_log_tells_why() {
    let made = Made::new(&[]);
    let mut failed = job(State::Failed);
    failed.reason = Some("ImagePullBackOff".to_owned());
    let outcome = follow(&made, &[(0, failed)]).await;
    assert_eq!(outcome.failure, None);
    let said = "gongji/1 is failed (ImagePullBackOff); it has written nothing";
    assert_eq!(outcome.told, [said]);
}

#[tokio::test(start_paused = true)]
async fn two_streams_take_turns_and_no_byte_is_added() {
    let made = Made::new(&[
        (
            "a",
            Some(Output),
            &[Writes("begun\n10%"), Writes(""), Writes("..20%\n30%")],
        ),
        ("a", Some(Errors), &[Writes(""), Writes("warn\n")]),
    ]);
    let outcome = follow(&made, &ends_after(60)).await;
    assert_eq!(outcome.printed, "begun\n10%..20%\nwarn\n30%");
}
