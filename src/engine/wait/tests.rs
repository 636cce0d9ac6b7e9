use super::*;
use crate::model::Flag;

mod early;

const PARACLOUD: Polling = Polling {
    first: Duration::from_secs(2),
    cap: Duration::from_secs(15),
    late_cap: Duration::from_secs(30),
    floor: Duration::from_secs(2),
    misses: 2,
    loopback: false,
};

const SETTINGS: Settings = Settings {
    first: None,
    tolerance: Duration::from_secs(600),
    start_within: None,
    goal: Goal {
        until: Until::Ended,
        any: false,
    },
    fail_if: Vec::new(),
    begun_at: None,
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

#[test]
fn jobs_that_were_read_count_while_others_cannot_be_read() {
    let mut watch = watch(&["a", "b"]);
    let trouble = || Error::new(Kind::Temporary, "http_503", "busy");
    let mut told = |jobs: Vec<Job>, at: u64| {
        let events = watch.partly_observed(0, jobs, trouble(), seconds(at), 0.5);
        (events.len(), watch.next(seconds(at)))
    };
    let (events, next) = told(vec![job("b", State::Running)], 0);
    assert_eq!(events, 2, "a change, and the failure, once");
    assert!(matches!(next, Next::Sleep(_)));
    let (events, _) = told(vec![job("b", State::Succeeded)], 300);
    assert_eq!(events, 1);
    let (_, next) = told(Vec::new(), 600);
    assert!(matches!(next, Next::GaveUp(_)), "the other was never read");
    // Under `--any` the one that ended is enough, whatever became of the other.
    let mut settings = SETTINGS;
    settings.goal.any = true;
    let refs = ["a", "b"].iter().map(|id| reference(id)).collect();
    let mut watch = Watch::new(settings, vec![("paracloud".to_owned(), PARACLOUD, refs)]);
    let refused = Error::new(Kind::Auth, "http_403", "no access");
    watch.partly_observed(
        0,
        vec![job("b", State::Succeeded)],
        refused,
        seconds(0),
        0.5,
    );
    assert_eq!(watch.next(seconds(0)), Next::Ended);
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
    // A fault of the configuration that was there from the first poll ends the wait at once.
    let mut first = watch(&["a"]);
    first.poll_failed(
        0,
        Error::new(Kind::Config, "wrong_region", "no"),
        seconds(0),
        0.5,
    );
    assert!(matches!(first.next(seconds(0)), Next::GaveUp(error) if error.kind() == Kind::Config));
    for (kind, end) in [
        (Kind::Temporary, Kind::Temporary),
        (Kind::Rejected, Kind::Temporary),
        (Kind::Capacity, Kind::Temporary),
        (Kind::Config, Kind::Temporary),
        (Kind::Protocol, Kind::Protocol),
    ] {
        let mut watch = watch(&["a"]);
        let trouble = || Error::new(kind, "trouble", "no");
        watch.observed(0, vec![job("a", State::Running)], seconds(0), 0.5);
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
fn a_job_is_gone_after_as_many_misses_in_a_row_as_its_provider_wants() {
    let jobs = vec![reference("a")];
    let mut watch = Watch::new(SETTINGS, vec![("gongji".to_owned(), GONGJI, jobs)]);
    let looks = [
        (job("a", State::Running), false),
        (gone("a"), false),
        (gone("a"), false),
        // Found again: counted anew.
        (job("a", State::Running), false),
        (gone("a"), false),
        (gone("a"), false),
        (gone("a"), true),
    ];
    for (at, (job, ended)) in looks.into_iter().enumerate() {
        let now = seconds(30 * u64::try_from(at).unwrap());
        watch.observed(0, vec![job], now, 0.5);
        assert_eq!(watch.next(now) == Next::Ended, ended, "look {at}");
    }
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

const GONGJI: Polling = Polling {
    first: Duration::from_secs(10),
    cap: Duration::from_secs(30),
    late_cap: Duration::from_secs(30),
    floor: Duration::from_secs(10),
    misses: 3,
    loopback: false,
};

fn busy() -> Error {
    Error::new(Kind::Temporary, "http_429", "busy")
}

fn with(settings: Settings, ids: &[&str]) -> Watch {
    let refs = ids.iter().map(|id| reference(id)).collect();
    Watch::new(settings, vec![("paracloud".to_owned(), PARACLOUD, refs)])
}

fn pause(watch: &Watch, now: Duration) -> Duration {
    let Next::Sleep(pause) = watch.next(now) else {
        panic!("no pause is due");
    };
    pause
}

fn fail_if(conditions: &[&str]) -> Settings {
    let read =
        |text: &&str| Condition::parse(text, |text| crate::app::flag_duration("--fail-if", text));
    Settings {
        fail_if: conditions
            .iter()
            .map(read)
            .collect::<Result<_, _>>()
            .unwrap(),
        ..SETTINGS
    }
}

#[test]
fn an_outage_is_told_once_and_its_end_too() {
    let mut watch = watch(&["a"]);
    watch.observed(0, vec![job("a", State::Running)], seconds(0), 0.5);
    assert_eq!(watch.poll_failed(0, busy(), seconds(2), 0.5).len(), 1);
    assert_eq!(watch.failing(), ["paracloud"]);
    for second in [4, 7, 11] {
        assert_eq!(watch.poll_failed(0, busy(), seconds(second), 0.5), []);
    }
    let events = watch.observed(0, vec![job("a", State::Running)], seconds(20), 0.5);
    let recovered = Event::Recovered {
        provider: "paracloud".to_owned(),
        after: seconds(18),
    };
    assert_eq!(events, [recovered]);
    assert!(watch.failing().is_empty());
    // The next outage is another.
    assert_eq!(watch.poll_failed(0, busy(), seconds(30), 0.5).len(), 1);
}

#[rstest::rstest]
#[case::longer_than_the_interval(60, 60)]
#[case::shorter_than_the_interval(1, 3)]
#[case::longer_than_the_patience(3_600, 600)]
fn a_throttled_poll_is_repeated_when_the_service_wishes(#[case] wish: u64, #[case] due: u64) {
    let mut watch = watch(&["a"]);
    watch.poll_failed(
        0,
        busy().with_retry_after(Some(seconds(wish))),
        seconds(0),
        0.5,
    );
    assert_eq!(pause(&watch, seconds(0)), seconds(due));
}

#[test]
fn a_provider_that_does_not_answer_holds_up_nobody_else() {
    let other = ResourceRef::new("gongji", ["1"]);
    let mut watch = Watch::new(
        SETTINGS,
        vec![
            ("paracloud".to_owned(), PARACLOUD, vec![reference("a")]),
            ("gongji".to_owned(), GONGJI, vec![other.clone()]),
        ],
    );
    assert_eq!(watch.next(seconds(0)), Next::Poll(0));
    watch.asked(0, seconds(0));
    assert_eq!(watch.next(seconds(0)), Next::Poll(1));
    watch.asked(1, seconds(0));
    assert_eq!(watch.next(seconds(0)), Next::Listen);
    // One answers, and is asked again in its own time; of the other nothing is heard.
    watch.observed(
        1,
        vec![Job::new(other.clone(), "1", State::Running)],
        seconds(1),
        0.5,
    );
    assert_eq!(pause(&watch, seconds(1)), seconds(10));
    assert_eq!(watch.next(seconds(11)), Next::Poll(1));
    // One is throttled; the other is asked as ever.
    watch.poll_failed(
        0,
        busy().with_retry_after(Some(seconds(120))),
        seconds(11),
        0.5,
    );
    assert_eq!(watch.next(seconds(11)), Next::Poll(1));
    watch.observed(
        1,
        vec![Job::new(other, "1", State::Succeeded)],
        seconds(12),
        0.5,
    );
    assert_eq!(pause(&watch, seconds(12)), seconds(119));
}

#[test]
fn any_ends_with_the_first_job_that_ends_and_its_record_is_the_result() {
    let mut watch = with(
        Settings {
            goal: Goal {
                any: true,
                ..Goal::default()
            },
            ..SETTINGS
        },
        &["a", "b", "c"],
    );
    let running = |id| job(id, State::Running);
    watch.observed(
        0,
        vec![running("a"), running("b"), running("c")],
        seconds(0),
        0.5,
    );
    assert!(matches!(watch.next(seconds(0)), Next::Sleep(_)));
    watch.observed(
        0,
        vec![
            running("a"),
            job("b", State::Failed),
            job("c", State::Succeeded),
        ],
        seconds(2),
        0.5,
    );
    assert_eq!(watch.next(seconds(2)), Next::Ended);
    let result: Vec<_> = watch
        .result()
        .iter()
        .map(|job| job.provider_id.as_str())
        .collect();
    assert_eq!(result, ["b"]);
}

#[test]
fn a_state_that_was_reached_is_kept_though_the_job_goes_back() {
    let mut watch = with(
        Settings {
            goal: Goal {
                until: Until::State(State::Running),
                any: false,
            },
            ..SETTINGS
        },
        &["a", "b"],
    );
    watch.observed(
        0,
        vec![job("a", State::Running), job("b", State::Pending)],
        seconds(0),
        0.5,
    );
    assert_eq!(watch.open_jobs(0), [reference("b")]);
    watch.observed(0, vec![job("b", State::Running)], seconds(2), 0.5);
    assert_eq!(watch.next(seconds(2)), Next::Ended);
    assert!(watch.result().iter().all(|job| job.state == State::Running));
}

#[test]
fn a_job_is_late_only_when_it_was_seen_waiting_after_the_limit() {
    let settings = Settings {
        start_within: Some(seconds(20)),
        ..SETTINGS
    };
    let mut watch = with(settings, &["a"]);
    watch.observed(0, vec![job("a", State::Pending)], seconds(12), 0.5);
    assert_eq!(watch.late(seconds(19)), None);
    // It may have started since.
    assert_eq!(watch.late(seconds(25)), None);
    watch.observed(0, vec![job("a", State::Starting)], seconds(20), 0.5);
    assert_eq!(watch.late(seconds(20)), Some(&reference("a")));
    watch.observed(0, vec![job("a", State::Running)], seconds(22), 0.5);
    assert_eq!(watch.late(seconds(22)), None);
}

#[test]
fn the_line_that_waits_again_asks_for_the_same() {
    let refs = [reference("a"), reference("b")];
    let settings = Settings {
        goal: Goal {
            until: Until::Released,
            any: true,
        },
        fail_if: vec![
            Condition::parse("pending>20m", |_| Ok(seconds(1_200))).unwrap(),
            Condition::parse("reason=ImagePull*", |_| Ok(seconds(0))).unwrap(),
        ],
        ..SETTINGS
    };
    assert_eq!(
        settings.command(&refs),
        "gpujob wait --until released --any --fail-if 'pending>20m' --fail-if 'reason=ImagePull*' \
         paracloud/k8r2wq/NC-N30/a paracloud/k8r2wq/NC-N30/b"
    );
    assert_eq!(
        SETTINGS.command(&refs[..1]),
        "gpujob wait paracloud/k8r2wq/NC-N30/a"
    );
}
