//! Commands and answers that need no provider.

use crate::support::environment::TestEnvironment;

#[test]
fn help_and_version_survive_a_broken_configuration() {
    let mut environment = TestEnvironment::empty();
    let config = environment.file("config.toml", "this is = not [toml");
    environment.set("GPUJOB_CONFIG", &config);
    assert!(
        environment
            .run(&["--help"])
            .expect(0)
            .stdout
            .contains("submit")
    );
    assert!(
        environment
            .run(&["--version"])
            .expect(0)
            .stdout
            .starts_with("gpujob ")
    );
    assert_eq!(
        environment.run(&["config", "path"]).expect(0).stdout.trim(),
        config
    );
    environment.run(&["config", "show"]).expect(85);
    environment.run(&["types"]).expect(85);
}

#[test]
fn wrong_flags_are_usage_errors_in_either_form() {
    let environment = TestEnvironment::empty();
    let run = environment.run(&["status", "--frobnicate"]).expect(80);
    assert!(run.stderr.contains("--frobnicate") && run.stdout.is_empty());
    let run = environment
        .run(&["status", "--frobnicate", "-o", "json"])
        .expect(80);
    assert_eq!(run.error()["error"]["kind"], "usage");
    environment.run(&["frobnicate"]).expect(80);
    environment
        .run(&["status", "--state", "dancing"])
        .expect(80);
}

#[test]
fn without_any_provider_the_way_out_is_named() {
    let environment = TestEnvironment::empty();
    let run = environment.run(&["status"]).expect(85);
    assert!(run.stderr.contains("config path"), "{}", run.stderr);
}

#[test]
fn a_provider_needs_no_file_when_its_environment_is_complete() {
    let world = TestEnvironment::with_sandbox();
    let mut environment = TestEnvironment::empty();
    environment.set(
        "GPUJOB_PARACLOUD_BASE_URL",
        &world.sandbox_variable("GPUJOB_PARACLOUD_BASE_URL"),
    );
    environment.set("PARA_TOKEN", &world.sandbox_variable("PARA_TOKEN"));
    let run = environment.run(&["types", "-q"]).expect(0);
    assert!(run.stdout.contains("n30.xlarge"), "{}", run.stdout);
}

#[test]
fn a_closed_pipe_is_no_error() {
    let environment = TestEnvironment::with_sandbox();
    let binary = env!("CARGO_BIN_EXE_gpujob");
    let status = std::process::Command::new("sh")
        .args([
            "-c",
            &format!("set -o pipefail 2>/dev/null; {binary} types | head -n 1 >/dev/null; exit $?"),
        ])
        .envs(
            environment
                .command(&[])
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .output()
        .unwrap();
    assert!(
        status.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&status.stderr)
    );
}

#[test]
fn the_sandbox_lends_its_world_to_a_command_and_mirrors_its_code() {
    let environment = TestEnvironment::empty();
    let run = environment
        .run(&[
            "sandbox",
            "--",
            "sh",
            "-c",
            "gpujob types -q | head -n 1; exit 7",
        ])
        .expect(7);
    assert!(!run.stdout.is_empty());
}
