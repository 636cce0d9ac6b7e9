use rstest::rstest;

use crate::model::{Gpu, SpotOffer};
use crate::testing;

use super::*;

/// `ID`, then facts: `A100*2`, `80G` a card, `8c`, `64m`, `3.5CNY`, `s4` in stock, `free`, `gone`, `@REGION`, `arm64`,
/// `spot`, `spot=0.5`, `nospot`.
fn row(text: &str) -> Rentable {
    let mut words = text.split_whitespace();
    let id = words.next().unwrap();
    let mut offer = testing::offer(id);
    for word in words {
        read(&mut offer, word);
    }
    Rentable {
        provider: "acme".to_owned(),
        backend: Backend::Gongji,
        offer,
    }
}

fn read(offer: &mut Offer, word: &str) {
    let spot = |discount, available| {
        Some(SpotOffer {
            discount,
            available,
        })
    };
    if let Some((model, count)) = word.split_once('*') {
        offer.gpu = Some(Gpu {
            model: Some(model.to_owned()),
            count: count.parse().unwrap(),
            memory_bytes: None,
            form_factor: None,
        });
    } else if let Some(gib) = word.strip_suffix('G') {
        offer.gpu.as_mut().unwrap().memory_bytes = Some(gib.parse::<u64>().unwrap() << 30);
    } else if let Some(cores) = word.strip_suffix('c') {
        offer.cpu_cores = Some(cores.parse().unwrap());
    } else if let Some(gib) = word.strip_suffix('m') {
        offer.memory_bytes = Some(gib.parse::<u64>().unwrap() << 30);
    } else if let Some(region) = word.strip_prefix('@') {
        offer.region = Some(region.to_owned());
    } else if let Ok(price) = word.parse() {
        offer.price_per_hour = Some(price);
    } else {
        match word {
            "free" => offer.available = Some(true),
            "gone" => offer.available = Some(false),
            "spot" => offer.spot = spot(None, Some(true)),
            "nospot" => offer.spot = spot(Some(0.1), Some(false)),
            "spot=0.5" => offer.spot = spot(Some(0.5), None),
            "arm64" | "amd64" => offer.arch = Some(word.to_owned()),
            stock => offer.stock = Some(stock.strip_prefix('s').unwrap().parse().unwrap()),
        }
    }
}

fn ids(rows: &[Rentable]) -> Vec<&str> {
    rows.iter().map(|row| row.offer.id.as_str()).collect()
}

fn gpu(text: &str) -> Filter {
    Filter {
        gpu: Some(GpuFilter::parse(text).unwrap()),
        ..Filter::default()
    }
}

fn at_most(text: &str) -> Filter {
    Filter {
        max_price: Some(text.parse().unwrap()),
        ..Filter::default()
    }
}

#[rstest]
#[case::nothing_asked(Filter::default(), &["a", "b A100*1"], &["a", "b"])]
#[case::any_count(gpu("A100"), &["a", "b A100*1", "c A100*8", "d H100*1", "e A100*0.5"], &["b", "c"])]
#[case::one_count(gpu("A100:8"), &["b A100*1", "c A100*8"], &["c"])]
#[case::memory(gpu("A100:1:80G"), &["a A100*1 40G", "b A100*1 80G"], &["b"])]
#[case::the_only_size(gpu("L4:1:24G"), &["a L4*1"], &["a"])]
#[case::cores(Filter { min_cpu: Some(8.0), ..Filter::default() }, &["a 7.5c", "b 8c", "c 96c"], &["b", "c"])]
#[case::node_memory(Filter { min_memory: Some(64 << 30), ..Filter::default() }, &["a 63m", "b 64m"], &["b"])]
#[case::arch(Filter { arch: Some("arm64".to_owned()), ..Filter::default() }, &["a amd64", "b arm64"], &["b"])]
#[case::region(Filter { region: Some("EastUS".to_owned()), ..Filter::default() }, &["a @eastus", "b @westus"], &["a"])]
#[case::available(Filter { available: true, ..Filter::default() }, &["a free", "b gone"], &["a"])]
#[case::spot(Filter { spot: true, ..Filter::default() }, &["a", "b spot", "c nospot"], &["b", "c"])]
#[case::free_as_spot(Filter { spot: true, available: true, ..Filter::default() }, &["a gone spot", "b free nospot", "c free"], &["a"])]
#[case::price(at_most("2 CNY"), &["a 2CNY", "b 2.000001CNY", "c 0.5CNY"], &["a", "c"])]
#[case::spot_price(Filter { spot: true, ..at_most("2 CNY") }, &["a 4CNY spot=0.5", "b 4CNY spot", "c 1CNY"], &["a"])]
#[case::all_at_once(
    Filter { min_cpu: Some(4.0), available: true, ..gpu("A100") },
    &["a A100*1 8c free", "b A100*1 2c free", "c A100*1 8c gone", "d 8c free"],
    &["a"]
)]
fn what_fits_is_kept_in_order(
    #[case] filter: Filter,
    #[case] rows: &[&str],
    #[case] expected: &[&str],
) {
    let (kept, notes) = filter.apply(rows.iter().map(|text| row(text)).collect());
    assert_eq!(ids(&kept), expected);
    assert_eq!(notes, Vec::<String>::new());
}

#[rstest]
#[case::price(at_most("2 CNY"), &["a", "b 1CNY"], "1 type that does not tell their price is left out")]
#[case::currency(at_most("2 CNY"), &["a 1USD", "c 9USD", "b 1CNY"], "2 types priced in USD are left out, since USD is not compared with CNY")]
#[case::stock(Filter { available: true, ..Filter::default() }, &["a", "c", "b free"], "2 types that do not tell whether they are free are left out")]
#[case::card_memory(gpu("A100:1:80G"), &["a A100*1", "b A100*1 80G"], "1 type that does not tell the memory of their cards is left out")]
#[case::region(Filter { region: Some("x".to_owned()), ..Filter::default() }, &["a", "b @x"], "1 type that does not tell their region is left out")]
fn what_cannot_be_judged_is_left_out_and_counted(
    #[case] filter: Filter,
    #[case] rows: &[&str],
    #[case] note: &str,
) {
    let (kept, notes) = filter.apply(rows.iter().map(|text| row(text)).collect());
    assert_eq!(ids(&kept), ["b"]);
    assert_eq!(notes, [format!("`acme`: {note}")]);
}

#[test]
fn what_certainly_differs_is_not_told_as_open() {
    let filter = Filter {
        max_price: Some("1 CNY".parse().unwrap()),
        ..gpu("A100")
    };
    let (kept, notes) = filter.apply(vec![row("a H100*1"), row("b")]);
    assert!(kept.is_empty() && notes.is_empty(), "{notes:?}");
}

#[rstest]
#[case::price(Sort::Price, &["a 3CNY", "b", "c 1.5CNY", "d 0.2CNY"], &["d", "c", "a", "b"])]
#[case::equal_prices_keep_their_order(Sort::Price, &["z 1CNY", "a 1CNY"], &["z", "a"])]
#[case::gpu(Sort::Gpu, &["a", "b H100*1", "c A100*8 80G", "d A100*1 80G", "e A100*1 40G", "f A100*1"], &["e", "d", "c", "f", "b", "a"])]
#[case::memory(Sort::Memory, &["a 16m", "b", "c 64m"], &["c", "a", "b"])]
#[case::stock(Sort::Stock, &["a s0", "b", "c s7"], &["c", "a", "b"])]
fn rows_are_sorted_with_the_unknown_last(
    #[case] by: Sort,
    #[case] rows: &[&str],
    #[case] expected: &[&str],
) {
    let mut rows: Vec<Rentable> = rows.iter().map(|text| row(text)).collect();
    assert_eq!(sort(&mut rows, by, false), None);
    assert_eq!(ids(&rows), expected);
}

#[test]
fn currencies_stay_apart_and_that_is_said() {
    let mut rows: Vec<Rentable> = ["a 9CNY", "b 1USD", "c 2CNY", "d", "e 0.1USD"]
        .into_iter()
        .map(row)
        .collect();
    let note = sort(&mut rows, Sort::Price, false).unwrap();
    assert_eq!(ids(&rows), ["c", "a", "e", "b", "d"]);
    assert!(note.contains("CNY and USD"), "{note}");
}

#[test]
fn on_spot_the_spot_price_counts() {
    let mut rows = vec![row("a 3CNY"), row("b 4CNY spot=0.5")];
    sort(&mut rows, Sort::Price, true);
    assert_eq!(ids(&rows), ["b", "a"]);
}
