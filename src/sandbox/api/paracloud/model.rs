//! What the service holds: namespaces, volumes, container groups (paracloud.md §2).

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::model::Timestamp;
use crate::sandbox::process::Process;
use crate::secret::Secret;

use super::catalogue;
use super::switches::Switches;
use super::wire::ContainerRequest;

/// The symbols of ids and passwords (§2.1).
const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// The service's own name for its volumes and jobs on this machine.
pub(super) const SERVICE: &str = "paracloud";

/// Everything the service knows.
#[derive(Debug)]
pub(super) struct World {
    pub(super) switches: Switches,
    pub(super) namespaces: Vec<Namespace>,
    pub(super) volumes: Vec<Volume>,
    pub(super) groups: Vec<Group>,
    /// Numbers of requests by call.
    pub(super) requests: BTreeMap<&'static str, u64>,
    /// Authenticated calls since the expiry switches were set.
    pub(super) calls: u64,
    /// When the expiry switches were set.
    pub(super) expiry_since: Duration,
    pub(super) random: fastrand::Rng,
    pub(super) next_run: u64,
}

/// A personal namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Namespace {
    pub(super) id: String,
    pub(super) user: String,
}

/// A volume of one cluster.
#[derive(Debug, Clone)]
pub(super) struct Volume {
    pub(super) id: String,
    pub(super) namespace: String,
    pub(super) cluster: String,
    pub(super) transfer: Option<Transfer>,
    /// On the clock that only grows.
    pub(super) created: Duration,
}

/// Transfer access, told once (§6.1).
#[derive(Debug, Clone)]
pub(super) struct Transfer {
    pub(super) username: String,
    pub(super) password: Secret,
}

/// A container group.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) id: String,
    pub(super) namespace: String,
    pub(super) cluster: String,
    pub(super) user: String,
    pub(super) instance_type: String,
    pub(super) containers: Vec<Container>,
    pub(super) phase: Phase,
    /// When the phase began, on the clock that only grows.
    pub(super) since: Duration,
    pub(super) run: Option<String>,
    pub(super) node: Option<String>,
    pub(super) start: Option<Timestamp>,
    pub(super) end: Option<Timestamp>,
    /// When a cancel came that has not had its effect yet.
    pub(super) cancel_asked: Option<Duration>,
    /// When its node died under it: `Unknown` from then on.
    pub(super) lost: Option<Duration>,
}

/// One container: as requested, with what the service added.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) request: ContainerRequest,
    pub(super) name: String,
    /// Numbers of `request.ports`, in order.
    pub(super) ports: Vec<u16>,
}

/// Where a group is in its life (§10, lifecycle).
#[derive(Debug)]
pub(super) enum Phase {
    Creating,
    ImagePulling,
    /// The pull failed and the group stays Pending.
    PullFailed(String),
    Running(Vec<Run>),
    Ended(Ending),
}

/// One container's run.
#[derive(Debug)]
pub(super) enum Run {
    /// A process of this machine.
    Process(Process),
    /// Played by the switch `results`.
    Played(i32),
}

/// How a group ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) succeeded: bool,
    /// A placeholder: the vendor's words for terminal states are not documented (§8).
    pub(super) reason: &'static str,
    pub(super) message: Option<String>,
}

impl World {
    /// An empty world with its seeded namespaces, one per user.
    pub(super) fn new(seed: u64, users: &[&str]) -> Self {
        let mut world = Self {
            switches: Switches::default(),
            namespaces: Vec::new(),
            volumes: Vec::new(),
            groups: Vec::new(),
            requests: BTreeMap::new(),
            calls: 0,
            expiry_since: Duration::ZERO,
            random: fastrand::Rng::with_seed(seed),
            next_run: 0,
        };
        world.next_run = world.random.u64(10_000..90_000);
        for user in users {
            let id = world.fresh_id(6);
            world.namespaces.push(Namespace {
                id,
                user: (*user).to_owned(),
            });
        }
        world
    }

    /// An id that nobody has: from the switch `ids` while that lasts, else random.
    pub(super) fn fresh_id(&mut self, length: usize) -> String {
        if !self.switches.ids.is_empty() {
            return self.switches.ids.remove(0);
        }
        loop {
            let id = random_text(&mut self.random, length);
            if !self.is_taken(&id) {
                return id;
            }
        }
    }

    /// A port that no group uses and that is free on this machine just now: the job really binds it.
    pub(super) fn fresh_port(&mut self, also_taken: &[u16]) -> u16 {
        let mut port = self.random.u16(20_000..=32_767);
        for _ in 0..200 {
            let taken = also_taken.contains(&port)
                || self
                    .groups
                    .iter()
                    .filter(|group| !group.has_ended())
                    .flat_map(|group| &group.containers)
                    .any(|container| container.ports.contains(&port));
            if !taken && std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
                break;
            }
            port = self.random.u16(20_000..=32_767);
        }
        port
    }

    /// The instance types as they are shown.
    pub(super) fn catalogue(&self) -> Vec<Value> {
        catalogue::entries(&self.switches.extra_types)
    }

    /// A group of a namespace and cluster.
    pub(super) fn group(&self, namespace: &str, cluster: &str, id: &str) -> Option<&Group> {
        self.groups.iter().find(|group| {
            group.namespace == namespace && group.cluster == cluster && group.id == id
        })
    }

    /// Whether a group that has not ended mounts this volume.
    pub(super) fn is_mounted(&self, volume: &str) -> bool {
        self.groups
            .iter()
            .filter(|group| !group.has_ended())
            .any(|group| group.mounts(volume))
    }

    fn is_taken(&self, id: &str) -> bool {
        self.namespaces.iter().any(|namespace| namespace.id == id)
            || self.volumes.iter().any(|volume| volume.id == id)
            || self.groups.iter().any(|group| group.id == id)
    }
}

impl Group {
    /// Whether it is over.
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
    }

    /// The launcher's name of its processes.
    pub(super) fn job(&self) -> String {
        format!("{SERVICE}-{}", self.id)
    }

    /// Whether any container mounts this volume.
    pub(super) fn mounts(&self, volume: &str) -> bool {
        self.containers
            .iter()
            .filter_map(|container| container.request.volume_mounts.as_ref())
            .flatten()
            .any(|mount| mount.volume == volume)
    }
}

/// A text of the service's alphabet.
pub(super) fn random_text(random: &mut fastrand::Rng, length: usize) -> String {
    (0..length)
        .filter_map(|_| random.choice(ALPHABET).copied())
        .map(char::from)
        .collect()
}
