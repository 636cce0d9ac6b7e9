//! `logs` without `-f`, over made-up readers.

use rstest::rstest;

use super::bench::Act::{Fails, Writes};
use super::bench::{Made, history, job};
use crate::error::Kind;
use crate::model::State;
use crate::provider::LogStream::{Errors, Output};

#[rstest]
#[case::all(&[], None, "one\ntwo\nthreeoops\nend\n")]
#[case::output(&["stdout"], None, "one\ntwo\nthree")]
#[case::errors(&["stderr"], None, "oops\nend\n")]
#[case::last_lines_over_both(&[], Some(3), "threeoops\nend\n")]
#[case::last_lines_of_the_later(&[], Some(1), "end\n")]
#[case::last_lines_of_one(&["stdout"], Some(2), "two\nthree")]
#[tokio::test(start_paused = true)]
async fn both_streams_of_a_pod_are_its_log(
    #[case] pods: &[&str],
    #[case] tail: Option<usize>,
    #[case] printed: &str,
) {
    let made = Made::new(&[
        ("a", Some(Output), &[Writes("one\ntwo\nthree")]),
        ("a", Some(Errors), &[Writes("oops\nend\n")]),
    ]);
    let outcome = history(&made, &job(State::Succeeded), (pods, tail)).await;
    assert_eq!(outcome.printed, printed);
    assert_eq!(outcome.failure, None);
}

#[tokio::test(start_paused = true)]
async fn an_empty_stream_is_no_unknown_pod() {
    let made = Made::new(&[("a", Some(Output), &[Writes("one\n")])]);
    let outcome = history(&made, &job(State::Succeeded), (&["stderr"], None)).await;
    assert_eq!((outcome.printed.as_str(), outcome.failure), ("", None));
    let outcome = history(&made, &job(State::Succeeded), (&["b"], None)).await;
    assert_eq!(outcome.failure, Some(Kind::NotFound));
}

#[tokio::test(start_paused = true)]
async fn the_last_lines_are_counted_over_the_runs_of_a_pod() {
    let made = Made::new(&[
        ("a", None, &[Writes("1\n2\n")]),
        ("a", None, &[Writes("3\n")]),
    ]);
    let outcome = history(&made, &job(State::Running), (&[], Some(2))).await;
    assert_eq!(outcome.printed, "2\n3\n");
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_fails_does_not_hide_the_others() {
    let made = Made::new(&[
        ("a", None, &[Fails(Kind::Protocol)]),
        ("b", None, &[Writes("b\n")]),
        ("c", None, &[Fails(Kind::Temporary)]),
        ("d", None, &[Writes("d")]),
    ]);
    let outcome = history(&made, &job(State::Succeeded), (&[], None)).await;
    assert_eq!(outcome.printed, "[b] b\n[d] d\n");
    assert_eq!(outcome.failure, Some(Kind::Protocol));
    let told = "warning: the log of a could not be read: made up";
    assert_eq!(outcome.told[0], told);
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_are_not_tried_on_every_pod() {
    let made = Made::new(&[("a", None, [Fails(Kind::Auth)].as_slice()); 30]);
    let outcome = history(&made, &job(State::Succeeded), (&[], None)).await;
    assert_eq!(outcome.failure, Some(Kind::Auth));
    assert!(made.looks.lock().unwrap().len() < 10);
}

#[tokio::test(start_paused = true)]
async fn many_logs_are_read_at_once_and_printed_in_order() {
    let made = Made::new(&[("a", None, [Writes("x\n")].as_slice()); 30]);
    let outcome = history(&made, &job(State::Succeeded), (&[], None)).await;
    assert_eq!(outcome.printed, "x\n".repeat(30));
    assert_eq!(outcome.took, 5);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_has_not_begun_is_known_by_the_record() {
    let made = Made::new(&[("a", None, &[Writes("x\n")])]);
    let mut job = job(State::Running);
    job.node_names = vec!["a".to_owned(), "b".to_owned()];
    job.reason = Some("ImagePullBackOff".to_owned());
    let outcome = history(&made, &job, (&["b"], None)).await;
    assert_eq!(outcome.failure, None);
    let said = "gongji/1 is running (ImagePullBackOff); `b` has written nothing so far";
    assert_eq!(outcome.told, [said]);
}

#[rstest]
#[case::just_created(State::Pending, None)]
#[case::gone(State::Failed, Some(Kind::NotFound))]
#[tokio::test(start_paused = true)]
async fn a_log_that_is_not_found_is_an_error_only_after_the_end(
    #[case] state: State,
    #[case] failure: Option<Kind>,
) {
    let made = Made::new(&[]).listing(&[Kind::NotFound]);
    let outcome = history(&made, &job(state), (&[], None)).await;
    assert_eq!(outcome.failure, failure);
}
