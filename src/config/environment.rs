//! A snapshot of variables and home directory, handed to everything that would else ask the process (style.md §1).
//!
//! [`Environment::from_process`] is the only place of the crate's library that reads the process's own variables.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Kind, Result};

/// The folder of gpujob below the XDG base directories.
const FOLDER: &str = "gpujob";

/// Variables and home directory at one moment; cheap to clone. Values may be secrets: `Debug` shows names alone.
#[derive(Clone, Default)]
pub struct Environment {
    variables: Arc<BTreeMap<OsString, OsString>>,
    home: Option<PathBuf>,
}

impl Environment {
    /// What this process was started with.
    pub fn from_process() -> Self {
        Self {
            variables: Arc::new(std::env::vars_os().collect()),
            home: etcetera::home_dir().ok(),
        }
    }

    /// A made-up environment; the home directory is what `HOME` says, if it is among the variables.
    pub fn for_tests<I, K, V>(variables: I) -> Self
    where
        I: IntoIterator<Item = (K, V)>,
        K: Into<OsString>,
        V: Into<OsString>,
    {
        let variables: BTreeMap<OsString, OsString> = variables
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        let home = variables
            .get(OsStr::new("HOME"))
            .filter(|home| !home.is_empty())
            .map(PathBuf::from);
        Self {
            variables: Arc::new(variables),
            home,
        }
    }

    /// A variable's text. An empty one counts as unset (cli.md §10), and so does one that is not UTF-8.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables
            .get(OsStr::new(name))
            .and_then(|value| value.to_str())
            .filter(|value| !value.is_empty())
    }

    /// Whether a variable is set to `true` or one of its synonyms.
    pub fn is_true(&self, name: &str) -> bool {
        self.variable(name)
            .and_then(super::keys::boolean)
            .unwrap_or(false)
    }

    /// Names of all variables that are set, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.variables
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .filter_map(|(name, _)| name.to_str())
    }

    /// Everything, for a child process.
    pub(super) fn all(&self) -> &BTreeMap<OsString, OsString> {
        &self.variables
    }

    /// The home directory, where there is one.
    pub fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// A path with a leading `~` replaced by the home directory.
    pub fn expand(&self, path: &str) -> PathBuf {
        match (path.strip_prefix('~'), &self.home) {
            (Some(""), Some(home)) => home.clone(),
            (Some(rest), Some(home)) if rest.starts_with('/') => {
                home.join(rest.trim_start_matches('/'))
            }
            (Some(_) | None, _) => PathBuf::from(path),
        }
    }

    /// A path as shown to people: the home directory as `~`.
    pub fn shorten(&self, path: &Path) -> String {
        self.home
            .as_deref()
            .and_then(|home| path.strip_prefix(home).ok())
            .map_or_else(
                || path.display().to_string(),
                |rest| format!("~/{}", rest.display()),
            )
    }

    /// Where the configuration lies when nobody says otherwise; `None` without a home directory.
    pub fn default_config_path(&self) -> Option<PathBuf> {
        Some(
            self.base("XDG_CONFIG_HOME", ".config")?
                .join(FOLDER)
                .join("config.toml"),
        )
    }

    /// Where journal and stored volume credentials lie.
    pub fn state_directory(&self) -> Result<PathBuf> {
        self.base("XDG_STATE_HOME", ".local/state")
            .map(|base| base.join(FOLDER))
            .ok_or_else(|| {
                Error::new(
                    Kind::Config,
                    "no_state_directory",
                    "neither `XDG_STATE_HOME` nor a home directory is known, so there is no place for the journal",
                )
                .with_hint("set `XDG_STATE_HOME` to an absolute path")
            })
    }

    /// Where answers lie that can be had again by asking; `None` where no such place is known.
    pub fn cache_directory(&self) -> Option<PathBuf> {
        Some(self.base("XDG_CACHE_HOME", ".cache")?.join(FOLDER))
    }

    /// An XDG base directory, by the same rules on all systems; a relative value is ignored, as that standard asks.
    fn base(&self, variable: &str, below_home: &str) -> Option<PathBuf> {
        self.variable(variable)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| Some(self.home.as_ref()?.join(below_home)))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Environment")
            .field("names", &self.variables.keys().collect::<Vec<_>>())
            .field("home", &self.home)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let environment = Environment::for_tests([("PARA_TOKEN", ""), ("A", "b")]);
        assert_eq!(environment.variable("PARA_TOKEN"), None);
        assert_eq!(environment.variable("A"), Some("b"));
    }

    #[test]
    fn debug_shows_names_and_no_values() {
        let text = format!(
            "{:?}",
            Environment::for_tests([("PARA_TOKEN", "canary-7f3a")])
        );
        assert!(text.contains("PARA_TOKEN"), "{text}");
        assert!(!text.contains("canary"), "{text}");
    }

    #[test]
    fn a_tilde_is_the_home_directory_and_only_at_the_front() {
        let environment = Environment::for_tests([("HOME", "/home/mei")]);
        for (path, expanded) in [
            ("~/a/b", "/home/mei/a/b"),
            ("~", "/home/mei"),
            ("/x/~/y", "/x/~/y"),
            ("~other/a", "~other/a"),
        ] {
            assert_eq!(
                environment.expand(path),
                PathBuf::from(expanded),
                "for {path}"
            );
        }
    }

    #[test]
    fn base_directories_follow_xdg_and_ignore_relative_ones() {
        let environment = Environment::for_tests([
            ("HOME", "/home/mei"),
            ("XDG_STATE_HOME", "/var/state"),
            ("XDG_CONFIG_HOME", "relative"),
        ]);
        assert_eq!(
            environment.default_config_path(),
            Some(PathBuf::from("/home/mei/.config/gpujob/config.toml"))
        );
        assert_eq!(
            environment.state_directory().unwrap(),
            PathBuf::from("/var/state/gpujob")
        );
        assert_eq!(
            environment.cache_directory(),
            Some(PathBuf::from("/home/mei/.cache/gpujob"))
        );
        let nowhere = Environment::default();
        assert_eq!(nowhere.default_config_path(), None);
        assert_eq!(nowhere.cache_directory(), None);
        assert_eq!(nowhere.state_directory().unwrap_err().kind(), Kind::Config);
    }
}
