//! `settle`: finishes submits that ended in doubt. Looks for what they created, and creates nothing (cli.md §10).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::ambient::Reporter as _;
use crate::app::App;
use crate::cli::SettleArgs;
use crate::engine::submit::{is_left_behind, left_behind};
use crate::error::{Error, Kind, Result};
use crate::journal::{Entry, Phase, Subject};
use crate::model::{Job, Marker, ResourceRef};
use crate::provider::Provider;

use super::journal::named;
use super::lookup_pauses;
use super::show::Show;
use super::status::finish;
use super::submit::submitter;
use super::wait::Pace;

/// Runs `settle`: 0 when nothing is left open, else 88.
pub async fn run(app: &App, args: &SettleArgs) -> Result<u8> {
    let poll = Pace::of(args.poll.as_deref(), "10m")?.poll;
    let entries = if args.all {
        app.journal().unsettled()?
    } else {
        let mut entries = Vec::new();
        for text in &args.refs {
            entries.extend(named(app, text)?);
        }
        entries
    };
    if entries.is_empty() {
        app.ui.note("no submit is in doubt");
    }
    let mut providers = BTreeMap::new();
    for entry in &entries {
        if !providers.contains_key(&entry.provider) {
            providers.insert(entry.provider.clone(), app.provider(&entry.provider));
        }
    }
    let mut jobs: Vec<Job> = Vec::new();
    let mut errors = Vec::new();
    for entry in &entries {
        let Some(marker) = &entry.marker else {
            continue;
        };
        let provider = providers
            .get(&entry.provider)
            .and_then(|it| it.as_ref().ok());
        let looking = settle(app, provider.map(|it| &**it), (entry, marker), poll);
        let text = format!("looking for {marker}");
        let looking = app.with_progress(&text, looking);
        match app.unless_interrupted("interrupted", looking).await {
            Ok(Some(job)) if !jobs.iter().any(|known| known.job_ref == job.job_ref) => {
                jobs.push(job);
            }
            Ok(_) => {}
            Err(error) if error.kind() == Kind::OutcomeUnknown && args.give_up => {
                give_up(app, marker)?;
            }
            Err(error) if error.is_interruption() => return Err(error),
            Err(error) => errors.push(error),
        }
    }
    Show::new(app).jobs(&jobs, &errors)?;
    Ok(finish(app, &errors, false))
}

/// Says on stderr that earlier submits were left in doubt; those under `key` are dealt with at once.
pub(super) fn mention(app: &App, key: Option<&str>) {
    let Ok(entries) = app.journal().unsettled() else {
        return;
    };
    if entries.is_empty() {
        return;
    }
    let locks = app.locks().ok().flatten();
    let left = entries
        .iter()
        .filter(|entry| key.is_none() || entry.key.as_deref() != key)
        .filter(|entry| is_left_behind(entry, locks))
        .count();
    let told = match left {
        0 => return,
        1 => "1 earlier create is".to_owned(),
        several => format!("{several} earlier creates are"),
    };
    app.ui.note(&format!(
        "{told} in doubt: `gpujob settle --all` looks for what became of it"
    ));
}

/// The errors of all creates that were left in doubt.
pub(super) fn doubts(app: &App) -> Result<Vec<Error>> {
    let locks = app.locks()?;
    let entries = app.journal().unsettled()?;
    let left = entries.iter().filter(|entry| is_left_behind(entry, locks));
    Ok(left
        .filter_map(|entry| Some(left_behind(entry, entry.marker.as_ref()?)))
        .collect())
}

/// What a create brought about; an error as long as that is not known.
async fn settle(
    app: &App,
    provider: Option<&dyn Provider>,
    (entry, marker): (&Entry, &Marker),
    poll: Option<Duration>,
) -> Result<Option<Job>> {
    let is_open = entry.phase.is_some_and(Phase::is_in_doubt);
    match (entry.subject, provider) {
        (Subject::Job, _) => {
            let pauses = provider.map(|provider| lookup_pauses(&provider.polling(), poll));
            let submitter = submitter(app, pauses.as_ref().map_or(&[], |pauses| pauses))?;
            submitter.settle_again(provider, marker).await
        }
        (Subject::Volume | Subject::Namespace, _) if !is_open => Ok(None),
        (Subject::Volume | Subject::Namespace, None) => Err(left_behind(entry, marker)),
        (Subject::Volume | Subject::Namespace, Some(provider)) => {
            let found = by_name(provider, entry).await?;
            let [only] = found.as_slice() else {
                return Err(thing_in_doubt(entry, marker, &found));
            };
            app.writable_journal()?
                .mark_submitted(marker, only, only.id())?;
            app.ui.note(&format!("the create did take: found {only}"));
            Ok(None)
        }
    }
}

/// Volumes and namespaces carry no marker: those of the name that was asked for.
async fn by_name(provider: &dyn Provider, entry: &Entry) -> Result<Vec<ResourceRef>> {
    if entry.name.is_none() {
        return Ok(Vec::new());
    }
    if entry.subject == Subject::Volume {
        let Some(volumes) = provider.volumes() else {
            return Ok(Vec::new());
        };
        let listed = volumes.list(None).await?.into_iter();
        return Ok(listed
            .filter(|volume| volume.name == entry.name)
            .map(|volume| volume.volume_ref)
            .collect());
    }
    let Some(namespaces) = provider.namespaces() else {
        return Ok(Vec::new());
    };
    let listed = namespaces.list().await?.into_iter();
    Ok(listed
        .filter(|namespace| namespace.name == entry.name)
        .map(|namespace| ResourceRef::new(provider.name(), [namespace.id.as_str()]))
        .collect())
}

fn thing_in_doubt(entry: &Entry, marker: &Marker, found: &[ResourceRef]) -> Error {
    let what = entry.subject.as_str();
    let provider = &entry.provider;
    Error::new(
        Kind::OutcomeUnknown,
        "outcome_unknown",
        format!("the create of a {what} on `{provider}` was sent once and nobody can tell whether it took"),
    )
    .with_provider(provider)
    .with_marker(marker.to_string())
    .with_candidates(found.iter().map(ToString::to_string).collect())
    .with_hint(format!(
        "look at `gpujob {what}s list -p {provider}`; once you have looked, `gpujob settle marker:{marker} --give-up` closes it"
    ))
}

/// The user has looked: the create did not take, and a key may be used again.
fn give_up(app: &App, marker: &Marker) -> Result<()> {
    app.writable_journal()?
        .mark_rejected(marker, "given up: nothing was found of it")?;
    app.ui
        .note(&format!("nothing was found of {marker}; given up"));
    Ok(())
}
