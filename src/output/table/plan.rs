//! Plans as text: `explain` and `submit --dry-run` (cli.md §2). Shows the very requests that are sent, secrets masked.

use std::fmt::Write as _;

use serde_json::Value;

use crate::http::Template;
use crate::model::Offer;
use crate::output::json::{PlanEntry, PlanOutcome, RequestV1};
use crate::output::redact::Redactor;
use crate::output::{Style, error, sanitize};

use super::Tone;
use super::layout::{Cell, Column, Grid, render};
use super::value::{self, duration, money};

/// The plans, one block per provider.
pub(in crate::output) fn plans(entries: &[PlanEntry<'_>], style: &Style) -> String {
    entries
        .iter()
        .map(|entry| plan(entry, style))
        .collect::<Vec<_>>()
        .join("\n")
}

fn plan(entry: &PlanEntry<'_>, style: &Style) -> String {
    let redactor = entry.redactor();
    let assessment = entry.assessment();
    let mut text = Tone::Heading.paint(&heading(entry), style.colour);
    text.push('\n');
    if let PlanOutcome::Planned(plan) = entry.outcome {
        push_fact(&mut text, "type", plan.offer.as_ref().map(offer));
        push_fact(&mut text, "nodes", Some(plan.nodes.to_string()));
        let limit = plan
            .time_limit_s
            .map(|seconds| duration(i64::try_from(seconds).unwrap_or(i64::MAX)));
        push_fact(&mut text, "time limit", limit);
        push_fact(&mut text, "marker", Some(plan.marker.to_string()));
    }
    push_fact(
        &mut text,
        "estimated cost",
        entry.estimated_cost.as_ref().map(money),
    );
    if !assessment.report.is_empty() {
        push_section(&mut text, "fields", style);
        text.push_str(&indented(&fields(entry, &redactor, style)));
    }
    if !assessment.notes.is_empty() {
        push_section(&mut text, "notes", style);
        for note in &assessment.notes {
            text.push_str(&indented(&sanitize::line(&redactor.text(note))));
        }
    }
    if !assessment.refusals.is_empty() {
        push_section(&mut text, "refusals", style);
        for refusal in &assessment.refusals {
            let refusal = error::refusal_text(refusal);
            text.push_str(&indented(&redactor.text(&refusal)));
        }
    }
    let requests = entry.requests();
    for (index, template) in requests.iter().copied().enumerate() {
        let title = match requests.as_slice() {
            [_] => format!("request {}", template.operation),
            _ => format!(
                "request {} of {}: {}",
                index + 1,
                requests.len(),
                template.operation
            ),
        };
        push_section(&mut text, &title, style);
        text.push_str(&indented(&request(template, &redactor)));
    }
    text
}

fn heading(entry: &PlanEntry<'_>) -> String {
    let provider = sanitize::line(entry.provider);
    let fate = match entry.outcome {
        PlanOutcome::Planned(_) => "can run this job",
        PlanOutcome::Refused(_) => "cannot run this job",
    };
    if provider == entry.backend.as_str() {
        format!("{provider}: {fate}")
    } else {
        format!("{provider} ({}): {fate}", entry.backend)
    }
}

/// The chosen type in one phrase.
fn offer(offer: &Offer) -> String {
    let mut facts = Vec::new();
    facts.extend(
        offer
            .gpu
            .as_ref()
            .map(|gpu| value::gpu(gpu, offer.gpu_text.as_deref())),
    );
    facts.extend(
        offer
            .price_per_hour
            .as_ref()
            .map(|price| format!("{} per hour", money(price))),
    );
    facts.extend(offer.stock.map(|stock| format!("{stock} free")));
    if facts.is_empty() {
        offer.id.clone()
    } else {
        format!("{} ({})", offer.id, facts.join(", "))
    }
}

/// Every field with its level and how it is reached; long phrases are kept whole, whatever the terminal's width.
fn fields(entry: &PlanEntry<'_>, redactor: &Redactor, style: &Style) -> String {
    let mut grid = Grid::new(vec![
        Column::text("FIELD"),
        Column::text("LEVEL"),
        Column::text("HOW"),
    ]);
    for report in &entry.assessment().report {
        grid.push(vec![
            Cell::new(&report.field),
            Cell::new(report.level.as_str()).toned(Tone::of_level(report.level)),
            Cell::new(redactor.text(&report.how)),
        ]);
    }
    let whole = Style {
        width: None,
        ..style.clone()
    };
    render(&grid, &whole)
}

/// Method, URL, headers, an empty line and the body, as on the wire.
fn request(template: &Template, redactor: &Redactor) -> String {
    let request = RequestV1::new(template, redactor);
    let mut text = format!("{} {}\n", request.method, request.url);
    for (name, value) in &request.headers {
        let value = value.as_str().unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name}: {value}");
    }
    let body = match &request.body {
        Value::Null => return sanitize::text(&text).into_owned(),
        Value::String(body) => body.clone(),
        body @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            let pretty = serde_json::to_string_pretty(body).unwrap_or_else(|_| body.to_string());
            sanitize::json(&pretty).into_owned()
        }
    };
    text.push('\n');
    text.push_str(&body);
    sanitize::text(&text).into_owned()
}

fn push_fact(text: &mut String, key: &str, value: Option<String>) {
    if let Some(value) = value {
        let _ = writeln!(text, "  {key}: {}", sanitize::line(&value));
    }
}

fn push_section(text: &mut String, title: &str, style: &Style) {
    let title = Tone::Heading.paint(&sanitize::line(title), style.colour);
    let _ = writeln!(text, "  {title}");
}

/// The text, each line four blanks in.
fn indented(text: &str) -> String {
    text.lines()
        .map(|line| {
            if line.is_empty() {
                "\n".to_owned()
            } else {
                format!("    {line}\n")
            }
        })
        .collect()
}
