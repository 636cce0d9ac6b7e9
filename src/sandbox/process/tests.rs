//! Real processes: what they print, return, inherit, and how they end.

use tempfile::TempDir;

use super::*;
use crate::sandbox::testing::until;

struct Bench {
    launcher: Launcher,
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let image = folder.path().join("my image");
        fs::create_dir(&image).unwrap();
        let root = folder.path().join("root");
        fs::create_dir(&root).unwrap();
        Self {
            launcher: Launcher::new(root, image),
            folder,
        }
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("my image")
    }
}

fn shell(text: &str) -> Launch {
    Launch {
        job: "p6vd2hcn".to_owned(),
        program: Program::Shell(text.to_owned()),
        env: Vec::new(),
        mounts: Vec::new(),
        working_directory: None,
        time_limit: None,
    }
}

fn words(words: &[&str]) -> Launch {
    Launch {
        program: Program::Words(words.iter().map(|word| (*word).to_owned()).collect()),
        ..shell("")
    }
}

fn log(process: &Process) -> String {
    fs::read_to_string(process.log_path()).unwrap()
}

/// Waits for a file that a job writes when it is ready; the readiness is the file, not a time.
async fn appears(path: &Path) -> String {
    let mut text = String::new();
    until(|| {
        text = fs::read_to_string(path).unwrap_or_default();
        text.ends_with('\n')
    })
    .await;
    text
}

fn is_alive(id: &str) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{}/stat", id.trim())) else {
        return false;
    };
    // A killed orphan may stay a zombie until its new parent reads its code.
    !stat.contains(") Z ")
}

#[tokio::test]
async fn exit_code_and_output_are_the_programs_own() {
    let bench = Bench::new();
    let process = bench
        .launcher
        .launch(shell("echo out; echo err >&2; echo out again; exit 7"));
    process.finished().await;
    assert_eq!(process.status(), ProcessStatus::Exited(7));
    assert_eq!(log(&process), "out\nerr\nout again\n");
    assert!(process.finished_at().unwrap() >= process.started_at());
}

#[tokio::test]
async fn words_reach_the_program_unchanged() {
    let bench = Bench::new();
    let process = bench
        .launcher
        .launch(words(&["printf", "%s|", "a b", "$HOME", "*", ""]));
    process.finished().await;
    assert_eq!(log(&process), "a b|$HOME|*||");
}

#[tokio::test]
async fn the_environment_is_minimal_and_the_directory_its_own() {
    let bench = Bench::new();
    let mut launch = shell("env; pwd; touch made-here");
    launch.env = vec![("EPOCHS".to_owned(), "3".to_owned())];
    let process = bench.launcher.launch(launch);
    process.finished().await;
    let text = log(&process);
    let mut names: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_once('=').map(|(name, _)| name))
        .collect();
    names.sort_unstable();
    // The shell adds PWD (and dash nothing else; bash adds two more).
    names.retain(|name| !["PWD", "SHLVL", "_", "OLDPWD"].contains(name));
    assert_eq!(names, ["EPOCHS", "HOME", "LANG", "LC_ALL", "PATH"]);
    assert!(process.directory().join("made-here").is_file());
    assert!(text.contains(&format!("HOME={}", process.directory().display())));
}

#[tokio::test]
async fn two_processes_of_a_job_have_two_directories() {
    let bench = Bench::new();
    let first = bench.launcher.launch(shell("echo first"));
    let second = bench.launcher.launch(shell("echo second"));
    first.finished().await;
    second.finished().await;
    assert_ne!(first.directory(), second.directory());
    assert_eq!(log(&first) + &log(&second), "first\nsecond\n");
}

#[tokio::test]
async fn mounts_and_the_image_folder_are_reachable_by_their_container_paths() {
    let bench = Bench::new();
    fs::write(bench.image().join("train.py"), "in the image\n").unwrap();
    let volume = bench
        .launcher
        .volume_directory("paracloud", "x7m4tzb9")
        .unwrap();
    fs::write(volume.join("input"), "in the volume\n").unwrap();
    let mut launch = shell("cat /workspace/train.py /data/input; echo \"$OUT\"; pwd");
    launch.env = vec![("OUT".to_owned(), "/data/out".to_owned())];
    launch.mounts = vec![("/data".to_owned(), volume.clone())];
    launch.working_directory = Some("/data/new".to_owned());
    let process = bench.launcher.launch(launch);
    process.finished().await;
    let expected = format!(
        "in the image\nin the volume\n{0}/out\n{0}/new\n",
        volume.display()
    );
    assert_eq!(log(&process), expected);
    bench
        .launcher
        .remove_volume("paracloud", "x7m4tzb9")
        .unwrap();
    assert!(!volume.exists());
}

#[tokio::test]
async fn what_cannot_be_started_is_told_with_the_code_of_a_container_runtime() {
    let bench = Bench::new();
    for launch in [
        words(&["no-such-program-anywhere"]),
        words(&[]),
        Launch {
            working_directory: Some("/no/such/folder".to_owned()),
            ..shell("true")
        },
    ] {
        let process = bench.launcher.launch(launch);
        assert!(matches!(process.status(), ProcessStatus::NotStarted(_)));
        assert_eq!(process.status().exit_code(), Some(127));
        assert!(!log(&process).is_empty());
        process.finished().await;
    }
}

#[tokio::test]
async fn a_kill_ends_the_whole_group() {
    let bench = Bench::new();
    let process = bench
        .launcher
        .launch(shell("sleep 600 & echo $! > child; wait"));
    let child = appears(&process.directory().join("child")).await;
    assert!(is_alive(&child));
    process.kill();
    process.finished().await;
    assert_eq!(process.status(), ProcessStatus::Signalled(15));
    until(|| !is_alive(&child)).await;
}

#[tokio::test]
async fn what_ignores_the_polite_signal_is_killed_after_the_grace() {
    let bench = Bench::new();
    let process = bench.launcher.launch(shell(
        "trap '' TERM; echo ready > flag; sleep 600; sleep 600",
    ));
    appears(&process.directory().join("flag")).await;
    process.kill();
    process.kill();
    process.finished().await;
    assert_eq!(process.status(), ProcessStatus::Signalled(9));
}

#[tokio::test]
async fn a_time_limit_is_kept() {
    let bench = Bench::new();
    let mut launch = shell("sleep 600");
    launch.time_limit = Some(Duration::from_millis(30));
    let process = bench.launcher.launch(launch);
    process.finished().await;
    assert_eq!(process.status(), ProcessStatus::TimedOut);
}

#[tokio::test]
async fn what_the_first_process_leaves_behind_ends_with_it() {
    let bench = Bench::new();
    let process = bench.launcher.launch(shell("sleep 600 & echo $! > child"));
    process.finished().await;
    let child = fs::read_to_string(process.directory().join("child")).unwrap();
    assert_eq!(process.status(), ProcessStatus::Exited(0));
    until(|| !is_alive(&child)).await;
}

#[test]
fn a_runtime_that_goes_away_takes_its_processes_along() {
    let bench = Bench::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let child = runtime.block_on(async {
        let process = bench
            .launcher
            .launch(shell("sleep 600 & echo $! > child; wait"));
        appears(&process.directory().join("child")).await
    });
    drop(runtime);
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(until(|| !is_alive(&child)));
}

#[tokio::test]
async fn a_forgotten_job_leaves_nothing() {
    let bench = Bench::new();
    let process = bench.launcher.launch(shell("sleep 600"));
    bench.launcher.forget("p6vd2hcn");
    process.finished().await;
    until(|| !process.directory().exists()).await;
    assert!(!process.log_path().exists());
}

#[tokio::test]
async fn stopping_waits_for_every_process() {
    let bench = Bench::new();
    let one = bench.launcher.launch(shell("sleep 600"));
    let two = bench.launcher.launch(shell("sleep 600"));
    bench.launcher.stop().await;
    assert!(one.status().is_finished() && two.status().is_finished());
}

#[test]
fn different_ids_have_different_file_names() {
    let names: std::collections::BTreeSet<String> =
        ["", "_", "a/b", "a_b", "a b", "..", ".", "a.b"]
            .iter()
            .map(|id| file_name(id))
            .collect();
    assert_eq!(names.len(), 8);
    assert!(
        names
            .iter()
            .all(|name| !name.contains('/') && !name.starts_with('.'))
    );
}
