//! Every switch of the emulator (paracloud.md §10, column "switches"), set by name through the control route.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::State;

/// How the service behaves where the contract leaves a choice; the defaults are the table's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own, set by its name"
)]
pub(super) struct Switches {
    /// A generic state (`pending`, `starting`, `running`, `unknown`) in which jobs stay.
    pub(super) hold: Option<String>,
    /// Status of creates: 201 or 200.
    pub(super) create_status: u16,
    /// Unknown members, parameters and nulls are ignored, as a Go server does.
    pub(super) lenient: bool,
    /// Whether a `POST` without `application/json` is refused.
    pub(super) check_content_type: bool,
    /// Unknown routes answer with text or with a web page.
    pub(super) error_pages: ErrorPages,
    /// What other users' namespaces answer: 404 or 403.
    pub(super) foreign_namespace: u16,
    /// Every call is answered 403.
    pub(super) forbidden: bool,
    /// 401 after so many further calls.
    pub(super) token_expires_after_calls: Option<u64>,
    /// 401 after so many seconds.
    pub(super) token_expires_after_s: Option<f64>,
    /// Ids to give out before random ones.
    pub(super) ids: Vec<String>,
    /// Further catalogue entries, shown as they are.
    pub(super) extra_types: Vec<Value>,
    /// Length of Pending/Creating.
    pub(super) creating_s: f64,
    /// Length of Pending/ImagePulling.
    pub(super) image_pulling_s: f64,
    /// Runs of these images are played and not run: image to exit code.
    pub(super) results: BTreeMap<String, i32>,
    /// Length of a played run.
    pub(super) played_run_s: f64,
    /// What becomes of groups that pull their image.
    pub(super) pull_failure: Option<PullFailure>,
    /// What becomes of groups whose image's registry is below `.invalid`.
    pub(super) unpullable: AfterPullFailure,
    /// How long a group whose node died stays `Unknown` before it is `Failed`; for ever if unset (§5.2).
    pub(super) lost_s: Option<f64>,
    /// The state word of every group that has not ended, instead of its own: `Unknown`, or one nobody knows.
    pub(super) state_word: Option<String>,
    /// The form of `runTime`.
    pub(super) run_time: RunTime,
    /// Times with `+08:00` or with `Z`.
    pub(super) times: Times,
    /// `runID` and `userID` as numbers.
    pub(super) numeric_ids: bool,
    /// Members without a value are null and not absent.
    pub(super) nulls: bool,
    /// Ports are 0 until the group is scheduled.
    pub(super) late_ports: bool,
    /// How `command` is evaluated.
    pub(super) argv: Argv,
    /// What a cancel leaves behind.
    pub(super) cancel: Cancel,
    /// A running group keeps running so long after its cancel.
    pub(super) cancel_delay_s: f64,
    /// Status of the cancel of a finished group: 204 or 409.
    pub(super) cancel_finished: u16,
    /// What an empty list looks like.
    pub(super) empty_lists: EmptyLists,
    /// The order of lists.
    pub(super) list_order: ListOrder,
    /// Lists carry a `nextPageToken`.
    pub(super) next_page_token: bool,
    /// Whether a volume that a group uses can be deleted.
    pub(super) volume_in_use: InUse,
    /// Whether a namespace that holds something can be deleted.
    pub(super) namespace_in_use: InUse,
    /// A new volume's transfer user is unknown (401) for so long.
    pub(super) transfer_ready_s: f64,
    /// What a file in a folder that is missing is answered: 409 or 404.
    pub(super) transfer_missing_parent: u16,
    /// An error that every write of the transfer service is answered, such as 507, 413 or 423.
    pub(super) transfer_refuse_writes: Option<u16>,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            hold: None,
            create_status: 201,
            lenient: false,
            check_content_type: true,
            error_pages: ErrorPages::Text,
            foreign_namespace: 404,
            forbidden: false,
            token_expires_after_calls: None,
            token_expires_after_s: None,
            ids: Vec::new(),
            extra_types: Vec::new(),
            creating_s: 2.0,
            image_pulling_s: 3.0,
            results: BTreeMap::new(),
            played_run_s: 2.0,
            pull_failure: None,
            unpullable: AfterPullFailure::Stay,
            lost_s: None,
            state_word: None,
            run_time: RunTime::Seconds,
            times: Times::Offset,
            numeric_ids: false,
            nulls: false,
            late_ports: false,
            argv: Argv::Words,
            cancel: Cancel::Keep,
            cancel_delay_s: 0.0,
            cancel_finished: 204,
            empty_lists: EmptyLists::Array,
            list_order: ListOrder::Created,
            next_page_token: false,
            volume_in_use: InUse::Refuse,
            namespace_in_use: InUse::Refuse,
            transfer_ready_s: 0.0,
            transfer_missing_parent: 409,
            transfer_refuse_writes: None,
        }
    }
}

/// The body of an unknown route's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ErrorPages {
    Text,
    Html,
}

/// A failure while Pending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PullFailure {
    pub(super) message: String,
    pub(super) then: AfterPullFailure,
}

/// How a failed pull goes on; the vendor does not say (§5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum AfterPullFailure {
    /// The group becomes `Failed`.
    Fail,
    /// It stays `Pending`, with the message.
    Stay,
}

/// The form of `runTime` (§5.1: the unit is unknown).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RunTime {
    Seconds,
    Text,
    Milliseconds,
    Absent,
}

/// The zone of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Times {
    Offset,
    Utc,
}

/// How `command` is evaluated (§4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Argv {
    /// Words stay words; `$NAME` and `${NAME}` are replaced within each.
    Words,
    /// Words are joined by blanks and given to a shell.
    Join,
}

/// What a cancel leaves behind (§5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Cancel {
    /// A `Failed` group with the reason `Cancelled`.
    Keep,
    /// Nothing: 404 afterwards.
    Remove,
}

/// What an empty list looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum EmptyLists {
    Array,
    Null,
    Missing,
}

/// The order of lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ListOrder {
    Created,
    Shuffled,
}

/// A delete of what is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum InUse {
    /// 409.
    Refuse,
    /// 204; a namespace takes all it holds along.
    Delete,
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

    /// The generic state in which jobs stay.
    pub(super) fn held(&self) -> Option<State> {
        self.hold.as_deref().and_then(State::from_word)
    }

    fn check(&self) -> Result<(), String> {
        let one_of = |name: &str, value: u16, choices: [u16; 2]| {
            if choices.contains(&value) {
                return Ok(());
            }
            let [first, second] = choices;
            Err(format!(
                "`{name}` is {value}; it can be {first} or {second}"
            ))
        };
        one_of("create_status", self.create_status, [201, 200])?;
        one_of("foreign_namespace", self.foreign_namespace, [404, 403])?;
        one_of("cancel_finished", self.cancel_finished, [204, 409])?;
        one_of(
            "transfer_missing_parent",
            self.transfer_missing_parent,
            [409, 404],
        )?;
        if let Some(status) = self.transfer_refuse_writes
            && !(400..600).contains(&status)
        {
            return Err(format!(
                "`transfer_refuse_writes` is {status}; it is the status of an error, from 400 to 599, or null"
            ));
        }
        for (name, value) in [
            ("creating_s", self.creating_s),
            ("image_pulling_s", self.image_pulling_s),
            ("played_run_s", self.played_run_s),
            ("cancel_delay_s", self.cancel_delay_s),
            ("transfer_ready_s", self.transfer_ready_s),
            (
                "token_expires_after_s",
                self.token_expires_after_s.unwrap_or_default(),
            ),
        ] {
            Duration::try_from_secs_f64(value).map_err(|_| {
                format!("`{name}` is {value}; it is a number of seconds, 0 or more")
            })?;
        }
        let Some(hold) = &self.hold else {
            return Ok(());
        };
        match self.held() {
            Some(State::Pending | State::Starting | State::Running | State::Unknown) => Ok(()),
            Some(State::Succeeded | State::Failed | State::Cancelled) => Err(format!(
                "`{hold}` cannot be held: a job that has ended stays so; hold pending, starting, running or unknown"
            )),
            None => Err(format!(
                "`{hold}` is no state; hold pending, starting, running or unknown"
            )),
        }
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
            .changed(&json!({"create_status": 200, "results": {"busy:1": 3}}))
            .unwrap();
        let second = first.changed(&json!({"argv": "join"})).unwrap();
        assert_eq!((second.create_status, second.argv), (200, Argv::Join));
        assert_eq!(second.results.get("busy:1"), Some(&3));
    }

    #[rstest]
    #[case(json!({"colour": 1}), "colour")]
    #[case(json!({"create_status": 202}), "create_status")]
    #[case(json!({"hold": "succeeded"}), "succeeded")]
    #[case(json!({"hold": "asleep"}), "asleep")]
    #[case(json!({"creating_s": -1.0}), "creating_s")]
    #[case(json!({"argv": "shell"}), "shell")]
    #[case(json!([]), "object")]
    fn what_is_no_switch_is_named(#[case] settings: Value, #[case] named: &str) {
        let error = Switches::default().changed(&settings).unwrap_err();
        assert!(error.contains(named), "{error}");
    }
}
