//! A type: something to run on (cli.md §10, kind `types`).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Gpu, Money, Timestamp};

/// Spot terms of a type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpotOffer {
    /// Fraction of the normal price that is paid now.
    pub discount: Option<f64>,
    pub available: Option<bool>,
}

/// An instance type, bucket, offer or ECS spec of one provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// What `--type` takes.
    pub id: String,
    /// The provider's own name.
    pub name: String,
    pub cluster: Option<String>,
    pub region: Option<String>,
    pub queue: Option<String>,
    /// `None` for a type without GPU.
    pub gpu: Option<Gpu>,
    /// The model text as the provider writes it.
    pub gpu_text: Option<String>,
    pub cpu_cores: Option<f64>,
    pub memory_bytes: Option<u64>,
    /// `amd64` or `arm64` where known.
    pub arch: Option<String>,
    pub price_per_hour: Option<Money>,
    /// Who told the price: `provider` or the user's price file.
    pub price_source: Option<String>,
    pub spot: Option<SpotOffer>,
    /// How many can start now.
    pub stock: Option<u64>,
    pub available: Option<bool>,
    pub infiniband: Option<bool>,
    pub note: Option<String>,
    pub as_of: Option<Timestamp>,
    /// The provider's own object.
    pub raw: Value,
}

impl Offer {
    /// What one card costs an hour, rounded to millionths; none without a price or without GPU.
    pub fn price_per_gpu_hour(&self) -> Option<Money> {
        self.price_per_hour
            .as_ref()?
            .shared(self.gpu.as_ref()?.count)
    }

    /// What an hour of the whole type costs on spot, where price and discount are known; rounded up to millionths.
    pub fn spot_price_per_hour(&self) -> Option<Money> {
        self.price_per_hour
            .as_ref()?
            .scaled(self.spot.as_ref()?.discount?)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::testing;

    fn priced(micros: i128, cards: Option<f64>, discount: Option<f64>) -> Offer {
        Offer {
            gpu: cards.map(|count| Gpu {
                model: None,
                count,
                memory_bytes: None,
                form_factor: None,
            }),
            price_per_hour: Some(Money::from_micros(micros, "CNY")),
            spot: discount.map(|discount| SpotOffer {
                discount: Some(discount),
                available: None,
            }),
            ..testing::offer("t")
        }
    }

    #[rstest]
    #[case(12_000_000, Some(8.0), Some(1_500_000))]
    #[case(10_000_000, Some(3.0), Some(3_333_333))]
    #[case(20_000_000, Some(3.0), Some(6_666_667))]
    #[case(1_000_000, Some(0.25), Some(4_000_000))]
    #[case(1_000_000, Some(0.0), None)]
    #[case(1_000_000, None, None)]
    fn a_cards_price_is_the_types_share(
        #[case] micros: i128,
        #[case] cards: Option<f64>,
        #[case] expected: Option<i128>,
    ) {
        let price = priced(micros, cards, None).price_per_gpu_hour();
        assert_eq!(price.map(|price| price.micros), expected);
    }

    #[rstest]
    #[case(10_000_000, Some(0.31), Some(3_100_000))]
    #[case(10_000_001, Some(0.5), Some(5_000_001))]
    #[case(10_000_000, Some(f64::NAN), None)]
    #[case(10_000_000, Some(-1.0), None)]
    #[case(10_000_000, None, None)]
    fn a_spot_price_is_never_told_too_low(
        #[case] micros: i128,
        #[case] discount: Option<f64>,
        #[case] expected: Option<i128>,
    ) {
        let price = priced(micros, None, discount).spot_price_per_hour();
        assert_eq!(price.map(|price| price.micros), expected);
    }
}
