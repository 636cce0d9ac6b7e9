//! `~/.cycle/config.ini`, the file of the CycleCloud command line (cyclecloud.md §2.4).
//!
//! A password is used only for the very server and account it was stored for: five wrong ones lock an account, and one
//! sent to another server is given away.

use crate::config::document::Value;
use crate::config::keys::boolean;
use crate::config::{Environment, Origin, ProviderSettings};
use crate::secret::Secret;

use super::Layer;
use super::ini::{Ini, TrailingComments};

/// Sections that may hold the connection, in this order.
const SECTIONS: [&str; 2] = ["cycleserver", "cyclecloud"];

/// Keys that show that a section holds a connection, not preferences alone.
const CONNECTION_KEYS: [&str; 4] = ["url", "username", "password", "key"];

const ENCODED: &str = "config.ini stores an encoded password that only the CycleCloud CLI can read; set \
                       GPUJOB_CYCLECLOUD_PASSWORD or add it to gpujob's own config";

/// Reads the file, if there is one.
pub(super) fn read(environment: &Environment) -> Layer {
    let Some(home) = environment.home() else {
        return Layer::default();
    };
    let path = home.join(".cycle").join("config.ini");
    let shown = environment.shorten(&path);
    match std::fs::read_to_string(&path) {
        Ok(text) => interpret(&text, &shown),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Layer::default(),
        Err(error) => Layer {
            notes: vec![format!("{shown} cannot be read: {error}")],
            ..Layer::default()
        },
    }
}

/// What the file's text says.
fn interpret(text: &str, shown: &str) -> Layer {
    let ini = Ini::parse(text, TrailingComments::Kept);
    let holds_connection = |section: &&&str| {
        CONNECTION_KEYS
            .iter()
            .any(|key| ini.get(section, key).is_some())
    };
    let Some(section) = SECTIONS.iter().find(holds_connection) else {
        return Layer::default();
    };
    let get = |key: &str| ini.get(section, key);
    let mut layer = Layer::default();
    let origin = || Origin::Native(shown.to_owned());
    if let Some(url) = get("url") {
        layer
            .values
            .push(("base-url", Value::Text(url.to_owned()), origin()));
    }
    let verify = get("verify_certificates")
        .or_else(|| get("verify-ssl"))
        .and_then(boolean);
    if let Some(verify) = verify {
        layer
            .values
            .push(("verify-certificates", Value::Flag(verify), origin()));
    }
    let mode = get("auth_option").unwrap_or("username_password");
    if !mode.eq_ignore_ascii_case("username_password") {
        let why = format!(
            "{shown} logs in by `{mode}`, which is not supported; a ready-made bearer token can be set as `token`"
        );
        layer.absences.insert("username", why.clone());
        layer.absences.insert("password", why);
        return layer;
    }
    if let Some(username) = get("username") {
        layer
            .values
            .push(("username", Value::Text(username.to_owned()), origin()));
    }
    match get("password") {
        Some(password) => {
            layer
                .values
                .push(("password", Value::Literal(Secret::new(password)), origin()));
        }
        None if get("key").is_some() => {
            layer.absences.insert("password", ENCODED.to_owned());
        }
        None => {}
    }
    layer
}

/// Takes back a password that belongs to another account or server than the one in force.
pub(in crate::config) fn keep_accounts_apart(
    settings: &mut ProviderSettings,
    native: &[(&'static str, Value, Origin)],
) {
    let of_file = |wanted: &str| {
        native.iter().find_map(|(key, value, _)| match value {
            Value::Text(text) if *key == wanted => Some(text.as_str()),
            Value::Text(_) | Value::Flag(_) | Value::Literal(_) | Value::Source(_) => None,
        })
    };
    let username = settings.text("username").map(ToOwned::to_owned);
    match settings.origin("password") {
        Some(Origin::Native(path)) => {
            let same_server =
                settings.text("base-url").map(plain_url) == of_file("base-url").map(plain_url);
            if !same_server || username.as_deref() != of_file("username") {
                settings.withdraw(
                    "password",
                    format!("the password in {path} belongs to another server or account"),
                );
            }
        }
        Some(Origin::Variable(variable)) if variable == "CYCLECLOUD_PASSWORD" => {
            let its_account = settings
                .environment()
                .variable("CYCLECLOUD_USERNAME")
                .map(ToOwned::to_owned);
            if let (Some(account), Some(username)) = (its_account, username)
                && account != username
            {
                settings.withdraw(
                    "password",
                    format!("`CYCLECLOUD_PASSWORD` belongs to `{account}`, the account of `CYCLECLOUD_USERNAME`"),
                );
            }
        }
        Some(Origin::Variable(_) | Origin::Flag(_) | Origin::File { .. } | Origin::Default)
        | None => {}
    }
}

fn plain_url(url: &str) -> String {
    url.trim_end_matches('/').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(layer: &Layer, wanted: &str) -> Option<String> {
        layer.values.iter().find_map(|(key, value, _)| {
            (*key == wanted).then(|| match value {
                Value::Text(text) => text.clone(),
                Value::Flag(flag) => flag.to_string(),
                Value::Literal(secret) => secret.expose().to_owned(),
                Value::Source(_) => "source".to_owned(),
            })
        })
    }

    #[test]
    fn the_plain_layout_of_old_deployments_is_read() {
        let layer = interpret(
            "[cyclecloud]\nurl: https://cc.example:8443/cycle\nUsername = ops\npassword = p%s#w;d\nverify-ssl = No\n",
            "~/.cycle/config.ini",
        );
        assert_eq!(
            text_of(&layer, "base-url").as_deref(),
            Some("https://cc.example:8443/cycle")
        );
        assert_eq!(text_of(&layer, "username").as_deref(), Some("ops"));
        assert_eq!(text_of(&layer, "password").as_deref(), Some("p%s#w;d"));
        assert_eq!(
            text_of(&layer, "verify-certificates").as_deref(),
            Some("false")
        );
    }

    #[test]
    fn an_encoded_password_is_told_and_never_decoded() {
        let layer = interpret(
            "[pogo azure]\ntype = az\n[cyclecloud]\ndefault_project_locker = l\n[cycleserver]\nurl = https://cc.example\nusername = ops\nkey = kjh23\nverify_certificates = true\n",
            "~/.cycle/config.ini",
        );
        assert_eq!(
            text_of(&layer, "base-url").as_deref(),
            Some("https://cc.example")
        );
        assert_eq!(text_of(&layer, "password"), None);
        assert_eq!(
            layer.absences.get("password").map(String::as_str),
            Some(ENCODED)
        );
    }

    #[test]
    fn preferences_alone_are_no_connection() {
        let layer = interpret("[cyclecloud]\ndefault_project_locker = l\n", "f");
        assert!(layer.values.is_empty() && layer.absences.is_empty());
    }

    #[test]
    fn an_entra_login_keeps_the_server_and_names_the_token() {
        let layer = interpret(
            "[cycleserver]\nurl = https://cc.example\nauth_option = msal_public_client\nusername = ops\n",
            "f",
        );
        assert_eq!(
            text_of(&layer, "base-url").as_deref(),
            Some("https://cc.example")
        );
        assert_eq!(text_of(&layer, "username"), None);
        assert!(layer.absences.get("password").unwrap().contains("`token`"));
    }
}
