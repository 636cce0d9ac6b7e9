//! From a decoded request to a new container group: everything that needs the catalogue, the volumes or an id
//! (paracloud.md §10, validation).

use super::calls::Caller;
use super::catalogue;
use super::model::{Container, Group, Phase};
use super::render::{Failure, public_label};
use super::route::ANY;
use super::wire::{ContainerRequest, GroupRequest};

/// The longest DNS label (§3.7).
const LABEL_LIMIT: usize = 63;

impl Caller<'_> {
    /// A group in its first phase, or why there can be none. Nothing is kept yet.
    pub(super) fn new_group(
        &mut self,
        namespace: &str,
        cluster: &str,
        request: GroupRequest,
    ) -> Result<Group, Failure> {
        self.check_mounts(namespace, cluster, &request)?;
        let cluster = self.cluster_of(cluster, &request.instance_type)?;
        let containers = self.with_ports(request.containers);
        let group = Group {
            id: self.world.fresh_id(8),
            namespace: namespace.to_owned(),
            cluster,
            user: self.user.to_owned(),
            instance_type: request.instance_type,
            containers,
            phase: Phase::Creating,
            since: self.clock.elapsed(),
            run: None,
            node: None,
            start: None,
            end: None,
            cancel_asked: None,
            lost: None,
        };
        check_labels(&group)?;
        Ok(group)
    }

    fn cluster_of(&self, cluster: &str, instance_type: &str) -> Result<String, Failure> {
        let entries = self.world.catalogue();
        let wanted = (cluster != ANY).then_some(cluster);
        catalogue::cluster_of_type(&entries, instance_type, wanted).ok_or_else(|| {
            if catalogue::has_type(&entries, instance_type) {
                Failure::invalid(format!(
                    "instance type {instance_type} is not in cluster {cluster}"
                ))
            } else {
                Failure::invalid(format!("unknown instance type {instance_type}"))
            }
        })
    }

    fn check_mounts(
        &self,
        namespace: &str,
        cluster: &str,
        request: &GroupRequest,
    ) -> Result<(), Failure> {
        let containers = request.containers.iter();
        for mount in containers.flat_map(|container| container.volume_mounts.iter().flatten()) {
            if cluster == ANY {
                return Err(Failure::invalid(
                    "a group that mounts a volume must name the volume's cluster",
                ));
            }
            let volumes = &self.world.volumes;
            let volume = volumes
                .iter()
                .find(|volume| volume.namespace == namespace && volume.id == mount.volume)
                .ok_or_else(|| Failure::invalid(format!("unknown volume {}", mount.volume)))?;
            if volume.cluster != cluster {
                return Err(Failure::invalid(format!(
                    "volume {} is in cluster {}, not in {cluster}",
                    volume.id, volume.cluster
                )));
            }
        }
        Ok(())
    }

    fn with_ports(&mut self, requests: Vec<ContainerRequest>) -> Vec<Container> {
        let mut taken: Vec<u16> = Vec::new();
        let mut containers = Vec::new();
        for (index, request) in requests.into_iter().enumerate() {
            let mut ports = Vec::new();
            for _ in request.ports.iter().flatten() {
                let port = self.world.fresh_port(&taken);
                taken.push(port);
                ports.push(port);
            }
            containers.push(Container {
                // What the vendor fills in is unknown (§3.4).
                name: request
                    .name
                    .clone()
                    .unwrap_or_else(|| format!("container-{index}")),
                request,
                ports,
            });
        }
        containers
    }
}

fn check_labels(group: &Group) -> Result<(), Failure> {
    for container in &group.containers {
        let ports = container.request.ports.iter().flatten();
        for port in ports.filter(|port| port.https) {
            let label = public_label(group, &container.name, &port.name);
            if label.len() > LABEL_LIMIT {
                return Err(Failure::invalid(format!(
                    "host label {label} has {} characters, more than {LABEL_LIMIT}",
                    label.len()
                )));
            }
        }
    }
    Ok(())
}
