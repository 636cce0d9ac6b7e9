//! The local record of submits.

use crate::journal::{Entry, Phase};
use crate::output::json::journal_name;
use crate::output::{Format, Style};
use crate::sign::hex;

use super::layout::{Cell, Column, Grid, render};
use super::value::local_time;
use super::{Detail, Tone};

/// A row a record.
pub(in crate::output) fn journal(entries: &[Entry], style: &Style) -> String {
    let is_wide = style.format == Format::Wide;
    let mut columns = vec![
        Column::text("CREATED"),
        Column::text("WHAT"),
        Column::text("PHASE"),
        Column::text("NAME"),
        Column::text("KEY"),
        Column::text("STATE"),
        Column::reference("REF"),
    ];
    if is_wide {
        columns.extend([
            Column::text("PROVIDER"),
            Column::text("MARKER"),
            Column::number("ATTEMPT"),
            Column::text("ERROR"),
        ]);
    }
    let mut grid = Grid::new(columns);
    for entry in entries {
        let phase = Cell::opt(entry.phase.map(Phase::as_str));
        let mut cells = vec![
            Cell::opt(entry.created_at.map(|at| local_time(at, &style.time_zone))),
            Cell::new(entry.subject.as_str()),
            match entry.phase {
                Some(phase_word) if phase_word.is_in_doubt() => phase.toned(Tone::Bad),
                Some(_) | None => phase,
            },
            Cell::opt(entry.name.as_deref()),
            Cell::opt(entry.key.as_deref()),
            Cell::opt(entry.last_state.map(crate::model::State::as_str)),
            Cell::new(journal_name(entry)),
        ];
        if is_wide {
            cells.extend([
                Cell::new(&entry.provider),
                Cell::opt(entry.marker.as_ref().map(ToString::to_string)),
                Cell::new(entry.attempt.to_string()),
                Cell::opt(entry.error.as_deref()),
            ]);
        }
        grid.push(cells);
    }
    render(&grid, style)
}

/// Everything on record of each, one after another.
pub(in crate::output) fn journal_details(entries: &[Entry], style: &Style) -> String {
    let details: Vec<String> = entries.iter().map(|entry| detail(entry, style)).collect();
    details.join("\n")
}

fn detail(entry: &Entry, style: &Style) -> String {
    let time = |at: Option<_>| at.map(|at| local_time(at, &style.time_zone));
    let labels: Vec<String> = entry
        .labels
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    Detail::new()
        .line("record", journal_name(entry))
        .line("what", entry.subject.as_str())
        .opt("phase", entry.phase.map(Phase::as_str))
        .line("provider", &entry.provider)
        .opt("scope", entry.scope.as_deref())
        .opt("name", entry.name.as_deref())
        .opt("labels", (!labels.is_empty()).then(|| labels.join(" ")))
        .opt("key", entry.key.as_deref())
        .line("attempt", entry.attempt.to_string())
        .line("sent", entry.sends.to_string())
        .opt("marker", entry.marker.as_ref().map(ToString::to_string))
        .opt(
            "spec hash",
            entry.spec_hash.as_ref().map(|hash| hex::encode(hash)),
        )
        .opt("created", time(entry.created_at))
        .opt("state", entry.last_state.map(crate::model::State::as_str))
        .opt("since", time(entry.last_state_at))
        .opt("last seen", time(entry.last_seen_at))
        .opt("cancel asked", time(entry.cancel_requested_at))
        .opt("error", entry.error.as_deref())
        .render(style)
}
