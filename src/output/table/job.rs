//! Jobs: the list, and one in detail (`status`, `submit`, `wait`).

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use crate::model::{Job, Receipt, State, Timestamp};
use crate::output::{Format, Row, Style};

use super::layout::{Cell, Column, Grid, render};
use super::value::{self, duration, local_time, local_time_with_zone, money};
use super::{Detail, Tone};

/// The list of jobs.
pub(in crate::output) fn jobs(rows: &[Row<'_, Job>], style: &Style, now: Timestamp) -> String {
    let is_wide = style.format == Format::Wide;
    let mut columns = vec![
        Column::reference("REF"),
        Column::text("NAME"),
        Column::state("STATE"),
        Column::text("TYPE").minor(),
        Column::text("GPU").minor(),
        Column::number("AGE").minor(),
        Column::number("DURATION").minor(),
        Column::number("EXIT"),
    ];
    if is_wide {
        columns.extend([
            Column::text("BACKEND"),
            Column::number("NODES"),
            Column::text("CREATED"),
            Column::text("STARTED"),
            Column::text("FINISHED"),
            Column::number("COST"),
            Column::text("KEY"),
            Column::text("REASON"),
            Column::text("MESSAGE"),
        ]);
    }
    let mut grid = Grid::new(columns);
    for row in rows {
        let job = row.item;
        let mut cells = vec![
            Cell::new(job.job_ref.to_string()),
            Cell::opt(job.name.as_deref()),
            Cell::new(state(job)).toned(Tone::of_state(job.state)),
            Cell::opt(job.instance_type.as_deref()),
            Cell::opt(job.gpu.as_ref().map(|gpu| value::gpu(gpu, None))),
            Cell::opt(job.created_at.map(|created| value::age(created, now))),
            Cell::opt(
                job.duration_s
                    .map(|seconds| about(job, "duration_s", duration(seconds))),
            ),
            Cell::opt(job.exit_code.map(|code| code.to_string())),
        ];
        if is_wide {
            let time = |key, timestamp: Option<Timestamp>| {
                Cell::opt(timestamp.map(|time| about(job, key, local_time(time, &style.time_zone))))
            };
            cells.extend([
                Cell::new(row.backend.as_str()),
                Cell::new(job.nodes.to_string()),
                time("created_at", job.created_at),
                time("started_at", job.started_at),
                time("finished_at", job.finished_at),
                Cell::opt(cost(job)),
                Cell::opt(job.key.as_deref()),
                Cell::opt(job.reason.as_deref()),
                Cell::opt(job.message.as_deref()),
            ]);
        }
        grid.push(cells);
    }
    render(&grid, style)
}

/// One job, a line per thing known.
pub(in crate::output) fn job_detail(row: &Row<'_, Job>, style: &Style, now: Timestamp) -> String {
    let job = row.item;
    let time = |key, timestamp: Option<Timestamp>| {
        timestamp.map(|time| {
            let ago = value::age(time, now);
            let shown = local_time_with_zone(time, &style.time_zone);
            about(job, key, format!("{shown} ({ago} ago)"))
        })
    };
    Detail::new()
        .line("ref", job.job_ref.to_string())
        .opt("name", job.name.as_deref())
        .line("provider", provider(row.provider, row.backend.as_str()))
        .line("provider id", &job.provider_id)
        .toned("state", state(job), Some(Tone::of_state(job.state)))
        .opt("reason", job.reason.as_deref())
        .opt("message", job.message.as_deref())
        .opt("exit code", job.exit_code.map(|code| code.to_string()))
        .opt("created", time("created_at", job.created_at))
        .opt("started", time("started_at", job.started_at))
        .opt("finished", time("finished_at", job.finished_at))
        .opt(
            "duration",
            job.duration_s
                .map(|seconds| about(job, "duration_s", duration(seconds))),
        )
        .opt("type", job.instance_type.as_deref())
        .opt("gpu", job.gpu.as_ref().map(|gpu| value::gpu(gpu, None)))
        .line("nodes", job.nodes.to_string())
        .each("node", &job.node_names)
        .each("endpoint", &job.endpoints)
        .opt("cost", cost(job))
        .opt("console", job.console_url.as_deref())
        .opt("key", job.key.as_deref())
        .opt("marker", job.marker.as_deref())
        .opt(
            "adopted",
            job.adopted
                .then_some("yes: an earlier submit made this job"),
        )
        .render(style)
}

/// What became of each candidate, for stderr.
pub fn receipts(receipts: &[Receipt], now: Timestamp) -> Vec<String> {
    receipts
        .iter()
        .map(|receipt| {
            let fate = match (receipt.chosen, receipt.tried) {
                (true, _) => "took the job",
                (false, true) => "refused the job",
                (false, false) => "not tried",
            };
            let mut text = format!("{}: {fate}", receipt.provider);
            if let Some(reason) = &receipt.reason {
                text.push_str(": ");
                text.push_str(reason);
            }
            let mut facts = Vec::new();
            facts.extend(
                receipt
                    .price_per_hour
                    .as_ref()
                    .map(|price| format!("{} per hour", money(price))),
            );
            facts.extend(
                receipt
                    .as_of
                    .map(|as_of| format!("data {} old", value::age(as_of, now))),
            );
            if !facts.is_empty() {
                // Writing to a string cannot fail.
                let _ = write!(text, " ({})", facts.join(", "));
            }
            text
        })
        .collect()
}

/// The state, and in parentheses what the provider's word and the flags add to it.
fn state(job: &Job) -> String {
    let mut words = Vec::new();
    raw_words(&job.raw_state, &mut words);
    let mut seen = BTreeSet::from([folded(job.state.as_str())]);
    let more: Vec<&str> = words
        .into_iter()
        .chain(job.flags.iter().map(|flag| flag.as_str()))
        .filter(|word| !word.trim().is_empty() && seen.insert(folded(word)))
        .collect();
    let over = if job.state == State::Unknown && job.terminal {
        ", over"
    } else {
        ""
    };
    if more.is_empty() {
        format!("{}{over}", job.state)
    } else {
        format!("{}{over} ({})", job.state, more.join(", "))
    }
}

/// The words of a raw state: one text, or those in an object.
fn raw_words<'a>(raw: &'a Value, words: &mut Vec<&'a str>) {
    match raw {
        Value::String(word) => words.push(word),
        Value::Array(items) => items.iter().for_each(|item| raw_words(item, words)),
        Value::Object(members) => members.values().for_each(|item| raw_words(item, words)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A word as compared: `result_unknown` and `ResultUnknown` say the same.
fn folded(word: &str) -> String {
    word.chars()
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// A value, marked if the record calls it approximate.
fn about(job: &Job, key: &str, text: String) -> String {
    if job.approximate.contains(&key) {
        format!("~{text}")
    } else {
        text
    }
}

fn cost(job: &Job) -> Option<String> {
    job.cost.as_ref().map(|cost| {
        if job.cost_is_estimate {
            format!("~{}", money(cost))
        } else {
            money(cost)
        }
    })
}

/// A provider, with its backend unless it is named like it.
fn provider(name: &str, backend: &str) -> String {
    if name == backend {
        name.to_owned()
    } else {
        format!("{name} ({backend})")
    }
}
