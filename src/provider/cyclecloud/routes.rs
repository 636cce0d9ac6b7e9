//! Request templates: one function per call (cyclecloud.md §1.1, §1.2, §3).
//!
//! Pure. Every part of a path is encoded as one segment; the path prefix of the base URL stays before it.

use http::{HeaderName, HeaderValue, Method};
use serde::Serialize;

use crate::error::Result;
use crate::http::{BaseUrl, Target, Template};

/// The calls, as messages name them.
pub const CLUSTER_STATUS: &str = "ClusterStatus";
pub const LIST_NODES: &str = "ListNodes";
pub const CREATE_NODES: &str = "CreateNodes";
pub const TERMINATE_NODES: &str = "TerminateNodes";

const CONTENT_TYPE: &str = "application/json";
pub(super) const CLIENT: &str = concat!("gpujob-cli:", env!("CARGO_PKG_VERSION"));

/// Which nodes are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NodesOf<'a> {
    /// Of a create or a management call; note the underscore of the parameter (§4.2).
    Request(&'a str),
    Operation(&'a str),
    WholeCluster,
}

/// Nodes to terminate. Never without ids: a body without a selector is undocumented and dangerous (§7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Termination {
    pub ids: Vec<String>,
    /// Fresh for every call; selects nothing.
    #[serde(rename = "requestId")]
    pub request_id: String,
}

/// The calls of one server.
#[derive(Debug, Clone)]
pub struct Routes {
    base: BaseUrl,
}

impl Routes {
    /// Calls below a base URL.
    pub fn new(base: BaseUrl) -> Self {
        Self { base }
    }

    /// The server's address.
    pub fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// `GET /clusters/{cluster}/status`.
    pub fn status(&self, cluster: &str) -> Template {
        let target = Self::cluster(cluster).literal("/status");
        self.template(CLUSTER_STATUS, Method::GET, target)
    }

    /// `GET /clusters/{cluster}/nodes`.
    pub(super) fn nodes(&self, cluster: &str, of: NodesOf<'_>) -> Template {
        let target = Self::cluster(cluster).literal("/nodes");
        let target = match of {
            NodesOf::Request(id) => target.query("request_id", id),
            NodesOf::Operation(id) => target.query("operation", id),
            NodesOf::WholeCluster => target,
        };
        self.template(LIST_NODES, Method::GET, target)
    }

    /// `POST /clusters/{cluster}/nodes/create`: sent once; a repeat of its request id is refused (§6.3).
    pub fn create(&self, cluster: &str, body: &impl Serialize) -> Result<Template> {
        let target = Self::cluster(cluster).literal("/nodes/create");
        self.template(CREATE_NODES, Method::POST, target)
            .with_json(CONTENT_TYPE, body)
    }

    /// `POST /clusters/{cluster}/nodes/terminate`: sent once too.
    pub fn terminate(&self, cluster: &str, body: &Termination) -> Result<Template> {
        let target = Self::cluster(cluster).literal("/nodes/terminate");
        self.template(TERMINATE_NODES, Method::POST, target)
            .with_json(CONTENT_TYPE, body)
    }

    fn cluster(cluster: &str) -> Target {
        Target::new("/clusters").segment(cluster)
    }

    fn template(&self, operation: &'static str, method: Method, target: Target) -> Template {
        Template::new(operation, method, &self.base, target).with_header(
            HeaderName::from_static("x-cycle-client-version"),
            HeaderValue::from_static(CLIENT),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Safety;

    fn routes() -> Routes {
        Routes::new(BaseUrl::parse("https://cc.example:9443/cyclecloud/").unwrap())
    }

    #[test]
    fn paths_keep_the_prefix_and_encode_each_part() {
        let status = routes().status("my lab/1");
        assert_eq!(
            status.full_target(),
            "/cyclecloud/clusters/my%20lab%2F1/status"
        );
        assert_eq!(status.headers["accept"], "application/json");
        assert_eq!(
            status.headers["x-cycle-client-version"],
            format!("gpujob-cli:{}", env!("CARGO_PKG_VERSION"))
        );
    }

    #[test]
    fn nodes_are_asked_for_by_request_with_an_underscore() {
        let target = |of| routes().nodes("lab", of).full_target();
        assert_eq!(
            target(NodesOf::Request("r-1")),
            "/cyclecloud/clusters/lab/nodes?request_id=r-1"
        );
        assert_eq!(
            target(NodesOf::Operation("o 1")),
            "/cyclecloud/clusters/lab/nodes?operation=o%201"
        );
        assert_eq!(
            target(NodesOf::WholeCluster),
            "/cyclecloud/clusters/lab/nodes"
        );
    }

    #[test]
    fn creates_and_terminates_are_sent_once() {
        let body = Termination {
            ids: vec!["a".to_owned()],
            request_id: "r".to_owned(),
        };
        let terminate = routes().terminate("lab", &body).unwrap();
        assert_eq!(terminate.safety, Safety::Once);
        assert_eq!(terminate.body_bytes(), br#"{"ids":["a"],"requestId":"r"}"#);
        assert_eq!(routes().create("lab", &body).unwrap().safety, Safety::Once);
        assert_eq!(routes().status("lab").safety, Safety::Repeatable);
    }
}
