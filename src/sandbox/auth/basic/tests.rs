//! The verifier against headers written out by hand, and the lock-out on a clock moved by hand.

use http::HeaderValue;
use rstest::rstest;

use super::*;

/// `ops` / `p:ä s`, which is UTF-8 with a colon in the password.
const RIGHT: &str = "Basic b3BzOnA6w6Qgcw==";
/// `ops:wrong`.
const WRONG: &str = "Basic b3BzOndyb25n";
/// `eve:wrong`.
const STRANGER: &str = "Basic ZXZlOndyb25n";

const RULE: Rule = Rule {
    failures: 5,
    within: Duration::from_secs(60),
    lasts: Duration::from_secs(300),
};

struct Bench {
    accounts: Vec<Account>,
    lockout: Lockout,
    clock: Clock,
}

impl Bench {
    fn new() -> Self {
        Self {
            accounts: vec![Account {
                username: "ops".to_owned(),
                password: Secret::new("p:ä s"),
            }],
            lockout: Lockout::default(),
            clock: Clock::manual("2026-03-02T09:30:11Z".parse().unwrap()),
        }
    }

    fn verified(&mut self, values: &[&[u8]]) -> Result<String, Refused> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        verify(
            &headers,
            &self.accounts,
            &mut self.lockout,
            &RULE,
            &self.clock,
        )
        .map(|account| account.username.clone())
    }

    fn one(&mut self, value: &str) -> Result<String, Refused> {
        self.verified(&[value.as_bytes()])
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

#[rstest]
#[case::usual(RIGHT)]
#[case::scheme_in_other_case("bAsIc b3BzOnA6w6Qgcw==")]
fn the_right_password_is_let_in(#[case] value: &str) {
    assert_eq!(Bench::new().one(value), Ok("ops".to_owned()));
}

#[rstest]
#[case::nothing(&[], Refused::Missing)]
#[case::twice(&[RIGHT.as_bytes(), RIGHT.as_bytes()], Refused::Repeated)]
#[case::bytes(&[b"Basic \xff".as_slice()], Refused::NotText)]
#[case::bearer(&[b"Bearer b3BzOnA6w6Qgcw==".as_slice()], Refused::WrongScheme)]
#[case::bare(&[b"b3BzOnA6w6Qgcw==".as_slice()], Refused::WrongScheme)]
#[case::plain(&[b"Basic ops:p".as_slice()], Refused::NotBase64)]
#[case::unpadded(&[b"Basic b3BzOnA6w6Qgcw".as_slice()], Refused::NotBase64)]
#[case::two_blanks(&[b"Basic  b3BzOnA6w6Qgcw==".as_slice()], Refused::NotBase64)]
#[case::latin_1(&[b"Basic b3BzOnA65CBz".as_slice()], Refused::NotUtf8)]
#[case::no_colon(&[b"Basic b3Bz".as_slice()], Refused::NoColon)]
#[case::other_password(&[WRONG.as_bytes()], Refused::WrongPassword)]
#[case::stranger(&[STRANGER.as_bytes()], Refused::UnknownUser)]
fn anything_else_is_refused(#[case] values: &[&[u8]], #[case] refused: Refused) {
    assert_eq!(Bench::new().verified(values), Err(refused));
}

#[test]
fn five_failures_lock_the_account_even_for_the_right_password() {
    let mut bench = Bench::new();
    for _ in 0..5 {
        assert_eq!(bench.one(WRONG), Err(Refused::WrongPassword));
        bench.pass(59);
    }
    assert_eq!(bench.one(RIGHT), Err(Refused::Locked));
    bench.pass(240);
    assert_eq!(bench.one(RIGHT), Err(Refused::Locked));
    bench.pass(1);
    assert_eq!(bench.one(RIGHT), Ok("ops".to_owned()));
}

#[test]
fn a_lock_that_is_over_leaves_no_failures_behind() {
    let mut bench = Bench::new();
    for _ in 0..5 {
        assert!(bench.one(WRONG).is_err());
    }
    bench.pass(300);
    assert_eq!(bench.one(WRONG), Err(Refused::WrongPassword));
    assert_eq!(bench.one(RIGHT), Ok("ops".to_owned()));
}

#[test]
fn a_minute_of_peace_begins_a_new_series() {
    let mut bench = Bench::new();
    for _ in 0..4 {
        assert!(bench.one(WRONG).is_err());
    }
    bench.pass(60);
    assert!(bench.one(WRONG).is_err());
    assert_eq!(bench.one(RIGHT), Ok("ops".to_owned()));
}

#[test]
fn a_success_ends_the_series() {
    let mut bench = Bench::new();
    for _ in 0..3 {
        for _ in 0..4 {
            assert!(bench.one(WRONG).is_err());
        }
        assert_eq!(bench.one(RIGHT), Ok("ops".to_owned()));
    }
}

#[test]
fn a_strangers_failures_lock_nobody_else() {
    let mut bench = Bench::new();
    for _ in 0..5 {
        assert_eq!(bench.one(STRANGER), Err(Refused::UnknownUser));
    }
    assert_eq!(bench.one(STRANGER), Err(Refused::Locked));
    assert_eq!(bench.one(RIGHT), Ok("ops".to_owned()));
}

#[test]
fn headers_that_name_nobody_do_not_count() {
    let mut bench = Bench::new();
    for _ in 0..10 {
        assert_eq!(bench.one("Basic b3Bz"), Err(Refused::NoColon));
        assert_eq!(bench.verified(&[]), Err(Refused::Missing));
    }
    assert_eq!(bench.one(RIGHT), Ok("ops".to_owned()));
}

#[test]
fn no_debug_text_shows_a_password() {
    let bench = Bench::new();
    assert!(!format!("{:?}", bench.accounts).contains("p:ä s"));
}
