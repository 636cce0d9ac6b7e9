//! What jobs have cost (gongji.md §6): the job's own `billing_value`, with the billing record's figures beside it.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::error::Result;
use crate::model::{JobCost, ResourceRef, Timestamp};
use crate::provider::{Costs, time};

use super::Gongji;
use super::money::{self, Points};
use super::pages::Identity;
use super::parse::{self, Memory};
use super::wire::BillingTask;

/// The service's own figures of a job; `forecast_value` is an amount or a rate, nobody knows, and is never added (§6.3).
const FIGURES: [&str; 4] = [
    "billing_value",
    "forecast_value",
    "billing_points",
    "billing_time",
];

/// Around a job's life in the billing records: clocks differ, and bills come late.
const MARGIN: SignedDuration = SignedDuration::from_hours(24);

#[async_trait]
impl Costs for Gongji {
    async fn costs_of(&self, jobs: &[ResourceRef]) -> Result<Vec<Option<JobCost>>> {
        let ids = jobs
            .iter()
            .map(|job| self.job_id(job))
            .collect::<Result<Vec<i64>>>()?;
        let wanted: BTreeSet<i64> = ids.iter().copied().collect();
        let mut values = self.listed(&wanted).await?;
        for id in &wanted {
            if !values.contains_key(id)
                && let Some(value) = self.look_up(*id).await?
            {
                values.insert(*id, value);
            }
        }
        let records = self.records(&values).await;
        Ok(jobs
            .iter()
            .zip(&ids)
            .map(|(job, id)| Some(self.cost(job, values.get(id)?, records.get(id))))
            .collect())
    }
}

impl Gongji {
    fn cost(&self, job_ref: &ResourceRef, value: &Value, record: Option<&Record>) -> JobCost {
        let job = parse::job(value, &self.name, Memory::Untold);
        let cost = job.as_ref().and_then(|job| job.cost.clone());
        let mut raw: Map<String, Value> = FIGURES
            .iter()
            .map(|name| {
                let figure = value.get(*name).cloned().unwrap_or_default();
                ((*name).to_owned(), figure)
            })
            .collect();
        raw.insert(
            "billing_record".to_owned(),
            record.map_or(Value::Null, Record::shown),
        );
        if let (Some(cost), Some(record)) = (&cost, record)
            && record
                .coin
                .is_some_and(|coin| money::is_tenth(cost, coin.whole()))
        {
            self.warn(&format!(
                "the billing record of `{job_ref}` counts ten times fewer points than the job itself: it seems to \
                 have 100,000 points a yuan, and the job's own figure is the cost"
            ));
        }
        JobCost {
            job_ref: job_ref.clone(),
            cost,
            estimate: job.is_some_and(|job| job.cost_is_estimate),
            raw: Value::Object(raw),
        }
    }

    /// The billing records of jobs, by id. They are figures beside the cost, so a failure costs only them.
    async fn records(&self, jobs: &BTreeMap<i64, Value>) -> BTreeMap<i64, Record> {
        let mut records: BTreeMap<i64, Record> = BTreeMap::new();
        let created = jobs
            .values()
            .filter_map(|value| time::read(value.get("create_time")?, time::CHINA))
            .min();
        let Some(created) = created else {
            return records;
        };
        let start = created.checked_sub(MARGIN).unwrap_or(created);
        let end = self.now().checked_add(MARGIN).unwrap_or(created);
        let (start, end) = (in_china(start), in_china(end));
        let rows = self
            .rows(Identity::Whole, |page| {
                self.api.task_billing(&start, &end, page)
            })
            .await;
        match rows {
            Ok(rows) => {
                for row in &rows.rows {
                    if let Ok(row) = BillingTask::deserialize(row)
                        && let Some(id) = row.task_id
                    {
                        records.entry(id).or_insert(Record::NOTHING).add(&row);
                    }
                }
            }
            Err(error) => {
                self.warn(&format!("the billing records are not known: {error}"));
            }
        }
        records
    }
}

/// What the billing records tell of one job, in points whose scale is not certain (§6.4). What one of them does not
/// tell readably is not known of the whole either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Record {
    coin: Option<Points>,
    discount: Option<Points>,
}

impl Record {
    const NOTHING: Self = Self {
        coin: Some(Points::ZERO),
        discount: Some(Points::ZERO),
    };

    fn add(&mut self, row: &BillingTask) {
        let sum = |known: Option<Points>, more: &Value| known?.plus(Points::read(more)?);
        self.coin = sum(self.coin, &row.billing_coin);
        self.discount = sum(self.discount, &row.discount_coin);
    }

    /// The net cost is what is left after the deduction (§6.4).
    fn shown(&self) -> Value {
        let net = self
            .coin
            .zip(self.discount)
            .and_then(|(coin, discount)| coin.minus(discount));
        let shown = |points: Option<Points>| points.map_or(Value::Null, Points::shown);
        json!({
            "billing_coin": shown(self.coin),
            "discount_coin": shown(self.discount),
            "net_coin": shown(net),
        })
    }
}

/// RFC 3339 in the service's own zone, whole seconds.
fn in_china(instant: Timestamp) -> String {
    instant
        .to_zoned(TimeZone::fixed(time::CHINA))
        .strftime("%Y-%m-%dT%H:%M:%S%:z")
        .to_string()
}
