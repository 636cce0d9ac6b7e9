//! Each flag's place in the tree.

use crate::spec::error::{Origin, SpecError};
use crate::spec::tree::{Content, Node};

use super::{Overrides, SpotFlag, env, mount, set};

/// Puts every flag into the tree; `--set` comes last and so wins over the other flags.
pub(in crate::spec) fn apply(
    root: &mut Node,
    overrides: &Overrides,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<(), SpecError> {
    scalars(root, overrides)?;
    program(root, overrides);
    spot(root, overrides);
    providers(root, overrides);
    env::apply(root, overrides, environment)?;
    labels(root, &overrides.labels)?;
    append(
        root,
        "mounts",
        "--mount",
        &overrides.mounts,
        "path",
        mount::mount,
    )?;
    append(
        root,
        "ports",
        "--port",
        &overrides.ports,
        "name",
        mount::port,
    )?;
    for assignment in &overrides.set {
        set::apply(root, assignment)?;
    }
    flags_beat_the_document(root);
    Ok(())
}

/// Flags whose text is the value of one field.
fn scalars(root: &mut Node, overrides: &Overrides) -> Result<(), SpecError> {
    let fields: [(&str, &[&str], &Option<String>); 17] = [
        ("--name", &["name"], &overrides.name),
        ("--image", &["image"], &overrides.image),
        ("--gpu", &["resources", "gpu"], &overrides.gpu),
        (
            "--type",
            &["resources", "instance_type"],
            &overrides.instance_type,
        ),
        ("--cpu", &["resources", "cpu"], &overrides.cpu),
        ("--memory", &["resources", "memory"], &overrides.memory),
        ("--shm", &["resources", "shm"], &overrides.shm),
        ("--nodes", &["nodes"], &overrides.nodes),
        ("--time", &["timeout"], &overrides.time),
        ("--job-retries", &["retries"], &overrides.job_retries),
        ("--priority", &["priority"], &overrides.priority),
        ("--workdir", &["workdir"], &overrides.workdir),
        ("--max-price", &["max_price"], &overrides.max_price),
        ("--max-cost", &["max_cost"], &overrides.max_cost),
        ("--array", &["array"], &overrides.array),
        ("--estimate", &["estimate"], &overrides.estimate),
        (
            "--start-timeout",
            &["start_timeout"],
            &overrides.start_timeout,
        ),
    ];
    for (flag, path, value) in fields {
        if let Some(value) = value {
            let origin = Origin::flag(flag);
            let node = Node::word(&origin, value);
            set::put(root, path, node, &origin)?;
        }
    }
    if overrides.exit_code_carrier {
        let origin = Origin::flag("--exit-code-carrier");
        root.set("exit_code_carrier", Node::word(&origin, "true"));
    }
    Ok(())
}

/// `--script` and the words after `--`: of a script they are its positional parameters, else the command.
fn program(root: &mut Node, overrides: &Overrides) {
    if let Some(script) = &overrides.script {
        let origin = Origin::flag("--script");
        // A script of its own comes with its own arguments.
        root.remove("args");
        root.set("script", Node::word(&origin, script));
    }
    if !overrides.words.is_empty() {
        let origin = Origin::flag("--");
        let words = overrides
            .words
            .iter()
            .map(|word| Node::word(&origin, word))
            .collect();
        let key = if root.get("script").is_some() {
            "args"
        } else {
            "command"
        };
        root.set(key, Node::new(origin, Content::List(words)));
    }
}

fn spot(root: &mut Node, overrides: &Overrides) {
    let origin = Origin::flag("--spot");
    let node = match &overrides.spot {
        None => return,
        // `--spot` alone keeps a limit that the document sets.
        Some(SpotFlag::Default) => {
            let limited = root
                .get("spot")
                .is_some_and(|node| matches!(node.content, Content::Map(_)));
            if limited {
                return;
            }
            Node::word(&origin, "true")
        }
        Some(SpotFlag::AtMost(limit)) => {
            Node::map(&origin, vec![("max_discount", Node::word(&origin, limit))])
        }
    };
    root.set("spot", node);
}

fn providers(root: &mut Node, overrides: &Overrides) {
    if !overrides.providers.is_empty() {
        let origin = Origin::flag("--provider");
        let names = overrides
            .providers
            .iter()
            .map(|name| Node::word(&origin, name))
            .collect();
        root.set("provider", Node::new(origin, Content::List(names)));
    }
}

fn labels(root: &mut Node, labels: &[String]) -> Result<(), SpecError> {
    let origin = Origin::flag("--label");
    for label in labels {
        let Some((key, value)) = label.split_once('=') else {
            return Err(
                SpecError::new("bad_value", &origin, format!("`{label}` has no `=`"))
                    .with_hint("write `KEY=VALUE`"),
            );
        };
        let node = Node::word(&origin, value);
        set::put(root, &["labels", key], node, &origin)?;
    }
    Ok(())
}

/// Adds items to a list; one with the same path or name takes the place of the document's.
fn append(
    root: &mut Node,
    key: &str,
    flag: &'static str,
    texts: &[String],
    identity: &str,
    read: fn(&str, &Origin) -> Result<Node, SpecError>,
) -> Result<(), SpecError> {
    let origin = Origin::flag(flag);
    for text in texts {
        let node = read(text, &origin)?;
        if root.get(key).is_none() {
            root.set(key, Node::new(origin.clone(), Content::List(Vec::new())));
        }
        let Some(items) = set::list_mut(root, key) else {
            // No list in the document: the reader says so, with its line.
            return Ok(());
        };
        if let Some(wanted) = node.get(identity).and_then(scalar_text) {
            items.retain(|item| {
                item.origin.is_flag() || item.get(identity).and_then(scalar_text) != Some(wanted)
            });
        }
        items.push(node);
    }
    Ok(())
}

fn scalar_text(node: &Node) -> Option<&str> {
    match &node.content {
        Content::Text(text) | Content::Word(text) | Content::Number(text) => Some(text),
        Content::Null | Content::Bool { .. } | Content::List(_) | Content::Map(_) => None,
    }
}

/// A program from a flag replaces one of another kind in the document, instead of conflicting with it.
fn flags_beat_the_document(root: &mut Node) {
    let from_flag =
        |root: &Node, key: &str| root.get(key).is_some_and(|node| node.origin.is_flag());
    for (winner, losers) in [
        ("command", ["script", "args"].as_slice()),
        ("script", ["command"].as_slice()),
        ("args", ["command"].as_slice()),
    ] {
        if from_flag(root, winner) {
            for loser in losers {
                if !from_flag(root, loser) {
                    root.remove(loser);
                }
            }
        }
    }
}
