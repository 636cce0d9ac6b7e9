//! Files, variables and folders in; values, origins and errors out.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use rstest::rstest;
use tempfile::TempDir;

use crate::error::Kind;
use crate::model::{Backend, Timestamp};

use super::*;

mod credentials;
mod layers;
mod prices;

/// A home directory with a configuration file, and whatever else a test puts there.
struct Home {
    folder: TempDir,
}

impl Home {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    fn with_config(text: &str) -> Self {
        let home = Self::new();
        home.write(".config/gpujob/config.toml", text, 0o600);
        home
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn environment(&self, variables: &[(&str, &str)]) -> Environment {
        let home = self.folder.path().to_str().unwrap();
        Environment::for_tests(
            variables
                .iter()
                .copied()
                .chain([("HOME", home), ("PATH", "/usr/bin:/bin")]),
        )
    }

    fn load(&self, variables: &[(&str, &str)]) -> Config {
        Config::load(None, &self.environment(variables)).unwrap()
    }

    fn fails(&self, variables: &[(&str, &str)]) -> crate::Error {
        let error = Config::load(None, &self.environment(variables)).unwrap_err();
        assert_eq!(error.kind(), Kind::Config);
        error
    }
}

fn now() -> Timestamp {
    "2026-04-01T12:00:00Z".parse().unwrap()
}

/// The configuration printed in the contract (cli.md §8).
const CONTRACT: &str = include_str!("../../../tests/vectors/config/contract.toml");

#[test]
fn the_contracts_own_example_is_read() {
    let home = Home::with_config(CONTRACT);
    home.write(".config/gpujob/gongji.pem", "PEM TEXT\n", 0o600);
    let config = home.load(&[
        ("PARA_TOKEN", "para-secret"),
        ("SUANLI_TOKEN", "suanli-secret"),
        ("GPUJOB_CYCLECLOUD_PASSWORD", "cycle-secret"),
    ]);
    assert_eq!(config.default_provider.as_deref(), Some("pai-dlc"));
    let names: Vec<_> = config
        .configured()
        .into_iter()
        .map(|settings| (settings.name.clone(), settings.backend))
        .collect();
    assert_eq!(
        names,
        [
            ("paracloud".to_owned(), Backend::Paracloud),
            ("cyclecloud".to_owned(), Backend::Cyclecloud),
            ("gongji".to_owned(), Backend::Gongji),
            ("pai-dlc".to_owned(), Backend::PaiDlc),
            ("pai-staging".to_owned(), Backend::PaiDlc),
        ]
    );
    let secret = |provider: &str, key: &str| {
        config
            .provider(provider)
            .unwrap()
            .require_secret(key)
            .unwrap()
            .expose()
            .to_owned()
    };
    assert_eq!(secret("paracloud", "token"), "para-secret");
    assert_eq!(secret("cyclecloud", "password"), "cycle-secret");
    assert_eq!(secret("cyclecloud", "username"), "ops");
    assert_eq!(secret("gongji", "private-key"), "PEM TEXT");
    let cyclecloud = config.provider("cyclecloud").unwrap();
    assert_eq!(cyclecloud.path("ca-cert"), Some("/etc/ssl/cc.pem".into()));
    assert_eq!(cyclecloud.require("nodearray").unwrap(), "gpu");
    assert!(config.warnings().is_empty());
}
