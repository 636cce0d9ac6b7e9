//! Bills by time and by task (gongji.md §6): a node's bill counts in the period in which the node began to run.

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Zoned};
use serde_json::{Value, json};

use super::catalogue::Catalogue;
use super::job::{Job, Node};
use super::query::{Page, Query};
use super::reply::Refusal;
use super::switches::Switches;
use super::times;
use crate::model::Timestamp;

const RANGES: [&str; 4] = ["hour", "day", "week", "month"];

/// What bills are made from.
#[derive(Debug)]
pub(super) struct Books<'a> {
    pub(super) jobs: &'a [Job],
    pub(super) tenant: &'a str,
    pub(super) catalogue: &'a Catalogue,
    pub(super) switches: &'a Switches,
}

/// What both lists take.
struct Asked {
    range: &'static str,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    page: Page,
}

impl Asked {
    fn read(query: &Query) -> Result<Self, Refusal> {
        let range = query
            .word("range", &RANGES)?
            .ok_or_else(|| Refusal::parameter("range is required"))?;
        Ok(Self {
            range,
            start: instant(query, "start_time")?,
            end: instant(query, "end_time")?,
            page: Page::read(query)?,
        })
    }

    fn contains(&self, instant: Timestamp) -> bool {
        self.start.is_none_or(|start| instant >= start) && self.end.is_none_or(|end| instant < end)
    }
}

/// RFC 3339; a `+` that was not encoded is a blank by now.
fn instant(query: &Query, name: &str) -> Result<Option<Timestamp>, Refusal> {
    query
        .text(name)
        .map(|text| {
            text.parse().map_err(|_| {
                Refusal::parameter(format!(
                    "{name} must be a time such as 2026-04-01T00:00:00%2B08:00, not `{text}`"
                ))
            })
        })
        .transpose()
}

impl Books<'_> {
    /// Points of one node that were billed.
    pub(super) fn bill(&self, node: &Node) -> i64 {
        let rate = self
            .catalogue
            .offer(node.offer)
            .map_or(0, super::catalogue::Offer::rate);
        node.bill(rate, self.switches.billing_cycle_s)
    }

    /// Points of a whole job.
    pub(super) fn bill_of_job(&self, job: &Job) -> i64 {
        job.nodes.iter().map(|node| self.bill(node)).sum()
    }

    /// `GET /api/billing/get_billing_record`.
    pub(super) fn by_time(&self, query: &Query) -> Result<Value, Refusal> {
        let asked = Asked::read(query)?;
        let tasks = query.integers("task_ids")?;
        let mut periods: BTreeMap<(Timestamp, Timestamp), i64> = BTreeMap::new();
        for (job, node, start) in self.nodes(&asked) {
            if tasks.as_ref().is_none_or(|tasks| tasks.contains(&job.id))
                && let Some(period) = period(asked.range, start)
            {
                *periods.entry(period).or_default() += self.bill(node);
            }
        }
        let rows: Vec<Value> = periods
            .into_iter()
            .filter(|(_, points)| *points > 0)
            .map(|((start, end), points)| {
                let (coin, discount) = self.coins(points);
                json!({
                    "billing_coin": coin,
                    "discount_coin": discount,
                    "start_time": times::seconds(start),
                    "end_time": times::seconds(end),
                })
            })
            .collect();
        Ok(json!({ "count": rows.len(), "results": asked.page.of(rows) }))
    }

    /// `GET /api/billing/get_task_billing_record`.
    pub(super) fn by_task(&self, query: &Query) -> Result<Value, Refusal> {
        let asked = Asked::read(query)?;
        let mut tasks: BTreeMap<i64, (&Job, i64)> = BTreeMap::new();
        for (job, node, _) in self.nodes(&asked) {
            tasks.entry(job.id).or_insert((job, 0)).1 += self.bill(node);
        }
        let rows: Vec<Value> = tasks
            .into_values()
            .filter(|(_, points)| *points > 0)
            .map(|(job, points)| {
                let (coin, discount) = self.coins(points);
                json!({
                    "task_id": job.id,
                    "task_type": "Job",
                    "task_name": job.request.task_name,
                    "billing_coin": coin,
                    "discount_coin": discount,
                })
            })
            .collect();
        Ok(json!({ "count": rows.len(), "results": asked.page.of(rows) }))
    }

    /// Points in the scale of billing records (§6.4), and the deduction.
    fn coins(&self, points: i64) -> (i64, i64) {
        let divisor = 1_000_000 / i64::from(self.switches.coins_per_yuan).max(1);
        let coin = points / divisor.max(1);
        (coin, coin * i64::from(self.switches.discount_percent) / 100)
    }

    fn nodes(&self, asked: &Asked) -> impl Iterator<Item = (&Job, &Node, Timestamp)> {
        self.jobs
            .iter()
            .filter(|job| job.tenant == self.tenant)
            .flat_map(|job| job.nodes.iter().map(move |node| (job, node)))
            .filter_map(|(job, node)| Some((job, node, node.started?.time)))
            .filter(|(_, _, start)| asked.contains(*start))
    }
}

/// The hour, day, week or month of an instant, in the service's zone.
fn period(range: &str, instant: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let local = times::local(instant);
    let date = local.date();
    let (start, length): (DateTime, Span) = match range {
        "hour" => (date.at(local.hour(), 0, 0, 0), Span::new().hours(1)),
        "day" => (date.at(0, 0, 0, 0), Span::new().days(1)),
        "week" => {
            let days = i64::from(date.weekday().to_monday_zero_offset());
            let monday = date.checked_sub(Span::new().days(days)).ok()?;
            (monday.at(0, 0, 0, 0), Span::new().weeks(1))
        }
        _ => (date.first_of_month().at(0, 0, 0, 0), Span::new().months(1)),
    };
    let end = start.checked_add(length).ok()?;
    let instant_of = |when: DateTime| {
        let zone = TimeZone::fixed(Offset::constant(8));
        when.to_zoned(zone)
            .ok()
            .map(|zoned: Zoned| zoned.timestamp())
    };
    Some((instant_of(start)?, instant_of(end)?))
}
