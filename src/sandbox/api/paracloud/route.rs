//! From a raw request line to a call (paracloud.md §3), or to why there is none.

use http::Method;

const PREFIX: &str = "/api/v1beta2/";

/// The wildcard of §2.2.
pub(super) const ANY: &str = "-";

/// One documented call with the ids of its path, undecoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Call<'a> {
    CreateNamespace,
    ListNamespaces,
    DeleteNamespace {
        namespace: &'a str,
    },
    ListInstanceTypes {
        cluster: &'a str,
    },
    CreateVolume {
        namespace: &'a str,
        cluster: &'a str,
    },
    ListVolumes {
        namespace: &'a str,
        cluster: &'a str,
    },
    DeleteVolume {
        namespace: &'a str,
        cluster: &'a str,
        volume: &'a str,
    },
    CreateGroup {
        namespace: &'a str,
        cluster: &'a str,
    },
    ListGroups {
        namespace: &'a str,
        cluster: &'a str,
    },
    GetGroup {
        namespace: &'a str,
        cluster: &'a str,
        group: &'a str,
    },
    CancelGroup {
        namespace: &'a str,
        cluster: &'a str,
        group: &'a str,
    },
}

/// Why a request is no call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoCall {
    /// No such path: 404.
    Path,
    /// The path exists, the method does not: 405.
    Method,
}

impl Call<'_> {
    /// The call's name in the request counts.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::CreateNamespace => "CreateNamespace",
            Self::ListNamespaces => "ListNamespaces",
            Self::DeleteNamespace { .. } => "DeleteNamespace",
            Self::ListInstanceTypes { .. } => "ListInstanceTypes",
            Self::CreateVolume { .. } => "CreateVolume",
            Self::ListVolumes { .. } => "ListVolumes",
            Self::DeleteVolume { .. } => "DeleteVolume",
            Self::CreateGroup { .. } => "CreateContainerGroup",
            Self::ListGroups { .. } => "ListContainerGroups",
            Self::GetGroup { .. } => "GetContainerGroup",
            Self::CancelGroup { .. } => "CancelContainerGroup",
        }
    }

    /// Whether the call has a body.
    pub(super) const fn has_body(&self) -> bool {
        matches!(
            self,
            Self::CreateNamespace | Self::CreateVolume { .. } | Self::CreateGroup { .. }
        )
    }

    /// The part of the path that holds `-` where only an id is documented (§2.2).
    pub(super) fn bad_wildcard(&self) -> Option<&'static str> {
        let (namespace, cluster, id) = match self {
            Self::CreateNamespace | Self::ListNamespaces | Self::ListInstanceTypes { .. } => {
                return None;
            }
            // In lists and in the create of a group `-` means all clusters, or any.
            Self::DeleteNamespace { namespace }
            | Self::ListVolumes { namespace, .. }
            | Self::ListGroups { namespace, .. }
            | Self::CreateGroup { namespace, .. } => (namespace, None, None),
            Self::CreateVolume { namespace, cluster } => (namespace, Some(cluster), None),
            Self::DeleteVolume {
                namespace,
                cluster,
                volume: id,
            }
            | Self::GetGroup {
                namespace,
                cluster,
                group: id,
            }
            | Self::CancelGroup {
                namespace,
                cluster,
                group: id,
            } => (namespace, Some(cluster), Some(id)),
        };
        if *namespace == ANY {
            Some("namespace")
        } else if cluster.is_some_and(|cluster| *cluster == ANY) {
            Some("cluster")
        } else if id.is_some_and(|id| *id == ANY) {
            Some("id")
        } else {
            None
        }
    }
}

/// Reads a method and a raw path.
///
/// Nothing is decoded: no id needs an escape, and `%3Acancel` is not `:cancel` (§10).
pub(super) fn route<'a>(method: &Method, path: &'a str) -> Result<Call<'a>, NoCall> {
    let rest = path.strip_prefix(PREFIX).ok_or(NoCall::Path)?;
    let segments: Vec<&str> = rest.split('/').collect();
    if segments
        .iter()
        .any(|segment| segment.is_empty() || segment.contains('%'))
    {
        return Err(NoCall::Path);
    }
    match segments.as_slice() {
        ["namespaces"] => match method.as_str() {
            "GET" => Ok(Call::ListNamespaces),
            "POST" => Ok(Call::CreateNamespace),
            _ => Err(NoCall::Method),
        },
        ["namespaces", namespace] => {
            only(method, &Method::DELETE, Call::DeleteNamespace { namespace })
        }
        ["clusters", cluster, "instanceTypes"] => {
            only(method, &Method::GET, Call::ListInstanceTypes { cluster })
        }
        ["namespaces", namespace, "clusters", cluster, "volumes"] => match method.as_str() {
            "GET" => Ok(Call::ListVolumes { namespace, cluster }),
            "POST" => Ok(Call::CreateVolume { namespace, cluster }),
            _ => Err(NoCall::Method),
        },
        [
            "namespaces",
            namespace,
            "clusters",
            cluster,
            "volumes",
            volume,
        ] => only(
            method,
            &Method::DELETE,
            Call::DeleteVolume {
                namespace,
                cluster,
                volume,
            },
        ),
        [
            "namespaces",
            namespace,
            "clusters",
            cluster,
            "containerGroups",
        ] => match method.as_str() {
            "GET" => Ok(Call::ListGroups { namespace, cluster }),
            "POST" => Ok(Call::CreateGroup { namespace, cluster }),
            _ => Err(NoCall::Method),
        },
        [
            "namespaces",
            namespace,
            "clusters",
            cluster,
            "containerGroups",
            last,
        ] => {
            match last.split_once(':') {
                Some((group, "cancel")) => only(
                    method,
                    &Method::DELETE,
                    Call::CancelGroup {
                        namespace,
                        cluster,
                        group,
                    },
                ),
                Some(_) => Err(NoCall::Path),
                // A plain DELETE is not documented (§3).
                None => only(
                    method,
                    &Method::GET,
                    Call::GetGroup {
                        namespace,
                        cluster,
                        group: last,
                    },
                ),
            }
        }
        _ => Err(NoCall::Path),
    }
}

fn only<'a>(method: &Method, wanted: &Method, call: Call<'a>) -> Result<Call<'a>, NoCall> {
    if method == wanted {
        Ok(call)
    } else {
        Err(NoCall::Method)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("POST", "namespaces", "CreateNamespace")]
    #[case("GET", "namespaces", "ListNamespaces")]
    #[case("DELETE", "namespaces/k8r2wq", "DeleteNamespace")]
    #[case("GET", "clusters/-/instanceTypes", "ListInstanceTypes")]
    #[case("POST", "namespaces/n/clusters/NC-N30/volumes", "CreateVolume")]
    #[case("GET", "namespaces/n/clusters/-/volumes", "ListVolumes")]
    #[case("DELETE", "namespaces/n/clusters/c/volumes/v", "DeleteVolume")]
    #[case(
        "POST",
        "namespaces/n/clusters/-/containerGroups",
        "CreateContainerGroup"
    )]
    #[case(
        "GET",
        "namespaces/n/clusters/-/containerGroups",
        "ListContainerGroups"
    )]
    #[case(
        "GET",
        "namespaces/n/clusters/c/containerGroups/g",
        "GetContainerGroup"
    )]
    #[case(
        "DELETE",
        "namespaces/n/clusters/c/containerGroups/g:cancel",
        "CancelContainerGroup"
    )]
    fn documented_calls_are_known(#[case] method: &str, #[case] path: &str, #[case] name: &str) {
        let path = format!("{PREFIX}{path}");
        let call = route(&method.parse().unwrap(), &path).unwrap();
        assert_eq!((call.name(), call.bad_wildcard()), (name, None));
    }

    #[rstest]
    #[case("GET", "/api/v1beta2/namespaces/", NoCall::Path)]
    #[case("GET", "//api/v1beta2/namespaces", NoCall::Path)]
    #[case("GET", "/api/v1rc1/namespaces", NoCall::Path)]
    #[case("GET", "/api/v1beta2/clusters", NoCall::Path)]
    #[case("PUT", "/api/v1beta2/namespaces", NoCall::Method)]
    #[case("GET", "/api/v1beta2/namespaces/n", NoCall::Method)]
    #[case(
        "DELETE",
        "/api/v1beta2/namespaces/n/clusters/c/containerGroups/g",
        NoCall::Method
    )]
    #[case(
        "POST",
        "/api/v1beta2/namespaces/n/clusters/c/containerGroups/g:cancel",
        NoCall::Method
    )]
    #[case(
        "DELETE",
        "/api/v1beta2/namespaces/n/clusters/c/containerGroups/g%3Acancel",
        NoCall::Path
    )]
    #[case(
        "DELETE",
        "/api/v1beta2/namespaces/n/clusters/c/containerGroups/g:stop",
        NoCall::Path
    )]
    fn anything_else_is_not(#[case] method: &str, #[case] path: &str, #[case] why: NoCall) {
        assert_eq!(route(&method.parse().unwrap(), path), Err(why));
    }

    #[rstest]
    #[case("DELETE", "namespaces/-", "namespace")]
    #[case("GET", "namespaces/-/clusters/-/volumes", "namespace")]
    #[case("POST", "namespaces/n/clusters/-/volumes", "cluster")]
    #[case("DELETE", "namespaces/n/clusters/-/volumes/v", "cluster")]
    #[case("GET", "namespaces/n/clusters/-/containerGroups/g", "cluster")]
    #[case("DELETE", "namespaces/n/clusters/c/containerGroups/-:cancel", "id")]
    fn undocumented_wildcards_are_named(
        #[case] method: &str,
        #[case] path: &str,
        #[case] part: &str,
    ) {
        let path = format!("{PREFIX}{path}");
        let call = route(&method.parse().unwrap(), &path).unwrap();
        assert_eq!(call.bad_wildcard(), Some(part));
    }
}
