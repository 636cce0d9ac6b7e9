use rstest::rstest;

use super::*;

#[test]
fn only_a_definite_refusal_moves_on() {
    for kind in Kind::ALL {
        let step = after(&Error::new(kind, "code", "message"));
        let expected = match kind {
            Kind::Capacity => Step::Next { again: true },
            Kind::Spec | Kind::NotFound | Kind::Auth | Kind::Config | Kind::Rejected => {
                Step::Next { again: false }
            }
            Kind::Temporary | Kind::Protocol => Step::Pause,
            Kind::Usage
            | Kind::OutcomeUnknown
            | Kind::Internal
            | Kind::JobFailed
            | Kind::JobCancelled
            | Kind::ResultUnknown
            | Kind::Timeout
            | Kind::Interrupted
            | Kind::Terminated => Step::Stop,
        };
        assert_eq!(step, expected, "{kind}");
    }
    let there = Error::new(Kind::Auth, "bad_token", "could not be cancelled").with_job("gongji/7");
    assert_eq!(after(&there), Step::Stop);
    let of_the_key = Error::new(Kind::Spec, "key_of_another_spec", "another spec");
    assert_eq!(after(&of_the_key), Step::Stop);
}

fn prospect(place: usize, price: Option<&str>, stock: Option<u64>) -> Prospect {
    Prospect {
        place,
        is_planned: true,
        price: price.map(|price| price.parse().unwrap()),
        stock,
    }
}

#[rstest]
#[case::price(vec![prospect(0, Some("2 CNY"), None), prospect(1, Some("1 CNY"), None)], &[1, 0])]
#[case::unknown_prices_last(vec![prospect(0, None, Some(9)), prospect(1, Some("9 CNY"), None)], &[1, 0])]
#[case::stock(vec![prospect(0, Some("1 CNY"), Some(1)), prospect(1, Some("1 CNY"), Some(3))], &[1, 0])]
#[case::untold_stock_last(vec![prospect(0, None, None), prospect(1, None, Some(0))], &[1, 0])]
#[case::as_configured(vec![prospect(0, None, None), prospect(1, None, None)], &[0, 1])]
#[case::currencies_apart(
    vec![prospect(0, Some("9 CNY"), None), prospect(1, Some("1 USD"), None), prospect(2, Some("8 CNY"), None)],
    &[2, 0, 1]
)]
#[case::no_plan_last(
    vec![Prospect { is_planned: false, ..prospect(0, Some("1 CNY"), None) }, prospect(1, None, None)],
    &[1, 0]
)]
fn any_goes_by_price_then_stock(#[case] prospects: Vec<Prospect>, #[case] order: &[usize]) {
    assert_eq!(by_price_then_stock(prospects), order);
}

#[test]
fn several_currencies_are_noticed() {
    let one = [prospect(0, Some("1 CNY"), None), prospect(1, None, None)];
    assert!(!has_several_currencies(&one));
    let two = [
        prospect(0, Some("1 CNY"), None),
        prospect(1, Some("1 USD"), None),
    ];
    assert!(has_several_currencies(&two));
}

#[test]
fn pauses_grow_and_stay_bounded() {
    let seconds: Vec<u64> = (0..6).map(|round| pause(round, None).as_secs()).collect();
    assert_eq!(seconds, [10, 20, 40, 80, 80, 80]);
    assert_eq!(
        pause(u32::MAX, Some(Duration::from_millis(5))).as_millis(),
        40
    );
}

#[test]
fn the_first_of_the_configuration_decides_unless_capacity_was_waited_for() {
    let errors = || {
        vec![
            Error::new(Kind::Auth, "bad_token", "no"),
            Error::new(Kind::Capacity, "capacity", "sold out"),
        ]
    };
    let told = conclude(&errors(), &["a: no".to_owned()], None);
    assert_eq!((told.kind(), told.code()), (Kind::Auth, "several"));
    assert!(told.details().retryable);
    assert_eq!(told.details().causes, ["a: no"]);
    assert!(
        told.details()
            .hint
            .as_deref()
            .unwrap()
            .contains("--wait-for-capacity")
    );
    let told = conclude(&errors(), &[], Some("2h"));
    assert_eq!(told.kind(), Kind::Capacity);
    assert!(told.message().contains("within 2h"));
    let same = errors().into_iter().skip(1).collect::<Vec<_>>();
    assert_eq!(conclude(&same, &[], None).code(), "capacity");
}
