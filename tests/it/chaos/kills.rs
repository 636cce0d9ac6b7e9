//! Many processes of the built binary, some of them killed at random instants.

use std::process::{Child, Stdio};
use std::time::Duration;

use super::{FAULTS, SEED, is_named};
use crate::support::environment::TestEnvironment;

const BACKENDS: [&str; 4] = ["paracloud", "cyclecloud", "gongji", "pai-dlc"];

fn submit(environment: &TestEnvironment, backend: &str, name: &str) -> Child {
    submit_with(environment, backend, name, &[])
}

fn submit_with(environment: &TestEnvironment, backend: &str, name: &str, flags: &[&str]) -> Child {
    let gpu = ["--gpu", "V100:1", "--image", "tool:1", "--time", "5m"];
    let arguments = [
        &["submit", "-p", backend, "--name", name][..],
        &gpu,
        flags,
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
    let room = serde_json::json!({"backend": "cyclecloud", "settings": {"capacity": 4000}});
    environment.control("configure", &room.to_string());
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

/// The same key is submitted until it is told; some of the processes are killed.
fn kill_under_keys(rounds: usize) {
    let environment = TestEnvironment::with_sandbox();
    let mut random = fastrand::Rng::with_seed(SEED);
    let (mut runs, mut killed, mut resubmitted) = (0, 0, 0);
    for number in 0..rounds {
        prepare(&environment, &FAULTS);
        let backend = BACKENDS[number % BACKENDS.len()];
        let name = format!("key-{number}");
        let run = |flags: &[&str]| submit_with(&environment, backend, &name, flags);
        for attempt in 0..3 {
            let before = count(&environment, backend, &name);
            let mut child = run(&["--key", &name, "--retries", "0"]);
            if attempt == 0 || random.bool() {
                // The instant is the point of the test; nothing is measured by it.
                std::thread::sleep(Duration::from_millis(random.u64(0..40)));
                child.kill().unwrap();
            }
            let code = child.wait_with_output().unwrap().status.code();
            runs += 1;
            killed += usize::from(code.is_none());
            let jobs = count(&environment, backend, &name);
            match code {
                Some(0) => assert_eq!(jobs, 1, "{backend} {name}"),
                Some(88) | None => assert!(jobs <= 1, "{backend} {name}: {jobs} jobs"),
                Some(code) => assert_eq!(jobs, before, "{backend} {name}: {code}"),
            }
        }
        environment.control("faults", r#"{"faults": []}"#);
        let settled = environment.run(&["settle", "--all"]).code;
        let jobs = count(&environment, backend, &name);
        let mut last = run(&["--key", &name, "-q"]).wait_with_output().unwrap();
        if settled == 88 {
            // It looked with nothing in its way: there is none.
            assert_eq!(jobs, 0, "{backend} {name}");
            assert_eq!(last.status.code(), Some(88), "{backend} {name}");
            let again = run(&["--key", &name, "-q", "--resubmit"]);
            last = again.wait_with_output().unwrap();
            resubmitted += 1;
        }
        let told = String::from_utf8_lossy(&last.stderr).into_owned();
        assert_eq!(last.status.code(), Some(0), "{backend} {name}: {told}");
        assert_eq!(count(&environment, backend, &name), 1, "{backend} {name}");
    }
    println!("{rounds} keys, {runs} runs, {killed} killed, {resubmitted} resubmitted");
    assert!(killed > 0);
}

#[test]
fn a_key_is_one_job_however_many_of_its_submits_are_killed() {
    kill_under_keys(8);
}

#[test]
#[ignore = "minutes: the long form"]
fn many_keys_are_one_job_each_however_many_submits_are_killed() {
    kill_under_keys(200);
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
