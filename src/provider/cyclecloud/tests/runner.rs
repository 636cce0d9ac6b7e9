//! The runner under a real shell, with stand-ins for jetpack and for a container runtime.
//!
//! What is executed lies in the repository and is linked, so that no test writes what another one executes.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rstest::rstest;
use tempfile::TempDir;

use super::super::payload::Payload;
use super::super::runner::{RUNNER, cloud_init, instructions};
use super::super::{MountedResults, Results};

const JOB: &str = "3f0c1a52-9f1b-4f6e-8f53-0d4f8f4c2a10";

/// What a bare node has; no container runtime is among it, whatever this machine has.
const TOOLS: [&str; 16] = [
    "base64", "cat", "chmod", "env", "hostname", "mkdir", "mktemp", "mv", "printf", "rm", "sh",
    "sleep", "sort", "true", "setsid", "kill",
];

/// A node: its tools, its settings, its own files and the shared directory.
struct NodeOfOne {
    directory: TempDir,
    shared: PathBuf,
    patience: u32,
}

impl NodeOfOne {
    fn new(name: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let shared = directory.path().join("shared dir");
        Self::sharing(name, directory, shared)
    }

    fn sharing(name: &str, directory: TempDir, shared: PathBuf) -> Self {
        let node = Self {
            directory,
            shared,
            patience: 20,
        };
        for folder in ["tools", "settings", "home"] {
            fs::create_dir(node.path(folder)).unwrap();
        }
        fs::create_dir_all(&node.shared).unwrap();
        for tool in TOOLS {
            let found = ["/usr/bin", "/bin"]
                .iter()
                .map(|folder| Path::new(folder).join(tool))
                .find(|path| path.exists());
            if let Some(found) = found {
                symlink(found, node.path("tools").join(tool)).unwrap();
            }
        }
        node.stand_in("jetpack", "jetpack");
        node.set("cyclecloud.node.name", name);
        node.set("cyclecloud.cluster.name", "lab");
        node
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn stand_in(&self, script: &str, name: &str) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("src/provider/cyclecloud/tests/stand-ins")
            .join(script);
        symlink(script, self.path("tools").join(name)).unwrap();
    }

    fn set(&self, key: &str, value: &str) {
        fs::write(self.path("settings").join(key), value).unwrap();
    }

    /// Puts a payload where the server would put it.
    fn give(&self, payload: &Payload) {
        for (key, value) in self.whole(payload).values() {
            self.set(&format!("gpujob.{key}"), &value);
        }
    }

    fn whole(&self, payload: &Payload) -> Payload {
        Payload {
            job_id: JOB.to_owned(),
            result_dir: Some(self.shared.to_str().unwrap().to_owned()),
            ..payload.clone()
        }
    }

    fn shell(&self, shell: &str, script: &str) -> Command {
        let file = self.path("script");
        fs::write(&file, script).unwrap();
        let mut command = Command::new(shell);
        command
            .arg(file)
            .env_clear()
            .env("PATH", self.path("tools"))
            .env("GPUJOB_HOME", self.path("home"))
            .env("GPUJOB_PATIENCE", self.patience.to_string())
            .env("JETPACK_SETTINGS", self.path("settings"))
            .env("JETPACK_CALLS", self.path("jetpack-calls"))
            .env("RUNTIME_CALLS", self.path("runtime-calls"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    fn start(&self) -> Child {
        self.shell("/bin/sh", RUNNER).spawn().unwrap()
    }

    /// Runs the runner to its end and returns what it said.
    fn run(&self) -> String {
        self.run_in("/bin/sh")
    }

    fn run_in(&self, shell: &str) -> String {
        let output = self.shell(shell, RUNNER).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        said
    }

    fn result(&self, node: &str, file: &str) -> Option<String> {
        fs::read_to_string(self.shared.join(JOB).join(node).join(file)).ok()
    }

    fn jetpack_calls(&self) -> String {
        fs::read_to_string(self.path("jetpack-calls")).unwrap_or_default()
    }
}

fn payload(command: &str) -> Payload {
    Payload {
        command: command.to_owned(),
        ..Payload::default()
    }
}

fn shells() -> Vec<&'static str> {
    ["/bin/sh", "/bin/dash", "/bin/bash"]
        .into_iter()
        .filter(|shell| Path::new(shell).exists())
        .collect()
}

#[test]
fn a_command_runs_as_it_was_written_and_the_node_goes() {
    for shell in shells() {
        let node = NodeOfOne::new("gpu-2");
        node.give(&payload(
            "printf '%s|' 'it'\\''s' \"a  b\" '$HOME' '*'; echo oops >&2; pwd",
        ));
        node.run_in(shell);
        let directory = node.shared.join(JOB).join("gpu-2");
        assert_eq!(
            node.result("gpu-2", "stdout").unwrap(),
            format!("it's|a  b|$HOME|*|{}\n", directory.display()),
            "{shell}"
        );
        assert_eq!(node.result("gpu-2", "stderr").unwrap(), "oops\n");
        assert_eq!(node.result("gpu-2", "exit_code").unwrap(), "0\n");
        assert_eq!(node.jetpack_calls(), "shutdown --idle\n");
        assert!(node.result("gpu-2", ".exit_code").is_none(), "renamed");
    }
}

#[test]
fn the_environment_arrives_exactly() {
    let node = NodeOfOne::new("gpu-1");
    let values = [
        ("PLAIN", "3e-5"),
        ("BLANKS", "  a  b  "),
        ("SIGNS", r#"a=b;$HOME "x" 'y' \ `id` *"#),
        ("EMPTY", ""),
        ("WIDE", "数据 é"),
        ("PATH_LIKE", "/a:/b"),
    ];
    let names: Vec<String> = values
        .iter()
        .map(|(name, _)| format!("printf '%s\\n' \"${name}\""))
        .collect();
    node.give(&Payload {
        env: values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        gpus: 4,
        ..payload(&format!(
            "{}; echo $GPUJOB_JOB_ID $GPUJOB_NODE $GPUJOB_RANK/$GPUJOB_NODES $GPUJOB_GPUS",
            names.join("; ")
        ))
    });
    node.run();
    let expected: Vec<&str> = values.iter().map(|(_, value)| *value).collect();
    assert_eq!(
        node.result("gpu-1", "stdout").unwrap(),
        format!("{}\n{JOB} gpu-1 0/1 4\n", expected.join("\n"))
    );
}

#[rstest]
#[case::a_code("exit 7", "7\n")]
#[case::no_such_program("no-such-program", "127\n")]
#[case::a_signal("kill -s KILL $$", "137\n")]
fn the_code_of_the_command_is_written(#[case] command: &str, #[case] code: &str) {
    let node = NodeOfOne::new("gpu-1");
    node.give(&payload(command));
    node.run();
    assert_eq!(node.result("gpu-1", "exit_code").unwrap(), code);
    assert_eq!(node.jetpack_calls(), "shutdown --idle\n");
    let exits = MountedResults
        .exits(node.shared.to_str().unwrap(), JOB)
        .unwrap();
    let exit = exits["gpu-1"].unwrap();
    assert_eq!(exit.code.to_string(), code.trim());
    assert!(exit.at.is_some());
}

#[test]
fn the_time_limit_ends_every_process_of_the_job() {
    for shell in shells() {
        let node = NodeOfOne::new("gpu-1");
        node.give(&Payload {
            time_limit_s: Some(1),
            ..payload("sleep 600 & echo $!; wait; echo not reached")
        });
        let began = Instant::now();
        node.run_in(shell);
        assert!(began.elapsed() < Duration::from_secs(30));
        assert_eq!(node.result("gpu-1", "exit_code").unwrap(), "124\n");
        let pid = node.result("gpu-1", "stdout").unwrap();
        assert!(!pid.contains("reached"));
        let state = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        assert!(
            state.is_empty() || state.contains(") Z "),
            "still runs: {state}"
        );
        assert_eq!(
            node.result("gpu-1", "stderr").unwrap(),
            "gpujob runner: the time limit of 1 s is over\n"
        );
        assert_eq!(node.jetpack_calls(), "shutdown --idle\n");
    }
}

#[test]
fn a_job_within_its_limit_is_left_alone() {
    let node = NodeOfOne::new("gpu-1");
    node.give(&Payload {
        time_limit_s: Some(600),
        ..payload("exit 3")
    });
    let began = Instant::now();
    node.run();
    assert!(began.elapsed() < Duration::from_secs(30));
    assert_eq!(node.result("gpu-1", "exit_code").unwrap(), "3\n");
}

#[test]
fn a_kept_node_stays() {
    let node = NodeOfOne::new("gpu-1");
    node.give(&Payload {
        keep: true,
        ..payload("true")
    });
    // As Python writes it.
    node.set("gpujob.keep", "True");
    assert!(node.run().contains("the node is kept"));
    assert_eq!(node.jetpack_calls(), "");
    assert_eq!(node.result("gpu-1", "exit_code").unwrap(), "0\n");
}

#[test]
fn a_node_of_somebody_else_is_left_alone() {
    let node = NodeOfOne::new("gpu-1");
    assert!(node.run().contains("no job for this node"));
    assert_eq!(node.jetpack_calls(), "");
    assert!(fs::read_dir(&node.shared).unwrap().next().is_none());
}

#[test]
fn a_job_is_begun_once() {
    let node = NodeOfOne::new("gpu-1");
    node.give(&payload("echo begun"));
    node.run();
    node.run();
    assert_eq!(node.result("gpu-1", "stdout").unwrap(), "begun\n");
    assert_eq!(
        node.jetpack_calls(),
        "shutdown --idle\n",
        "the second has nothing to do"
    );
}

#[test]
fn a_restarted_node_ends_its_job_instead_of_repeating_it() {
    let node = NodeOfOne::new("gpu-1");
    node.give(&payload("echo begun"));
    node.run();
    // As after a restart in the middle of the job: another boot, and no exit code yet.
    fs::remove_dir_all(node.path("home")).unwrap();
    fs::create_dir(node.path("home")).unwrap();
    fs::remove_file(node.shared.join(JOB).join("gpu-1/exit_code")).unwrap();
    node.run();
    assert_eq!(node.result("gpu-1", "stdout").unwrap(), "begun\n");
    assert_eq!(node.result("gpu-1", "exit_code").unwrap(), "125\n");
    assert!(
        node.result("gpu-1", "stderr")
            .unwrap()
            .contains("was restarted")
    );
    // And as after a restart between the end of the job and that of the node.
    fs::remove_dir_all(node.path("home")).unwrap();
    fs::create_dir(node.path("home")).unwrap();
    node.run();
    assert_eq!(node.result("gpu-1", "exit_code").unwrap(), "125\n");
    assert_eq!(node.jetpack_calls().lines().count(), 3);
}

#[test]
fn an_image_runs_in_the_runtime_that_is_there() {
    let node = NodeOfOne::new("gpu-1");
    node.stand_in("docker", "docker");
    node.give(&Payload {
        image: Some("registry.example/train:3".to_owned()),
        env: vec![("GREETING".to_owned(), "it's  me".to_owned())],
        gpus: 2,
        ..payload("echo \"$GREETING\" $GPUJOB_GPUS; exit 4")
    });
    node.run();
    assert_eq!(node.result("gpu-1", "stdout").unwrap(), "it's  me 2\n");
    assert_eq!(node.result("gpu-1", "exit_code").unwrap(), "4\n");
    let calls = fs::read_to_string(node.path("runtime-calls")).unwrap();
    let words: Vec<&str> = calls.lines().collect();
    assert_eq!(
        &words[..4],
        ["run", "--rm", "--name", &format!("gpujob-{JOB}")]
    );
    let shared = node.shared.to_str().unwrap();
    assert!(
        words.contains(&format!("{shared}:{shared}").as_str()),
        "{calls}"
    );
    let has_gpus = calls.contains("--gpus\nall\n") || calls.contains("--device\n/dev/kfd\n");
    assert!(has_gpus, "{calls}");
    assert!(calls.contains("--entrypoint\n/bin/sh\nregistry.example/train:3\n/gpujob-command\n"));
    assert!(
        calls.ends_with(&format!("rm\n--force\ngpujob-{JOB}\n")),
        "{calls}"
    );
}

#[test]
fn an_image_without_a_runtime_is_no_reason_to_run_on_the_host() {
    let node = NodeOfOne::new("gpu-1");
    node.give(&Payload {
        image: Some("registry.example/train:3".to_owned()),
        ..payload("echo on the host")
    });
    node.run();
    assert_eq!(node.result("gpu-1", "stdout").unwrap(), "");
    assert_eq!(node.result("gpu-1", "exit_code").unwrap(), "125\n");
    assert!(
        node.result("gpu-1", "stderr")
            .unwrap()
            .contains("registry.example/train:3")
    );
    assert_eq!(node.jetpack_calls(), "shutdown --idle\n");
}

#[test]
fn without_the_shared_directory_nothing_is_run_and_the_node_goes() {
    let mut node = NodeOfOne::new("gpu-1");
    node.patience = 0;
    node.give(&payload("echo lost"));
    fs::remove_dir(&node.shared).unwrap();
    node.run();
    assert!(!node.shared.exists());
    let calls = node.jetpack_calls();
    assert!(
        calls.starts_with("log gpujob: the result directory"),
        "{calls}"
    );
    assert!(calls.ends_with("shutdown --idle\n"), "{calls}");
}

#[test]
fn a_command_that_cannot_be_decoded_is_told() {
    let node = NodeOfOne::new("gpu-1");
    node.give(&payload("true"));
    node.set("gpujob.command_b64", "%%%");
    node.run();
    assert_eq!(node.result("gpu-1", "exit_code").unwrap(), "125\n");
    assert_eq!(node.jetpack_calls(), "shutdown --idle\n");
}

#[test]
fn nodes_wait_for_each_other_and_get_their_ranks_by_number() {
    let first = NodeOfOne::new("gpu-9");
    let second = NodeOfOne::sharing("gpu-10", tempfile::tempdir().unwrap(), first.shared.clone());
    let job = Payload {
        nodes: Some(2),
        ..payload(
            "echo $GPUJOB_RANK of $GPUJOB_NODES; echo $GPUJOB_HOSTS | { IFS=, read a b; [ -n \"$b\" ]; }",
        )
    };
    for node in [&first, &second] {
        node.give(&job);
    }
    let children = [first.start(), second.start()];
    for child in children {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    for (name, rank) in [("gpu-9", 0), ("gpu-10", 1)] {
        assert_eq!(
            first.result(name, "stdout").unwrap(),
            format!("{rank} of 2\n")
        );
        assert_eq!(first.result(name, "exit_code").unwrap(), "0\n");
    }
}

/// The scripts start the runner in the background; its last call to jetpack tells that it has ended.
fn run_detached(node: &NodeOfOne, script: &str) {
    let calls = node.path("jetpack-calls");
    assert!(
        Command::new("mkfifo")
            .arg(&calls)
            .status()
            .unwrap()
            .success()
    );
    let output = node.shell("/bin/sh", script).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(fs::read_to_string(&calls).unwrap(), "shutdown --idle\n");
}

#[test]
fn what_the_operator_installs_runs_jobs() {
    let node = NodeOfOne::new("gpu-1");
    node.give(&payload("echo done"));
    let script = instructions();
    assert!(script.contains("cluster-init") && script.contains("CloudInit"));
    run_detached(&node, &script);
    assert_eq!(node.result("gpu-1", "stdout").unwrap(), "done\n");
    assert_eq!(node.result("gpu-1", "exit_code").unwrap(), "0\n");
    assert_eq!(
        fs::read_to_string(node.path("home/runner")).unwrap(),
        RUNNER
    );
}

#[test]
fn a_job_that_is_carried_whole_needs_no_configuration() {
    let node = NodeOfOne::new("gpu-1");
    let job = node.whole(&Payload {
        env: vec![("WHO".to_owned(), "it's me".to_owned())],
        ..payload("echo \"$WHO\"")
    });
    run_detached(&node, &cloud_init(&job.values()));
    assert_eq!(node.result("gpu-1", "stdout").unwrap(), "it's me\n");
    assert_eq!(node.result("gpu-1", "exit_code").unwrap(), "0\n");
}

#[test]
fn no_path_but_a_jobs_own_directory_is_looked_at() {
    let node = NodeOfOne::new("gpu-1");
    let shared = node.shared.to_str().unwrap();
    for id in ["", "..", "../x", "a/b"] {
        assert_eq!(MountedResults.exits(shared, id), None, "{id}");
    }
    assert_eq!(MountedResults.exits("relative", JOB), None);
    assert_eq!(MountedResults.exits(shared, JOB), None, "not there");
}
