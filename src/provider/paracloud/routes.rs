//! Every request of the API in one place: version prefix, scope and wildcard rules (paracloud.md §2.2, §3).
//!
//! Pure. Only documented routes are built; `-` stands for a cluster only where §2.2 allows it.

use http::Method;
use serde::Serialize;

use crate::error::Result;
use crate::http::{BaseUrl, Safety, Target, Template};

use super::wire;

/// The only content type that the service takes on a POST (§1.5).
const JSON: &str = "application/json";

/// Version and prefix of every path.
const PREFIX: &str = "/api/v1beta2";

/// All clusters, or whichever the service picks.
pub(super) const ANY_CLUSTER: &str = "-";

/// The operations of §3, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    CreateNamespace,
    ListNamespaces,
    DeleteNamespace,
    ListInstanceTypes,
    CreateVolume,
    ListVolumes,
    DeleteVolume,
    CreateContainerGroup,
    GetContainerGroup,
    ListContainerGroups,
    CancelContainerGroup,
}

impl Operation {
    const ALL: [Self; 11] = [
        Self::CreateNamespace,
        Self::ListNamespaces,
        Self::DeleteNamespace,
        Self::ListInstanceTypes,
        Self::CreateVolume,
        Self::ListVolumes,
        Self::DeleteVolume,
        Self::CreateContainerGroup,
        Self::GetContainerGroup,
        Self::ListContainerGroups,
        Self::CancelContainerGroup,
    ];

    /// The name in templates, messages and faults.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::CreateNamespace => "CreateNamespace",
            Self::ListNamespaces => "ListNamespaces",
            Self::DeleteNamespace => "DeleteNamespace",
            Self::ListInstanceTypes => "ListInstanceTypes",
            Self::CreateVolume => "CreateVolume",
            Self::ListVolumes => "ListVolumes",
            Self::DeleteVolume => "DeleteVolume",
            Self::CreateContainerGroup => "CreateContainerGroup",
            Self::GetContainerGroup => "GetContainerGroup",
            Self::ListContainerGroups => "ListContainerGroups",
            Self::CancelContainerGroup => "CancelContainerGroup",
        }
    }

    /// The operation of a name; `None` for requests that are not of this module, such as those of `gpujob api`.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|operation| operation.as_str() == name)
    }
}

/// The routes under one base URL.
#[derive(Debug, Clone)]
pub(super) struct Routes {
    base: BaseUrl,
}

impl Routes {
    pub(super) fn new(base: BaseUrl) -> Self {
        Self { base }
    }

    /// The service's address.
    pub(super) fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// Whether the service is on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        self.base.is_loopback()
    }

    pub(super) fn list_namespaces(&self) -> Template {
        self.read(Operation::ListNamespaces, namespaces())
    }

    pub(super) fn create_namespace(&self) -> Result<Template> {
        self.post(Operation::CreateNamespace, namespaces(), &wire::Empty {})
    }

    pub(super) fn delete_namespace(&self, namespace: &str) -> Template {
        self.delete(Operation::DeleteNamespace, namespaces().segment(namespace))
    }

    /// The catalogue of all clusters.
    pub(super) fn list_instance_types(&self) -> Template {
        let target = root()
            .literal("/clusters")
            .segment(ANY_CLUSTER)
            .literal("/instanceTypes");
        self.read(Operation::ListInstanceTypes, target)
    }

    /// The volumes of a namespace, in all clusters.
    pub(super) fn list_volumes(&self, namespace: &str) -> Template {
        let target = scope(namespace, ANY_CLUSTER).literal("/volumes");
        self.read(Operation::ListVolumes, target)
    }

    /// `cluster` is a real one: the wildcard is forbidden here.
    pub(super) fn create_volume(
        &self,
        namespace: &str,
        cluster: &str,
        transfer: bool,
    ) -> Result<Template> {
        let body = wire::CreateVolume {
            service: transfer.then_some(wire::Empty {}),
        };
        let target = scope(namespace, cluster).literal("/volumes");
        self.post(Operation::CreateVolume, target, &body)
    }

    /// `cluster` is a real one.
    pub(super) fn delete_volume(&self, namespace: &str, cluster: &str, volume: &str) -> Template {
        let target = scope(namespace, cluster)
            .literal("/volumes")
            .segment(volume);
        self.delete(Operation::DeleteVolume, target)
    }

    /// `cluster` may be the wildcard when nothing is mounted.
    pub(super) fn create_group(
        &self,
        namespace: &str,
        cluster: &str,
        body: &wire::CreateGroup,
    ) -> Result<Template> {
        let target = scope(namespace, cluster).literal("/containerGroups");
        self.post(Operation::CreateContainerGroup, target, body)
    }

    /// The groups of a namespace, in all clusters.
    pub(super) fn list_groups(&self, namespace: &str) -> Template {
        let target = scope(namespace, ANY_CLUSTER).literal("/containerGroups");
        self.read(Operation::ListContainerGroups, target)
    }

    /// `cluster` is a real one.
    pub(super) fn get_group(&self, namespace: &str, cluster: &str, group: &str) -> Template {
        let target = scope(namespace, cluster)
            .literal("/containerGroups")
            .segment(group);
        self.read(Operation::GetContainerGroup, target)
    }

    /// `cluster` is a real one. The method is DELETE, and the colon travels as it stands (§3.6).
    pub(super) fn cancel_group(&self, namespace: &str, cluster: &str, group: &str) -> Template {
        let target = scope(namespace, cluster)
            .literal("/containerGroups")
            .segment(group)
            .literal(":cancel");
        self.delete(Operation::CancelContainerGroup, target)
    }

    fn read(&self, operation: Operation, target: Target) -> Template {
        Template::new(operation.as_str(), Method::GET, &self.base, target)
    }

    fn delete(&self, operation: Operation, target: Target) -> Template {
        Template::new(operation.as_str(), Method::DELETE, &self.base, target)
    }

    /// Every POST of this API creates something: it is sent once.
    fn post(
        &self,
        operation: Operation,
        target: Target,
        body: &impl Serialize,
    ) -> Result<Template> {
        Template::new(operation.as_str(), Method::POST, &self.base, target)
            .with_safety(Safety::Once)
            .with_json(JSON, body)
    }
}

fn root() -> Target {
    Target::new(PREFIX)
}

fn namespaces() -> Target {
    root().literal("/namespaces")
}

/// The scope part of every personal resource.
fn scope(namespace: &str, cluster: &str) -> Target {
    namespaces()
        .segment(namespace)
        .literal("/clusters")
        .segment(cluster)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes() -> Routes {
        Routes::new(BaseUrl::parse("https://eci.example/").unwrap())
    }

    #[test]
    fn the_colon_of_a_cancel_is_not_encoded() {
        let template = routes().cancel_group("k8r2wq", "NC-N30", "p6vd2hcn");
        assert_eq!(template.method, Method::DELETE);
        assert_eq!(template.safety, Safety::Repeatable);
        assert_eq!(
            template.full_target(),
            "/api/v1beta2/namespaces/k8r2wq/clusters/NC-N30/containerGroups/p6vd2hcn:cancel"
        );
    }

    #[test]
    fn lists_are_read_from_all_clusters() {
        assert_eq!(
            routes().list_instance_types().full_target(),
            "/api/v1beta2/clusters/-/instanceTypes"
        );
        assert_eq!(
            routes().list_volumes("k8r2wq").full_target(),
            "/api/v1beta2/namespaces/k8r2wq/clusters/-/volumes"
        );
        assert_eq!(
            routes().list_groups("k8r2wq").full_target(),
            "/api/v1beta2/namespaces/k8r2wq/clusters/-/containerGroups"
        );
    }

    #[test]
    fn creates_carry_json_and_are_sent_once() {
        let with = routes().create_volume("k8r2wq", "NC-N30", true).unwrap();
        let without = routes().create_volume("k8r2wq", "NC-N30", false).unwrap();
        assert_eq!(with.body_bytes(), br#"{"service":{}}"#);
        assert_eq!(without.body_bytes(), b"{}");
        let namespace = routes().create_namespace().unwrap();
        assert_eq!(namespace.body_bytes(), b"{}");
        for template in [with, without, namespace] {
            assert_eq!(template.safety, Safety::Once);
            assert_eq!(template.headers["content-type"], "application/json");
        }
    }

    #[test]
    fn every_operation_is_found_by_its_name() {
        for operation in Operation::ALL {
            assert_eq!(Operation::from_name(operation.as_str()), Some(operation));
        }
        assert_eq!(Operation::from_name("Raw"), None);
    }
}
