//! The closed lists of configuration keys, with their variables and one line of help each (cli.md §8 and §10).
//!
//! The `environment` help topic is made from this table too. Names are kebab-case.

use crate::model::Backend;

/// What kind of value a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// Text that may be shown.
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// The path of a file; `~` is the home directory.
    Path,
    /// `true` or `false`.
    Flag,
    /// Text that may be shown, given literally or by `{ env | file | command }`.
    Identifier,
    /// Text that is never shown, given by `{ env | file | command }`, or literally in a private file.
    Secret,
}

/// One setting of a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    pub name: &'static str,
    pub kind: KeyKind,
    /// Variables that the vendor's own clients read, weaker than the file.
    pub vendor_variables: &'static [&'static str],
    /// What holds when nobody says anything.
    pub default: Option<&'static str>,
    /// One line of help.
    pub description: &'static str,
}

const fn key(name: &'static str, kind: KeyKind, description: &'static str) -> Key {
    Key {
        name,
        kind,
        vendor_variables: &[],
        default: None,
        description,
    }
}

impl Key {
    const fn read_from(mut self, vendor_variables: &'static [&'static str]) -> Self {
        self.vendor_variables = vendor_variables;
        self
    }

    const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    /// Whether the value may be given by `{ env | file | command }`.
    pub const fn takes_source(&self) -> bool {
        matches!(self.kind, KeyKind::Identifier | KeyKind::Secret)
    }

    /// Whether the value is never shown.
    pub const fn is_secret(&self) -> bool {
        matches!(self.kind, KeyKind::Secret)
    }
}

const BASE_URL: Key = key(
    "base-url",
    KeyKind::Text,
    "overrides every endpoint; plain http only to loopback",
);
const CA_CERT: Key = key(
    "ca-cert",
    KeyKind::Path,
    "PEM file of certificates to trust, and to accept as they are",
);
const VERIFY_CERTIFICATES: Key = key(
    "verify-certificates",
    KeyKind::Flag,
    "`false` accepts any certificate, with a warning at each run",
)
.or("true");

/// The table's own keys, beside those of its backend.
pub(super) const BACKEND_KEY: &str = "backend";

const PARACLOUD: &[Key] = &[
    key("token", KeyKind::Secret, "API token").read_from(&["PARA_TOKEN"]),
    key(
        "namespace",
        KeyKind::Text,
        "namespace used when a job names none",
    ),
    BASE_URL.or("https://eci.paracloud.com"),
    CA_CERT,
    VERIFY_CERTIFICATES,
];

const CYCLECLOUD: &[Key] = &[
    key(
        "base-url",
        KeyKind::Text,
        "address of the CycleCloud server, with its path prefix if it has one",
    ),
    key("username", KeyKind::Identifier, "account").read_from(&["CYCLECLOUD_USERNAME"]),
    key("password", KeyKind::Secret, "password of the account").read_from(&["CYCLECLOUD_PASSWORD"]),
    key(
        "token",
        KeyKind::Secret,
        "ready-made bearer token (Microsoft Entra ID) instead of username and password",
    ),
    key(
        "cluster",
        KeyKind::Text,
        "cluster used when a job names none",
    ),
    key(
        "nodearray",
        KeyKind::Text,
        "nodearray used when a job names none",
    ),
    key(
        "result-dir",
        KeyKind::Text,
        "shared directory on the nodes for output; required in runner mode",
    ),
    key(
        "mode",
        KeyKind::Choice(&["runner", "cloud-init", "nodes-only"]),
        "how a command gets onto the nodes",
    )
    .or("runner"),
    CA_CERT,
    VERIFY_CERTIFICATES,
];

const GONGJI: &[Key] = &[
    key("token", KeyKind::Secret, "API key").read_from(&["SUANLI_TOKEN"]),
    key(
        "private-key",
        KeyKind::Secret,
        "RSA private key; setting it turns signing on",
    )
    .read_from(&["SUANLI_RSA_PRIVATE_KEY"]),
    key(
        "region",
        KeyKind::Text,
        "region of offers used when a job names none",
    ),
    BASE_URL.or("https://openapi.suanli.cn"),
    CA_CERT,
    VERIFY_CERTIFICATES,
];

const PAI_DLC: &[Key] = &[
    key("region", KeyKind::Text, "region id, such as `cn-hangzhou`")
        .read_from(&["ALIBABA_CLOUD_REGION_ID"]),
    key("workspace", KeyKind::Text, "workspace id"),
    // The vendor's variables for keys are read by the credential chain, which never mixes two sources.
    key("access-key-id", KeyKind::Identifier, "access key id"),
    key("access-key-secret", KeyKind::Secret, "access key secret"),
    key(
        "security-token",
        KeyKind::Secret,
        "token that belongs to a temporary access key",
    ),
    key(
        "credentials",
        KeyKind::Choice(&["ecs-metadata"]),
        "`ecs-metadata` takes the key of the instance's role",
    ),
    BASE_URL,
    key(
        "aiworkspace-base-url",
        KeyKind::Text,
        "endpoint of AIWorkspace alone, where it differs from `base-url`",
    ),
    CA_CERT,
    VERIFY_CERTIFICATES,
];

/// All keys of a backend's table; `backend` itself is not among them.
pub const fn keys_of(backend: Backend) -> &'static [Key] {
    match backend {
        Backend::Paracloud => PARACLOUD,
        Backend::Cyclecloud => CYCLECLOUD,
        Backend::Gongji => GONGJI,
        Backend::PaiDlc => PAI_DLC,
    }
}

/// One key of a backend.
pub(super) fn find(backend: Backend, name: &str) -> Option<&'static Key> {
    keys_of(backend).iter().find(|key| key.name == name)
}

/// `GPUJOB_<PROVIDER>_<KEY>`: upper case, everything but letters and digits an underscore.
pub fn environment_name(provider: &str, key: &str) -> String {
    format!("{}{}", environment_prefix(provider), shout(key))
}

/// What all variables of a provider begin with.
pub(super) fn environment_prefix(provider: &str) -> String {
    format!("GPUJOB_{}_", shout(provider))
}

fn shout(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect()
}

/// The truth value of a word, as in the vendors' own files.
pub(super) fn boolean(word: &str) -> Option<bool> {
    let word = word.trim().to_ascii_lowercase();
    match word.as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// The most similar of some names, if one is similar enough to be meant.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_ascii_lowercase().replace(['_', ' '], "-");
    let name = plain(name);
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&name, &plain(candidate)), candidate))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_names_are_those_of_the_contract() {
        assert_eq!(
            environment_name("pai-dlc", "region"),
            "GPUJOB_PAI_DLC_REGION"
        );
        assert_eq!(
            environment_name("cyclecloud", "password"),
            "GPUJOB_CYCLECLOUD_PASSWORD"
        );
        assert_eq!(
            environment_name("pai-dlc", "access-key-id"),
            "GPUJOB_PAI_DLC_ACCESS_KEY_ID"
        );
    }

    #[test]
    fn keys_are_kebab_case_and_unique() {
        for backend in Backend::ALL {
            let mut names: Vec<_> = keys_of(backend).iter().map(|key| key.name).collect();
            for name in &names {
                assert!(
                    name.bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
                    "{name}"
                );
            }
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{backend}");
        }
    }

    #[test]
    fn a_near_name_is_found_and_a_far_one_is_not() {
        let known = || ["token", "namespace", "base-url"];
        assert_eq!(nearest("tokn", known()), Some("token"));
        assert_eq!(nearest("base_url", known()), Some("base-url"));
        assert_eq!(nearest("zebra", known()), None);
    }
}
