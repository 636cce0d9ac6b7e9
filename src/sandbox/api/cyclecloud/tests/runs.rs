//! Nodes with a job: the runner itself, with this sandbox's `jetpack`, as real processes (§8.2, §8.3 and §11, 14).

use std::path::Path;

use crate::sandbox::testing::until;

use super::*;

/// A set of nodes with a job.
fn job(bench: &Bench, id: &str, nodes: u64, command: &str, more: &Value) -> Value {
    let results = bench.service.results_directory().unwrap();
    let mut values = json!({
        "job_id": id, "command_b64": STANDARD.encode(command), "gpus": 1, "nodes": nodes,
        "result_dir": results.to_string_lossy(), "keep": false,
    });
    create::merge(&mut values, more);
    json!({
        "nodearray": "gpu", "count": nodes, "definition": {"machineType": "Standard_NC6s_v3"},
        "nodeAttributes": {"Tags": {"gpujob-id": id}, "Configuration": {"gpujob": values}},
    })
}

fn results(bench: &Bench, id: &str, node: &str) -> PathBuf {
    bench
        .service
        .results_directory()
        .unwrap()
        .join(id)
        .join(node)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

async fn code(bench: &Bench, id: &str, node: &str) -> String {
    let path = results(bench, id, node).join("exit_code");
    until(|| path.exists()).await;
    read(&path).trim().to_owned()
}

/// Waits for the node's own wish to end, then for its end.
async fn gone(bench: &Bench, id: &str) {
    until(|| {
        bench.service.tick();
        bench
            .nodes(id)
            .iter()
            .all(|node| node["TargetState"] == "Terminated")
    })
    .await;
    bench.pass(2);
    assert!(bench.nodes(id).is_empty());
}

#[tokio::test]
async fn a_job_runs_to_its_code_and_ends_its_node() {
    let bench = Bench::new();
    fs::write(
        bench.image.join("say.sh"),
        "echo \"$GREETING from $GPUJOB_NODE\"; echo oops >&2; exit 3",
    )
    .unwrap();
    let env = STANDARD.encode("GREETING=hello\n");
    let set = job(
        &bench,
        "one",
        1,
        "sh /workspace/say.sh",
        &json!({"env_b64": env, "time_limit_s": 600}),
    );
    bench.create_set("one", &set);
    bench.start();
    assert_eq!(code(&bench, "one", "gpu-1").await, "3");
    let directory = results(&bench, "one", "gpu-1");
    assert_eq!(read(&directory.join("stdout")), "hello from gpu-1\n");
    assert_eq!(read(&directory.join("stderr")), "oops\n");
    gone(&bench, "one").await;
    // The results outlive the node.
    assert_eq!(read(&directory.join("exit_code")), "3\n");
}

#[tokio::test]
async fn an_image_is_not_pulled_and_its_command_runs_here() {
    let bench = Bench::new();
    fs::write(bench.image.join("file"), "from the image\n").unwrap();
    let env = STANDARD.encode("DATA=/workspace/file\nAB=c d\n");
    let more = json!({"image": "registry.example/train:3", "env_b64": env});
    let command = "cat \"$DATA\"; env | grep ^AB=; command -v jetpack || echo no jetpack; exit 7";
    bench.create_set("img", &job(&bench, "img", 1, command, &more));
    bench.start();
    assert_eq!(code(&bench, "img", "gpu-1").await, "7");
    let directory = results(&bench, "img", "gpu-1");
    assert_eq!(
        read(&directory.join("stdout")),
        "from the image\nAB=c d\nno jetpack\n"
    );
    gone(&bench, "img").await;
}

#[tokio::test]
async fn mount_points_are_rewritten_in_the_jobs_words_only() {
    let bench = Bench::new();
    let more = json!({"result_dir": "/mnt/results"});
    bench.create_set(
        "mnt",
        &job(&bench, "mnt", 1, "echo found >/mnt/results/note", &more),
    );
    bench.start();
    // The record keeps what was sent.
    let sent = &bench.nodes("mnt")[0]["Configuration"]["gpujob"];
    assert_eq!(sent["result_dir"], "/mnt/results");
    assert_eq!(
        sent["command_b64"],
        STANDARD.encode("echo found >/mnt/results/note")
    );
    assert_eq!(code(&bench, "mnt", "gpu-1").await, "0");
    let note = bench.service.results_directory().unwrap().join("note");
    assert_eq!(read(&note), "found\n");
}

#[tokio::test]
async fn a_job_over_its_time_ends_with_124() {
    let bench = Bench::new();
    bench.create_set(
        "slow",
        &job(&bench, "slow", 1, "sleep 600", &json!({"time_limit_s": 1})),
    );
    bench.start();
    assert_eq!(code(&bench, "slow", "gpu-1").await, "124");
    gone(&bench, "slow").await;
}

#[tokio::test]
async fn a_terminated_node_takes_its_processes_along() {
    let bench = Bench::new();
    let command = "echo $$ >\"$GPUJOB_RESULT_DIR/pid\"; exec sleep 600";
    bench.create_set("end", &job(&bench, "end", 1, command, &json!({})));
    bench.start();
    let directory = results(&bench, "end", "gpu-1");
    until(|| !read(&directory.join("pid")).is_empty()).await;
    let pid: i32 = read(&directory.join("pid")).trim().parse().unwrap();
    let lives = || {
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::test_kill_process(pid).is_ok()
    };
    assert!(lives());
    bench.post(
        "/clusters/lab/nodes/terminate",
        &json!({"names": ["gpu-1"]}),
    );
    until(|| !lives()).await;
    bench.pass(2);
    assert!(bench.nodes("end").is_empty());
    assert!(!directory.join("exit_code").exists());
}

#[tokio::test]
async fn a_kept_node_stays_ready_after_its_job() {
    let bench = Bench::new();
    bench.configure(&json!({"jetpack_booleans": "python"}));
    bench.create_set(
        "keep",
        &job(&bench, "keep", 1, "true", &json!({"keep": true})),
    );
    bench.start();
    assert_eq!(code(&bench, "keep", "gpu-1").await, "0");
    bench.pass(100);
    assert_eq!(
        words(&bench.nodes("keep")[0]),
        ("Started", "Ready", "Started")
    );
    bench.post(
        "/clusters/lab/nodes/terminate",
        &json!({"names": ["gpu-1"]}),
    );
}

#[tokio::test]
async fn nodes_of_one_job_find_each_other() {
    let bench = Bench::new();
    let command = "echo \"$GPUJOB_RANK of $GPUJOB_NODES\"";
    bench.create_set("two", &job(&bench, "two", 2, command, &json!({})));
    bench.start();
    for (node, expected) in [("gpu-1", "0 of 2\n"), ("gpu-2", "1 of 2\n")] {
        assert_eq!(code(&bench, "two", node).await, "0");
        assert_eq!(read(&results(&bench, "two", node).join("stdout")), expected);
    }
    gone(&bench, "two").await;
}

#[tokio::test]
async fn jetpack_tells_a_node_what_it_is() {
    let script = "#!/bin/sh\n\
        cd \"${0%/*}\" || exit 1\n\
        { jetpack config cyclecloud.node.name; jetpack config cyclecloud.cluster.name; \
        jetpack config gpujob.keep; jetpack config --json gpujob.image; jetpack config gpujob.image; \
        jetpack config no.such.key fallback; jetpack config no.such.key '' ; jetpack config no.such.key 2>&1 || echo $?; \
        jetpack config autoscaling; jetpack config cyclecloud.mounts.results.mountpoint; jetpack explode 2>&1 || echo $?; \
        } >told.new; mv told.new told; jetpack shutdown --deallocate";
    let bench = Bench::with_runner(script);
    bench.create_set("ask", &job(&bench, "ask", 1, "true", &json!({"image": ""})));
    bench.start();
    let place = bench
        .service
        .lock()
        .nodes
        .last()
        .unwrap()
        .place
        .clone()
        .unwrap();
    until(|| place.join("told").exists()).await;
    assert_eq!(
        read(&place.join("told")),
        "gpu-1\nlab\nfalse\n\"\"\n\nfallback\n\njetpack: no value for no.such.key\n1\n\
        {\"enabled\":true}\n/mnt/results\n\
        jetpack: the sandbox's nodes do not have `jetpack explode`\n2\n"
    );
    until(|| {
        bench.service.tick();
        words(&bench.nodes("ask")[0]).2 == "Deallocated"
    })
    .await;
    bench.pass(2);
    assert_eq!(words(&bench.nodes("ask")[0]).1, "Deallocated");
    assert!(place.exists());
    bench.post(
        "/clusters/lab/nodes/terminate",
        &json!({"names": ["gpu-1"]}),
    );
    bench.pass(2);
    // Its processes may still be at it.
    until(|| !place.exists()).await;
}

#[test]
fn a_played_run_needs_no_process() {
    let bench = Bench::new();
    bench.configure(&json!({"played": {"run_s": 30.0, "exit_code": 9}}));
    bench.create_set(
        "play",
        &job(
            &bench,
            "play",
            2,
            "true",
            &json!({"result_dir": "/mnt/results"}),
        ),
    );
    bench.start();
    bench.pass(29);
    assert_eq!(words(&bench.nodes("play")[0]).1, "Ready");
    assert!(!results(&bench, "play", "gpu-1").exists());
    bench.pass(1);
    assert_eq!(words(&bench.nodes("play")[0]).1, "Terminating");
    for node in ["gpu-1", "gpu-2"] {
        assert_eq!(
            read(&results(&bench, "play", node).join("exit_code")),
            "9\n"
        );
    }
    bench.pass(2);
    assert!(bench.nodes("play").is_empty());
}

#[test]
fn held_runs_do_not_end() {
    let bench = Bench::new();
    bench.configure(&json!({"played": {"run_s": 1.0, "exit_code": 0}, "hold": "running"}));
    bench.create_set("held", &job(&bench, "held", 1, "true", &json!({})));
    bench.start();
    bench.pass(1000);
    assert_eq!(words(&bench.nodes("held")[0]).1, "Ready");
    bench.configure(&json!({"hold": null}));
    assert_eq!(words(&bench.nodes("held")[0]).1, "Terminating");
}

#[test]
fn a_node_without_a_job_runs_nothing() {
    let bench = Bench::new();
    bench.create("a", 1);
    bench.start();
    assert!(
        bench
            .service
            .lock()
            .nodes
            .iter()
            .all(|node| node.process.is_none())
    );
}
