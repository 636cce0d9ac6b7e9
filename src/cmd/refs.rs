//! What a user may write where a job is asked for (cli.md §1): refs, bare ids, prefixes, names, `@FILE`.

use crate::app::App;
use crate::error::{Error, Kind, Result};
use crate::journal::Entry;
use crate::model::ResourceRef;

/// A prefix of an id in the journal has at least so many characters.
const PREFIX_LENGTH: usize = 6;

/// Every job that the arguments name, in their order.
pub async fn jobs(app: &App, arguments: &[String]) -> Result<Vec<ResourceRef>> {
    let mut refs = Vec::new();
    for argument in arguments {
        match argument.strip_prefix('@') {
            Some(source) => {
                for line in listed(source)? {
                    refs.push(job(app, &line).await?);
                }
            }
            None => refs.push(job(app, argument).await?),
        }
    }
    if refs.is_empty() {
        return Err(Error::new(Kind::Usage, "no_refs", "no job was named")
            .with_hint("give a ref such as `paracloud/NAMESPACE/CLUSTER/GROUP`"));
    }
    Ok(refs)
}

/// One job by any of its names.
async fn job(app: &App, text: &str) -> Result<ResourceRef> {
    if let Some(name) = text.strip_prefix("name:") {
        return unique(text, app.journal()?.find_by_name(name)?);
    }
    if let Some(key) = text.strip_prefix("key:") {
        return unique(text, app.journal()?.find_by_key(key)?);
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

fn by_prefix(app: &App, text: &str) -> Result<ResourceRef> {
    if text.len() < PREFIX_LENGTH {
        return Err(unknown(text).with_hint(format!(
            "give a full ref, a bare id with `-p PROVIDER`, or at least {PREFIX_LENGTH} characters of an id submitted from here"
        )));
    }
    unique(text, app.journal()?.find_by_id_prefix(text)?)
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
    Ok(text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect())
}
