//! What the documents say is what the code does.

use gpujob::provider::{capabilities, table};

const README: &str = include_str!("../../README.md");

#[test]
fn the_readme_holds_the_capability_table_of_the_code() {
    let table = table(&capabilities());
    assert!(
        README.contains(&table),
        "README.md should hold this table:\n{table}"
    );
}

#[test]
fn the_readme_shows_the_two_commands_that_ci_runs() {
    let script = include_str!("../../.ci/run");
    for command in [
        "cargo run --release --locked -- sandbox -- sh examples/tour.sh",
        "cargo test --locked",
    ] {
        assert!(README.contains(&format!("$ {command}")), "{command}");
        assert!(script.contains(command), "{command}");
    }
}

#[test]
fn the_readme_lists_every_exit_code() {
    for kind in gpujob::error::Kind::ALL {
        let code = kind.exit_code();
        assert!(README.contains(&format!("| {code} |")), "{kind} {code}");
    }
}
