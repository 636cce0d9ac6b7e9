//! `journal list|show|prune|path`: the local record of submits. Local: asks no provider.

use jiff::SignedDuration;

use crate::ambient::{Clock as _, Reporter as _};
use crate::app::{App, flag_duration};
use crate::cli::{JournalArgs, JournalCommand};
use crate::error::{Error, Kind, Result};
use crate::journal::{Entry, Journal};
use crate::model::{Marker, ResourceRef};
use crate::output::{self, Detailed};

use super::show::Show;

/// Runs `journal`.
pub fn run(app: &App, args: &JournalArgs) -> Result<u8> {
    match &args.command {
        JournalCommand::List { limit } => {
            let entries = app.journal().list(*limit)?;
            print(app, &entries, Detailed::No)?;
        }
        JournalCommand::Show { refs } => {
            let mut entries: Vec<Entry> = Vec::new();
            for text in refs {
                for entry in named(app, text)? {
                    if !entries.contains(&entry) {
                        entries.push(entry);
                    }
                }
            }
            print(app, &entries, Detailed::Yes)?;
        }
        JournalCommand::Prune { older } => prune(app, older)?,
        JournalCommand::Path => {
            let path = Journal::path_in(&app.environment.state_directory()?);
            Show::new(app).path("journal-path", &path.display().to_string())?;
        }
    }
    Ok(0)
}

/// What the journal knows under a name of any kind; nothing is `not-found`.
pub(super) fn named(app: &App, text: &str) -> Result<Vec<Entry>> {
    let journal = app.journal();
    let found = if let Some(marker) = text.strip_prefix("marker:") {
        let marker = Marker::parse(marker).ok_or_else(|| {
            Error::new(
                Kind::Usage,
                "bad_marker",
                format!("`{marker}` is no marker: those have 14 letters and digits"),
            )
        })?;
        journal.find_by_identity(&marker)?.into_iter().collect()
    } else if let Some(key) = text.strip_prefix("key:") {
        journal.find_by_key(key)?
    } else if let Some(name) = text.strip_prefix("name:") {
        journal.find_by_name(name)?
    } else if text.contains('/') {
        let job_ref: ResourceRef = text
            .parse()
            .map_err(|error| Error::new(Kind::Usage, "bad_ref", format!("{error}")))?;
        journal.entry(&job_ref)?.into_iter().collect()
    } else {
        journal.find_by_id_prefix(text)?
    };
    if found.is_empty() {
        return Err(Error::new(
            Kind::NotFound,
            "not_in_journal",
            format!("the journal knows nothing of `{text}`"),
        )
        .with_hint("`gpujob journal list` shows what it knows"));
    }
    Ok(found)
}

fn prune(app: &App, older: &str) -> Result<()> {
    let age = flag_duration("--older", older)?;
    let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
    let before = app
        .clock
        .now()
        .checked_sub(SignedDuration::from_secs(seconds))
        .map_err(|_| {
            Error::new(
                Kind::Usage,
                "bad_value",
                format!("--older: `{older}` is before all time"),
            )
        })?;
    let count = app.writable_journal()?.prune(before)?;
    app.ui.note(&format!("{count} records removed"));
    Ok(())
}

fn print(app: &App, entries: &[Entry], detailed: Detailed) -> Result<()> {
    let text = output::render_journal(entries, detailed, &app.ui.style())?;
    app.ui.print(&text)
}
