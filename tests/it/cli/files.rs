//! Files in volumes, and jobs that run through a script in one, against the sandbox (paracloud.md §6 and §9.2).

use std::path::Path;

use crate::support::environment::TestEnvironment;

/// A volume with transfer access; its ref.
fn volume(environment: &TestEnvironment) -> String {
    // Not `run`: that would find the password, which this one command shows.
    let arguments = [
        "volumes",
        "create",
        "-p",
        "paracloud",
        "--cluster",
        "NC-N30",
        "-o",
        "json",
    ];
    let created = environment.command(&arguments).output().unwrap();
    let volume: serde_json::Value = serde_json::from_slice(&created.stdout).unwrap();
    volume["ref"].as_str().unwrap().to_owned()
}

fn bytes(length: usize) -> Vec<u8> {
    (0..=255).cycle().take(length).collect()
}

fn at(volume: &str, path: &str) -> String {
    format!("{volume}:{path}")
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_binary_file_goes_in_and_comes_out_the_same() {
    let environment = TestEnvironment::with_sandbox();
    let volume = volume(&environment);
    let local = environment.home().join("in.bin");
    std::fs::write(&local, bytes(1_000_003)).unwrap();
    let remote = at(&volume, "/deep/er/ü &#%.bin");
    environment
        .run(&["volumes", "put", text(&local), &remote])
        .expect(0);
    let listed = environment
        .run(&["volumes", "ls", &at(&volume, "deep/er"), "-o", "json"])
        .expect(0)
        .json();
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{listed}");
    assert_eq!(items[0]["path"], "/deep/er/ü &#%.bin");
    assert_eq!(items[0]["size_bytes"], 1_000_003);
    let back = environment.home().join("back");
    std::fs::create_dir(&back).unwrap();
    environment
        .run(&["volumes", "get", &remote, text(&back)])
        .expect(0);
    assert_eq!(
        std::fs::read(back.join("ü &#%.bin")).unwrap(),
        bytes(1_000_003)
    );
    let piped = environment
        .command(&["volumes", "get", &remote, "-"])
        .output()
        .unwrap();
    assert_eq!(piped.stdout, bytes(1_000_003));
    environment.run(&["volumes", "rm", &remote]).expect(0);
    let gone = environment
        .run(&["volumes", "get", &remote, "-"])
        .expect(82);
    assert!(gone.stderr.contains("there is no"), "{}", gone.stderr);
}

#[test]
fn standard_input_goes_in_and_folders_go_only_as_a_whole() {
    let environment = TestEnvironment::with_sandbox();
    let volume = volume(&environment);
    let remote = at(&volume, "/a/b.txt");
    environment
        .run_with_input(&["volumes", "put", "-", &remote], "from a pipe\n")
        .expect(0);
    let run = environment.run(&["volumes", "get", &remote, "-"]).expect(0);
    assert_eq!(run.stdout, "from a pipe\n");
    environment
        .run(&["volumes", "rm", &at(&volume, "/a")])
        .expect(93);
    environment
        .run_with_input(&["volumes", "put", "-", &at(&volume, "/a")], "x")
        .expect(93);
    environment
        .run(&["volumes", "rm", "-r", &at(&volume, "/a")])
        .expect(0);
    let run = environment.run(&["volumes", "ls", &volume, "-q"]).expect(0);
    assert_eq!(run.stdout, "");
}

#[test]
fn what_gives_no_access_says_why_and_what_else() {
    let environment = TestEnvironment::with_sandbox();
    for volume in ["cyclecloud/lab/gpu/data", "pai-dlc/cn-hangzhou/d-1"] {
        environment.run(&["volumes", "ls", volume]).expect(81);
    }
    let run = environment
        .run(&["volumes", "ls", "paracloud/k8r2wq/NC-N30/elsewhere"])
        .expect(85);
    assert!(run.stderr.contains("volumes create"), "{}", run.stderr);
    environment
        .run(&["volumes", "put", "x", "no-path"])
        .expect(80);
    environment
        .run(&["volumes", "get", "v:a/../b", "-"])
        .expect(80);
}

/// A job that only a script can express.
fn script_job(environment: &TestEnvironment, volume: &str) -> String {
    let spec = format!(
        "name: scripted\n\
         image: tool:1\n\
         script: |\n  printf 'hello %s\\n' \"$WHO\"\n  pwd\n  printf '\\377\\000' \n  exit 3\n\
         env: {{ WHO: \"it's me; $HOME\" }}\n\
         workdir: /\n\
         resources: {{ gpu: {{ model: RTX3090, count: 1 }} }}\n\
         timeout: 5m\n\
         provider_options: {{ paracloud: {{ script_volume: {} }} }}\n",
        volume.rsplit('/').next().unwrap()
    );
    environment.file("job.yaml", &spec)
}

#[test]
fn a_script_runs_and_its_exit_code_and_output_are_known() {
    let environment = TestEnvironment::with_sandbox();
    let volume = volume(&environment);
    let spec = script_job(&environment, &volume);
    let submitted = environment
        .run(&["submit", &spec, "-p", "paracloud", "-o", "json"])
        .expect(0);
    let job = submitted.json();
    let job_ref = job["ref"].as_str().unwrap();
    assert!(
        submitted.stderr.contains("script mode"),
        "{}",
        submitted.stderr
    );
    environment.run(&["wait", job_ref]).expect(3);
    let status = environment
        .run(&["status", job_ref, "-o", "json"])
        .expect(0)
        .json();
    assert_eq!(
        (&status["state"], &status["exit_code"]),
        (&"failed".into(), &3.into())
    );
    let marker = job["marker"].as_str().unwrap();
    let log = at(&volume, &format!("/.gpujob/{marker}/stdout.log"));
    let output = environment
        .command(&["volumes", "get", &log, "-"])
        .output()
        .unwrap();
    assert_eq!(output.stdout, b"hello it's me; $HOME\n/\n\xff\x00");
    for arguments in [&["logs", job_ref][..], &["logs", "-f", job_ref]] {
        let logs = environment.command(arguments).output().unwrap();
        assert_eq!(logs.stdout, output.stdout, "{arguments:?}");
        assert_eq!(logs.status.code(), Some(0));
    }
}

#[test]
fn errors_follow_the_output_and_can_be_had_alone() {
    let environment = TestEnvironment::with_sandbox();
    let volume = volume(&environment);
    let mount = format!("{volume}:/data");
    let script = "echo out; echo err >&2; exit 4";
    let mut arguments = vec!["submit", "-p", "paracloud", "--image", "tool:1"];
    arguments.extend(["--gpu", "RTX3090", "--mount", &mount, "--script", script]);
    let run = environment.run(&arguments).expect(0);
    let job = run.stdout.trim();
    environment.run(&["wait", job]).expect(4);
    let run = environment.run(&["logs", job]).expect(0);
    assert_eq!(run.stdout, "out\nerr\n");
    for (lines, left) in [("1", "err\n"), ("2", "out\nerr\n")] {
        let run = environment.run(&["logs", job, "--tail", lines]).expect(0);
        assert_eq!(run.stdout, left);
    }
    for (stream, left) in [("stdout", "out\n"), ("stderr", "err\n")] {
        let run = environment.run(&["logs", job, "--pod", stream]).expect(0);
        assert_eq!(run.stdout, left);
    }
}

#[test]
fn explain_shows_the_files_and_sends_nothing() {
    let environment = TestEnvironment::with_sandbox();
    let volume = volume(&environment);
    let spec = script_job(&environment, &volume);
    let run = environment
        .run(&["explain", &spec, "-p", "paracloud", "-o", "json"])
        .expect(0);
    let requests = run.json()["items"][0]["requests"].clone();
    let methods: Vec<&str> = requests
        .as_array()
        .unwrap()
        .iter()
        .map(|request| request["method"].as_str().unwrap())
        .collect();
    assert_eq!(methods, ["MKCOL", "MKCOL", "PUT", "PUT", "POST"]);
    let listed = environment.run(&["volumes", "ls", &volume, "-q"]).expect(0);
    assert_eq!(listed.stdout, "");
}

#[test]
fn a_script_without_a_volume_is_refused_with_what_would_do() {
    let environment = TestEnvironment::with_sandbox();
    let run = environment
        .run(&[
            "submit",
            "-p",
            "paracloud",
            "--image",
            "tool:1",
            "--gpu",
            "RTX3090",
            "--script",
            "exit 3",
        ])
        .expect(81);
    assert!(run.stderr.contains("script_volume"), "{}", run.stderr);
}
