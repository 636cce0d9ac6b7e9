//! Many processes of the built binary, some of them killed at random instants.

use std::process::{Child, Stdio};
use std::time::Duration;

use super::{FAULTS, SEED, is_named};
use crate::support::environment::TestEnvironment;

const BACKENDS: [&str; 4] = ["paracloud", "cyclecloud", "gongji", "pai-dlc"];

fn submit(environment: &TestEnvironment, backend: &str, name: &str) -> Child {
    let gpu = ["--gpu", "V100:1", "--image", "tool:1", "--time", "5m"];
    let arguments = [
        &["submit", "-p", backend, "--name", name][..],
        &gpu,
        &["--", "true"],
    ];
    environment
        .command(&arguments.concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn count(environment: &TestEnvironment, backend: &str, name: &str) -> usize {
    let jobs = environment.jobs();
    let named = |job: &&serde_json::Value| {
        let names = job["names"].as_array().unwrap().iter();
        let names: Vec<String> = names
            .map(|name| name.as_str().unwrap().to_owned())
            .collect();
        is_named(&names, name)
    };
    jobs[backend]
        .as_array()
        .unwrap()
        .iter()
        .filter(named)
        .count()
}

/// Keeps jobs from running, and lets things go wrong.
fn prepare(environment: &TestEnvironment, faults: &[&str]) {
    for backend in BACKENDS {
        let hold = serde_json::json!({"backend": backend, "state": "pending"});
        environment.control("hold", &hold.to_string());
    }
    let rules = serde_json::json!({ "faults": faults });
    environment.control("faults", &rules.to_string());
}

fn kill_some(rounds: usize) {
    let environment = TestEnvironment::with_sandbox();
    prepare(&environment, &FAULTS);
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut killed = 0;
    for number in 0..rounds {
        let backend = BACKENDS[number % BACKENDS.len()];
        let name = format!("kill-{number}");
        let mut child = submit(&environment, backend, &name);
        // The instant is the point of the test; nothing is measured by it.
        std::thread::sleep(Duration::from_millis(random.u64(0..120)));
        child.kill().unwrap();
        let code = child.wait_with_output().unwrap().status.code();
        killed += usize::from(code.is_none());
        let jobs = count(&environment, backend, &name);
        match code {
            Some(0) => assert_eq!(jobs, 1, "{backend} {name}"),
            Some(88) | None => assert!(jobs <= 1, "{backend} {name}: {jobs} jobs"),
            Some(code) => assert_eq!(jobs, 0, "{backend} {name}: {code}"),
        }
    }
    environment.control("faults", r#"{"faults": []}"#);
    environment.run(&["status", "-o", "json"]).expect(0);
    println!("{rounds} processes, {killed} killed");
    assert!(killed > 0);
}

#[test]
fn a_killed_submit_leaves_one_job_at_most_and_a_journal_that_reads() {
    kill_some(12);
}

#[test]
#[ignore = "a minute: the long form"]
fn many_killed_submits_leave_one_job_at_most_each() {
    kill_some(400);
}

#[test]
fn a_hundred_processes_share_one_journal() {
    let environment = TestEnvironment::with_sandbox();
    prepare(&environment, &[]);
    let names: Vec<String> = (0..100).map(|number| format!("crowd-{number}")).collect();
    let children: Vec<Child> = names
        .iter()
        .map(|name| submit(&environment, "paracloud", name))
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{told}");
    }
    for name in &names {
        assert_eq!(count(&environment, "paracloud", name), 1, "{name}");
        let wanted = format!("name:{name}");
        let shown = environment
            .run(&["status", &wanted, "-o", "json"])
            .expect(0);
        assert_eq!(shown.json()["name"], **name);
    }
}
