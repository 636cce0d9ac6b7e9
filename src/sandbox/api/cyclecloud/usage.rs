//! What VMs cost by list price (cyclecloud.md §4.4). Pure.

use std::collections::BTreeMap;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{RoundMode, SignedDuration, Timestamp, Unit, Zoned, ZonedRound};
use serde_json::{Map, Value, json};

use super::catalogue::{Catalogue, ClusterPlan};
use super::query::Query;
use super::record::time;
use super::reply::Refusal;

/// The most periods of one answer; beyond it the request is a mistake.
const MOST_PERIODS: usize = 10_000;

/// Parameters of the call; `expand` is not in the reference.
pub(super) const PARAMETERS: [&str; 5] = ["timeframe", "from", "to", "granularity", "expand"];

/// The time in which a VM existed.
#[derive(Debug, Clone)]
pub(super) struct Span {
    pub(super) node_id: String,
    pub(super) node: String,
    pub(super) cluster: String,
    pub(super) array: Option<String>,
    pub(super) machine_type: String,
    pub(super) spot: bool,
    pub(super) start: Timestamp,
    pub(super) end: Option<Timestamp>,
}

/// A cluster's usage.
pub(super) fn usage(
    spans: &[Span],
    catalogue: &Catalogue,
    cluster: &ClusterPlan,
    query: &Query,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let with_details = match query.get("expand") {
        None => false,
        Some("details") => true,
        Some(other) => {
            return Err(Refusal::bad_request(format!(
                "expand must be details, not {other}"
            )));
        }
    };
    let step = match query.get("granularity") {
        None | Some("daily") => Some(Unit::Day),
        Some("hourly") => Some(Unit::Hour),
        Some("total") => None,
        Some(other) => {
            return Err(Refusal::bad_request(format!(
                "granularity must be total, daily or hourly, not {other}"
            )));
        }
    };
    let (from, to) = timeframe(query, now, step.unwrap_or(Unit::Day))?;
    let own: Vec<&Span> = spans
        .iter()
        .filter(|span| span.cluster == cluster.name)
        .collect();
    let usage: Vec<Value> = periods(&from, &to, step)?
        .into_iter()
        .map(|(start, end)| {
            let report = Report {
                catalogue,
                start,
                end,
                now,
                with_details,
            };
            report.shown(&own)
        })
        .collect();
    Ok(json!({ "usage": usage }))
}

/// Beginning and exclusive end, both whole hours or days of UTC.
fn timeframe(query: &Query, now: Timestamp, unit: Unit) -> Result<(Zoned, Zoned), Refusal> {
    let now = now.to_zoned(TimeZone::UTC);
    let wrong = |error: jiff::Error| Refusal::bad_request(format!("Invalid timeframe: {error}"));
    let month = now.first_of_month().and_then(|day| day.start_of_day());
    let month = month.map_err(wrong)?;
    let up = |instant: &Zoned| {
        instant
            .round(ZonedRound::new().smallest(unit).mode(RoundMode::Ceil))
            .map_err(wrong)
    };
    let down = |instant: &Zoned| {
        instant
            .round(ZonedRound::new().smallest(unit).mode(RoundMode::Floor))
            .map_err(wrong)
    };
    match query.get("timeframe") {
        None | Some("monthToDate") => Ok((month, up(&now)?)),
        Some("lastMonth") => {
            let before = month.yesterday().and_then(|day| day.first_of_month());
            Ok((before.map_err(wrong)?, month))
        }
        Some("weekToDate") => {
            let mut sunday = now.start_of_day().map_err(wrong)?;
            while sunday.weekday() != Weekday::Sunday {
                sunday = sunday.yesterday().map_err(wrong)?;
            }
            Ok((sunday, up(&now)?))
        }
        Some("custom") => {
            let instant = |name: &str| {
                query
                    .get(name)
                    .and_then(|text| text.parse::<Timestamp>().ok())
                    .map(|instant| instant.to_zoned(TimeZone::UTC))
                    .ok_or_else(|| {
                        Refusal::bad_request(format!(
                            "{name} must be an ISO-8601 time when the timeframe is custom"
                        ))
                    })
            };
            let (from, to) = (down(&instant("from")?)?, up(&instant("to")?)?);
            if from >= to {
                return Err(Refusal::bad_request("from must be before to"));
            }
            Ok((from, to))
        }
        Some(other) => Err(Refusal::bad_request(format!("Unknown timeframe {other}"))),
    }
}

fn periods(
    from: &Zoned,
    to: &Zoned,
    step: Option<Unit>,
) -> Result<Vec<(Timestamp, Timestamp)>, Refusal> {
    let (end, length) = match step {
        None => return Ok(vec![(from.timestamp(), to.timestamp())]),
        Some(Unit::Hour) => (to.timestamp(), SignedDuration::from_hours(1)),
        // A day of UTC always has 24 hours.
        Some(_) => (to.timestamp(), SignedDuration::from_hours(24)),
    };
    let mut periods = Vec::new();
    let mut start = from.timestamp();
    while start < end {
        if periods.len() == MOST_PERIODS {
            return Err(Refusal::bad_request("The timeframe has too many periods"));
        }
        let next = start.saturating_add(length).unwrap_or(end);
        periods.push((start, next));
        start = next;
    }
    Ok(periods)
}

/// Core-hours and their price.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    hours: f64,
    cost: f64,
}

impl Sum {
    fn plus(self, other: Self) -> Self {
        Self {
            hours: self.hours + other.hours,
            cost: self.cost + other.cost,
        }
    }
}

/// Sums by size and priority.
type Details<'a> = BTreeMap<(&'a str, bool), Sum>;

/// One period.
struct Report<'a> {
    catalogue: &'a Catalogue,
    start: Timestamp,
    end: Timestamp,
    now: Timestamp,
    with_details: bool,
}

impl Report<'_> {
    fn shown(&self, spans: &[&Span]) -> Value {
        // Nodes and arrays by name, then sizes and priorities of each.
        let mut items: BTreeMap<(bool, &str), Details<'_>> = BTreeMap::new();
        for span in spans {
            let sum = self.sum(span);
            if sum.hours <= 0.0 {
                continue;
            }
            let name = span.array.as_deref().unwrap_or(&span.node);
            let details = items.entry((span.array.is_some(), name)).or_default();
            let slot = details.entry((&span.machine_type, span.spot)).or_default();
            *slot = slot.plus(sum);
        }
        let total = items
            .values()
            .flat_map(BTreeMap::values)
            .fold(Sum::default(), |total, sum| total.plus(*sum));
        let breakdown: Vec<Value> = items
            .into_iter()
            .map(|((is_array, name), details)| self.item(is_array, name, details))
            .collect();
        json!({
            "start": time(self.start),
            "end": time(self.end),
            "total": { "category": "cluster", "hours": rounded(total.hours), "cost": rounded(total.cost) },
            "breakdown": breakdown,
        })
    }

    fn item(&self, is_array: bool, name: &str, details: Details<'_>) -> Value {
        let sum = details
            .values()
            .fold(Sum::default(), |total, sum| total.plus(*sum));
        let mut item = Map::new();
        let category = if is_array { "nodearray" } else { "node" };
        for (member, value) in [
            ("category", json!(category)),
            ("node", json!(name)),
            ("hours", json!(rounded(sum.hours))),
            ("cost", json!(rounded(sum.cost))),
        ] {
            item.insert(member.to_owned(), value);
        }
        if self.with_details {
            let details: Vec<Value> = details
                .into_iter()
                .map(|((machine_type, spot), sum)| {
                    json!({
                        "vm_size": machine_type,
                        "core_count": self.catalogue.size(machine_type).vcpus,
                        "hours": rounded(sum.hours),
                        "region": self.catalogue.region.name,
                        "priority": if spot { "Spot" } else { "Regular" },
                        "os": "Linux",
                        "cost": rounded(sum.cost),
                    })
                })
                .collect();
            item.insert("details".to_owned(), json!(details));
        }
        Value::Object(item)
    }

    /// The part of a VM's time that lies in the period.
    fn sum(&self, span: &Span) -> Sum {
        let start = span.start.max(self.start);
        let end = span.end.unwrap_or(self.now).min(self.end);
        let hours = end.duration_since(start).as_secs_f64().max(0.0) / 3600.0;
        let size = self.catalogue.size(&span.machine_type);
        let cores = u32::try_from(size.vcpus).unwrap_or(u32::MAX);
        Sum {
            hours: hours * f64::from(cores),
            cost: hours * size.price_per_hour,
        }
    }
}

fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(query: &str) -> Result<Value, Refusal> {
        let catalogue = Catalogue::load();
        let span =
            |node: &str, array: Option<&str>, size: &str, start: &str, end: Option<&str>| Span {
                node_id: node.to_owned(),
                node: node.to_owned(),
                cluster: "lab".to_owned(),
                array: array.map(str::to_owned),
                machine_type: size.to_owned(),
                spot: false,
                start: start.parse().unwrap(),
                end: end.map(|end| end.parse().unwrap()),
            };
        let spans = [
            span(
                "scheduler",
                None,
                "Standard_D4s_v5",
                "2026-03-01T12:00:00Z",
                None,
            ),
            span(
                "gpu-1",
                Some("gpu"),
                "Standard_NC6s_v3",
                "2026-03-02T23:00:00Z",
                Some("2026-03-03T01:30:00Z"),
            ),
        ];
        usage(
            &spans,
            &catalogue,
            catalogue.cluster("lab").unwrap(),
            &Query::parse(query, &PARAMETERS).unwrap(),
            // A Wednesday.
            "2026-03-04T06:00:00Z".parse().unwrap(),
        )
    }

    #[test]
    fn a_custom_timeframe_is_rounded_outwards_and_counts_core_hours() {
        let usage = used(
            "timeframe=custom&from=2026-03-02T05:00:00Z&to=2026-03-03T01:00:00Z&granularity=total&expand=details",
        )
        .unwrap();
        let period = &usage["usage"][0];
        assert_eq!(period["start"], "2026-03-02T00:00:00Z");
        assert_eq!(period["end"], "2026-03-04T00:00:00Z");
        assert_eq!(period["breakdown"][0]["node"], "scheduler");
        assert_eq!(period["breakdown"][0]["hours"], 192.0);
        let gpu = &period["breakdown"][1];
        assert_eq!(
            (&gpu["category"], &gpu["hours"]),
            (&json!("nodearray"), &json!(15.0))
        );
        assert_eq!(gpu["details"][0]["vm_size"], "Standard_NC6s_v3");
        assert_eq!(gpu["details"][0]["cost"], 7.65);
        assert_eq!(period["total"]["hours"], 207.0);
    }

    #[test]
    fn the_default_is_the_month_by_days() {
        let usage = used("").unwrap();
        let days = usage["usage"].as_array().unwrap();
        assert_eq!(days.len(), 4);
        assert_eq!(days[1]["breakdown"][1]["hours"], 6.0);
        assert_eq!(days[2]["breakdown"][1]["hours"], 9.0);
        assert!(days[1]["breakdown"][1].get("details").is_none());
        assert_eq!(days[3]["total"]["hours"], 24.0);
    }

    #[test]
    fn a_week_begins_on_sunday_and_hours_are_hours() {
        let usage = used("timeframe=weekToDate&granularity=hourly").unwrap();
        let hours = usage["usage"].as_array().unwrap();
        assert_eq!(hours[0]["start"], "2026-03-01T00:00:00Z");
        assert_eq!(hours.len(), 3 * 24 + 6);
    }

    #[test]
    fn last_month_has_ended() {
        let usage = used("timeframe=lastMonth&granularity=total").unwrap();
        assert_eq!(usage["usage"][0]["start"], "2026-02-01T00:00:00Z");
        assert_eq!(usage["usage"][0]["end"], "2026-03-01T00:00:00Z");
        assert_eq!(usage["usage"][0]["breakdown"], json!([]));
    }

    #[test]
    fn wrong_parameters_are_refused() {
        for query in [
            "timeframe=custom",
            "timeframe=custom&from=2026-03-02T00:00:00Z",
            "timeframe=custom&from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z",
            "timeframe=custom&from=1000-01-01T00:00:00Z&to=2026-03-01T00:00:00Z",
            "timeframe=yesterday",
            "granularity=weekly",
            "expand=all",
        ] {
            assert!(used(query).is_err(), "{query}");
        }
    }
}
