//! `namespaces list|create|delete`.

use std::collections::BTreeSet;

use crate::ambient::{Clock as _, Entropy as _, Reporter as _};
use crate::app::App;
use crate::cli::{NamespacesArgs, NamespacesCommand, NamespacesCreateArgs, NamespacesDeleteArgs};
use crate::engine::fanout::gather;
use crate::engine::settle::{Search, Thing};
use crate::error::{Error, Kind, Result};
use crate::journal::Subject;
use crate::model::{Backend, Namespace, ResourceRef};
use crate::provider::{Creation, Namespaces, Provider, Verb};

use super::lookup_pauses;
use super::show::Show;
use super::status::finish;
use super::volumes::{confirm, settings, unsupported};

/// Runs `namespaces`.
pub async fn run(app: &App, args: &NamespacesArgs) -> Result<u8> {
    match &args.command {
        NamespacesCommand::List { best_effort } => {
            app.unless_interrupted("interrupted", list(app, *best_effort))
                .await
        }
        NamespacesCommand::Create(args) => create(app, args).await,
        NamespacesCommand::Delete(args) => delete(app, args).await,
    }
}

async fn list(app: &App, best_effort: bool) -> Result<u8> {
    let candidates = app.candidates()?;
    let alone = candidates.len() == 1;
    let show = Show::new(app);
    let asking = gather(
        &candidates,
        |provider| async move {
            let namespaces = match provider.namespaces() {
                Some(namespaces) => namespaces.list().await?,
                None if alone => return Err(unsupported(provider, Verb::NamespacesList)),
                None => {
                    app.ui
                        .note(unsupported(provider, Verb::NamespacesList).message());
                    Vec::new()
                }
            };
            let whose = |namespace| (provider.name().to_owned(), provider.backend(), namespace);
            Ok(namespaces.into_iter().map(whose).collect())
        },
        |rows: &Vec<(String, Backend, Namespace)>| show.piece(|| show.namespaces(rows, &[])),
    );
    let gathered = app.asking(&candidates, asking).await?;
    if gathered.is_silent() {
        return Ok(finish(app, &gathered.errors, best_effort));
    }
    let rows: Vec<_> = gathered
        .answers
        .into_iter()
        .flat_map(|(_, rows)| rows)
        .collect();
    show.whole(|| show.namespaces(&rows, &gathered.errors))?;
    Ok(finish(app, &gathered.errors, best_effort))
}

async fn create(app: &App, args: &NamespacesCreateArgs) -> Result<u8> {
    let provider = app.one_provider(&[])?;
    let namespaces = able(&*provider, Verb::NamespacesCreate)?;
    let settings = settings(&args.set)?;
    namespaces.check(args.name.as_deref(), &settings)?;
    let before = app
        .unless_interrupted("interrupted; nothing was created", ids(namespaces))
        .await?;
    let pauses = lookup_pauses(&provider.polling(), None);
    let thing = Thing {
        subject: Subject::Namespace,
        provider: provider.name(),
        backend: provider.backend(),
        name: args.name.as_deref(),
    };
    let search = Search {
        journal: app.writable_journal()?,
        intent: thing.intent(
            &format!("{:?} {settings:?}", args.name),
            app.entropy.bytes(),
            app.clock.now(),
        ),
        before: &before,
        pauses: &pauses,
        reporter: &*app.ui,
        interrupt: app.interrupt()?,
        deadline: app.deadline,
    };
    let sent = namespaces.create(args.name.as_deref(), &settings);
    let namespace = match search.sent(sent).await? {
        Creation::Accepted(namespace) => namespace,
        Creation::Refused(error) => return Err(error),
        Creation::Ambiguous(cause) => {
            let id = search.find_new(&cause, || ids(namespaces)).await?;
            app.ui.note(&format!("the create did take: found {id}"));
            let listed = namespaces.list().await?;
            let found = listed.into_iter().find(|namespace| namespace.id == id);
            found.ok_or_else(|| Error::internal("a namespace vanished between two lists"))?
        }
    };
    search.created(&ResourceRef::new(provider.name(), [namespace.id.as_str()]));
    Show::new(app).namespace(provider.name(), provider.backend(), &namespace)?;
    Ok(0)
}

async fn delete(app: &App, args: &NamespacesDeleteArgs) -> Result<u8> {
    let provider = app.one_provider(&[])?;
    let namespaces = able(&*provider, Verb::NamespacesDelete)?;
    if !args.force {
        let looking = namespaces.obstacles(&args.id);
        let obstacles = app
            .unless_interrupted("interrupted; nothing was deleted", looking)
            .await?;
        if !obstacles.is_empty() {
            return Err(Error::new(
                Kind::Rejected,
                "namespace_not_empty",
                format!("namespace `{}` is not empty", args.id),
            )
            .with_provider(provider.name())
            .with_candidates(obstacles)
            .with_hint("end and delete what is in it, or give `--force`"));
        }
    }
    let question = format!("delete namespace `{}` of `{}`?", args.id, provider.name());
    confirm(app, question).await?;
    let deleting = namespaces.delete(&args.id, args.force);
    app.unless_interrupted("interrupted; the deletion was sent and goes on", deleting)
        .await?;
    app.ui.note(&format!("deleted namespace {}", args.id));
    Ok(0)
}

fn able(provider: &dyn Provider, verb: Verb) -> Result<&dyn Namespaces> {
    provider
        .namespaces()
        .filter(|_| provider.capabilities().has(verb))
        .ok_or_else(|| unsupported(provider, verb))
}

async fn ids(namespaces: &dyn Namespaces) -> Result<BTreeSet<String>> {
    Ok(namespaces
        .list()
        .await?
        .into_iter()
        .map(|namespace| namespace.id)
        .collect())
}
