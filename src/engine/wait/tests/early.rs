//! What ends a wait early: `--fail-if`, by the time without running and by reasons.

use super::*;

#[test]
fn pending_for_too_long_is_seen_by_a_poll_at_that_very_moment() {
    let mut watch = with(fail_if(&["pending>20s"]), &["a"]);
    let mut now = seconds(0);
    let mut polls = 0;
    let met = loop {
        match watch.next(now) {
            Next::Poll(group) => {
                polls += 1;
                let state = if polls % 2 == 0 {
                    State::Starting
                } else {
                    State::Pending
                };
                watch.observed(group, vec![job("a", state)], now, 0.5);
            }
            Next::Sleep(pause) => now += pause,
            Next::Met(met) => break met,
            Next::Listen | Next::Ended | Next::GaveUp(_) => panic!("this ends otherwise"),
        }
    };
    assert_eq!(now, seconds(20));
    assert_eq!(met.seen, "20s");
    assert_eq!(met.job_ref, reference("a"));
}

#[test]
fn a_job_that_runs_or_has_ended_is_not_pending_however_long_it_was() {
    for (state, ends) in [
        (State::Running, false),
        (State::Succeeded, true),
        (State::Failed, true),
    ] {
        let mut watch = with(fail_if(&["pending>20s"]), &["a"]);
        watch.observed(0, vec![job("a", State::Pending)], seconds(0), 0.5);
        watch.observed(0, vec![job("a", state)], seconds(25), 0.5);
        assert_eq!(watch.next(seconds(25)) == Next::Ended, ends, "{state}");
    }
}

#[test]
fn a_job_that_waits_again_begins_anew() {
    let mut watch = with(fail_if(&["pending>20s"]), &["a"]);
    watch.observed(0, vec![job("a", State::Pending)], seconds(0), 0.5);
    watch.observed(0, vec![job("a", State::Running)], seconds(15), 0.5);
    watch.observed(0, vec![job("a", State::Starting)], seconds(30), 0.5);
    watch.observed(0, vec![job("a", State::Starting)], seconds(49), 0.5);
    assert!(matches!(watch.next(seconds(49)), Next::Sleep(_)));
    watch.observed(0, vec![job("a", State::Starting)], seconds(50), 0.5);
    assert!(matches!(watch.next(seconds(50)), Next::Met(_)));
}

#[test]
fn the_time_before_the_wait_counts_unless_the_job_has_run() {
    let begun_at = Timestamp::from_second(10_000).unwrap();
    let created_at = Timestamp::from_second(9_000).unwrap();
    let settings = Settings {
        begun_at: Some(begun_at),
        ..fail_if(&["pending>15m"])
    };
    let mut old = job("a", State::Pending);
    old.created_at = Some(created_at);
    let mut fresh = with(settings.clone(), &["a"]);
    fresh.observed(0, vec![old.clone()], seconds(0), 0.5);
    assert!(matches!(fresh.next(seconds(0)), Next::Met(met) if met.seen == "16m40s"));
    old.started_at = Some(created_at);
    let mut restarted = with(settings, &["a"]);
    restarted.observed(0, vec![old], seconds(0), 0.5);
    assert!(matches!(restarted.next(seconds(0)), Next::Sleep(_)));
}

#[test]
fn a_reason_of_the_record_or_of_an_event_ends_the_wait() {
    let settings = fail_if(&["pending>1h", "reason=ImagePull*"]);
    let mut watch = with(settings.clone(), &["a", "b"]);
    let mut stuck = job("b", State::Pending);
    stuck.reason = Some("ImagePullBackOff".to_owned());
    watch.observed(0, vec![job("a", State::Pending), stuck], seconds(0), 0.5);
    assert!(
        matches!(watch.next(seconds(0)), Next::Met(met) if met.job_ref == reference("b") && met.seen == "ImagePullBackOff")
    );

    let reasons = ["Scheduled".to_owned(), "imagePullFailed".to_owned()];
    for (state, is_met) in [
        (State::Pending, true),
        (State::Starting, true),
        // What went wrong before it ran is over.
        (State::Running, false),
        (State::Failed, false),
    ] {
        let mut watch = with(settings.clone(), &["a"]);
        watch.observed(0, vec![job("a", state)], seconds(0), 0.5);
        watch.told(0, &reference("a"), &reasons);
        assert_eq!(
            matches!(watch.next(seconds(0)), Next::Met(_)),
            is_met,
            "{state}"
        );
    }
}
