//! What a client needs to use a sandbox: environment variables, a configuration and its secret files (cli.md §9).

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::secret::Secret;

use super::services::Setting;

/// How often clients may ask: the sandbox has no provider's limits, and its delays are short.
const POLL: &str = "100ms";

/// One service as its users see it.
#[derive(Debug, Clone)]
pub struct Client {
    /// The backend's id, which is also the provider's name in the configuration.
    pub provider: &'static str,
    pub base_url: String,
    pub environment: Vec<(&'static str, Secret)>,
    pub settings: Vec<(&'static str, Setting)>,
}

/// The variables of cli.md §9.
pub fn environment(control_url: &str, clients: &[Client]) -> Vec<(String, String)> {
    let mut variables = vec![
        ("GPUJOB_SANDBOX_URL".to_owned(), control_url.to_owned()),
        ("GPUJOB_POLL".to_owned(), POLL.to_owned()),
    ];
    for client in clients {
        let name = client.provider.to_ascii_uppercase().replace('-', "_");
        variables.push((format!("GPUJOB_{name}_BASE_URL"), client.base_url.clone()));
        variables.extend(
            client
                .environment
                .iter()
                .map(|(name, secret)| ((*name).to_owned(), secret.expose().to_owned())),
        );
    }
    variables
}

/// gpujob's configuration with one provider per client.
pub fn config_toml(secrets: &Path, clients: &[Client]) -> String {
    let mut lines = Vec::new();
    for client in clients {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(format!("[providers.{}]", client.provider));
        lines.push(format!("base-url = {}", quoted(&client.base_url)));
        for (key, setting) in &client.settings {
            lines.push(match setting {
                Setting::Text(text) => format!("{key} = {}", quoted(text)),
                Setting::Secret(_) => {
                    let path = secret_path(secrets, client.provider, key);
                    format!("{key} = {{ file = {} }}", quoted(&path.to_string_lossy()))
                }
            });
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Writes every secret to a file that only the user can read.
pub fn write_secrets(folder: &Path, clients: &[Client]) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(folder)?;
    for client in clients {
        for (key, setting) in &client.settings {
            match setting {
                Setting::Text(_) => {}
                Setting::Secret(secret) => {
                    let path = secret_path(folder, client.provider, key);
                    write_private(&path, secret.expose())?;
                }
            }
        }
    }
    Ok(())
}

/// Writes a new file that only the user can read.
pub fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

fn secret_path(folder: &Path, provider: &str, key: &str) -> PathBuf {
    folder.join(format!("{provider}-{key}"))
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn clients() -> Vec<Client> {
        vec![Client {
            provider: "pai-dlc",
            base_url: "http://127.0.0.1:4711".to_owned(),
            environment: vec![("ALIBABA_CLOUD_ACCESS_KEY_ID", Secret::new("id"))],
            settings: vec![
                ("region", Setting::Text("cn-\"x\"".to_owned())),
                ("access-key-secret", Setting::Secret(Secret::new("hunter2"))),
            ],
        }]
    }

    #[test]
    fn the_configuration_is_toml_without_a_secret() {
        let text = config_toml(Path::new("/folder of mine"), &clients());
        let table: toml::Table = text.parse().unwrap();
        let provider = &table["providers"]["pai-dlc"];
        assert_eq!(provider["base-url"].as_str(), Some("http://127.0.0.1:4711"));
        assert_eq!(provider["region"].as_str(), Some("cn-\"x\""));
        assert_eq!(
            provider["access-key-secret"]["file"].as_str(),
            Some("/folder of mine/pai-dlc-access-key-secret")
        );
        assert!(!text.contains("hunter2"));
    }

    #[test]
    fn a_backend_with_a_dash_has_a_variable_with_an_underscore() {
        let variables = environment("http://127.0.0.1:1", &clients());
        let names: Vec<&str> = variables.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "GPUJOB_SANDBOX_URL",
                "GPUJOB_POLL",
                "GPUJOB_PAI_DLC_BASE_URL",
                "ALIBABA_CLOUD_ACCESS_KEY_ID"
            ]
        );
    }

    #[test]
    fn secret_files_are_private() {
        let folder = tempfile::TempDir::new().unwrap();
        let secrets = folder.path().join("secrets");
        write_secrets(&secrets, &clients()).unwrap();
        let file = secrets.join("pai-dlc-access-key-secret");
        assert_eq!(fs::read_to_string(&file).unwrap(), "hunter2");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(&secrets)), (0o600, 0o700));
    }
}
