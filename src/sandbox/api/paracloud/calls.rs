//! What each call does, after authentication and routing (paracloud.md §3 and §10).

use http::StatusCode;
use serde_json::{Value, json};

use crate::sandbox::clock::Clock;
use crate::sandbox::process::Launcher;
use crate::sandbox::service::RawAnswer;
use crate::secret::Secret;

use super::catalogue;
use super::lifecycle;
use super::model::{Group, Namespace, SERVICE, Transfer, Volume, World, random_text};
use super::render::{self, Failure, Outcome};
use super::route::{ANY, Call};
use super::switches::InUse;
use super::wire::Decoder;

/// One call's surroundings.
#[derive(Debug)]
pub(super) struct Caller<'a> {
    pub(super) world: &'a mut World,
    pub(super) clock: &'a Clock,
    pub(super) launcher: &'a Launcher,
    pub(super) user: &'a str,
    /// The `Host` of the request: where the sandbox is reached.
    pub(super) host: &'a str,
}

impl Caller<'_> {
    /// Does what the call asks for.
    pub(super) fn act(&mut self, call: &Call<'_>, body: &[u8]) -> Outcome {
        if let Some(part) = call.bad_wildcard() {
            return Err(Failure::invalid(format!(
                "the {part} cannot be `{ANY}` here"
            )));
        }
        let decoder = Decoder {
            lenient: self.world.switches.lenient,
        };
        match *call {
            Call::CreateNamespace => {
                decoder.empty(body).map_err(Failure::invalid)?;
                Ok(self.create_namespace())
            }
            Call::ListNamespaces => Ok(self.list_namespaces()),
            Call::DeleteNamespace { namespace } => self.delete_namespace(namespace),
            Call::ListInstanceTypes { cluster } => self.list_types(cluster),
            Call::CreateVolume { namespace, cluster } => {
                self.check_place(namespace, cluster)?;
                let transfer = decoder.volume(body).map_err(Failure::invalid)?;
                Ok(self.create_volume(namespace, cluster, transfer))
            }
            Call::ListVolumes { namespace, cluster } => self.list_volumes(namespace, cluster),
            Call::DeleteVolume {
                namespace,
                cluster,
                volume,
            } => self.delete_volume(namespace, cluster, volume),
            Call::CreateGroup { namespace, cluster } => {
                self.check_place(namespace, cluster)?;
                let request = decoder.group(body).map_err(Failure::invalid)?;
                let group = self.new_group(namespace, cluster, request)?;
                let answer = render::group(&group, &self.world.switches);
                self.world.groups.push(group);
                Ok(self.created(&answer))
            }
            Call::ListGroups { namespace, cluster } => self.list_groups(namespace, cluster),
            Call::GetGroup {
                namespace,
                cluster,
                group,
            } => {
                let group = self.find_group(namespace, cluster, group)?;
                let answer = render::group(group, &self.world.switches);
                Ok(RawAnswer::json(StatusCode::OK, &answer))
            }
            Call::CancelGroup {
                namespace,
                cluster,
                group,
            } => self.cancel_group(namespace, cluster, group),
        }
    }

    pub(super) fn created(&self, body: &Value) -> RawAnswer {
        let status =
            StatusCode::from_u16(self.world.switches.create_status).unwrap_or(StatusCode::CREATED);
        RawAnswer::json(status, body)
    }

    /// The namespace is the caller's and the cluster exists, or is `-`.
    pub(super) fn check_place(&self, namespace: &str, cluster: &str) -> Result<(), Failure> {
        self.check_namespace(namespace)?;
        if cluster == ANY || catalogue::has_cluster(&self.world.catalogue(), cluster) {
            return Ok(());
        }
        Err(Failure::not_found("cluster", cluster))
    }

    fn check_namespace(&self, id: &str) -> Result<(), Failure> {
        let namespaces = &self.world.namespaces;
        match namespaces.iter().find(|namespace| namespace.id == id) {
            Some(namespace) if namespace.user == self.user => Ok(()),
            Some(_) if self.world.switches.foreign_namespace == 403 => Err(Failure::new(
                StatusCode::FORBIDDEN,
                format!("no permission for namespace {id}"),
            )),
            Some(_) | None => Err(Failure::not_found("namespace", id)),
        }
    }

    fn create_namespace(&mut self) -> RawAnswer {
        let id = self.world.fresh_id(6);
        let answer = self.created(&json!({ "id": id }));
        self.world.namespaces.push(Namespace {
            id,
            user: self.user.to_owned(),
        });
        answer
    }

    fn list_namespaces(&mut self) -> RawAnswer {
        let items = self
            .world
            .namespaces
            .iter()
            .filter(|namespace| namespace.user == self.user)
            .map(|namespace| json!({ "id": namespace.id }))
            .collect();
        render::list(self.world, "namespaces", items)
    }

    fn delete_namespace(&mut self, id: &str) -> Outcome {
        self.check_namespace(id)?;
        if self.world.switches.namespace_in_use == InUse::Refuse {
            let is_alive = |group: &Group| group.namespace == id && !group.has_ended();
            if self
                .world
                .volumes
                .iter()
                .any(|volume| volume.namespace == id)
            {
                return Err(Failure::conflict(format!("namespace {id} has volumes")));
            }
            if self.world.groups.iter().any(is_alive) {
                return Err(Failure::conflict(format!(
                    "namespace {id} has container groups that have not ended"
                )));
            }
        }
        for group in self
            .world
            .groups
            .extract_if(.., |group| group.namespace == id)
        {
            self.launcher.forget(&group.job());
        }
        let volumes = self
            .world
            .volumes
            .extract_if(.., |volume| volume.namespace == id);
        for volume in volumes {
            remove_files(self.launcher, &volume);
        }
        self.world.namespaces.retain(|namespace| namespace.id != id);
        Ok(RawAnswer::empty(StatusCode::NO_CONTENT))
    }

    fn list_types(&mut self, cluster: &str) -> Outcome {
        let mut entries = self.world.catalogue();
        if cluster != ANY {
            if !catalogue::has_cluster(&entries, cluster) {
                return Err(Failure::not_found("cluster", cluster));
            }
            entries.retain(|entry| entry.get("clusterID").and_then(Value::as_str) == Some(cluster));
        }
        Ok(render::list(self.world, "instanceTypes", entries))
    }

    fn create_volume(&mut self, namespace: &str, cluster: &str, transfer: bool) -> RawAnswer {
        let id = self.world.fresh_id(8);
        let transfer = transfer.then(|| {
            let place = cluster.to_ascii_lowercase().replace('-', "");
            Transfer {
                username: format!("{namespace}-{place}-{id}"),
                // Not from the seed: a password is never known beforehand.
                password: Secret::new(random_text(&mut fastrand::Rng::new(), 32)),
            }
        });
        let volume = Volume {
            id,
            namespace: namespace.to_owned(),
            cluster: cluster.to_owned(),
            transfer,
            created: self.clock.elapsed(),
        };
        let answer = self.created(&render::created_volume(&volume, self.host));
        self.world.volumes.push(volume);
        answer
    }

    fn list_volumes(&mut self, namespace: &str, cluster: &str) -> Outcome {
        self.check_place(namespace, cluster)?;
        let items = self
            .world
            .volumes
            .iter()
            .filter(|volume| volume.namespace == namespace)
            .filter(|volume| cluster == ANY || volume.cluster == cluster)
            .map(render::volume)
            .collect();
        Ok(render::list(self.world, "volumes", items))
    }

    fn delete_volume(&mut self, namespace: &str, cluster: &str, id: &str) -> Outcome {
        self.check_place(namespace, cluster)?;
        let is_it = |volume: &Volume| {
            volume.namespace == namespace && volume.cluster == cluster && volume.id == id
        };
        if !self.world.volumes.iter().any(is_it) {
            return Err(Failure::not_found("volume", id));
        }
        if self.world.switches.volume_in_use == InUse::Refuse && self.world.is_mounted(id) {
            return Err(Failure::conflict(format!(
                "volume {id} is mounted by a container group"
            )));
        }
        for volume in self.world.volumes.extract_if(.., |volume| is_it(volume)) {
            remove_files(self.launcher, &volume);
        }
        Ok(RawAnswer::empty(StatusCode::NO_CONTENT))
    }

    fn list_groups(&mut self, namespace: &str, cluster: &str) -> Outcome {
        self.check_place(namespace, cluster)?;
        let items = self
            .world
            .groups
            .iter()
            .filter(|group| group.namespace == namespace)
            .filter(|group| cluster == ANY || group.cluster == cluster)
            .map(|group| render::group(group, &self.world.switches))
            .collect();
        Ok(render::list(self.world, "containerGroups", items))
    }

    fn find_group(&self, namespace: &str, cluster: &str, id: &str) -> Result<&Group, Failure> {
        self.check_place(namespace, cluster)?;
        self.world
            .group(namespace, cluster, id)
            .ok_or_else(|| Failure::not_found("container group", id))
    }

    fn cancel_group(&mut self, namespace: &str, cluster: &str, id: &str) -> Outcome {
        let done = Ok(RawAnswer::empty(StatusCode::NO_CONTENT));
        if self.find_group(namespace, cluster, id)?.has_ended() {
            if self.world.switches.cancel_finished == 409 {
                return Err(Failure::conflict(format!("container group {id} has ended")));
            }
            return done;
        }
        let World {
            groups, switches, ..
        } = &mut *self.world;
        for group in groups.iter_mut().filter(|group| group.id == id) {
            lifecycle::cancel(group, switches, self.clock, self.launcher);
        }
        lifecycle::advance(self.world, self.clock, self.launcher);
        done
    }
}

fn remove_files(launcher: &Launcher, volume: &Volume) {
    if let Err(error) = launcher.remove_volume(SERVICE, &volume.id) {
        log::warn!("{SERVICE}: files of volume {} stay: {error}", volume.id);
    }
}
