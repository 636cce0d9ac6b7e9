//! From a method and a raw path to an operation (gongji.md §2 to §6).

use http::Method;

/// What the sandbox serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    SearchJobs,
    JobDetail,
    CreateJob,
    StopJob,
    SearchResources,
    ListNodes,
    NodeLog,
    NodeEvents,
    DeleteNode,
    ListStorage,
    ListNas,
    NasSummary,
    NasDictionaries,
    NasOffers,
    CreateNas,
    ExpandNas,
    RenameNas,
    DeleteNas,
    BillingRecord,
    TaskBillingRecord,
}

/// An operation's place.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) operation: Operation,
    method: Method,
    path: &'static str,
    /// The query parameters it knows.
    pub(super) parameters: &'static [&'static str],
}

/// Why a request is no operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRoute {
    Path,
    Method,
}

const fn get(
    operation: Operation,
    path: &'static str,
    parameters: &'static [&'static str],
) -> Route {
    Route {
        operation,
        method: Method::GET,
        path,
        parameters,
    }
}

const fn post(operation: Operation, path: &'static str) -> Route {
    Route {
        operation,
        method: Method::POST,
        path,
        parameters: &[],
    }
}

static ROUTES: [Route; 20] = [
    get(
        Operation::SearchJobs,
        "task/job/search",
        &[
            "status",
            "search_value",
            "group_task",
            "group_id",
            "page",
            "page_size",
        ],
    ),
    get(Operation::JobDetail, "task/job/detail", &["task_id"]),
    post(Operation::CreateJob, "task/job/create"),
    post(Operation::StopJob, "task/job/stop"),
    get(
        Operation::SearchResources,
        "deployment/resource/search",
        &["task_type", "device_type"],
    ),
    get(
        Operation::ListNodes,
        "deployment/task/points",
        &["task_id", "status", "page", "page_size"],
    ),
    get(
        Operation::NodeLog,
        "deployment/task/point_log",
        &["task_id", "point_id", "service_id"],
    ),
    get(
        Operation::NodeEvents,
        "deployment/task/pod_event",
        &["point_id"],
    ),
    post(Operation::DeleteNode, "deployment/task/delete_pod"),
    get(
        Operation::ListStorage,
        "storage/get_storage",
        &["storage_type", "status", "page", "page_size"],
    ),
    get(
        Operation::ListNas,
        "storage/nas/v1/list",
        &[
            "regions",
            "storage_class",
            "statuses",
            "storage_ids",
            "page",
            "page_size",
        ],
    ),
    get(Operation::NasSummary, "storage/nas/v1/summary", &[]),
    get(
        Operation::NasDictionaries,
        "storage/nas/v1/dictionaries",
        &[],
    ),
    get(Operation::NasOffers, "storage/nas/v1/pre-create", &[]),
    post(Operation::CreateNas, "storage/nas/v1/create"),
    post(Operation::ExpandNas, "storage/nas/v1/expand"),
    post(Operation::RenameNas, "storage/nas/v1/rename"),
    post(Operation::DeleteNas, "storage/nas/v1/delete"),
    get(
        Operation::BillingRecord,
        "billing/get_billing_record",
        &[
            "range",
            "start_time",
            "end_time",
            "task_ids",
            "page",
            "page_size",
        ],
    ),
    get(
        Operation::TaskBillingRecord,
        "billing/get_task_billing_record",
        &["range", "start_time", "end_time", "page", "page_size"],
    ),
];

impl Route {
    /// The path behind `/api/`: the operation's name in counts and fault rules.
    pub(super) const fn name(&self) -> &'static str {
        self.path
    }

    /// Whether it takes a body.
    pub(super) fn has_body(&self) -> bool {
        self.method == Method::POST
    }
}

/// Looks up a request. Nothing is decoded: no path needs an escape.
pub(super) fn find(method: &Method, path: &str) -> Result<&'static Route, NoRoute> {
    let name = path.strip_prefix("/api/").ok_or(NoRoute::Path)?;
    let route = by_name(name).ok_or(NoRoute::Path)?;
    if route.method == *method {
        Ok(route)
    } else {
        Err(NoRoute::Method)
    }
}

/// Every operation.
pub(super) fn all() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter()
}

/// The operation of a name.
pub(super) fn by_name(name: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| route.path == name)
}
