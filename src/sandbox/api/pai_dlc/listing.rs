//! `ListJobs`: filters, order and pages (pai-dlc.md §3.4).

use std::cmp::Ordering;

use serde_json::Value;

use super::catalogue::Catalogue;
use super::job::Job;
use super::query::{Page, Period, Query};
use super::reply::Refusal;
use super::show::status_word;
use super::switches::Switches;
use crate::model::Timestamp;

/// What `ListJobs` was asked for.
#[derive(Debug)]
pub(super) struct Listing<'a> {
    query: &'a Query,
    /// `None` for all of them.
    workspace: Option<String>,
    only_user: Option<&'a str>,
    period: Period,
    period_of: TimeField,
    tags: Vec<(String, String)>,
    numbers: Option<NumericRange>,
    order: SortField,
    ascending: bool,
    pub(super) page: Page,
}

#[derive(Debug, Clone, Copy)]
enum TimeField {
    Created,
    Submitted,
    Running,
    Finished,
    Modified,
}

#[derive(Debug, Clone, Copy)]
enum SortField {
    DisplayName,
    JobType,
    Status,
    Created,
    Finished,
}

#[derive(Debug, Clone, Copy)]
enum NumericField {
    Cpu,
    Gpu,
    Priority,
    Nodes,
    Duration,
}

#[derive(Debug, Clone, Copy)]
struct NumericRange {
    field: NumericField,
    least: i64,
    most: i64,
}

impl<'a> Listing<'a> {
    /// Reads the parameters.
    pub(super) fn parse(
        query: &'a Query,
        user: &'a str,
        catalogue: &Catalogue,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let only_own = query.flag("ShowOwn")?.unwrap_or(false);
        let everywhere = query.flag("FromAllWorkspaces")?.unwrap_or(false);
        if everywhere && !only_own {
            return Err(Refusal::invalid(
                "FromAllWorkspaces is only allowed together with ShowOwn=true.",
            ));
        }
        let workspace = if everywhere {
            None
        } else {
            Some(catalogue.workspace(query.text("WorkspaceId"))?.id.clone())
        };
        query.word("EnableAssignNode", &["true", "false"])?;
        query.word("Accessibility", &["PUBLIC", "PRIVATE"])?;
        query.word("PaymentType", &["PrePaid", "Spot", "PostPaid"])?;
        Ok(Self {
            workspace,
            only_user: only_own.then_some(user),
            period: query.period(now)?,
            period_of: time_field(query)?,
            tags: query.text_map("Tags")?,
            numbers: numeric_range(query)?,
            order: sort_field(query)?,
            ascending: query.ascending(false)?,
            page: query.page(10)?,
            query,
        })
    }

    /// The jobs that fit, in order. `jobs` are oldest first.
    pub(super) fn select<'j>(
        &self,
        jobs: &'j [Job],
        now: Timestamp,
        switches: &Switches,
    ) -> Vec<&'j Job> {
        let mut found: Vec<&Job> = jobs
            .iter()
            .filter(|job| self.fits(job, now, switches))
            .collect();
        // Stable: jobs of one second keep the order in which they were created.
        found.sort_by(|left, right| self.compare(left, right));
        if !self.ascending {
            found.reverse();
        }
        found
    }

    fn compare(&self, left: &Job, right: &Job) -> Ordering {
        match self.order {
            SortField::DisplayName => left.request.display_name.cmp(&right.request.display_name),
            SortField::JobType => left.request.job_type.cmp(&right.request.job_type),
            SortField::Status => left.status().word().cmp(right.status().word()),
            SortField::Created => left.created.as_second().cmp(&right.created.as_second()),
            SortField::Finished => left.finished.cmp(&right.finished),
        }
    }

    fn fits(&self, job: &Job, now: Timestamp, switches: &Switches) -> bool {
        self.workspace
            .as_ref()
            .is_none_or(|workspace| job.workspace_id == *workspace)
            && self.only_user.is_none_or(|user| job.owner.id == user)
            && self.fits_id(job)
            && self.fits_time(job)
            && self.fits_words(job, switches)
            && self.fits_texts(job)
            && self.fits_money(job)
            && self.tags.iter().all(|(key, value)| {
                job.request.settings.tags.get(key).and_then(Value::as_str) == Some(value)
            })
            && self
                .numbers
                .is_none_or(|range| (range.least..=range.most).contains(&range.of(job, now)))
    }

    /// `JobId` wins over `JobIds`; both are compared without case.
    fn fits_id(&self, job: &Job) -> bool {
        let same = |id: &&str| id.eq_ignore_ascii_case(&job.id);
        match self.query.text("JobId") {
            Some(id) => same(&id),
            None => self
                .query
                .list("JobIds")
                .is_none_or(|ids| ids.iter().any(same)),
        }
    }

    fn fits_time(&self, job: &Job) -> bool {
        let time = match self.period_of {
            TimeField::Created => Some(job.created),
            TimeField::Submitted => job.submitted,
            TimeField::Running => job.running,
            TimeField::Finished => job.finished,
            TimeField::Modified => Some(job.modified),
        };
        time.is_some_and(|time| self.period.contains(time))
    }

    fn fits_words(&self, job: &Job, switches: &Switches) -> bool {
        let among = |parameter: &str, value: &str| {
            self.query
                .list(parameter)
                .is_none_or(|words| words.contains(&value))
        };
        let equals = |parameter: &str, value: &str| {
            self.query
                .text(parameter)
                .is_none_or(|wanted| wanted == value)
        };
        let settings = &job.request.settings;
        let assigns = job
            .request
            .job_specs
            .iter()
            .any(|spec| spec.assign_node_spec.enable_assign_node);
        // A comma list of statuses is not documented but used (§10, 22).
        among("Status", status_word(job, switches))
            && equals("JobType", &job.request.job_type)
            && equals("ResourceId", &job.request.resource_id)
            && among("ResourceIds", &job.request.resource_id)
            && equals("Username", &job.owner.name)
            && equals("UserIdForFilter", &job.owner.id)
            && equals("BusinessUserId", &settings.business_user_id)
            && equals("Caller", &settings.caller)
            && equals("PipelineId", &settings.pipeline_id)
            && equals("TemplateId", &job.request.template_id)
            && equals("Accessibility", &job.accessibility)
            && equals("EnableAssignNode", if assigns { "true" } else { "false" })
    }

    /// Substrings without regard to case and without wildcards.
    fn fits_texts(&self, job: &Job) -> bool {
        let contains = |parameter: &str, texts: &[&str]| {
            self.query.text(parameter).is_none_or(|part| {
                let part = part.to_lowercase();
                texts.iter().any(|text| text.to_lowercase().contains(&part))
            })
        };
        let images: Vec<&str> = job
            .request
            .job_specs
            .iter()
            .map(|spec| spec.image.as_str())
            .collect();
        let (reason, message) = job.stage().map_or(("", ""), |stage| {
            (stage.reason.as_str(), stage.message.as_str())
        });
        contains("DisplayName", &[&job.request.display_name])
            && contains("ResourceQuotaName", &[&job.quota_name])
            && contains("Description", &[&job.description])
            && contains("ImageSearch", &images)
            && contains("ReasonSearch", &[reason, message])
            && contains("UserCommandSearch", &[&job.user_command])
    }

    fn fits_money(&self, job: &Job) -> bool {
        let payment = if job.request.is_on_quota() {
            "PrePaid"
        } else if job.request.is_spot() {
            "Spot"
        } else {
            "PostPaid"
        };
        let oversold = &job.request.settings.oversold_type;
        self.query
            .text("PaymentType")
            .is_none_or(|wanted| wanted == payment)
            && self.query.text("OversoldInfo").is_none_or(|wanted| {
                // No job uses oversold resources here, so `-true` finds none.
                wanted == oversold || wanted.strip_suffix("-false") == Some(oversold)
            })
    }
}

impl NumericRange {
    fn of(self, job: &Job, now: Timestamp) -> i64 {
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        match self.field {
            NumericField::Cpu => count(job.totals.cpu),
            NumericField::Gpu => count(job.totals.gpu),
            NumericField::Priority => job.priority,
            NumericField::Nodes => i64::try_from(job.pods.len()).unwrap_or(i64::MAX),
            NumericField::Duration => job.duration(now),
        }
    }
}

fn time_field(query: &Query) -> Result<TimeField, Refusal> {
    match query.text("TimeRangeField") {
        None | Some("GmtCreateTime") => Ok(TimeField::Created),
        Some("GmtSubmittedTime") => Ok(TimeField::Submitted),
        Some("GmtRunningTime") => Ok(TimeField::Running),
        Some("GmtFinishTime") => Ok(TimeField::Finished),
        Some("GmtModifiedTime") => Ok(TimeField::Modified),
        Some(other) => Err(Refusal::invalid(format!(
            "TimeRangeField `{other}` is not supported."
        ))),
    }
}

fn sort_field(query: &Query) -> Result<SortField, Refusal> {
    match query.text("SortBy") {
        Some("DisplayName") => Ok(SortField::DisplayName),
        Some("JobType") => Ok(SortField::JobType),
        Some("Status") => Ok(SortField::Status),
        None | Some("GmtCreateTime") => Ok(SortField::Created),
        Some("GmtFinishTime") => Ok(SortField::Finished),
        Some(other) => Err(Refusal::invalid(format!(
            "SortBy `{other}` is not supported."
        ))),
    }
}

fn numeric_range(query: &Query) -> Result<Option<NumericRange>, Refusal> {
    let least = query.integer("NumericRangeMin")?.unwrap_or(i64::MIN);
    let most = query.integer("NumericRangeMax")?.unwrap_or(i64::MAX);
    let field = match query.text("NumericRangeField") {
        None => return Ok(None),
        Some("RequestCPU") => NumericField::Cpu,
        Some("RequestGPU") => NumericField::Gpu,
        Some("Priority") => NumericField::Priority,
        Some("NodeCount") => NumericField::Nodes,
        Some("Duration") => NumericField::Duration,
        Some(other) => {
            return Err(Refusal::invalid(format!(
                "NumericRangeField `{other}` is not supported."
            )));
        }
    };
    Ok(Some(NumericRange { field, least, most }))
}
