//! `prices.toml`: what it fills, and what is wrong with it.

use rstest::rstest;

use super::*;
use crate::model::{Gpu, Money, Offer};
use crate::testing;

fn offer(id: &str, cluster: Option<&str>, cards: f64) -> Offer {
    Offer {
        name: id.rsplit('/').next().unwrap().to_owned(),
        cluster: cluster.map(str::to_owned),
        gpu: (cards > 0.0).then(|| Gpu {
            model: Some("A100".to_owned()),
            count: cards,
            memory_bytes: None,
            form_factor: None,
        }),
        cpu_cores: Some(12.0),
        ..testing::offer(id)
    }
}

fn load(text: &str) -> Result<Prices, crate::Error> {
    let home = Home::with_config("");
    home.write(".config/gpujob/prices.toml", text, 0o644);
    Prices::load(&home.load(&[]))
}

const FILE: &str = "\
[[price]]
provider = \"paracloud\"
type = \"n32h.*\"
amount = 6.5
currency = \"CNY\"
unit = \"gpu-hour\"

[[price]]
provider = \"azure\"
type = \"Standard_NC??ads_A100_v4\"
amount = \"3.673\"
currency = \"usd\"
unit = \"hour\"

[[price]]
type = \"*cpu*\"
amount = 0.05
currency = \"CNY\"
unit = \"core-hour\"

[[price]]
type = \"gpu/Standard_*\"
amount = 48
currency = \"USD\"
unit = \"day\"

[[price]]
type = \"ecs.*\"
amount = 120
currency = \"CNY\"
unit = \"gpu-day\"
";

#[rstest]
#[case::cards(
    "paracloud",
    Backend::Paracloud,
    offer("n32h.2xlarge", None, 2.0),
    Some("13 CNY")
)]
#[case::slice(
    "paracloud",
    Backend::Paracloud,
    offer("n32h.slice", None, 0.25),
    Some("1.625 CNY")
)]
#[case::backend(
    "para-two",
    Backend::Paracloud,
    offer("n32h.xlarge", None, 1.0),
    Some("6.5 CNY")
)]
#[case::no_cards(
    "paracloud",
    Backend::Paracloud,
    offer("n32h.cpu", None, 0.0),
    Some("0.6 CNY")
)]
#[case::other_provider("gongji", Backend::Gongji, offer("n32h.xlarge", None, 1.0), None)]
#[case::name(
    "azure",
    Backend::Cyclecloud,
    offer("gpu/Standard_NC24ads_A100_v4", Some("lab"), 1.0),
    Some("3.673 USD")
)]
#[case::not_azure(
    "lab",
    Backend::Cyclecloud,
    offer("gpu/Standard_NC24ads_A100_v4", Some("lab"), 1.0),
    Some("2 USD")
)]
#[case::day("pai", Backend::PaiDlc, offer("ecs.gn7", None, 8.0), Some("40 CNY"))]
#[case::nothing("pai", Backend::PaiDlc, offer("xecs.gn7", None, 8.0), None)]
fn the_first_entry_that_fits_tells_the_price(
    #[case] provider: &str,
    #[case] backend: Backend,
    #[case] offer: Offer,
    #[case] expected: Option<&str>,
) {
    let prices = load(FILE).unwrap();
    let price = prices.price_of(provider, backend, &offer);
    assert_eq!(price, expected.map(|text| text.parse::<Money>().unwrap()));
}

#[test]
fn only_what_the_provider_does_not_tell_is_filled() {
    let told = Offer {
        price_per_hour: Some("1 CNY".parse().unwrap()),
        price_source: Some("provider".to_owned()),
        ..offer("n32h.xlarge", None, 1.0)
    };
    let mut offers = [
        told.clone(),
        offer("n32h.xlarge", None, 1.0),
        offer("x", None, 1.0),
    ];
    load(FILE)
        .unwrap()
        .fill("paracloud", Backend::Paracloud, &mut offers);
    assert_eq!(offers[0], told);
    assert_eq!(offers[1].price_source.as_deref(), Some("prices.toml"));
    assert_eq!(offers[1].price_per_hour, Some("6.5 CNY".parse().unwrap()));
    assert_eq!(
        (&offers[2].price_per_hour, &offers[2].price_source),
        (&None, &None)
    );
}

#[test]
fn without_a_file_there_are_no_prices() {
    let home = Home::with_config("");
    assert_eq!(Prices::load(&home.load(&[])).unwrap(), Prices::default());
    assert_eq!(
        Prices::load(&Home::new().load(&[])).unwrap(),
        Prices::default()
    );
}

const GOOD: &str = "[[price]]\ntype = \"a\"\namount = 1\ncurrency = \"CNY\"\nunit = \"hour\"\n";

#[rstest]
#[case::toml("[[price]\n", "line 1")]
#[case::top("[[prices]]\n", "line 1, column 3: `prices` is no key")]
#[case::not_a_list("price = 3\n", "line 1, column 9: `price` is of the type integer")]
#[case::key(&GOOD.replace("unit", "units"), "line 5, column 1: `units` is no key of a price")]
#[case::missing(&GOOD.replace("currency = \"CNY\"\n", ""), "line 1, column 1: this price has no `currency`")]
#[case::unit(&GOOD.replace("hour", "month"), "line 5, column 8: `month` is no unit")]
#[case::currency(&GOOD.replace("CNY", "yuan"), "line 4, column 12: `yuan` is no currency")]
#[case::amount(&GOOD.replace("= 1", "= 1e3"), "line 3, column 10: `1e3` is no amount")]
#[case::negative(&GOOD.replace("= 1", "= -1"), "line 3, column 10: `-1` is no amount")]
#[case::decimals(&GOOD.replace("= 1", "= 1.12345678"), "line 3, column 10: `1.12345678` is no amount")]
#[case::amount_type(&GOOD.replace("= 1", "= true"), "line 3, column 10: `amount` is of the type boolean")]
#[case::type_type(&GOOD.replace("\"a\"", "7"), "line 2, column 8: `type` is of the type integer")]
#[case::empty(&GOOD.replace("\"a\"", "\"\""), "line 2, column 8: `type` is empty")]
fn what_is_wrong_is_told_with_its_line(#[case] text: &str, #[case] message: &str) {
    let error = load(text).unwrap_err();
    assert_eq!(error.kind(), Kind::Config);
    let text = error.to_string();
    assert!(
        text.contains("~/.config/gpujob/prices.toml, line"),
        "{text}"
    );
    assert!(text.contains(message), "{text}");
}
