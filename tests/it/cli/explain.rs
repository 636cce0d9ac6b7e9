//! What `explain` and `submit` refuse alike, and what several providers say to one job.

use rstest::rstest;

use crate::cli::JOB;
use crate::support::environment::TestEnvironment;

#[rstest]
fn an_array_without_emulation_is_refused(
    #[values("submit", "explain")] verb: &str,
    #[values(["--array", "3"], ["--set", "array.count=3"])] flags: [&str; 2],
    #[values("paracloud", "pai-dlc")] provider: &str,
) {
    let environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    let arguments = [verb, "job.yaml", "-p", provider, "--no-emulation"];
    let run = environment
        .run(&[&arguments[..], &flags].concat())
        .expect(81);
    assert!(run.stderr.contains("`array`"), "{}", run.stderr);
    let run = environment.run(&["status", "-q"]).expect(0);
    assert_eq!(run.stdout, "");
}

#[test]
fn an_explained_job_that_is_refused_everywhere_still_names_who_could_not_be_asked() {
    let mut environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    environment.set("GPUJOB_PAI_DLC_ACCESS_KEY_SECRET", "notTheSecretOfThisKey");
    let run = environment
        .run(&[
            "explain",
            "job.yaml",
            "--no-emulation",
            "-p",
            "paracloud,pai-dlc",
        ])
        .expect(84);
    assert!(
        run.stderr.contains("SignatureDoesNotMatch"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("emulation"), "{}", run.stderr);
}
