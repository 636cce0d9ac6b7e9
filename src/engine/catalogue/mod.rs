//! What `types` shows of several providers' offers: which of them fit, in which order, and what cannot be told
//! (cli.md §2, kind `types` of §10).
//!
//! Pure. An offer that does not tell a fact that is asked for is left out and counted, never guessed at; amounts in
//! different currencies are never compared.

mod filter;
mod sort;

use crate::model::{Backend, Money, Offer};

pub use filter::{Filter, GpuFilter};
pub use sort::{Sort, sort};

/// An offer and the provider it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Rentable {
    /// The configured name.
    pub provider: String,
    pub backend: Backend,
    pub offer: Offer,
}

impl Rentable {
    /// The hourly price of the whole type: that on spot where spot was asked for and its discount is known.
    fn price(&self, on_spot: bool) -> Option<Money> {
        let spot = on_spot.then(|| self.offer.spot_price_per_hour()).flatten();
        spot.or_else(|| self.offer.price_per_hour.clone())
    }
}

#[cfg(test)]
mod tests;
