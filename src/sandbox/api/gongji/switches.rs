//! Every switch of the emulator, set by name through the control route (gongji.md §10, §11): where the contract leaves
//! a choice, both are here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::catalogue::Catalogue;
use super::fault::FaultRule;
use crate::sandbox::auth::gongji::Tolerance;

/// How the service behaves; the defaults are §11's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own, set by its name"
)]
pub(super) struct Switches {
    /// Jobs that come here stay here: `pending`, `queued` (Spot only) or `running`.
    pub(super) hold: Option<Hold>,
    /// What moves jobs on: `"time"`, `"at-once"` or `{"reads": N}`.
    pub(super) advance: Advance,
    /// Length of `Queued` of Spot jobs.
    pub(super) queued_s: f64,
    /// Length of `Pending`.
    pub(super) pending_s: f64,
    /// Length of a node's `Pending`: the image is pulled.
    pub(super) node_pending_s: f64,
    /// Unknown members and parameters are ignored.
    pub(super) lenient: bool,
    /// HTTP statuses of failures: `ok` is 200 for all, `mapped` is 401, 400, 404 and 500.
    pub(super) http_status: Statuses,
    /// `empty-object-body` and `path-only`: signatures that some clients make (§1.4).
    pub(super) accept_signatures: BTreeSet<WrongSignature>,
    /// A `sign_str` sent with a simple key is ignored, not refused.
    pub(super) ignore_needless_signature: bool,
    /// The next request that matches is answered otherwise, or null.
    pub(super) fault: Option<FaultRule>,
    /// A new job is not in the list for so long.
    pub(super) list_lag_s: f64,
    /// A new job is not found by its id for so long.
    pub(super) detail_lag_s: f64,
    /// An unknown job: a code, or success with null data (§2.2).
    pub(super) not_found: NotFound,
    /// The `status` of a job that ended by itself.
    pub(super) finished_status: FinishedStatus,
    /// The `status` of a stopped job.
    pub(super) stopped_status: StoppedStatus,
    /// The `job_status.status` of a stopped job.
    pub(super) stopped_outcome: StoppedOutcome,
    /// A stop of a job that is over.
    pub(super) stop_finished: Accept,
    /// An unknown mark; an accepted one leaves the job pending for ever (§2.3).
    pub(super) unknown_mark: Accept,
    /// Marks are unknown after so many seconds.
    pub(super) mark_life_s: Option<f64>,
    /// Offers without stock, as `DEVICE@REGION`.
    pub(super) sold_out: BTreeSet<String>,
    /// Offers that lose their stock right after the next look: somebody else was faster.
    pub(super) sell_out_after_look: BTreeSet<String>,
    /// Nothing is free.
    pub(super) no_stock: bool,
    /// Prices, in percent of the catalogue's, as soon as there is a job.
    pub(super) price_percent_after_create: u32,
    /// Creates are refused for want of money.
    pub(super) no_balance: bool,
    /// A resource search for `Job` (§10, 7).
    pub(super) job_resources: JobResources,
    /// Runs of these images are played and not run.
    pub(super) results: BTreeMap<String, Played>,
    /// Bills are made every so many seconds.
    pub(super) billing_cycle_s: u64,
    /// Points per yuan in billing records: 1000000 or 100000 (§6.4).
    pub(super) coins_per_yuan: u32,
    /// Share of `discount_coin` in `billing_coin`.
    pub(super) discount_percent: u8,
    /// Numbers in `points[].resource` and exit codes.
    pub(super) number_forms: NumberForms,
    pub(super) event_order: EventOrder,
    pub(super) list_order: ListOrder,
    /// How `search_value` is compared with names.
    pub(super) search: Search,
    /// Services have no id, so that logs cannot be asked for.
    pub(super) null_service_ids: bool,
    /// Nodes of a job that is over are not listed.
    pub(super) hide_finished_nodes: bool,
    /// Shown instead of `status`.
    pub(super) status_word: Option<String>,
    /// Shown instead of `job_status.status`.
    pub(super) outcome_word: Option<String>,
    pub(super) nas_creating_s: f64,
    pub(super) nas_deleting_s: f64,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            hold: None,
            advance: Advance::Time,
            queued_s: 3.0,
            pending_s: 2.0,
            node_pending_s: 1.0,
            lenient: false,
            http_status: Statuses::Ok,
            accept_signatures: BTreeSet::new(),
            ignore_needless_signature: false,
            fault: None,
            list_lag_s: 0.0,
            detail_lag_s: 0.0,
            not_found: NotFound::Code,
            finished_status: FinishedStatus::Cycle,
            stopped_status: StoppedStatus::Paused,
            stopped_outcome: StoppedOutcome::Last,
            stop_finished: Accept::Refuse,
            unknown_mark: Accept::Refuse,
            mark_life_s: None,
            sold_out: BTreeSet::new(),
            sell_out_after_look: BTreeSet::new(),
            no_stock: false,
            price_percent_after_create: 100,
            no_balance: false,
            job_resources: JobResources::Rows,
            results: BTreeMap::new(),
            billing_cycle_s: 300,
            coins_per_yuan: 1_000_000,
            discount_percent: 0,
            number_forms: NumberForms::Alternate,
            event_order: EventOrder::NewestFirst,
            list_order: ListOrder::Newest,
            search: Search::Contains,
            null_service_ids: false,
            hide_finished_nodes: false,
            status_word: None,
            outcome_word: None,
            nas_creating_s: 2.0,
            nas_deleting_s: 2.0,
        }
    }
}

/// Where jobs stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Hold {
    Queued,
    Pending,
    Running,
}

/// What moves jobs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Advance {
    Time,
    AtOnce,
    Reads(u32),
}

/// HTTP statuses of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Statuses {
    Ok,
    Mapped,
}

/// A signature that is let in although it is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum WrongSignature {
    EmptyObjectBody,
    PathOnly,
}

/// What an unknown job answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum NotFound {
    Code,
    NullData,
}

/// The life-cycle word of a job that ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FinishedStatus {
    Paused,
    End,
    Running,
    /// One after the other.
    Cycle,
}

/// The life-cycle word of a stopped job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum StoppedStatus {
    Paused,
    End,
}

/// The outcome of a stopped job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum StoppedOutcome {
    Last,
    Manual,
}

/// Whether something doubtful is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Accept {
    Refuse,
    Accept,
}

/// What a resource search for jobs answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum JobResources {
    Rows,
    Refused,
    Empty,
}

/// A run that is not run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Played {
    pub(super) exit_code: i32,
    pub(super) duration_s: f64,
    pub(super) log: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum NumberForms {
    /// A string, an integer and, for an exit code of 0, null: another with every answer.
    Alternate,
    Text,
    Integer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum EventOrder {
    NewestFirst,
    OldestFirst,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ListOrder {
    Newest,
    Oldest,
    Shuffled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Search {
    Contains,
    Exact,
    /// All jobs are listed, whatever is looked for.
    Ignored,
}

impl Switches {
    /// These switches with some changed; all or none.
    pub(super) fn changed(&self, settings: &Value, catalogue: &Catalogue) -> Result<Self, String> {
        let settings = settings
            .as_object()
            .ok_or("settings are an object of switches")?;
        let mut merged = serde_json::to_value(self).map_err(|error| error.to_string())?;
        if let Some(members) = merged.as_object_mut() {
            members.extend(settings.clone());
        }
        let changed: Self = serde_path_to_error::deserialize(&merged)
            .map_err(|error| format!("switch refused: {}: {}", error.path(), error.inner()))?;
        changed.check(catalogue)?;
        Ok(changed)
    }

    /// What the verifier lets in.
    pub(super) fn tolerance(&self) -> Tolerance {
        let accepts = |signature| self.accept_signatures.contains(&signature);
        Tolerance {
            empty_object_body: accepts(WrongSignature::EmptyObjectBody),
            path_only: accepts(WrongSignature::PathOnly),
            needless_signature: self.ignore_needless_signature,
        }
    }

    fn check(&self, catalogue: &Catalogue) -> Result<(), String> {
        let durations = [
            ("queued_s", self.queued_s),
            ("pending_s", self.pending_s),
            ("node_pending_s", self.node_pending_s),
            ("list_lag_s", self.list_lag_s),
            ("detail_lag_s", self.detail_lag_s),
            ("mark_life_s", self.mark_life_s.unwrap_or_default()),
            ("nas_creating_s", self.nas_creating_s),
            ("nas_deleting_s", self.nas_deleting_s),
        ];
        let played = self
            .results
            .values()
            .map(|played| ("results", played.duration_s));
        for (name, value) in durations.into_iter().chain(played) {
            if Duration::try_from_secs_f64(value).is_err() {
                return Err(format!("`{name}` is {value}; give seconds, 0 or more"));
            }
        }
        for (name, offers) in [
            ("sold_out", &self.sold_out),
            ("sell_out_after_look", &self.sell_out_after_look),
        ] {
            if let Some(unknown) = offers.iter().find(|offer| !catalogue.has(offer)) {
                let known: Vec<&str> = catalogue.offers().iter().map(|o| o.id.as_str()).collect();
                return Err(format!(
                    "`{name}`: there is no offer `{unknown}`; there are {}",
                    known.join(", ")
                ));
            }
        }
        if self.billing_cycle_s == 0 {
            return Err("`billing_cycle_s` is 0; give whole seconds".to_owned());
        }
        if ![1_000_000, 100_000].contains(&self.coins_per_yuan) {
            return Err("`coins_per_yuan` can be 1000000 or 100000".to_owned());
        }
        if self.discount_percent > 100 {
            return Err("`discount_percent` can be 0 to 100".to_owned());
        }
        self.fault.as_ref().map_or(Ok(()), FaultRule::check)
    }
}

/// Seconds of a switch that was checked.
pub(super) fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).unwrap_or_default()
}
