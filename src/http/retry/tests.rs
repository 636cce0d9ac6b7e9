use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn read_after(outcome: Outcome) -> Situation {
    Situation {
        outcome,
        safety: Safety::Repeatable,
        repeats: 0,
        allowed: 4,
        internal_errors: 0,
        clock_corrected: false,
        remaining: None,
        fraction: 0.5,
    }
}

fn create_after(outcome: Outcome) -> Situation {
    Situation {
        safety: Safety::Once,
        ..read_after(outcome)
    }
}

fn answered(status: u16, repeat: Repeat) -> Outcome {
    Outcome::Answered {
        status: StatusCode::from_u16(status).unwrap(),
        repeat,
        wish: None,
    }
}

const HELPFUL: Repeat = Repeat::Helpful { after: None };
const HARMLESS: Repeat = Repeat::HarmlessAndHelpful { after: None };

fn server_clock() -> Repeat {
    Repeat::WithServerTime("2026-01-06T08:09:10Z".parse().unwrap())
}

fn repeats(situation: &Situation) -> bool {
    matches!(decide(situation), Decision::After(_))
}

#[rstest]
#[case::unsent(Outcome::Unsent, true, true)]
#[case::lost(Outcome::Lost, true, false)]
#[case::lasting(Outcome::Lasting, false, false)]
#[case::unavailable(answered(503, HELPFUL), true, false)]
#[case::throttled_with_a_clear_code(answered(429, HARMLESS), true, true)]
#[case::refused(answered(400, Repeat::Useless), false, false)]
#[case::wrong_clock(answered(400, server_clock()), true, true)]
#[case::nonce_used(answered(400, Repeat::WithFreshNonce), true, false)]
#[case::unauthorised(answered(401, HELPFUL), false, false)]
#[case::unauthorised_but_harmless(answered(401, HARMLESS), false, false)]
fn reads_and_creates_are_repeated_only_where_it_is_safe(
    #[case] outcome: Outcome,
    #[case] read: bool,
    #[case] create: bool,
) {
    assert_eq!(repeats(&read_after(outcome)), read, "read");
    assert_eq!(repeats(&create_after(outcome)), create, "create");
}

#[test]
fn repeats_end_with_the_allowance() {
    for (repeats_so_far, expected) in [(0, true), (3, true), (4, false), (5, false)] {
        let mut situation = read_after(Outcome::Lost);
        situation.repeats = repeats_so_far;
        assert_eq!(repeats(&situation), expected, "{repeats_so_far}");
    }
    let mut none_allowed = read_after(Outcome::Unsent);
    none_allowed.allowed = 0;
    assert_eq!(decide(&none_allowed), Decision::Stop);
}

#[test]
fn a_status_500_is_repeated_twice() {
    for (errors, expected) in [(1, true), (2, true), (3, false)] {
        let mut situation = read_after(answered(500, HELPFUL));
        situation.internal_errors = errors;
        assert_eq!(repeats(&situation), expected, "{errors}");
    }
    let mut other = read_after(answered(502, HELPFUL));
    other.internal_errors = 3;
    assert!(repeats(&other));
}

#[test]
fn the_clock_is_corrected_once_at_once_and_even_without_an_allowance() {
    let mut situation = create_after(answered(400, server_clock()));
    situation.allowed = 0;
    assert_eq!(decide(&situation), Decision::After(Duration::ZERO));
    situation.clock_corrected = true;
    assert_eq!(decide(&situation), Decision::Stop);
}

#[test]
fn pauses_double_from_half_a_second_to_thirty() {
    let pauses: Vec<u128> = (0..9)
        .map(|repeats| own_pause(repeats, 0.5).as_millis())
        .collect();
    assert_eq!(
        pauses,
        [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]
    );
    assert_eq!(own_pause(0, 0.0), Duration::from_millis(250));
    assert_eq!(own_pause(0, 1.0), Duration::from_millis(750));
    assert_eq!(own_pause(u32::MAX, 1.0), LONGEST_PAUSE);
}

#[test]
fn the_servers_wish_is_granted_up_to_two_minutes() {
    for (seconds, granted) in [(0, 0), (7, 7), (120, 120), (3600, 120)] {
        let after = Some(Duration::from_secs(seconds));
        let expected = Decision::After(Duration::from_secs(granted));
        let advised = answered(503, Repeat::Helpful { after });
        assert_eq!(decide(&read_after(advised)), expected);
        let from_headers = Outcome::Answered {
            status: StatusCode::TOO_MANY_REQUESTS,
            repeat: HARMLESS,
            wish: after,
        };
        assert_eq!(decide(&create_after(from_headers)), expected);
    }
}

#[test]
fn no_pause_reaches_the_deadline() {
    let mut situation = read_after(Outcome::Lost);
    situation.remaining = Some(Duration::from_millis(501));
    assert_eq!(
        decide(&situation),
        Decision::After(Duration::from_millis(500))
    );
    situation.remaining = Some(Duration::from_millis(500));
    assert_eq!(decide(&situation), Decision::Stop);
    let mut corrected = read_after(answered(400, server_clock()));
    corrected.remaining = Some(Duration::ZERO);
    assert_eq!(decide(&corrected), Decision::Stop);
}

fn answer(headers: &[(&'static str, &'static str)]) -> Answer {
    Answer {
        status: StatusCode::TOO_MANY_REQUESTS,
        headers: headers
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect::<HeaderMap>(),
        body: Bytes::new(),
    }
}

#[rstest]
#[case::nothing(&[], None)]
#[case::seconds(&[("retry-after", "7")], Some(7000))]
#[case::milliseconds(&[("x-acs-retry-after", "1500")], Some(1500))]
#[case::no_milliseconds_are_no_wish(&[("x-acs-retry-after", "0")], None)]
#[case::milliseconds_win(&[("x-acs-retry-after", "1500"), ("retry-after", "7")], Some(1500))]
#[case::a_date(&[("retry-after", "Tue, 06 Jan 2026 08:09:40 GMT")], Some(30_000))]
#[case::a_date_by_the_servers_clock(
    &[("retry-after", "Tue, 06 Jan 2026 09:00:05 GMT"), ("date", "Tue, 06 Jan 2026 09:00:00 GMT")],
    Some(5000)
)]
#[case::a_date_in_the_past(&[("retry-after", "Tue, 06 Jan 2026 08:00:00 GMT")], Some(0))]
#[case::words(&[("retry-after", "soon")], None)]
#[case::a_negative_number(&[("retry-after", "-1")], None)]
fn a_wish_is_read_from_the_headers(
    #[case] headers: &[(&'static str, &'static str)],
    #[case] expected: Option<u64>,
) {
    let now = "2026-01-06T08:09:10Z".parse().unwrap();
    assert_eq!(
        wish(&answer(headers), now),
        expected.map(Duration::from_millis)
    );
}

#[rstest]
#[case(408, true)]
#[case(425, true)]
#[case(429, true)]
#[case(500, true)]
#[case(503, true)]
#[case(400, false)]
#[case(401, false)]
#[case(404, false)]
#[case(302, false)]
fn the_usual_reading_of_a_status(#[case] status: u16, #[case] helps: bool) {
    let advice = advice_of_status(StatusCode::from_u16(status).unwrap());
    assert_eq!(advice == HELPFUL, helps);
}

proptest! {
    #[test]
    fn a_sent_create_is_never_repeated_without_a_clear_refusal(
        status in 200_u16..600,
        repeats in 0_u32..10,
        fraction in 0.0..1.0_f64,
    ) {
        for outcome in [
            Outcome::Lost,
            answered(status, HELPFUL),
            answered(status, Repeat::Useless),
            answered(status, Repeat::WithFreshNonce),
        ] {
            let situation = Situation { repeats, fraction, ..create_after(outcome) };
            prop_assert_eq!(decide(&situation), Decision::Stop);
        }
    }
}
