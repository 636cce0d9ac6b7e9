//! The plan: what will be sent, and what becomes of every field. `explain` and `submit` share it (style.md rule 2).

use std::collections::BTreeMap;

use crate::http::{BaseUrl, Template};
use crate::model::{
    Backend, FieldReport, Level, Marker, Namespace, Offer, Refusal, RefusalCode, ResourceRef,
    Timestamp, Volume,
};
use crate::secret::Secret;
use crate::spec::{Array, JobSpec};

use super::money::{self, Bill, Extent};

/// The field of arrays in reports.
pub const ARRAY: &str = "array";

/// Switches of a submit that decide what is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policy {
    /// `--no-emulation`: emulations become refusals.
    pub no_emulation: bool,
    /// `--allow-secret-exposure`: secrets may become readable through the API.
    pub allow_secret_exposure: bool,
    /// `--allow-partial`: fewer nodes than asked for are taken.
    pub allow_partial: bool,
}

/// What the spec alone shows, collected to the end: a planner never stops at the first refusal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Assessment {
    pub report: Vec<FieldReport>,
    pub refusals: Vec<Refusal>,
    /// Said on stderr and in `explain`.
    pub notes: Vec<String>,
}

impl Assessment {
    /// Notes a field that the provider has.
    pub fn native(&mut self, field: &str, how: impl Into<String>) {
        self.report
            .push(FieldReport::new(field, Level::Native, how));
    }

    /// Notes a field that is achieved by rewriting another; a refusal when emulations are off.
    pub fn emulated(&mut self, field: &str, how: impl Into<String>, policy: &Policy) {
        let how = how.into();
        if policy.no_emulation {
            self.refuse(
                Refusal::new(
                    RefusalCode::EmulationDisabled,
                    field,
                    format!("`{field}` can only be emulated here ({how}), and emulation is off"),
                )
                .with_alternative("leave out `--no-emulation`"),
            );
        } else {
            self.report
                .push(FieldReport::new(field, Level::Emulated, how));
        }
    }

    /// Notes an array that the provider does not have: one job for each index, from this side (cli.md §10, "Arrays").
    pub fn driven_array(&mut self, array: &Array, policy: &Policy) {
        let how = format!(
            "{} jobs from this side, {} at a time, each with `GPUJOB_ARRAY_INDEX`",
            array.count(),
            array.parallel
        );
        self.emulated(ARRAY, how, policy);
    }

    /// Whether an array was asked for that has to be driven from this side.
    pub fn drives_array(&self) -> bool {
        self.report
            .iter()
            .any(|line| line.field == ARRAY && line.level == Level::Emulated)
    }

    /// Notes a field that stays in gpujob's own store.
    pub fn local(&mut self, field: &str, how: impl Into<String>) {
        self.report.push(FieldReport::new(field, Level::Local, how));
    }

    /// Notes a refusal, and the field as refused, whatever was said of it before: a field has one level.
    pub fn refuse(&mut self, refusal: Refusal) {
        self.report
            .retain(|line| line.field != refusal.field || line.level == Level::Refused);
        self.report.push(FieldReport::new(
            refusal.field.clone(),
            Level::Refused,
            refusal.message.clone(),
        ));
        self.refusals.push(refusal);
    }

    /// Refuses a field the provider has no concept of.
    pub fn unsupported(&mut self, field: &str, message: impl Into<String>, alternative: &str) {
        self.refuse(
            Refusal::new(RefusalCode::UnsupportedField, field, message)
                .with_alternative(alternative),
        );
    }

    /// Says something about the submit that is no field's level.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }
}

/// What the reads before a create found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Survey {
    /// The namespace, workspace or cluster the job goes to.
    pub namespace: Option<Namespace>,
    pub offers: Vec<Offer>,
    /// The volumes the spec mounts, as far as they exist, or all of them where that is the cheaper read.
    pub volumes: Vec<Volume>,
    /// Where files get into volumes whose transfer credentials this machine keeps, by volume.
    pub transfer: BTreeMap<ResourceRef, BaseUrl>,
    /// When the catalogue was read.
    pub as_of: Option<Timestamp>,
}

/// What a planner works on.
#[derive(Debug, Clone, Copy)]
pub struct PlanInput<'a> {
    pub spec: &'a JobSpec,
    pub marker: &'a Marker,
    pub policy: &'a Policy,
    /// Values of the names in `spec.secrets`.
    pub secrets: &'a BTreeMap<String, Secret>,
    pub registry_password: Option<&'a Secret>,
}

/// A submit, ready to send.
#[derive(Debug, Clone)]
pub struct Plan {
    pub provider: String,
    pub backend: Backend,
    pub marker: Marker,
    /// Where the marker is looked up: `paracloud/<namespace>`, `pai-dlc/<region>/<workspace>`.
    pub scope: String,
    /// The chosen type; `None` where the job goes to a quota.
    pub offer: Option<Offer>,
    pub assessment: Assessment,
    /// Files that the job reads, in the order they are put into a volume before the create, folders included.
    pub uploads: Vec<Upload>,
    /// Usually one create.
    pub requests: Vec<Template>,
    /// Values that must not be shown when the requests are.
    pub secrets: Vec<Secret>,
    /// The limit that is sent, in seconds.
    pub time_limit_s: Option<u64>,
    pub nodes: u32,
    /// How many times the type's price is paid.
    pub extent: Extent,
}

/// One step of putting a plan's files into a volume. It is sent with the volume's own credentials.
#[derive(Debug, Clone)]
pub struct Upload {
    pub volume: ResourceRef,
    pub request: Template,
}

impl Plan {
    /// What it may cost, as far as a price is known.
    pub fn bill(&self) -> Bill {
        money::bill(self.offer.as_ref(), self.extent, self.time_limit_s)
    }

    /// Everything that is sent, in its order.
    pub fn all_requests(&self) -> impl Iterator<Item = &Template> {
        self.uploads
            .iter()
            .map(|upload| &upload.request)
            .chain(&self.requests)
    }
}

/// A submit that cannot be, with the report so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanRefusal {
    pub assessment: Assessment,
}
