//! From the raw path to a call (cyclecloud.md §3). Pure.

use http::Method;

/// A call of §3's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Call {
    Metadata,
    Status { cluster: String },
    Nodes { cluster: String },
    Create { cluster: String },
    Manage { cluster: String, action: Action },
    Scale { cluster: String, array: String },
    Usage { cluster: String },
    Operations { with_slash: bool },
    Operation { id: String },
}

/// What is done to chosen nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Terminate,
    Remove,
    Shutdown,
    Deallocate,
    Start,
    Restart,
    Reimage,
}

/// Why there is no call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoCall {
    Path,
    /// The path is known; it takes this method.
    Method(&'static str),
}

impl Action {
    const ALL: [Self; 7] = [
        Self::Terminate,
        Self::Remove,
        Self::Shutdown,
        Self::Deallocate,
        Self::Start,
        Self::Restart,
        Self::Reimage,
    ];

    /// The word in paths and operations.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Terminate => "terminate",
            Self::Remove => "remove",
            Self::Shutdown => "shutdown",
            Self::Deallocate => "deallocate",
            Self::Start => "start",
            Self::Restart => "restart",
            Self::Reimage => "reimage",
        }
    }
}

impl Call {
    /// The name under which requests are counted.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Status { .. } => "status",
            Self::Nodes { .. } => "nodes",
            Self::Create { .. } => "create",
            Self::Manage { action, .. } => action.as_str(),
            Self::Scale { .. } => "scale",
            Self::Usage { .. } => "usage",
            Self::Operations { .. } => "operations",
            Self::Operation { .. } => "operation",
        }
    }

    fn method(&self) -> &'static str {
        match self {
            Self::Metadata
            | Self::Status { .. }
            | Self::Nodes { .. }
            | Self::Usage { .. }
            | Self::Operations { .. }
            | Self::Operation { .. } => "GET",
            Self::Create { .. } | Self::Manage { .. } | Self::Scale { .. } => "POST",
        }
    }
}

/// The call of a method and an undecoded path, after the context path.
pub(super) fn route(method: &Method, path: &str, context_path: &str) -> Result<Call, NoCall> {
    let call = path
        .strip_prefix(context_path)
        .and_then(of_path)
        .ok_or(NoCall::Path)?;
    if method.as_str() == call.method() {
        Ok(call)
    } else {
        Err(NoCall::Method(call.method()))
    }
}

fn of_path(path: &str) -> Option<Call> {
    let segments: Vec<String> = path
        .strip_prefix('/')?
        .split('/')
        .map(decode_segment)
        .collect::<Option<_>>()?;
    let words: Vec<&str> = segments.iter().map(String::as_str).collect();
    let call = match *words.as_slice() {
        ["ui", "metadata"] => Call::Metadata,
        ["operations"] => Call::Operations { with_slash: false },
        ["operations", ""] => Call::Operations { with_slash: true },
        ["operations", id] => Call::Operation { id: id.to_owned() },
        ["clusters", "", ..] => return None,
        ["clusters", cluster, "status"] => Call::Status {
            cluster: cluster.to_owned(),
        },
        ["clusters", cluster, "usage"] => Call::Usage {
            cluster: cluster.to_owned(),
        },
        ["clusters", cluster, "nodes"] => Call::Nodes {
            cluster: cluster.to_owned(),
        },
        ["clusters", cluster, "nodes", "create"] => Call::Create {
            cluster: cluster.to_owned(),
        },
        ["clusters", cluster, "nodes", word] => Call::Manage {
            cluster: cluster.to_owned(),
            action: Action::ALL
                .into_iter()
                .find(|action| action.as_str() == word)?,
        },
        ["clusters", cluster, "scale", array] if !array.is_empty() => Call::Scale {
            cluster: cluster.to_owned(),
            array: array.to_owned(),
        },
        _ => return None,
    };
    Some(call)
}

/// One percent-decoded segment; `None` if it is not UTF-8.
fn decode_segment(segment: &str) -> Option<String> {
    super::query::percent_decode(segment, false)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn call(method: &Method, path: &str) -> Result<Call, NoCall> {
        route(method, path, "")
    }

    #[rstest]
    #[case("/clusters/lab/status", Call::Status { cluster: "lab".to_owned() })]
    #[case("/clusters/a%2Fb%20c/nodes", Call::Nodes { cluster: "a/b c".to_owned() })]
    #[case("/operations/", Call::Operations { with_slash: true })]
    #[case("/operations", Call::Operations { with_slash: false })]
    #[case("/operations/7d1f", Call::Operation { id: "7d1f".to_owned() })]
    fn reads_are_gets(#[case] path: &str, #[case] expected: Call) {
        assert_eq!(call(&Method::GET, path), Ok(expected));
        assert_eq!(call(&Method::POST, path), Err(NoCall::Method("GET")));
    }

    #[rstest]
    #[case("/clusters/lab/nodes/create", "create")]
    #[case("/clusters/lab/nodes/terminate", "terminate")]
    #[case("/clusters/lab/nodes/reimage", "reimage")]
    #[case("/clusters/lab/scale/gpu", "scale")]
    fn writes_are_posts(#[case] path: &str, #[case] name: &str) {
        assert_eq!(call(&Method::POST, path).unwrap().name(), name);
        assert_eq!(call(&Method::GET, path), Err(NoCall::Method("POST")));
    }

    #[rstest]
    #[case("/api/clusters/lab/status")]
    #[case("/clusters")]
    #[case("/clusters/lab")]
    #[case("/clusters//status")]
    #[case("/clusters/lab/status/")]
    #[case("/clusters/lab/nodes/explode")]
    #[case("/clusters/lab/nodes/gpu-1/ghr")]
    #[case("//clusters/lab/status")]
    #[case("/exec/query/")]
    #[case("/clusters/%FF/status")]
    fn everything_else_is_unknown(#[case] path: &str) {
        assert_eq!(call(&Method::GET, path), Err(NoCall::Path));
    }

    #[test]
    fn under_a_context_path_nothing_else_is_served() {
        let at = |path| route(&Method::GET, path, "/cyclecloud");
        assert!(at("/cyclecloud/operations/").is_ok());
        assert_eq!(at("/operations/"), Err(NoCall::Path));
        assert_eq!(at("/cycleclouds/operations/"), Err(NoCall::Path));
    }
}
