use rstest::rstest;

use crate::spec::Array;
use crate::testing;

use super::*;

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

fn offer(price: Option<&str>) -> Offer {
    Offer {
        name: "4090".to_owned(),
        price_per_hour: price.map(money),
        ..testing::offer("4090@demo-r1")
    }
}

fn limits(price: Option<&str>, cost: Option<&str>) -> JobSpec {
    JobSpec {
        max_price: price.map(money),
        max_cost: cost.map(money),
        ..JobSpec::default()
    }
}

/// What is refused, as `field code kind`.
fn refused(spec: &JobSpec, price: Option<&str>, time_limit_s: Option<u64>) -> Vec<String> {
    let mut assessment = Assessment::default();
    assessment.local(MAX_PRICE, "noted before");
    let offer = offer(price);
    weigh(
        spec,
        Some(&offer),
        Extent::of(spec),
        time_limit_s,
        &mut assessment,
    );
    let of_price = assessment
        .report
        .iter()
        .filter(|line| line.field == MAX_PRICE)
        .count();
    assert_eq!(of_price, 1, "{:?}", assessment.report);
    assessment
        .refusals
        .iter()
        .map(|refusal| {
            format!(
                "{} {} {}",
                refusal.field,
                refusal.code.as_str(),
                refusal.kind
            )
        })
        .collect()
}

#[rstest]
#[case::no_limit(limits(None, None), None, None, &[])]
#[case::exactly(limits(Some("2 CNY"), None), Some("2 CNY"), None, &[])]
#[case::above(limits(Some("1.999999 CNY"), None), Some("2 CNY"), None, &["max_price no_matching_resource capacity"])]
#[case::unknown(limits(Some("2 CNY"), Some("2 CNY")), None, Some(60), &["max_price unsupported_value spec", "max_cost unsupported_value spec"])]
#[case::currency(limits(Some("100 USD"), None), Some("2 CNY"), None, &["max_price unsupported_value spec"])]
#[case::whole_run(limits(None, Some("3 CNY")), Some("2 CNY"), Some(5400), &[])]
#[case::a_second_more(limits(None, Some("3 CNY")), Some("2 CNY"), Some(5401), &["max_cost no_matching_resource capacity"])]
#[case::endless(limits(None, Some("3 CNY")), Some("2 CNY"), None, &["max_cost missing_field spec"])]
#[case::nodes(JobSpec { nodes: Some(2), ..limits(Some("3 CNY"), None) }, Some("2 CNY"), None, &["max_price no_matching_resource capacity"])]
#[case::free(limits(Some("0.000001 CNY"), Some("0.000001 CNY")), Some("0 CNY"), Some(60), &[])]
fn limits_are_kept_or_refused(
    #[case] spec: JobSpec,
    #[case] price: Option<&str>,
    #[case] time_limit_s: Option<u64>,
    #[case] expected: &[&str],
) {
    assert_eq!(refused(&spec, price, time_limit_s), expected);
}

#[rstest]
#[case(None, None, 1, 1)]
#[case(Some(4), None, 4, 4)]
#[case(None, Some((0, 9, 2)), 2, 10)]
#[case(Some(2), Some((1, 3, 8)), 6, 6)]
fn every_node_of_every_job_is_paid(
    #[case] nodes: Option<u32>,
    #[case] array: Option<(u32, u32, u32)>,
    #[case] at_a_time: u64,
    #[case] in_all: u64,
) {
    let spec = JobSpec {
        nodes,
        array: array.map(|(first, last, parallel)| Array {
            first,
            last,
            parallel,
            index: false,
        }),
        ..JobSpec::default()
    };
    assert_eq!(Extent::of(&spec), Extent { at_a_time, in_all });
}

#[rstest]
#[case("2 CNY", "1.6776 CNY", 71 * 60)] // 4291.8 s
#[case("1.6776 CNY", "1.6776 CNY", 3600)]
#[case("0.01 CNY", "1.6776 CNY", 21)]
#[case("0.0001 CNY", "16.8804 CNY", 1)]
#[case("1000000 CNY", "0.01 CNY", LONGEST_S)]
fn money_buys_time(#[case] limit: &str, #[case] rate: &str, #[case] seconds: u64) {
    let (limit, rate) = (money(limit), money(rate));
    assert_eq!(bought(&limit, &rate), seconds);
    assert!(seconds == 1 || rate.for_seconds(seconds).micros <= limit.micros);
}

#[test]
fn a_bill_is_what_is_known() {
    let extent = Extent {
        at_a_time: 2,
        in_all: 10,
    };
    assert_eq!(bill(None, extent, Some(60)), Bill::default());
    assert_eq!(
        bill(Some(&offer(Some("1.5 CNY"))), extent, Some(5400)),
        Bill {
            per_hour: Some(money("3 CNY")),
            whole_run: Some(money("22.5 CNY")),
        }
    );
}
