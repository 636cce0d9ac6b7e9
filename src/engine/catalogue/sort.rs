//! The order of `types --sort`. What is unknown comes last; equals keep the order of the providers.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;

use crate::model::{Gpu, Offer};

use super::Rentable;

/// What `types` is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// The cheapest first, one currency after the other.
    Price,
    /// By model, then memory and number of cards; types without GPU last.
    Gpu,
    /// The largest first.
    Memory,
    /// The most that can start now first.
    Stock,
}

/// Sorts; the note says where prices of several currencies stand in one list.
pub fn sort(rows: &mut [Rentable], by: Sort, on_spot: bool) -> Option<String> {
    match by {
        Sort::Price => return by_price(rows, on_spot),
        Sort::Gpu => rows.sort_by(|left, right| by_gpu(&left.offer, &right.offer)),
        Sort::Memory => rows.sort_by_key(|row| Reverse(row.offer.memory_bytes)),
        Sort::Stock => rows.sort_by_key(|row| Reverse(row.offer.stock)),
    }
    None
}

fn by_price(rows: &mut [Rentable], on_spot: bool) -> Option<String> {
    rows.sort_by_cached_key(|row| match row.price(on_spot) {
        Some(price) => (false, price.currency, price.micros),
        None => (true, String::new(), 0),
    });
    let currencies: BTreeSet<&str> = rows
        .iter()
        .filter_map(|row| row.offer.price_per_hour.as_ref())
        .map(|price| price.currency.as_str())
        .collect();
    if currencies.len() < 2 {
        return None;
    }
    let names: Vec<&str> = currencies.into_iter().collect();
    Some(format!(
        "prices are in {} and are not compared: each currency is sorted by itself, one after the other",
        names.join(" and ")
    ))
}

fn by_gpu(left: &Offer, right: &Offer) -> Ordering {
    match (&left.gpu, &right.gpu) {
        (Some(left), Some(right)) => {
            let model = |gpu: &Gpu| (gpu.model.is_none(), gpu.model.clone());
            let memory = |gpu: &Gpu| (gpu.memory_bytes.is_none(), gpu.memory_bytes);
            model(left)
                .cmp(&model(right))
                .then_with(|| memory(left).cmp(&memory(right)))
                .then_with(|| left.count.total_cmp(&right.count))
        }
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}
