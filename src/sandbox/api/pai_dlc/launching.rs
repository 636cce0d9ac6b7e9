//! From a job to the processes of its pods (pai-dlc.md §5.2).

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::job::{Job, Pod};
use super::switches::Switches;
use crate::sandbox::auth::acs3::sha256_hex;
use crate::sandbox::process::{Launch, Launcher, Program};

/// The service's name towards the launcher.
pub(super) const SERVICE: &str = "pai-dlc";

/// Of the official sample.
const MASTER_PORT: &str = "23456";

/// Where a code source is cloned to if the job does not say it.
const USUAL_CODE_PATH: &str = "/mnt/code";

/// Starts a process per pod. Code sources are not cloned and libraries not installed: their places are empty.
pub(super) fn launch(job: &mut Job, launcher: &Launcher, switches: &Switches) {
    let mounts = mounts(job, launcher);
    let wanted: Vec<Launch> = job
        .pods
        .iter()
        .enumerate()
        .map(|(rank, pod)| Launch {
            job: job.id.clone(),
            program: program(job, pod),
            env: environment(job, rank, switches),
            mounts: mounts.clone(),
            working_directory: None,
            time_limit: time_limit(job, switches),
        })
        .collect();
    for (pod, wanted) in job.pods.iter_mut().zip(wanted) {
        pod.process = Some(launcher.launch(wanted));
    }
}

fn program(job: &Job, pod: &Pod) -> Program {
    let command = if pod.role_command.is_empty() {
        &job.user_command
    } else {
        &pod.role_command
    };
    match job.request.settings.shell.as_str() {
        "" => Program::Shell(command.clone()),
        shell => Program::Words(vec![shell.to_owned(), "-c".to_owned(), command.clone()]),
    }
}

fn environment(job: &Job, rank: usize, switches: &Switches) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let asked = job
        .request
        .envs
        .iter()
        .map(|(name, value)| (name.clone(), text(value)));
    let custom = job
        .request
        .custom_envs
        .iter()
        .map(|variable| (variable.key.clone(), variable.value.clone()));
    let first = job.pods.first().map_or("", |pod| pod.name.as_str());
    let master = if switches.master_on_loopback {
        "127.0.0.1"
    } else {
        first
    };
    // The service's own come last: they win.
    let own = [
        ("MASTER_ADDR", master.to_owned()),
        ("MASTER_PORT", MASTER_PORT.to_owned()),
        // Nodes, not processes.
        ("WORLD_SIZE", job.pods.len().to_string()),
        ("RANK", rank.to_string()),
        ("DLC_JOB_ID", job.id.clone()),
        ("PAI_WORKSPACE_ID", job.workspace_id.clone()),
    ]
    .map(|(name, value)| (name.to_owned(), value));
    asked.chain(custom).chain(own).collect()
}

fn mounts(job: &Job, launcher: &Launcher) -> Vec<(String, PathBuf)> {
    let code = &job.request.code_source;
    let code = (!code.code_source_id.is_empty()).then(|| {
        let path = match code.mount_path.as_str() {
            "" => USUAL_CODE_PATH,
            path => path,
        };
        (path.to_owned(), format!("code-{}", code.code_source_id))
    });
    job.mounts
        .iter()
        .map(|mount| (mount.path.clone(), storage_id(&mount.uri)))
        .chain(code)
        .filter_map(|(path, id)| match launcher.volume_directory(SERVICE, &id) {
            Ok(directory) => Some((path, directory)),
            Err(error) => {
                log::warn!("pai-dlc: no directory for `{path}`: {error}");
                None
            }
        })
        .collect()
}

/// Storage is known by its place, not by its registration: two datasets of one Uri show the same files, and so does a
/// dataset that was deleted and registered again (§6.3).
fn storage_id(uri: &str) -> String {
    let place = uri.trim_end_matches('/');
    let digest = sha256_hex(place.as_bytes());
    format!("uri-{}", digest.get(..16).unwrap_or(&digest))
}

/// `None` for 0: no limit (§5.1). A limit is real time, whatever the speed: the command is real too.
fn time_limit(job: &Job, switches: &Switches) -> Option<Duration> {
    let minutes = u32::try_from(job.request.job_max_running_time_minutes).unwrap_or(u32::MAX);
    if minutes == 0 {
        return None;
    }
    Duration::try_from_secs_f64(f64::from(minutes) * switches.minute_seconds).ok()
}
