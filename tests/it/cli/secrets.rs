//! The canary: no secret in any output, however much is said, nor in what stays on disk.

use rstest::rstest;

use crate::cli::JOB;
use crate::support::environment::TestEnvironment;

#[rstest]
#[case::paracloud("paracloud")]
#[case::cyclecloud("cyclecloud")]
#[case::gongji("gongji")]
#[case::pai_dlc("pai-dlc")]
fn no_secret_gets_out_with_every_word_said(#[case] provider: &str) {
    let environment = TestEnvironment::with_sandbox();
    let job = environment.file("job.yaml", JOB);
    let run = environment
        .run(&["submit", &job, "-p", provider, "-vvv", "--trace-http"])
        .expect(0);
    assert!(
        run.stderr.contains("POST "),
        "the trace shows the create:\n{}",
        run.stderr
    );
    let job_ref = run.stdout.trim();
    for arguments in [
        vec!["wait", job_ref],
        vec!["status", job_ref, "-o", "json"],
        vec!["status"],
        vec!["explain", &job],
        vec!["explain", &job, "--dry-run=curl"],
        vec!["types"],
        vec!["namespaces", "list"],
        vec!["volumes", "list"],
        vec!["config", "show", "--origin"],
    ] {
        let mut loud = arguments.clone();
        loud.extend(["-vvv", "--trace-http"]);
        environment.run(&loud).expect(0);
    }
    let state = environment.home().join(".local/state/gpujob");
    for entry in std::fs::read_dir(state).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            environment.assert_no_secret(
                &String::from_utf8_lossy(&bytes),
                &path.display().to_string(),
            );
        }
    }
}
