//! What a node runs and knows: the runner, `jetpack` and a container runtime, as a process group of this machine
//! (cyclecloud.md §8.2, §8.3).
//!
//! A real node has mounts and, in its containers, the image's files. Here paths are rewritten instead, as the launcher
//! does for the words of other services' jobs. A job's words travel inside `Configuration.gpujob`, in base64; so the
//! rewriting is done when the node boots, to the values that its `jetpack config` hands out: every text below `gpujob`,
//! and the decoded text of the keys that end in `_b64`. The record of the API keeps what was sent, and the runner's own
//! text is never touched.
//!
//! `CloudInit` is kept in the record and not run: such scripts are written for a machine of their own, as its root.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use tokio::runtime::Handle;

use crate::sandbox::process::paths::PathMap;
use crate::sandbox::process::{Launch, Launcher, Program};

use super::create::merge;
use super::switches::{Booleans, Played, Switches};
use super::world::{Node, SERVICE, Vm};

const VM: &str = include_str!("node_vm.sh");
const JETPACK: &str = include_str!("jetpack.sh");
const DOCKER: &str = include_str!("docker.sh");

/// The launcher's name for the disks of nodes, apart from the shared directories.
const DISKS: &str = "cyclecloud-nodes";

/// Where nodes see the file system of results, and which it is.
const RESULTS: (&str, &str) = ("10.20.0.4", "/exports/results");

/// What a node asked for with `jetpack shutdown`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Terminate,
    Deallocate,
}

/// The directory behind the file system that every array mounts at `/mnt/results`.
pub(super) fn results_directory(launcher: &Launcher) -> io::Result<PathBuf> {
    let (address, export) = RESULTS;
    launcher.volume_directory(SERVICE, &nfs_id(address, export))
}

/// Whether the node has a job of gpujob's.
pub(super) fn has_job(node: &Node) -> bool {
    node.array.is_some() && gpujob(node).is_some()
}

/// Boots a node with a job: writes what it knows and starts its script.
pub(super) fn boot(node: &mut Node, launcher: &Launcher, switches: &Switches, runner: &str) {
    node.has_run = true;
    match prepare(node, launcher, switches, runner) {
        Ok(launch) => {
            if let Some(launch) = launch {
                node.process = Some(launcher.launch(launch));
            }
        }
        Err(error) => {
            log::warn!("{SERVICE}: {} cannot run its job: {error}", node.name);
            node.message = Some(format!("The sandbox cannot boot this node: {error}"));
        }
    }
}

fn prepare(
    node: &mut Node,
    launcher: &Launcher,
    switches: &Switches,
    runner: &str,
) -> io::Result<Option<Launch>> {
    let place = launcher.volume_directory(DISKS, &node.disk())?;
    node.place = Some(place.clone());
    let map = launcher.path_map(&mounts(node, launcher)?)?;
    let configuration = as_seen(&full_configuration(node), &map);
    fs::write(place.join("config"), table(&configuration, switches))?;
    if switches.played.is_some() {
        return Ok(None);
    }
    for (name, text) in [
        ("vm.sh", VM),
        ("jetpack.sh", JETPACK),
        ("docker.sh", DOCKER),
        ("script", runner),
    ] {
        fs::write(place.join(name), text)?;
    }
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let mut words = vec![
        "sh".to_owned(),
        text(&place.join("vm.sh")),
        text(&place.join("script")),
    ];
    words.extend(interpreter(runner));
    let path = std::env::var("PATH").unwrap_or_else(|_| "/usr/bin:/bin".to_owned());
    Ok(Some(Launch {
        job: node.job(),
        program: Program::Words(words),
        env: vec![
            (
                "PATH".to_owned(),
                format!("{}:{path}", text(&place.join("bin"))),
            ),
            // The runner's own folder is the system's on a real node.
            ("GPUJOB_HOME".to_owned(), text(&place.join("gpujob"))),
        ],
        mounts: Vec::new(),
        working_directory: None,
        time_limit: None,
    }))
}

/// The words of a script's first line; started by them, the script needs no permission to be executed.
fn interpreter(script: &str) -> Vec<String> {
    let words: Vec<String> = script
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("#!"))
        .into_iter()
        .flat_map(str::split_whitespace)
        .map(str::to_owned)
        .collect();
    if words.is_empty() {
        vec!["sh".to_owned()]
    } else {
        words
    }
}

/// What the node asks of the server, once.
pub(super) fn take_wish(node: &Node) -> Option<Wish> {
    let path = node.place.as_ref()?.join("shutdown");
    let text = fs::read_to_string(&path).ok()?;
    let _ignored = fs::remove_file(&path);
    match text.trim() {
        "deallocate" => Some(Wish::Deallocate),
        _ => Some(Wish::Terminate),
    }
}

/// Writes what a runner would have left of a played run (§11, 14).
pub(super) fn play(node: &Node, launcher: &Launcher, played: Played) -> io::Result<()> {
    let map = launcher.path_map(&mounts(node, launcher)?)?;
    let text = |name: &str| {
        gpujob(node)
            .and_then(|job| job.get(name)?.as_str())
            .map(|text| map.rewrite(text))
    };
    let (Some(directory), Some(job)) = (text("result_dir"), text("job_id")) else {
        return Ok(());
    };
    let directory = Path::new(&directory);
    // As a runner that waits in vain for its file system.
    if !directory.is_dir() || Path::new(&job).components().count() != 1 || job.starts_with('.') {
        return Ok(());
    }
    let directory = directory.join(job).join(&node.name);
    fs::create_dir_all(&directory)?;
    for name in ["stdout", "stderr"] {
        fs::write(directory.join(name), "")?;
    }
    let unfinished = directory.join(".exit_code");
    fs::write(&unfinished, format!("{}\n", played.exit_code))?;
    fs::rename(unfinished, directory.join("exit_code"))
}

/// Removes the node's disk, once nothing writes to it any more; the next one is another.
pub(super) fn clear(node: &mut Node, launcher: &Launcher) {
    if node.place.take().is_none() {
        return;
    }
    let (disk, launcher) = (node.disk(), launcher.clone());
    node.disks = node.disks.saturating_add(1);
    let remove = move || {
        if let Err(error) = launcher.remove_volume(DISKS, &disk) {
            log::warn!("{SERVICE}: files of a node stay: {error}");
        }
    };
    let dying = node
        .process
        .take()
        .filter(|process| !process.status().is_finished());
    match (dying, Handle::try_current()) {
        (Some(process), Ok(runtime)) => drop(runtime.spawn(async move {
            process.finished().await;
            remove();
        })),
        (Some(_), Err(_)) | (None, _) => remove(),
    }
}

/// Removes all disks and shared directories.
pub(super) fn clear_all(launcher: &Launcher) {
    for service in [SERVICE, DISKS] {
        if let Err(error) = launcher.remove_volumes(service) {
            log::warn!("{SERVICE}: shared files stay: {error}");
        }
    }
}

fn gpujob(node: &Node) -> Option<&Map<String, Value>> {
    node.attribute("Configuration")?.get("gpujob")?.as_object()
}

/// The node's configuration with what CycleCloud itself adds.
fn full_configuration(node: &Node) -> Value {
    let mut configuration = node
        .attribute("Configuration")
        .cloned()
        .unwrap_or_else(|| json!({}));
    let vm = node.vm.as_ref();
    let own = json!({ "cyclecloud": {
        "cluster": { "name": node.cluster },
        "node": { "id": node.id, "name": node.name, "template": node.array },
        "instance": {
            "id": vm.map(|vm| &vm.instance),
            "ipv4": vm.map(Vm::address),
            "machine_type": node.machine_type,
        },
    } });
    merge(&mut configuration, &own);
    configuration
}

/// The file systems of `Configuration.cyclecloud.mounts` (§8.4) and the directories behind them.
fn mounts(node: &Node, launcher: &Launcher) -> io::Result<Vec<(String, PathBuf)>> {
    let mounts = node
        .attribute("Configuration")
        .and_then(|configuration| configuration.pointer("/cyclecloud/mounts")?.as_object());
    let mut places = Vec::new();
    for mount in mounts.into_iter().flat_map(Map::values) {
        let text = |name: &str| mount.get(name).and_then(Value::as_str);
        let Some(path) = text("mountpoint") else {
            continue;
        };
        if mount.get("disabled") == Some(&Value::Bool(true)) {
            continue;
        }
        // Without an address the file system is one of the cluster's own.
        let address = text("address").unwrap_or(&node.cluster);
        let id = nfs_id(address, text("export_path").unwrap_or(path));
        places.push((path.to_owned(), launcher.volume_directory(SERVICE, &id)?));
    }
    Ok(places)
}

/// A file system is known by its place: whoever mounts it sees the same files.
fn nfs_id(address: &str, export: &str) -> String {
    format!("nfs-{address}{}", export.trim_end_matches('/'))
}

/// The configuration with the paths of this machine in the job's own values.
fn as_seen(configuration: &Value, map: &PathMap) -> Value {
    let mut seen = configuration.clone();
    if let Some(job) = seen.get_mut("gpujob") {
        rewrite("", job, map);
    }
    seen
}

fn rewrite(name: &str, value: &mut Value, map: &PathMap) {
    match value {
        Value::String(text) if name.ends_with("_b64") => {
            // What is no base64 or no text reaches the runner as it is.
            let decoded = STANDARD.decode(text.as_bytes()).ok();
            if let Some(words) = decoded.and_then(|bytes| String::from_utf8(bytes).ok()) {
                *text = STANDARD.encode(map.rewrite(&words));
            }
        }
        Value::String(text) => *text = map.rewrite(text),
        Value::Object(members) => {
            for (name, value) in members {
                rewrite(name, value, map);
            }
        }
        Value::Array(items) => {
            for value in items {
                rewrite(name, value, map);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// One line for every key and every group of keys: key, value and JSON, the last two in base64 with a `=` before.
fn table(configuration: &Value, switches: &Switches) -> String {
    let mut lines = BTreeMap::new();
    flatten("", configuration, switches, &mut lines);
    lines.into_values().collect()
}

fn flatten(key: &str, value: &Value, switches: &Switches, lines: &mut BTreeMap<String, String>) {
    if let Value::Object(members) = value {
        for (name, value) in members {
            let inner = if key.is_empty() {
                name.clone()
            } else {
                format!("{key}.{name}")
            };
            flatten(&inner, value, switches, lines);
        }
    }
    if key.is_empty() || key.contains(['\t', '\n']) {
        return;
    }
    let plain = match (value, switches.jetpack_booleans) {
        (Value::String(text), _) => text.clone(),
        (Value::Bool(true), Booleans::Python) => "True".to_owned(),
        (Value::Bool(false), Booleans::Python) => "False".to_owned(),
        (Value::Null, Booleans::Python) => "None".to_owned(),
        (other, _) => other.to_string(),
    };
    let line = format!(
        "{key}\t={}\t={}\n",
        STANDARD.encode(plain),
        STANDARD.encode(value.to_string())
    );
    lines.insert(key.to_owned(), line);
}
