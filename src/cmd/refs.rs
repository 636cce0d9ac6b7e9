//! What a user may write where a job is asked for (cli.md §1): refs, bare ids, prefixes, names, `@FILE`.

use std::collections::BTreeMap;

use crate::app::App;
use crate::engine::array::identity::index_of;
use crate::error::{Error, Kind, Result};
use crate::journal::{Entry, Subject};
use crate::model::ResourceRef;
use crate::provider::{Provider, Verb};

/// A prefix of an id in the journal has at least so many characters.
const PREFIX_LENGTH: usize = 6;

/// What was asked for, in the order of the arguments and each job once, with the providers to ask.
#[derive(Debug)]
pub struct Asked {
    /// A job, or why an argument names none that can be asked for.
    pub jobs: Vec<Result<ResourceRef>>,
    pub providers: BTreeMap<String, Box<dyn Provider>>,
}

impl Asked {
    /// The jobs that can be asked for.
    pub fn refs(&self) -> Vec<ResourceRef> {
        let found = self.jobs.iter().filter_map(|job| job.as_ref().ok());
        found.cloned().collect()
    }
}

/// Every job that the arguments name; one that is unknown does not spare the others (cli.md §10, "More codes").
pub async fn asked(app: &App, arguments: &[String]) -> Result<Asked> {
    app.config()?;
    let mut asked = Asked {
        jobs: Vec::new(),
        providers: BTreeMap::new(),
    };
    for text in texts(app, arguments).await? {
        let named = match named(app, &text).await {
            Ok(refs) => refs.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        };
        for found in named {
            let found = found.and_then(|job_ref| connected(app, &mut asked.providers, job_ref));
            if !(found.is_ok() && asked.jobs.contains(&found)) {
                asked.jobs.push(found);
            }
        }
    }
    Ok(asked)
}

/// The same where every job is needed: the first that is unknown ends the command.
pub async fn jobs(app: &App, arguments: &[String]) -> Result<Vec<ResourceRef>> {
    asked(app, arguments).await?.jobs.into_iter().collect()
}

/// The one job that a verb tells of.
pub async fn one(
    app: &App,
    text: &str,
    verb: Verb,
) -> Result<(ResourceRef, BTreeMap<String, Box<dyn Provider>>)> {
    let asked = asked(app, &[text.to_owned()]).await?;
    let named: Vec<_> = asked.jobs.into_iter().collect::<Result<_>>()?;
    match <[ResourceRef; 1]>::try_from(named) {
        Ok([job]) => Ok((job, asked.providers)),
        Err(named) => Err(Error::new(
            Kind::Usage,
            "several_jobs",
            format!(
                "`{text}` names {} jobs, and `{}` tells of one",
                named.len(),
                verb.as_str()
            ),
        )
        .with_hint("run it once for each")),
    }
}

fn connected(
    app: &App,
    providers: &mut BTreeMap<String, Box<dyn Provider>>,
    job_ref: ResourceRef,
) -> Result<ResourceRef> {
    if !providers.contains_key(&job_ref.provider) {
        let provider = app
            .provider(&job_ref.provider)
            .map_err(|error| error.with_job(job_ref.to_string()))?;
        providers.insert(job_ref.provider.clone(), provider);
    }
    Ok(job_ref)
}

/// The arguments, with lists in place of their names.
async fn texts(app: &App, arguments: &[String]) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for argument in arguments {
        match argument.strip_prefix('@').map(str::to_owned) {
            Some(source) => {
                let read = move || listed(&source);
                texts.extend(app.blocking("interrupted; nothing was asked", read).await?);
            }
            None => texts.push(argument.clone()),
        }
    }
    if texts.is_empty() {
        return Err(Error::new(Kind::Usage, "no_refs", "no job was named")
            .with_hint("give a ref such as `paracloud/NAMESPACE/CLUSTER/GROUP`"));
    }
    Ok(texts)
}

/// The jobs of a name: of an array's key all of them, in the order of their indices; else one.
async fn named(app: &App, text: &str) -> Result<Vec<ResourceRef>> {
    if let Some(key) = text.strip_prefix("key:")
        && app.journal().find_by_key(key)?.is_empty()
    {
        let jobs = of_array(app, key)?;
        if !jobs.is_empty() {
            return Ok(jobs);
        }
    }
    Ok(vec![job(app, text).await?])
}

/// The jobs of an array that was driven from this side, as far as this machine knows them.
fn of_array(app: &App, key: &str) -> Result<Vec<ResourceRef>> {
    let mut by_index: BTreeMap<u32, Vec<Entry>> = BTreeMap::new();
    for entry in app.journal().find_by_key_start(&format!("{key}["))? {
        let index = entry.key.as_deref().and_then(|own| index_of(key, own));
        if let Some(index) = index {
            by_index.entry(index).or_default().push(entry);
        }
    }
    let newest = by_index.into_values().flat_map(newest_attempts);
    Ok(newest.filter_map(|entry| entry.job_ref).collect())
}

/// One job by any of its names.
async fn job(app: &App, text: &str) -> Result<ResourceRef> {
    if let Some(name) = text.strip_prefix("name:") {
        return unique(text, app.journal().find_by_name(name)?);
    }
    if let Some(key) = text.strip_prefix("key:") {
        return unique(text, newest_attempts(app.journal().find_by_key(key)?));
    }
    if text.contains('/') {
        return text
            .parse()
            .map_err(|error| Error::new(Kind::Usage, "bad_ref", format!("{error}")));
    }
    if let [name] = app.global.provider.as_slice() {
        let found = app.provider(name)?.resolve(text).await?;
        return match found.as_slice() {
            [only] => Ok(only.clone()),
            [] => by_prefix(app, text),
            several => Err(ambiguous(
                text,
                several.iter().map(ToString::to_string).collect(),
            )),
        };
    }
    by_prefix(app, text)
}

/// A key means its newest attempt (cli.md §10, "Creates").
fn newest_attempts(mut found: Vec<Entry>) -> Vec<Entry> {
    found.retain(|entry| entry.subject == Subject::Job && entry.job_ref.is_some());
    let newest = found.iter().map(|entry| entry.attempt).max();
    found.retain(|entry| Some(entry.attempt) == newest);
    found
}

fn by_prefix(app: &App, text: &str) -> Result<ResourceRef> {
    if text.len() < PREFIX_LENGTH {
        return Err(unknown(text).with_hint(format!(
            "give a full ref, a bare id with `-p PROVIDER`, or at least {PREFIX_LENGTH} characters of an id submitted from here"
        )));
    }
    unique(text, app.journal().find_by_id_prefix(text)?)
}

fn unique(text: &str, found: Vec<Entry>) -> Result<ResourceRef> {
    let mut refs: Vec<ResourceRef> = found
        .into_iter()
        .filter_map(|entry| entry.job_ref)
        .collect();
    refs.sort();
    refs.dedup();
    match refs.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(unknown(text)
            .with_hint("`gpujob status` lists the jobs there are; a bare id needs `-p PROVIDER`")),
        several => Err(ambiguous(
            text,
            several.iter().map(ToString::to_string).collect(),
        )),
    }
}

fn unknown(text: &str) -> Error {
    Error::new(
        Kind::NotFound,
        "job_not_found",
        format!("`{text}` names no job that this machine knows"),
    )
}

fn ambiguous(text: &str, candidates: Vec<String>) -> Error {
    Error::new(
        Kind::Usage,
        "ambiguous_ref",
        format!("`{text}` can mean {} jobs", candidates.len()),
    )
    .with_candidates(candidates)
    .with_hint("give the full ref")
}

/// Refs listed in a file or on standard input, one a line; empty lines are skipped.
fn listed(source: &str) -> Result<Vec<String>> {
    let text = if source == "-" {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(source)
    }
    .map_err(|error| {
        Error::new(
            Kind::Usage,
            "unreadable_list",
            format!("`@{source}` cannot be read: {error}"),
        )
    })?;
    // Some editors begin a file with a byte order mark.
    Ok(text
        .trim_start_matches('\u{feff}')
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect())
}
