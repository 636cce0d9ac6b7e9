//! What `--help` says of every command, at one width.

use std::path::Path;

use rstest::rstest;

use crate::support::environment::TestEnvironment;

#[rstest]
#[case::gpujob("gpujob", &[])]
#[case::submit("submit", &["submit"])]
#[case::status("status", &["status"])]
#[case::wait("wait", &["wait"])]
#[case::cancel("cancel", &["cancel"])]
#[case::logs("logs", &["logs"])]
#[case::events("events", &["events"])]
#[case::cost("cost", &["cost"])]
#[case::types("types", &["types"])]
#[case::volumes("volumes", &["volumes"])]
#[case::volumes_list("volumes-list", &["volumes", "list"])]
#[case::volumes_create("volumes-create", &["volumes", "create"])]
#[case::volumes_delete("volumes-delete", &["volumes", "delete"])]
#[case::volumes_ls("volumes-ls", &["volumes", "ls"])]
#[case::volumes_put("volumes-put", &["volumes", "put"])]
#[case::volumes_get("volumes-get", &["volumes", "get"])]
#[case::volumes_rm("volumes-rm", &["volumes", "rm"])]
#[case::namespaces("namespaces", &["namespaces"])]
#[case::namespaces_list("namespaces-list", &["namespaces", "list"])]
#[case::namespaces_create("namespaces-create", &["namespaces", "create"])]
#[case::namespaces_delete("namespaces-delete", &["namespaces", "delete"])]
#[case::explain("explain", &["explain"])]
#[case::api("api", &["api"])]
#[case::config("config", &["config"])]
#[case::config_show("config-show", &["config", "show"])]
#[case::config_path("config-path", &["config", "path"])]
#[case::sandbox("sandbox", &["sandbox"])]
fn every_command_explains_itself(#[case] name: &str, #[case] command: &[&str]) {
    let environment = TestEnvironment::empty();
    let run = environment.run(&[command, &["--help"]].concat()).expect(0);
    let mut settings = insta::Settings::clone_current();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/help");
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!(name, run.stdout));
}
