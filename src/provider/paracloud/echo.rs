//! Whether the service took what was sent (paracloud.md §9.3 point 4).
//!
//! Pure. A Go server drops members that it does not know without a word; its answer repeats what it kept. Words of the
//! command are never shown: they may hold secrets.

use crate::error::Result;
use crate::http::Template;

use super::parse::unexpected;
use super::wire;

/// Every difference between what was sent and what the answer repeats, as sentences.
pub(super) fn differences(request: &Template, answer: &wire::Group) -> Result<Vec<String>> {
    let sent: wire::Group = serde_json::from_slice(request.body_bytes()).map_err(|error| {
        unexpected("the request cannot be read back".to_owned()).with_cause(error)
    })?;
    let mut found = Vec::new();
    compare_text(
        "the instance type",
        sent.instance_type.as_deref(),
        answer.instance_type.as_deref(),
        &mut found,
    );
    let (Some(sent), Some(got)) = (sent.containers.first(), answer.containers.first()) else {
        found.push("the answer does not repeat the container".to_owned());
        return Ok(found);
    };
    compare_container(sent, got, &mut found);
    if answer.containers.len() > 1 {
        found.push(format!(
            "one container was sent and {} are in the answer",
            answer.containers.len()
        ));
    }
    Ok(found)
}

fn compare_container(sent: &wire::Container, got: &wire::Container, found: &mut Vec<String>) {
    compare_text(
        "the container's name",
        sent.name.as_deref(),
        got.name.as_deref(),
        found,
    );
    compare_text(
        "the image",
        sent.image.as_deref(),
        got.image.as_deref(),
        found,
    );
    if sent.command != got.command {
        let first = sent
            .command
            .iter()
            .zip(&got.command)
            .take_while(|(sent, got)| sent == got)
            .count();
        found.push(format!(
            "the command came back changed from word {} on ({} words sent, {} back)",
            first + 1,
            sent.command.len(),
            got.command.len()
        ));
    }
    compare_sets("ports", port_names(sent), port_names(got), found);
    compare_sets("mounts", mount_names(sent), mount_names(got), found);
}

fn compare_text(what: &str, sent: Option<&str>, got: Option<&str>, found: &mut Vec<String>) {
    match (sent, got) {
        (sent, got) if sent == got => {}
        (Some(sent), Some(got)) => {
            found.push(format!(
                "{what} was sent as `{sent}` and came back as `{got}`"
            ));
        }
        (Some(sent), None) => found.push(format!("{what} `{sent}` did not come back")),
        (None, _) => {}
    }
}

/// The service may put entries into another order.
fn compare_sets(what: &str, mut sent: Vec<String>, mut got: Vec<String>, found: &mut Vec<String>) {
    sent.sort();
    got.sort();
    if sent != got {
        let list = |entries: &[String]| {
            if entries.is_empty() {
                "none".to_owned()
            } else {
                entries.join(", ")
            }
        };
        found.push(format!(
            "the {what} were sent as {} and came back as {}",
            list(&sent),
            list(&got)
        ));
    }
}

fn port_names(container: &wire::Container) -> Vec<String> {
    container
        .ports
        .iter()
        .map(|port| {
            let name = port.name.as_deref().unwrap_or("?");
            match port.https {
                Some(_) => format!("`{name}` (https)"),
                None => format!("`{name}`"),
            }
        })
        .collect()
}

fn mount_names(container: &wire::Container) -> Vec<String> {
    container
        .mounts
        .iter()
        .map(|mount| {
            format!(
                "`{}` at `{}`",
                mount.volume.as_deref().unwrap_or("?"),
                mount.path.as_deref().unwrap_or("?")
            )
        })
        .collect()
}
