//! Every switch of the emulator (cyclecloud.md §11), set by name through the control route.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::State;
use crate::sandbox::auth::basic::Rule;

/// No size has more cores.
const LARGEST_CORES: u64 = 1024;

/// How the service behaves where the contract leaves a choice; the defaults are the contract's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own, set by its name"
)]
pub(super) struct Switches {
    /// A generic state (`pending`, `starting`, `running`) in which nodes stay.
    pub(super) hold: Option<String>,
    /// A path under which the server is mounted, such as `/cyclecloud` (§1.1).
    pub(super) context_path: String,
    /// How many failures lock an account (§2.1).
    pub(super) lockout_failures: u32,
    /// The most that may lie between two of them.
    pub(super) lockout_window_s: f64,
    /// How long the account stays locked.
    pub(super) lockout_s: f64,
    /// A bearer token is accepted too, and `/ui/metadata` says so (§2.2).
    pub(super) entra: bool,
    /// Every call of an authenticated user is answered 403.
    pub(super) forbidden: bool,
    /// What another user's cluster answers: 404 or 403 (§2.3).
    pub(super) foreign_cluster: u16,
    /// Status of invalid input: 409 or 400.
    pub(super) invalid_status: u16,
    /// What a create on a cluster that is not started answers: 409, or 202 with nodes that never start (§6.2).
    pub(super) create_on_stopped: u16,
    /// What a create of which nothing fits answers: 202 or 409 (§6.2).
    pub(super) nothing_fits: u16,
    /// How many nodes a create gives at most, whatever is available: a partial grant (§6.2).
    pub(super) grants_at_most: Option<u64>,
    /// What `/operations/` says of an unknown request id: 200 with an empty list, or 404 (§4.3).
    pub(super) unknown_request: u16,
    /// `/operations` without its slash redirects.
    pub(super) operations_redirect: bool,
    /// An operation cannot be looked up before so many seconds (§6.3, 5).
    pub(super) lookup_lag_s: f64,
    /// The form of `Location`.
    pub(super) location: Location,
    /// Length of Acquiring.
    pub(super) acquire_s: f64,
    /// Length of Preparing.
    pub(super) prepare_s: f64,
    /// Length of Terminating and Deallocating.
    pub(super) terminate_s: f64,
    /// How long nothing is available after a capacity failure.
    pub(super) throttle_s: f64,
    /// Failures of nodes; see [`Fault`].
    pub(super) faults: Vec<Fault>,
    /// Every answer waits so long, in real seconds.
    pub(super) slow_s: f64,
    /// The next calls fail.
    pub(super) fail_next: Option<FailNext>,
    /// The next so many creates are done, and their answers lost.
    pub(super) drop_creates: u32,
    /// Every answer is a web page with status 200, as a login page is (§3.1).
    pub(super) html: bool,
    /// Errors have no body (§3.1).
    pub(super) empty_errors: bool,
    /// Errors tell `Exception` and `Detail`, as a server in trouble does.
    pub(super) stack_traces: bool,
    /// Optional members of buckets are left out (§4.1).
    pub(super) omit_optional: bool,
    /// Every object holds a member that nobody knows.
    pub(super) extra_members: bool,
    /// The case of the keys of node records.
    pub(super) node_keys: NodeKeys,
    /// Dates in node records.
    pub(super) dates: Dates,
    /// What node records have no value for is null or absent (§5.1).
    pub(super) nulls: Nulls,
    /// The `State` of every node that is under way, instead of its own: a word nobody knows.
    pub(super) state_word: Option<String>,
    /// The same for `Status`.
    pub(super) status_word: Option<String>,
    /// Runs are played and no process is started (§11, 14).
    pub(super) played: Option<Played>,
    /// What `jetpack config` prints for true and false.
    pub(super) jetpack_booleans: Booleans,
    /// Nodes of one scale set may differ in `CloudInit` (§8.2: not documented).
    pub(super) cloud_init_per_node: bool,
    /// At least so many nodes fit: in every array, cluster, bucket and quota.
    pub(super) capacity: Option<u64>,
    /// Quotas of VM families in cores, instead of the built-in ones; keys are sizes.
    pub(super) family_quota_cores: BTreeMap<String, u64>,
    /// The region's quota in cores, instead of the built-in one.
    pub(super) region_quota_cores: Option<u64>,
    /// Sizes that cannot be used for new nodes, and why: `NotActivated` or `DisabledMachineType`.
    pub(super) disabled: BTreeMap<String, String>,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            hold: None,
            context_path: String::new(),
            lockout_failures: 5,
            lockout_window_s: 60.0,
            lockout_s: 300.0,
            entra: false,
            forbidden: false,
            foreign_cluster: 404,
            invalid_status: 409,
            create_on_stopped: 409,
            nothing_fits: 202,
            grants_at_most: None,
            unknown_request: 200,
            operations_redirect: false,
            lookup_lag_s: 0.0,
            location: Location::Relative,
            acquire_s: 2.0,
            prepare_s: 3.0,
            terminate_s: 2.0,
            throttle_s: 300.0,
            faults: Vec::new(),
            slow_s: 0.0,
            fail_next: None,
            drop_creates: 0,
            html: false,
            empty_errors: false,
            stack_traces: false,
            omit_optional: false,
            extra_members: false,
            node_keys: NodeKeys::Pascal,
            dates: Dates::Wrapped,
            nulls: Nulls::Null,
            state_word: None,
            status_word: None,
            played: None,
            jetpack_booleans: Booleans::Json,
            cloud_init_per_node: true,
            capacity: None,
            family_quota_cores: BTreeMap::new(),
            region_quota_cores: None,
            disabled: BTreeMap::new(),
        }
    }
}

/// The form of `Location` (§1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Location {
    Relative,
    Absolute,
}

/// The case of the keys of node records (§5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum NodeKeys {
    Pascal,
    Camel,
}

/// Dates in node records (§5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Dates {
    /// `{"$date": …}`.
    Wrapped,
    Text,
}

/// How a member without a value looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Nulls {
    Null,
    Absent,
}

/// What `jetpack config` prints for true and false.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Booleans {
    Json,
    Python,
}

/// A run without a process: the exit code is written after a while, then the node ends itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Played {
    pub(super) run_s: f64,
    pub(super) exit_code: i32,
}

/// Failures of the next calls: before anything is done, or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FailNext {
    pub(super) status: u16,
    pub(super) calls: u32,
    #[serde(default)]
    pub(super) after_effect: bool,
}

/// What befalls new nodes of an array or of a request. It is fixed when a node is made; the first rule that fits counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fault {
    pub(super) kind: FaultKind,
    #[serde(default)]
    pub(super) nodearray: Option<String>,
    #[serde(default)]
    pub(super) request_id: Option<String>,
    /// How many further nodes it befalls; all if it is not told.
    #[serde(default)]
    pub(super) nodes: Option<u32>,
    /// For what befalls a ready node: so many seconds later.
    #[serde(default)]
    pub(super) after_s: f64,
    /// A failed node comes back after so many seconds, as the server's own retry does (§12).
    #[serde(default)]
    pub(super) recovers_after_s: Option<f64>,
}

/// The kinds of failure of §11, 12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FaultKind {
    /// Azure has no VM: the node disappears after Acquiring.
    Capacity,
    /// The VM never reports: Failed, with a message and a `PhaseMap`.
    BootTimeout,
    /// Ready, then Failed.
    Flip,
    /// A ready node is taken away.
    Eviction,
}

impl Switches {
    /// These switches with some changed; all or none.
    pub(super) fn changed(&self, settings: &Value) -> Result<Self, String> {
        let settings = settings
            .as_object()
            .ok_or("settings are an object of switches")?;
        let mut merged = serde_json::to_value(self).map_err(|error| error.to_string())?;
        if let Some(members) = merged.as_object_mut() {
            members.extend(settings.clone());
        }
        let changed: Self =
            serde_json::from_value(merged).map_err(|error| format!("switch refused: {error}"))?;
        changed.check()?;
        Ok(changed)
    }

    /// A limit in nodes, or more of them by the switch `capacity`.
    pub(super) fn nodes(&self, limit: u64) -> u64 {
        limit.max(self.capacity.unwrap_or_default())
    }

    /// The same in cores, enough for the largest size.
    pub(super) fn cores(&self, limit: u64) -> u64 {
        let capacity = self.capacity.unwrap_or_default();
        limit.max(capacity.saturating_mul(LARGEST_CORES))
    }

    /// The generic state in which nodes stay.
    pub(super) fn held(&self) -> Option<State> {
        self.hold.as_deref().and_then(State::from_word)
    }

    /// The lock-out of wrong passwords.
    pub(super) fn lockout(&self) -> Rule {
        Rule {
            failures: self.lockout_failures,
            within: seconds(self.lockout_window_s),
            lasts: seconds(self.lockout_s),
        }
    }

    /// The fault of a new node, which uses up one of its numbers.
    pub(super) fn draw_fault(&mut self, nodearray: &str, request: Option<&str>) -> Option<Fault> {
        let fault = self.faults.iter_mut().find(|fault| {
            let of_array = fault
                .nodearray
                .as_deref()
                .is_none_or(|name| name == nodearray);
            let of_request = fault.request_id.is_none() || fault.request_id.as_deref() == request;
            of_array && of_request && fault.nodes != Some(0)
        })?;
        if let Some(nodes) = &mut fault.nodes {
            *nodes = nodes.saturating_sub(1);
        }
        Some(fault.clone())
    }

    /// The failure of this call, which uses up one of its number.
    pub(super) fn draw_failure(&mut self) -> Option<FailNext> {
        let failure = self.fail_next.as_mut()?;
        let drawn = *failure;
        failure.calls = failure.calls.saturating_sub(1);
        if failure.calls == 0 {
            self.fail_next = None;
        }
        (drawn.calls > 0).then_some(drawn)
    }

    fn check(&self) -> Result<(), String> {
        for (name, value, choices) in [
            ("foreign_cluster", self.foreign_cluster, [404, 403]),
            ("invalid_status", self.invalid_status, [409, 400]),
            ("create_on_stopped", self.create_on_stopped, [409, 202]),
            ("nothing_fits", self.nothing_fits, [202, 409]),
            ("unknown_request", self.unknown_request, [200, 404]),
        ] {
            let [first, second] = choices;
            if !choices.contains(&value) {
                return Err(format!(
                    "`{name}` is {value}; it can be {first} or {second}"
                ));
            }
        }
        self.check_seconds()?;
        if !self.context_path.is_empty()
            && (!self.context_path.starts_with('/') || self.context_path.ends_with('/'))
        {
            return Err(format!(
                "`context_path` is `{}`; it begins with a slash and does not end in one",
                self.context_path
            ));
        }
        if let Some(failure) = self.fail_next
            && !(400..600).contains(&failure.status)
        {
            return Err(format!(
                "`fail_next` has the status {}; it is an error, from 400 to 599",
                failure.status
            ));
        }
        let Some(hold) = &self.hold else {
            return Ok(());
        };
        match self.held() {
            Some(State::Pending | State::Starting | State::Running) => Ok(()),
            Some(State::Succeeded | State::Failed | State::Cancelled | State::Unknown) | None => {
                Err(format!(
                    "`{hold}` cannot be held: nodes know no jobs; hold pending, starting or running"
                ))
            }
        }
    }

    fn check_seconds(&self) -> Result<(), String> {
        let faults = self
            .faults
            .iter()
            .flat_map(|fault| [fault.after_s, fault.recovers_after_s.unwrap_or_default()])
            .map(|value| ("faults", value));
        let values = [
            ("lockout_window_s", self.lockout_window_s),
            ("lockout_s", self.lockout_s),
            ("lookup_lag_s", self.lookup_lag_s),
            ("acquire_s", self.acquire_s),
            ("prepare_s", self.prepare_s),
            ("terminate_s", self.terminate_s),
            ("throttle_s", self.throttle_s),
            ("slow_s", self.slow_s),
            ("played", self.played.map_or(0.0, |played| played.run_s)),
        ];
        for (name, value) in values.into_iter().chain(faults) {
            Duration::try_from_secs_f64(value).map_err(|_| {
                format!("`{name}` is {value}; it is a number of seconds, 0 or more")
            })?;
        }
        Ok(())
    }
}

/// A checked number of seconds.
pub(super) fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_keeps_the_other_switches() {
        let first = Switches::default()
            .changed(&json!({"acquire_s": 9.0, "hold": "starting"}))
            .unwrap();
        let second = first
            .changed(&json!({"node_keys": "camel", "hold": null}))
            .unwrap();
        assert_eq!(
            (second.acquire_s, second.node_keys, second.hold),
            (9.0, NodeKeys::Camel, None)
        );
    }

    #[rstest]
    #[case(json!({"colour": 1}), "colour")]
    #[case(json!({"invalid_status": 422}), "invalid_status")]
    #[case(json!({"hold": "unknown"}), "unknown")]
    #[case(json!({"hold": "asleep"}), "asleep")]
    #[case(json!({"acquire_s": -1.0}), "acquire_s")]
    #[case(json!({"faults": [{"kind": "flip", "after_s": -1.0}]}), "faults")]
    #[case(json!({"faults": [{"kind": "fire"}]}), "fire")]
    #[case(json!({"context_path": "cyclecloud"}), "context_path")]
    #[case(json!({"context_path": "/cyclecloud/"}), "context_path")]
    #[case(json!({"fail_next": {"status": 200, "calls": 1}}), "fail_next")]
    #[case(json!([]), "object")]
    fn what_is_no_switch_is_named(#[case] settings: Value, #[case] named: &str) {
        let error = Switches::default().changed(&settings).unwrap_err();
        assert!(error.contains(named), "{error}");
    }

    #[test]
    fn a_fault_befalls_as_many_nodes_as_it_says() {
        let mut switches = Switches::default()
            .changed(&json!({"faults": [
                {"kind": "flip", "nodearray": "gpu", "nodes": 1},
                {"kind": "capacity", "request_id": "a"},
            ]}))
            .unwrap();
        let mut kind = |array, request| switches.draw_fault(array, request).map(|fault| fault.kind);
        assert_eq!(kind("cpu", None), None);
        assert_eq!(kind("gpu", None), Some(FaultKind::Flip));
        assert_eq!(kind("gpu", None), None);
        assert_eq!(kind("gpu", Some("a")), Some(FaultKind::Capacity));
        assert_eq!(kind("gpu", Some("a")), Some(FaultKind::Capacity));
    }
}
