//! The arithmetic of buckets (cyclecloud.md §4.1). Pure.

/// A number of nodes and their cores: a limit, or what is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Amount {
    pub(super) nodes: u64,
    pub(super) cores: u64,
}

impl Amount {
    /// One more node of so many cores.
    pub(super) fn plus(self, cores: u64) -> Self {
        Self {
            nodes: self.nodes.saturating_add(1),
            cores: self.cores.saturating_add(cores),
        }
    }
}

/// A quota in cores and what is used of it in the whole region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Quota {
    pub(super) cores: u64,
    pub(super) consumed: u64,
}

/// What a bucket's figures are made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) valid: bool,
    pub(super) spot: bool,
    pub(super) throttled: bool,
    pub(super) vcpus: u64,
    pub(super) array_limit: Amount,
    pub(super) cluster_limit: Amount,
    pub(super) family: Quota,
    pub(super) region: Quota,
    pub(super) bucket_active: Amount,
    pub(super) array_active: Amount,
    pub(super) cluster_active: Amount,
}

/// A bucket's figures; core counts of nodes follow from `vcpus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Figures {
    pub(super) max: u64,
    pub(super) available: u64,
    pub(super) quota: u64,
    pub(super) quota_cores: u64,
    pub(super) consumed_cores: u64,
    pub(super) family_quota: u64,
    pub(super) family: Quota,
    pub(super) region_quota: u64,
    pub(super) region: Quota,
}

/// The formulas.
pub(super) fn figures(facts: &Facts) -> Figures {
    let nodes = |cores: u64| cores.checked_div(facts.vcpus).unwrap_or(0);
    // Spot has no family view (§4.1), and an invalid bucket no view at all but the region's.
    let family = if facts.spot || !facts.valid {
        Quota::default()
    } else {
        facts.family
    };
    let (quota_cores, consumed_cores) = match (facts.valid, facts.spot) {
        (false, _) => (0, 0),
        (true, true) => (facts.region.cores, facts.region.consumed),
        (true, false) => (family.cores.min(facts.region.cores), family.consumed),
    };
    let quota = nodes(quota_cores);
    let limits = [
        facts.array_limit.nodes,
        nodes(facts.array_limit.cores),
        facts.cluster_limit.nodes,
        nodes(facts.cluster_limit.cores),
        quota,
    ];
    let max = limits.into_iter().min().unwrap_or(0);
    let left = |limit: Amount, active: Amount| {
        let cores = limit.cores.saturating_sub(active.cores);
        limit.nodes.saturating_sub(active.nodes).min(nodes(cores))
    };
    let available = max
        .saturating_sub(facts.bucket_active.nodes)
        .min(left(facts.array_limit, facts.array_active))
        .min(left(facts.cluster_limit, facts.cluster_active))
        .min(nodes(quota_cores.saturating_sub(consumed_cores)));
    Figures {
        max,
        available: if facts.throttled { 0 } else { available },
        quota,
        quota_cores,
        consumed_cores,
        family_quota: nodes(family.cores),
        family,
        region_quota: nodes(facts.region.cores),
        region: facts.region,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first bucket of the contract's example (§10): one node of 24 cores is active.
    fn example() -> Facts {
        let one = Amount {
            nodes: 1,
            cores: 24,
        };
        Facts {
            valid: true,
            spot: false,
            throttled: false,
            vcpus: 24,
            array_limit: Amount {
                nodes: 12,
                cores: 800,
            },
            cluster_limit: Amount {
                nodes: 60,
                cores: 4000,
            },
            family: Quota {
                cores: 200,
                consumed: 48,
            },
            region: Quota {
                cores: 350,
                consumed: 96,
            },
            bucket_active: one,
            array_active: one,
            cluster_active: one,
        }
    }

    #[test]
    fn the_example_of_the_contract_is_reproduced() {
        let figures = figures(&example());
        assert_eq!((figures.max, figures.available), (8, 6));
        assert_eq!((figures.quota, figures.quota_cores), (8, 200));
        assert_eq!(figures.consumed_cores, 48);
        assert_eq!((figures.family_quota, figures.region_quota), (8, 14));
    }

    #[test]
    fn the_examples_invalid_bucket_has_only_the_regions_view() {
        let facts = Facts {
            valid: false,
            vcpus: 96,
            bucket_active: Amount::default(),
            ..example()
        };
        let expected = Figures {
            region_quota: 3,
            region: facts.region,
            ..Figures::default()
        };
        assert_eq!(figures(&facts), expected);
    }

    #[test]
    fn spot_counts_against_the_region() {
        let figures = figures(&Facts {
            spot: true,
            ..example()
        });
        assert_eq!((figures.quota, figures.available), (14, 10));
        assert_eq!(
            (figures.family_quota, figures.family),
            (0, Quota::default())
        );
    }

    #[test]
    fn a_throttled_bucket_has_nothing_to_give() {
        let figures = figures(&Facts {
            throttled: true,
            ..example()
        });
        assert_eq!((figures.max, figures.available), (8, 0));
    }

    #[test]
    fn the_cluster_may_be_the_limit() {
        let figures = figures(&Facts {
            cluster_limit: Amount {
                nodes: 3,
                cores: 50,
            },
            ..example()
        });
        assert_eq!((figures.max, figures.available), (2, 1));
    }
}
