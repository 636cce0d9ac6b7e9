//! A state directory that cannot be used: nothing is created without a record, and everything else goes on (cli.md §7).

use crate::cli::JOB;
use crate::support::environment::TestEnvironment;

#[test]
fn only_creates_need_a_journal() {
    let mut environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    let submit = ["submit", "job.yaml", "-p", "paracloud", "--", "sleep", "60"];
    let run = environment.run(&submit).expect(0);
    let job_ref = run.stdout.trim();

    // A file stands where the directory would be; root may write anywhere else.
    let blocked = environment.file("blocked", "");
    environment.set("XDG_STATE_HOME", &blocked);
    let run = environment.run(&submit).expect(85);
    assert_eq!(run.stdout, "");
    let run = environment.run(&["status", "-q"]).expect(0);
    assert_eq!(run.stdout.trim(), job_ref, "only the first was submitted");
    environment.run(&["status", job_ref]).expect(0);
    let run = environment.run(&["cancel", job_ref]).expect(0);
    assert!(run.stderr.contains("warning: "), "{}", run.stderr);
    // It did stop; that it was cancelled stands in the journal alone, since Paracloud calls it failed.
    environment.run(&["wait", job_ref]).expect(90);
}

#[test]
fn a_damaged_journal_costs_convenience_only() {
    let mut environment = TestEnvironment::with_sandbox();
    let state = environment.home().join("state");
    std::fs::create_dir_all(state.join("gpujob")).unwrap();
    std::fs::write(
        state.join("gpujob/journal.sqlite3"),
        "not a database".repeat(100),
    )
    .unwrap();
    environment.set("XDG_STATE_HOME", state.to_str().unwrap());
    let run = environment.run(&["status"]).expect(0);
    assert!(run.stderr.contains("warning: "), "{}", run.stderr);
}
