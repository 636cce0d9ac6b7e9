//! Request templates: one function per operation (pai-dlc.md §2.1, §3.1, §6.1).
//!
//! Pure. Every request names its action and version; query parameters stand in sorted order, so that what travels is
//! the canonical form that is signed (§2.4).

use http::{HeaderName, HeaderValue, Method};

use crate::error::{Error, Kind, Result};
use crate::http::{BaseUrl, Safety, Target, Template};
use crate::model::Timestamp;

use super::wire::{CreateDataset, CreateJob};

/// Versions of the two products.
pub(super) const DLC_VERSION: &str = "2020-12-03";
pub(super) const AIWORKSPACE_VERSION: &str = "2021-02-04";

pub(super) const CONTENT_TYPE: &str = "application/json; charset=utf-8";

/// What is asked for per page: the default is undocumented, 50 is what Alibaba's own SDK asks for (§3.4).
pub const PAGE_SIZE: usize = 50;

/// Events asked for at once; the service's own default (§3.6).
pub const MOST_EVENTS: usize = 2000;

/// The start of "all": without one, `ListJobs` forgets everything older than 7 days (§3.4).
pub const BEGINNING: &str = "2000-01-01T00:00:00Z";

/// One region's hosts of both products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    pub region: String,
    pub dlc: BaseUrl,
    pub aiworkspace: BaseUrl,
}

/// The public endpoints of a region (pai-dlc.md §1.2): built, since the vendor's own map has traps.
pub fn default_endpoints(region: &str) -> (String, String) {
    (
        format!("https://pai-dlc.{region}.aliyuncs.com"),
        format!("https://aiworkspace.{region}.aliyuncs.com"),
    )
}

impl Site {
    /// The public site of a region.
    pub fn public(region: &str) -> Result<Self> {
        let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if region.is_empty() || !region.bytes().all(word) {
            return Err(Error::new(
                Kind::Config,
                "bad_region",
                format!("`{region}` is no region"),
            )
            .with_hint("write a region id such as `cn-hangzhou`"));
        }
        let (dlc, aiworkspace) = default_endpoints(region);
        Ok(Self {
            region: region.to_owned(),
            dlc: BaseUrl::parse(&dlc)?,
            aiworkspace: BaseUrl::parse(&aiworkspace)?,
        })
    }

    /// `CreateJob`: has no client token, so it is sent once (§7.5).
    pub fn create_job(&self, body: &CreateJob) -> Result<Template> {
        self.dlc("CreateJob", Method::POST, Target::new("/api/v1/jobs"))
            .with_json(CONTENT_TYPE, body)
    }

    /// `GetJob`, always with details (§10 no. 13).
    pub fn get_job(&self, job: &str) -> Template {
        let target = Target::new("/api/v1/jobs").segment(job);
        self.dlc("GetJob", Method::GET, target.query("NeedDetail", "true"))
    }

    /// One page of `ListJobs`.
    pub fn list_jobs(&self, filter: &JobFilter, page: usize) -> Template {
        let mut pairs = vec![
            ("Order", "desc".to_owned()),
            ("PageNumber", page.to_string()),
            ("PageSize", PAGE_SIZE.to_string()),
            ("SortBy", "GmtCreateTime".to_owned()),
            (
                "StartTime",
                filter
                    .since
                    .map_or_else(|| BEGINNING.to_owned(), whole_seconds),
            ),
            ("WorkspaceId", filter.workspace.clone()),
        ];
        if let Some(name) = &filter.display_name {
            pairs.push(("DisplayName", name.clone()));
        }
        if !filter.job_ids.is_empty() {
            pairs.push(("JobIds", filter.job_ids.join(",")));
        }
        self.dlc("ListJobs", Method::GET, sorted("/api/v1/jobs", pairs))
    }

    /// `StopJob`: a POST without a body that may be repeated (§7.5).
    pub fn stop_job(&self, job: &str) -> Template {
        let target = Target::new("/api/v1/jobs").segment(job).literal("/stop");
        self.dlc("StopJob", Method::POST, target)
            .with_safety(Safety::Repeatable)
    }

    /// `GetJobEvents` since a time: without one, what is older than 7 days is left out (§3.6).
    pub fn job_events(&self, job: &str, since: &str) -> Template {
        let target = Target::new("/api/v1/jobs").segment(job).literal("/events");
        let target = target
            .query("MaxEventsNum", MOST_EVENTS.to_string())
            .query("StartTime", since);
        self.dlc("GetJobEvents", Method::GET, target)
    }

    /// `GetPodEvents` of one incarnation of a pod, likewise.
    pub fn pod_events(&self, job: &str, pod: &str, uid: Option<&str>, since: &str) -> Template {
        let target = Target::new("/api/v1/jobs")
            .segment(job)
            .literal("/pods")
            .segment(pod)
            .literal("/events");
        let target = target
            .query("MaxEventsNum", MOST_EVENTS.to_string())
            .query_opt("PodUid", uid)
            .query("StartTime", since);
        self.dlc("GetPodEvents", Method::GET, target)
    }

    /// `GetPodLogs` of one incarnation of a pod: the lines of a period (§3.6).
    pub fn pod_logs(
        &self,
        job: &str,
        pod: &str,
        uid: Option<&str>,
        window: &LogWindow,
    ) -> Template {
        let target = Target::new("/api/v1/jobs")
            .segment(job)
            .literal("/pods")
            .segment(pod)
            .literal("/logs");
        let target = target
            .query("EndTime", &window.end)
            .query("MaxLines", window.most_lines.to_string())
            .query_opt("PodUid", uid)
            .query("StartTime", &window.start);
        self.dlc("GetPodLogs", Method::GET, target)
    }

    /// One page of `ListEcsSpecs`, without `SortBy`: the server refuses every value of it (§3.8).
    pub fn list_ecs_specs(&self, instance_types: &[&str], page: usize) -> Template {
        let mut pairs = paging(page);
        if !instance_types.is_empty() {
            pairs.push(("InstanceTypes", instance_types.join(",")));
        }
        self.dlc(
            "ListEcsSpecs",
            Method::GET,
            sorted("/api/v1/ecsspecs", pairs),
        )
    }

    /// One page of `ListWorkspaces`.
    pub fn list_workspaces(&self, page: usize) -> Template {
        let target = sorted("/api/v1/workspaces", paging(page));
        self.workspace("ListWorkspaces", Method::GET, target)
    }

    /// `GetWorkspace`.
    pub fn get_workspace(&self, workspace: &str) -> Template {
        let target = Target::new("/api/v1/workspaces").segment(workspace);
        self.workspace("GetWorkspace", Method::GET, target)
    }

    /// One page of `ListDatasets`; without a workspace the server would take the default one.
    pub fn list_datasets(&self, workspace: &str, page: usize) -> Template {
        let mut pairs = paging(page);
        pairs.push(("WorkspaceId", workspace.to_owned()));
        let target = sorted("/api/v1/datasets", pairs);
        self.workspace("ListDatasets", Method::GET, target)
    }

    /// `GetDataset`.
    pub fn get_dataset(&self, dataset: &str) -> Template {
        let target = Target::new("/api/v1/datasets").segment(dataset);
        self.workspace("GetDataset", Method::GET, target)
    }

    /// `CreateDataset`: sent once.
    pub fn create_dataset(&self, body: &CreateDataset) -> Result<Template> {
        self.workspace(
            "CreateDataset",
            Method::POST,
            Target::new("/api/v1/datasets"),
        )
        .with_json(CONTENT_TYPE, body)
    }

    /// `DeleteDataset`.
    pub fn delete_dataset(&self, dataset: &str) -> Template {
        let target = Target::new("/api/v1/datasets").segment(dataset);
        self.workspace("DeleteDataset", Method::DELETE, target)
    }

    fn dlc(&self, action: &'static str, method: Method, target: Target) -> Template {
        template(action, DLC_VERSION, method, &self.dlc, target)
    }

    fn workspace(&self, action: &'static str, method: Method, target: Target) -> Template {
        template(
            action,
            AIWORKSPACE_VERSION,
            method,
            &self.aiworkspace,
            target,
        )
    }
}

/// What a `ListJobs` asks for beside its page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobFilter {
    /// Always sent: the server would silently take a default one.
    pub workspace: String,
    /// Created since; `None` is everything.
    pub since: Option<Timestamp>,
    /// A part of the display name, without regard to case.
    pub display_name: Option<String>,
    pub job_ids: Vec<String>,
}

/// What of a log is asked for: a period in the service's own form, and at most so many lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogWindow {
    pub start: String,
    pub end: String,
    pub most_lines: usize,
}

fn template(
    action: &'static str,
    version: &'static str,
    method: Method,
    base: &BaseUrl,
    target: Target,
) -> Template {
    Template::new(action, method, base, target)
        .with_header(
            HeaderName::from_static("x-acs-action"),
            HeaderValue::from_static(action),
        )
        .with_header(
            HeaderName::from_static("x-acs-version"),
            HeaderValue::from_static(version),
        )
}

fn paging(page: usize) -> Vec<(&'static str, String)> {
    vec![
        ("PageNumber", page.to_string()),
        ("PageSize", PAGE_SIZE.to_string()),
    ]
}

/// A path with its pairs in byte order of their names.
fn sorted(path: &str, mut pairs: Vec<(&'static str, String)>) -> Target {
    pairs.sort();
    pairs
        .iter()
        .fold(Target::new(path), |target, (name, value)| {
            target.query(name, value)
        })
}

/// The service's own form: UTC, whole seconds (§1.3).
fn whole_seconds(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
