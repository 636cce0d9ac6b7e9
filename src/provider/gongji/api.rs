//! Request templates: one function per operation (gongji.md §2 to §5).
//!
//! Pure. Targets are built once by the strict encoder and signed as they travel; headers are the signer's.

use http::Method;

use crate::error::Result;
use crate::http::{BaseUrl, Safety, Target, Template};

use super::wire::{CreateJob, CreateNas, DeleteNas, StopJob};

/// Where the service is, unless `base-url` says otherwise (§1.1).
pub const DEFAULT_BASE_URL: &str = "https://openapi.suanli.cn";

/// Rows asked for per page: the largest that is documented anywhere (§2.1).
pub const PAGE_SIZE: usize = 100;

const CONTENT_TYPE: &str = "application/json";

/// For whom the resource list is made: the documentation knows deployments only (§10 no. 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    Job,
    Deployment,
}

impl Audience {
    /// The value of `task_type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Job => "Job",
            Self::Deployment => "Deployment",
        }
    }
}

/// The two kinds of storage that share a path (§4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageType {
    Object,
    Share,
}

impl StorageType {
    /// The value of `storage_type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Object => "Juicefs",
            Self::Share => "ShareStorage",
        }
    }
}

/// The operations on one base URL.
#[derive(Debug, Clone)]
pub struct Api {
    base: BaseUrl,
}

impl Api {
    /// Operations under a base URL.
    pub fn new(base: BaseUrl) -> Self {
        Self { base }
    }

    /// The base URL.
    pub fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// `createJob`: has no idempotency key, so it is sent once.
    pub fn create_job(&self, body: &CreateJob) -> Result<Template> {
        self.post("createJob", "/api/task/job/create")
            .with_json(CONTENT_TYPE, body)
    }

    /// `getJob`.
    pub fn get_job(&self, job: i64) -> Template {
        let target = Target::new("/api/task/job/detail").query("task_id", job.to_string());
        self.get("getJob", target)
    }

    /// One page of `searchJobs`. Unfiltered: how `search_value` matches is not documented (§10 no. 11).
    pub fn search_jobs(&self, page: usize) -> Template {
        self.get(
            "searchJobs",
            paged(Target::new("/api/task/job/search"), page),
        )
    }

    /// `stopJob`: stopping twice is stopping once, so it may be repeated.
    pub fn stop_job(&self, job: i64) -> Result<Template> {
        self.post("stopJob", "/api/task/job/stop")
            .with_safety(Safety::Repeatable)
            .with_json(CONTENT_TYPE, &StopJob { task_id: job })
    }

    /// `searchResources`: every device, with a fresh mark per region.
    pub fn search_resources(&self, audience: Audience) -> Template {
        let target = Target::new("/api/deployment/resource/search")
            .query("task_type", audience.as_str())
            .query("device_type", "GpuDevice,CpuDevice");
        self.get("searchResources", target)
    }

    /// One page of `listPoints`: a job's pods, over the deployment product's path.
    pub fn list_points(&self, job: i64, page: usize) -> Template {
        let target = Target::new("/api/deployment/task/points").query("task_id", job.to_string());
        self.get("listPoints", paged(target, page))
    }

    /// `podEvents`: everything that is told about one pod (§5.3).
    pub fn pod_events(&self, point: i64) -> Template {
        let target =
            Target::new("/api/deployment/task/pod_event").query("point_id", point.to_string());
        self.get("podEvents", target)
    }

    /// `pointLog`: everything the service keeps of one container's output (§5.2).
    pub fn point_log(&self, job: i64, point: i64, service: i64) -> Template {
        let target = Target::new("/api/deployment/task/point_log")
            .query("task_id", job.to_string())
            .query("point_id", point.to_string())
            .query("service_id", service.to_string());
        self.get("pointLog", target)
    }

    /// One page of `taskBilling`: what was billed per task in a period (§6.2).
    pub fn task_billing(&self, start: &str, end: &str, page: usize) -> Template {
        let target = Target::new("/api/billing/get_task_billing_record")
            .query("range", "day")
            .query("start_time", start)
            .query("end_time", end);
        self.get("taskBilling", paged(target, page))
    }

    /// One page of `listStorage`; all four parameters are always sent (§4.1).
    pub fn list_storage(&self, kind: StorageType, page: usize) -> Template {
        let target = Target::new("/api/storage/get_storage")
            .query("storage_type", kind.as_str())
            .query("status", "Activate,Unactivated");
        self.get("listStorage", paged(target, page))
    }

    /// One page of `listNas`.
    pub fn list_nas(&self, page: usize) -> Template {
        self.get(
            "listNas",
            paged(Target::new("/api/storage/nas/v1/list"), page),
        )
    }

    /// `listNasOffers`: regions and classes that a NAS volume can be made in.
    pub fn list_nas_offers(&self) -> Template {
        self.get(
            "listNasOffers",
            Target::new("/api/storage/nas/v1/pre-create"),
        )
    }

    /// `createNas`: sent once.
    pub fn create_nas(&self, body: &CreateNas) -> Result<Template> {
        self.post("createNas", "/api/storage/nas/v1/create")
            .with_json(CONTENT_TYPE, body)
    }

    /// `deleteNas`: deleting twice is deleting once, so it may be repeated.
    pub fn delete_nas(&self, volume: i64, force: bool) -> Result<Template> {
        self.post("deleteNas", "/api/storage/nas/v1/delete")
            .with_safety(Safety::Repeatable)
            .with_json(CONTENT_TYPE, &DeleteNas { id: volume, force })
    }

    fn get(&self, operation: &'static str, target: Target) -> Template {
        Template::new(operation, Method::GET, &self.base, target)
    }

    fn post(&self, operation: &'static str, path: &str) -> Template {
        Template::new(operation, Method::POST, &self.base, Target::new(path))
    }
}

fn paged(target: Target, page: usize) -> Target {
    target
        .query("page", page.to_string())
        .query("page_size", PAGE_SIZE.to_string())
}
