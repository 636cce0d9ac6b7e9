//! `volumes list|create|delete`; the verbs for files in volumes are in `files`.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::ambient::Reporter as _;
use crate::app::App;
use crate::cli::{
    VolumesArgs, VolumesCommand, VolumesCreateArgs, VolumesDeleteArgs, VolumesListArgs,
};
use crate::engine::fanout::gather;
use crate::engine::settle::Search;
use crate::error::{Error, Kind, Result};
use crate::journal::CredentialStore;
use crate::model::{Backend, ResourceRef, Volume};
use crate::provider::{CreatedVolume, Creation, Provider, Support, Verb, VolumeRequest, Volumes};
use crate::spec::units;

use super::files;
use super::lookup_pauses;
use super::show::Show;
use super::status::finish;

/// Runs `volumes`.
pub async fn run(app: &App, args: &VolumesArgs) -> Result<u8> {
    match &args.command {
        VolumesCommand::List(args) => app.unless_interrupted("interrupted", list(app, args)).await,
        VolumesCommand::Create(args) => create(app, args).await,
        VolumesCommand::Delete(args) => delete(app, args).await,
        VolumesCommand::Ls(args) => files::list(app, args).await,
        VolumesCommand::Put(args) => files::put(app, args).await,
        VolumesCommand::Get(args) => files::get(app, args).await,
        VolumesCommand::Rm(args) => files::remove(app, args).await,
    }
}

async fn list(app: &App, args: &VolumesListArgs) -> Result<u8> {
    if let Some(text) = &args.volume {
        let (provider, volume_ref) = named(app, text).await?;
        let mut volume = able(&*provider, Verb::VolumesList)?
            .get(&volume_ref)
            .await?;
        note_kept_access(app, &mut volume);
        Show::new(app).volume(provider.backend(), &volume, None)?;
        return Ok(0);
    }
    let candidates = app.candidates()?;
    let alone = candidates.len() == 1;
    let show = Show::new(app);
    let asking = gather(
        &candidates,
        |provider| async move {
            let volumes = match provider.volumes() {
                Some(volumes) => volumes.list(None).await?,
                None if alone => return Err(unsupported(provider, Verb::VolumesList)),
                None => {
                    app.ui
                        .note(unsupported(provider, Verb::VolumesList).message());
                    Vec::new()
                }
            };
            let row = |mut volume| {
                note_kept_access(app, &mut volume);
                (provider.backend(), volume)
            };
            Ok(volumes.into_iter().map(row).collect())
        },
        |rows: &Vec<(Backend, Volume)>| {
            show.piece(|| show.volumes(rows, &[]));
        },
    );
    let gathered = app.asking(&candidates, asking).await?;
    if gathered.is_silent() {
        return Ok(finish(app, &gathered.errors, args.best_effort));
    }
    let rows: Vec<_> = gathered
        .answers
        .into_iter()
        .flat_map(|(_, rows)| rows)
        .collect();
    show.whole(|| show.volumes(&rows, &gathered.errors))?;
    Ok(finish(app, &gathered.errors, args.best_effort))
}

/// Lists do not tell whether a volume has transfer access; credentials kept here do (paracloud.md §3.3, §6.1).
fn note_kept_access(app: &App, volume: &mut Volume) {
    if volume.transfer.is_none()
        && let Ok(state) = app.environment.state_directory()
        && CredentialStore::new(&state).has(&volume.volume_ref)
    {
        volume.transfer = Some("webdav".to_owned());
    }
}

async fn create(app: &App, args: &VolumesCreateArgs) -> Result<u8> {
    let provider = app.one_provider(&[])?;
    let volumes = able(&*provider, Verb::VolumesCreate)?;
    let size_bytes = match &args.size {
        Some(text) => Some(units::parse_size(text).map_err(|error| {
            Error::new(
                Kind::Usage,
                error.code,
                format!("--size: {}", error.message),
            )
            .with_hint(error.hint)
        })?),
        None => None,
    };
    let request = VolumeRequest {
        namespace: None,
        cluster: args.cluster.clone(),
        name: args.name.clone(),
        size_bytes,
        transfer: !args.no_transfer,
        settings: settings(&args.set)?,
    };
    volumes.check(&request)?;
    let before = app
        .unless_interrupted("interrupted; nothing was created", ids(volumes))
        .await?;
    let pauses = lookup_pauses(&provider.polling(), None);
    let search = Search {
        what: "volume",
        provider: provider.name(),
        before: &before,
        pauses: &pauses,
        reporter: &*app.ui,
        interrupt: app.interrupt()?,
        deadline: app.deadline,
    };
    let created = match search.sent(volumes.create(&request)).await? {
        Creation::Accepted(created) => created,
        Creation::Refused(error) => return Err(error),
        Creation::Ambiguous(cause) => {
            let found = search.find_new(&cause, || ids(volumes)).await?;
            let found = adopt(app, &*provider, volumes, &found).await?;
            CreatedVolume {
                missing_credentials: found.missing_credentials && request.transfer,
                ..found
            }
        }
    };
    announce(app, &*provider, &created)
}

/// After an unclear create: the one new volume of the list, whose password nobody can know any more.
async fn adopt(
    app: &App,
    provider: &dyn Provider,
    volumes: &dyn Volumes,
    text: &str,
) -> Result<CreatedVolume> {
    let volume_ref: ResourceRef = text
        .parse()
        .map_err(|error| Error::internal(format!("a listed volume has a bad ref: {error}")))?;
    app.ui.note(&format!("the create did take: found {text}"));
    Ok(CreatedVolume {
        volume: volumes.get(&volume_ref).await?,
        credentials: None,
        missing_credentials: provider.backend() == Backend::Paracloud,
    })
}

/// Stores the credentials, prints them once, and only then lets anything fail (paracloud.md §6.1).
fn announce(app: &App, provider: &dyn Provider, created: &CreatedVolume) -> Result<u8> {
    let stored = match &created.credentials {
        Some(transfer) => app
            .environment
            .state_directory()
            .and_then(|state| {
                CredentialStore::new(&state).save(&created.volume.volume_ref, transfer)
            })
            .map(drop),
        None => Ok(()),
    };
    let show = Show::new(app);
    let backend = provider.backend();
    match (&created.credentials, &stored) {
        (Some(credentials), Err(_)) => {
            show.unkept_volume(backend, &created.volume, credentials)?;
        }
        (credentials, _) => show.volume(backend, &created.volume, credentials.as_ref())?,
    }
    if created.missing_credentials {
        return Err(Error::new(
            Kind::Protocol,
            "no_transfer_credentials",
            format!(
                "volume {} exists, but no transfer credentials came with it, and its password cannot be recovered",
                created.volume.volume_ref
            ),
        )
        .with_provider(provider.name())
        .with_hint("use it from jobs, or delete it and create another"));
    }
    stored.map(|()| 0).map_err(|error| {
        Error::new(
            Kind::Config,
            "credential_store",
            "the volume's transfer credentials could not be stored; they were printed once and cannot be shown again",
        )
        .with_provider(provider.name())
        .with_cause(error)
    })
}

async fn delete(app: &App, args: &VolumesDeleteArgs) -> Result<u8> {
    let mut errors = Vec::new();
    for text in &args.refs {
        match delete_one(app, text, args.force).await {
            Ok(()) => {}
            Err(error) if error.is_interruption() => return Err(error),
            Err(error) => errors.push(error),
        }
    }
    Ok(finish(app, &errors, false))
}

async fn delete_one(app: &App, text: &str, force: bool) -> Result<()> {
    let unsent = format!("interrupted; {text} was not deleted");
    let (provider, volume_ref) = app.unless_interrupted(&unsent, named(app, text)).await?;
    let volumes = able(&*provider, Verb::VolumesDelete)?;
    if !force {
        let looking = volumes.obstacles(&volume_ref);
        let obstacles = app.unless_interrupted(&unsent, looking).await?;
        if !obstacles.is_empty() {
            return Err(Error::new(
                Kind::Rejected,
                "volume_in_use",
                format!("volume {volume_ref} is in use"),
            )
            .with_provider(provider.name())
            .with_candidates(obstacles)
            .with_hint("cancel what uses it, or give `--force`"));
        }
    }
    let question = format!("delete volume {volume_ref}? {}", volumes.deletion_means());
    confirm(app, question).await?;
    let sent = format!("interrupted; the deletion of {volume_ref} was sent and goes on");
    app.unless_interrupted(&sent, volumes.delete(&volume_ref, force))
        .await?;
    let state = app.environment.state_directory()?;
    CredentialStore::new(&state).remove(&volume_ref)?;
    app.ui.note(&format!(
        "deleted {volume_ref}; {}",
        volumes.deletion_means()
    ));
    Ok(())
}

/// A volume by full ref, or by bare id with `-p`.
async fn named(app: &App, text: &str) -> Result<(Box<dyn Provider>, ResourceRef)> {
    let (provider, volume_ref) = provider_of(app, text)?;
    let volume_ref = match volume_ref {
        Some(volume_ref) => volume_ref,
        None => resolved(&*provider, text).await?,
    };
    Ok((provider, volume_ref))
}

/// The provider of a volume, and its ref where the text is one.
pub(super) fn provider_of(
    app: &App,
    text: &str,
) -> Result<(Box<dyn Provider>, Option<ResourceRef>)> {
    if !text.contains('/') {
        return Ok((app.one_provider(&[])?, None));
    }
    let volume_ref: ResourceRef = text
        .parse()
        .map_err(|error| Error::new(Kind::Usage, "bad_ref", format!("{error}")))?;
    Ok((app.provider(&volume_ref.provider)?, Some(volume_ref)))
}

/// The one volume of a provider that a bare id means.
pub(super) async fn resolved(provider: &dyn Provider, id: &str) -> Result<ResourceRef> {
    let found = able(provider, Verb::VolumesList)?.resolve(id).await?;
    match found.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(Error::new(
            Kind::NotFound,
            "volume_not_found",
            format!("`{}` has no volume `{id}`", provider.name()),
        )
        .with_provider(provider.name())
        .with_hint(format!(
            "`gpujob volumes list -p {}` lists those there are",
            provider.name()
        ))),
        several => Err(Error::new(
            Kind::Usage,
            "ambiguous_ref",
            format!("`{id}` can mean {} volumes", several.len()),
        )
        .with_candidates(several.iter().map(ToString::to_string).collect())
        .with_hint("give the full ref")),
    }
}

fn able(provider: &dyn Provider, verb: Verb) -> Result<&dyn Volumes> {
    provider
        .volumes()
        .filter(|_| provider.capabilities().has(verb))
        .ok_or_else(|| unsupported(provider, verb))
}

/// A verb the provider does not have: 81, with the reason and the alternative (job-model.md §7).
pub fn unsupported(provider: &dyn Provider, verb: Verb) -> Error {
    let (reason, alternative) = match provider.capabilities().support(verb) {
        Support::No {
            reason,
            alternative,
        } => (reason, alternative),
        Support::Yes | Support::With(_) => ("has no such accessor", "report this as a bug"),
    };
    Error::new(
        Kind::Spec,
        "unsupported_verb",
        format!(
            "`{}` cannot do `{}`: {reason}",
            provider.name(),
            verb.as_str()
        ),
    )
    .with_provider(provider.name())
    .with_hint(alternative)
}

/// `--set k=v` pairs in order.
pub fn settings(pairs: &[String]) -> Result<Vec<(String, String)>> {
    pairs.iter().map(|text| pair("--set", text)).collect()
}

/// `KEY=VALUE` as a flag's value.
pub fn pair(flag: &str, text: &str) -> Result<(String, String)> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        Some(_) | None => Err(Error::new(
            Kind::Usage,
            "bad_value",
            format!("{flag}: `{text}` is no KEY=VALUE"),
        )),
    }
}

async fn ids(volumes: &dyn Volumes) -> Result<BTreeSet<String>> {
    Ok(volumes
        .list(None)
        .await?
        .into_iter()
        .map(|volume| volume.volume_ref.to_string())
        .collect())
}

/// Asks before something is lost; a no ends the command.
pub async fn confirm(app: &App, question: String) -> Result<()> {
    let ui = Arc::clone(&app.ui);
    let ask = move || ui.ask(&question, "--yes");
    if app
        .blocking("interrupted; nothing was deleted", ask)
        .await?
    {
        return Ok(());
    }
    Err(Error::new(
        Kind::Usage,
        "not_confirmed",
        "not confirmed; nothing was deleted",
    ))
}
