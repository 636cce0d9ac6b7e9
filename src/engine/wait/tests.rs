use super::*;

const PARACLOUD: Polling = Polling {
    first: Duration::from_secs(2),
    cap: Duration::from_secs(15),
    late_cap: Duration::from_secs(30),
    floor: Duration::from_secs(2),
    loopback: false,
};

const SETTINGS: Settings = Settings {
    first: None,
    tolerance: Duration::from_secs(600),
    start_within: None,
};

fn reference(id: &str) -> ResourceRef {
    ResourceRef::new("paracloud", ["k8r2wq", "NC-N30", id])
}

fn job(id: &str, state: State) -> Job {
    Job::new(reference(id), id, state)
}

fn watch(ids: &[&str]) -> Watch {
    let refs = ids.iter().map(|id| reference(id)).collect();
    Watch::new(SETTINGS, vec![("paracloud".to_owned(), PARACLOUD, refs)])
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn gone(id: &str) -> Job {
    let mut job = job(id, State::Unknown);
    job.terminal = true;
    job.flags.insert(Flag::Gone);
    job
}

#[test]
fn pauses_grow_to_the_cap_while_nothing_changes() {
    let mut watch = watch(&["a"]);
    let mut now = Duration::ZERO;
    let mut pauses = Vec::new();
    for _ in 0..8 {
        assert_eq!(watch.next(now), Next::Poll(0));
        watch.observed(0, vec![job("a", State::Pending)], now, 0.5);
        let Next::Sleep(pause) = watch.next(now) else {
            panic!("a pause is due");
        };
        pauses.push(pause.as_secs_f64());
        now += pause;
    }
    assert_eq!(pauses, [2.0, 3.0, 4.5, 6.75, 10.125, 15.0, 15.0, 15.0]);
}

#[test]
fn the_end_of_every_job_ends_the_wait() {
    let mut watch = watch(&["a", "b"]);
    watch.observed(
        0,
        vec![job("a", State::Succeeded), job("b", State::Running)],
        seconds(0),
        0.5,
    );
    assert_eq!(watch.open_jobs(0), [reference("b")]);
    let events = watch.observed(0, vec![job("b", State::Failed)], seconds(2), 0.5);
    assert_eq!(events.len(), 1);
    assert_eq!(watch.next(seconds(2)), Next::Ended);
    assert_eq!(watch.jobs().len(), 2);
}

#[test]
fn an_unchanged_job_says_nothing() {
    let mut watch = watch(&["a"]);
    assert_eq!(
        watch
            .observed(0, vec![job("a", State::Running)], seconds(0), 0.5)
            .len(),
        1
    );
    assert!(
        watch
            .observed(0, vec![job("a", State::Running)], seconds(2), 0.5)
            .is_empty()
    );
}

#[test]
fn failing_polls_are_tolerated_for_ten_minutes_only() {
    let mut watch = watch(&["a"]);
    let trouble = || Error::new(Kind::Temporary, "http_503", "busy");
    assert_eq!(watch.poll_failed(0, trouble(), seconds(0), 0.5).len(), 1);
    assert!(matches!(watch.next(seconds(1)), Next::Sleep(_)));
    watch.poll_failed(0, trouble(), seconds(599), 0.5);
    assert!(!matches!(watch.next(seconds(599)), Next::GaveUp(_)));
    watch.poll_failed(0, trouble(), seconds(600), 0.5);
    assert!(
        matches!(watch.next(seconds(600)), Next::GaveUp(error) if error.kind() == Kind::Temporary)
    );
}

#[rstest::rstest]
#[case::refused(Kind::Rejected, Kind::Temporary)]
#[case::unpaid(Kind::Capacity, Kind::Temporary)]
#[case::busy(Kind::Temporary, Kind::Temporary)]
#[case::strange(Kind::Protocol, Kind::Protocol)]
fn polls_that_failed_for_too_long_are_trouble_on_the_way_or_a_strange_api(
    #[case] last: Kind,
    #[case] end: Kind,
) {
    let mut watch = watch(&["a"]);
    let trouble = || Error::new(last, "test", "no answer");
    assert_eq!(watch.poll_failed(0, trouble(), seconds(0), 0.5).len(), 1);
    watch.poll_failed(0, trouble(), seconds(600), 0.5);
    assert!(matches!(watch.next(seconds(600)), Next::GaveUp(error) if error.kind() == end));
}

#[test]
fn a_job_that_is_missing_at_the_first_look_must_stay_missing_too() {
    let mut watch = watch(&["a"]);
    watch.observed(0, vec![gone("a")], seconds(0), 0.5);
    assert!(matches!(watch.next(seconds(0)), Next::Sleep(_)));
    let events = watch.observed(0, vec![gone("a")], seconds(10), 0.5);
    assert!(matches!(events.first(), Some(Event::Changed(job)) if job.state == State::Unknown));
    assert_eq!(watch.next(seconds(10)), Next::Ended);
}

#[test]
fn what_ends_the_tolerance_is_temporary_or_a_protocol_error() {
    for (kind, end) in [
        (Kind::Temporary, Kind::Temporary),
        (Kind::Rejected, Kind::Temporary),
        (Kind::Capacity, Kind::Temporary),
        (Kind::Config, Kind::Temporary),
        (Kind::Protocol, Kind::Protocol),
    ] {
        let mut watch = watch(&["a"]);
        let trouble = || Error::new(kind, "trouble", "no");
        watch.poll_failed(0, trouble(), seconds(0), 0.5);
        assert!(
            !matches!(watch.next(seconds(0)), Next::GaveUp(_)),
            "{kind:?}"
        );
        watch.poll_failed(0, trouble(), seconds(600), 0.5);
        assert!(
            matches!(watch.next(seconds(600)), Next::GaveUp(error) if error.kind() == end),
            "{kind:?}"
        );
    }
}

#[test]
fn an_unknown_word_is_told_once_and_ends_nothing() {
    let mut watch = watch(&["a", "b"]);
    let odd = |id: &str, word: &str| {
        let mut job = job(id, State::Unknown);
        job.raw_state = word.into();
        job
    };
    let told = |events: &[Event]| {
        let is_word = |event: &&Event| matches!(event, Event::UnknownWord { .. });
        events.iter().filter(is_word).count()
    };
    let first = watch.observed(0, vec![odd("a", "Odd"), odd("b", "Odd")], seconds(0), 0.5);
    assert_eq!(told(&first), 1);
    let second = watch.observed(
        0,
        vec![odd("a", "Odder"), odd("b", "Unknown")],
        seconds(2),
        0.5,
    );
    assert_eq!(told(&second), 1);
    let third = watch.observed(0, vec![odd("a", "Odd"), odd("b", "Odd")], seconds(4), 0.5);
    assert_eq!(told(&third), 0);
    assert!(matches!(watch.next(seconds(4)), Next::Sleep(_)));
}

#[test]
fn a_poll_that_works_again_starts_the_tolerance_anew() {
    let mut watch = watch(&["a"]);
    let trouble = || Error::new(Kind::Temporary, "http_503", "busy");
    watch.poll_failed(0, trouble(), seconds(0), 0.5);
    let events = watch.observed(0, vec![job("a", State::Running)], seconds(500), 0.5);
    assert!(matches!(events.first(), Some(Event::Recovered { .. })));
    watch.poll_failed(0, trouble(), seconds(700), 0.5);
    assert!(!matches!(watch.next(seconds(700)), Next::GaveUp(_)));
}

#[test]
fn a_refused_credential_ends_the_wait_at_once() {
    let mut watch = watch(&["a"]);
    watch.poll_failed(0, Error::new(Kind::Auth, "http_401", "no"), seconds(0), 0.5);
    assert!(matches!(watch.next(seconds(0)), Next::GaveUp(error) if error.kind() == Kind::Auth));
}

#[test]
fn a_job_once_seen_must_stay_missing_before_it_is_gone() {
    let mut watch = watch(&["a"]);
    watch.observed(0, vec![job("a", State::Running)], seconds(0), 0.5);
    assert!(
        watch
            .observed(0, vec![gone("a")], seconds(2), 0.5)
            .is_empty()
    );
    assert!(!matches!(watch.next(seconds(2)), Next::Ended));
    watch.observed(0, vec![gone("a")], seconds(12), 0.5);
    assert_eq!(watch.next(seconds(12)), Next::Ended);
}

#[test]
fn a_fast_first_pause_counts_against_loopback_only() {
    let fast = Settings {
        first: Some(Duration::from_millis(50)),
        ..SETTINGS
    };
    assert_eq!(first_interval(&fast, &PARACLOUD), seconds(2));
    let local = Polling {
        loopback: true,
        ..PARACLOUD
    };
    assert_eq!(first_interval(&fast, &local), Duration::from_millis(50));
}
