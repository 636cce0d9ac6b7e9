//! What travels with the nodes of a job: `Configuration.gpujob.*` and tags (cyclecloud.md §8.2).
//!
//! Pure. Everyone who may see the cluster can read it: never a secret.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// The tag with the request id.
pub const TAG_ID: &str = "gpujob-id";
/// The tag with the four characters of the spec's hash (cli.md §10).
pub const TAG_SPEC: &str = "gpujob-spec";
/// The tag with the job's name as the user gave it.
pub const TAG_NAME: &str = "gpujob-name";
/// The tag with the seconds that the nodes may take to become ready, where the user says so: every machine that looks
/// at the job must come to the same end.
pub const TAG_START_TIMEOUT: &str = "gpujob-start-timeout";

/// All tags that are gpujob's own.
pub(super) const TAGS: [&str; 4] = [TAG_ID, TAG_SPEC, TAG_NAME, TAG_START_TIMEOUT];

/// What the runner reads; what is not set is left out, `gpus` and `keep` excepted (cli.md §10).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Payload {
    pub job_id: String,
    /// Shell text.
    pub command: String,
    pub image: Option<String>,
    /// `KEY=VALUE` lines; no value holds a line feed.
    pub env: Vec<(String, String)>,
    /// GPUs per node.
    pub gpus: u64,
    pub nodes: Option<u32>,
    pub time_limit_s: Option<u64>,
    pub result_dir: Option<String>,
    pub keep: bool,
}

impl Payload {
    /// `Configuration.gpujob`, in the contract's order.
    pub fn configuration(&self) -> Map<String, Value> {
        let mut members = Map::new();
        members.insert("job_id".to_owned(), json!(self.job_id));
        members.insert(
            "command_b64".to_owned(),
            json!(STANDARD.encode(&self.command)),
        );
        if let Some(image) = &self.image {
            members.insert("image".to_owned(), json!(image));
        }
        if !self.env.is_empty() {
            members.insert("env_b64".to_owned(), json!(self.env_b64()));
        }
        members.insert("gpus".to_owned(), json!(self.gpus));
        if let Some(nodes) = self.nodes {
            members.insert("nodes".to_owned(), json!(nodes));
        }
        if let Some(limit) = self.time_limit_s {
            members.insert("time_limit_s".to_owned(), json!(limit));
        }
        if let Some(directory) = &self.result_dir {
            members.insert("result_dir".to_owned(), json!(directory));
        }
        members.insert("keep".to_owned(), json!(self.keep));
        members
    }

    /// The same values, each as text, for a job that is carried whole.
    pub fn values(&self) -> Vec<(String, String)> {
        self.configuration()
            .into_iter()
            .filter_map(|(key, value)| Some((key, super::fields::as_text(&value)?)))
            .collect()
    }

    fn env_b64(&self) -> String {
        let lines: Vec<String> = self
            .env
            .iter()
            .map(|(name, value)| format!("{name}={value}\n"))
            .collect();
        STANDARD.encode(lines.concat())
    }
}
