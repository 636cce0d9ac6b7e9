//! Which operation a verb and a path mean (pai-dlc.md §3.1, §6.1), and steps 8 and 9 of §2.8.

use http::StatusCode;

use super::query;
use super::reply::Refusal;
use crate::sandbox::service::RawRequest;

const DLC_VERSION: &str = "2020-12-03";
const WORKSPACE_VERSION: &str = "2021-02-04";

/// The operations that are served; the real products have more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    CreateJob,
    GetJob,
    ListJobs,
    UpdateJob,
    StopJob,
    DeleteJob,
    GetJobEvents,
    GetPodEvents,
    GetPodLogs,
    ListEcsSpecs,
    ListWorkspaces,
    GetWorkspace,
    GetDefaultWorkspace,
    ListDatasets,
    GetDataset,
    CreateDataset,
    DeleteDataset,
}

/// A row: verb, path with `{}` for an id, operation.
type Row = (&'static str, &'static str, Operation);

const TABLE: [Row; 17] = [
    ("POST", "/api/v1/jobs", Operation::CreateJob),
    ("GET", "/api/v1/jobs/{}", Operation::GetJob),
    ("GET", "/api/v1/jobs", Operation::ListJobs),
    ("PUT", "/api/v1/jobs/{}", Operation::UpdateJob),
    ("POST", "/api/v1/jobs/{}/stop", Operation::StopJob),
    ("DELETE", "/api/v1/jobs/{}", Operation::DeleteJob),
    ("GET", "/api/v1/jobs/{}/events", Operation::GetJobEvents),
    (
        "GET",
        "/api/v1/jobs/{}/pods/{}/events",
        Operation::GetPodEvents,
    ),
    ("GET", "/api/v1/jobs/{}/pods/{}/logs", Operation::GetPodLogs),
    ("GET", "/api/v1/ecsspecs", Operation::ListEcsSpecs),
    ("GET", "/api/v1/workspaces", Operation::ListWorkspaces),
    ("GET", "/api/v1/workspaces/{}", Operation::GetWorkspace),
    (
        "GET",
        "/api/v1/defaultWorkspaces",
        Operation::GetDefaultWorkspace,
    ),
    ("GET", "/api/v1/datasets", Operation::ListDatasets),
    ("GET", "/api/v1/datasets/{}", Operation::GetDataset),
    ("POST", "/api/v1/datasets", Operation::CreateDataset),
    ("DELETE", "/api/v1/datasets/{}", Operation::DeleteDataset),
];

/// The filters of §3.4.
const LIST_JOBS_PARAMETERS: &[&str] = &[
    "WorkspaceId",
    "FromAllWorkspaces",
    "ShowOwn",
    "DisplayName",
    "DisplayNameSearchMode",
    "JobId",
    "JobIds",
    "JobType",
    "Status",
    "StartTime",
    "EndTime",
    "TimeRangeField",
    "ResourceId",
    "ResourceIds",
    "ResourceQuotaName",
    "PaymentType",
    "OversoldInfo",
    "Username",
    "UserIdForFilter",
    "BusinessUserId",
    "Caller",
    "PipelineId",
    "TemplateId",
    "Accessibility",
    "Tags",
    "Description",
    "ImageSearch",
    "ReasonSearch",
    "UserCommandSearch",
    "NumericRangeField",
    "NumericRangeMin",
    "NumericRangeMax",
    "EnableAssignNode",
    "SortBy",
    "Order",
    "PageNumber",
    "PageSize",
];

/// An operation and the ids in its path, decoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) operation: Operation,
    ids: Vec<String>,
}

impl Route {
    /// The first id of the path: the job, workspace or dataset.
    pub(super) fn id(&self) -> &str {
        self.ids.first().map_or("", String::as_str)
    }

    /// The second one: the pod.
    pub(super) fn pod(&self) -> &str {
        self.ids.get(1).map_or("", String::as_str)
    }
}

/// Finds the operation and compares it with what the headers name.
pub(super) fn find(request: &RawRequest) -> Result<Route, Refusal> {
    let route =
        look_up(request.method.as_str(), request.path()).ok_or_else(Refusal::no_such_api)?;
    if request.header("x-acs-version") != Some(route.operation.version()) {
        return Err(Refusal::gateway(
            StatusCode::BAD_REQUEST,
            "InvalidVersion",
            "Specified parameter Version is not valid.",
        ));
    }
    if request.header("x-acs-action") != Some(route.operation.action()) {
        return Err(Refusal::no_such_api());
    }
    Ok(route)
}

/// Every operation that is served.
pub(super) fn all() -> impl Iterator<Item = Operation> {
    TABLE.iter().map(|(_, _, operation)| *operation)
}

/// The operation of a verb and a path.
pub(super) fn look_up(method: &str, path: &str) -> Option<Route> {
    TABLE
        .iter()
        .filter(|(verb, _, _)| *verb == method)
        .find_map(|(_, pattern, operation)| {
            match_path(pattern, path).map(|ids| Route {
                operation: *operation,
                ids,
            })
        })
}

/// The product that an `x-acs-version` belongs to, as `Recommend` names it.
pub(super) fn product(version: Option<&str>) -> &'static str {
    if version == Some(WORKSPACE_VERSION) {
        "AIWorkSpace"
    } else {
        "pai-dlc"
    }
}

fn match_path(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut wanted = pattern.split('/');
    let mut found = path.split('/');
    let mut ids = Vec::new();
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return Some(ids),
            (Some("{}"), Some(segment)) if !segment.is_empty() => {
                ids.push(query::decode_segment(segment)?);
            }
            (Some(word), Some(segment)) if word == segment => {}
            (Some(_) | None, Some(_)) | (Some(_), None) => return None,
        }
    }
}

impl Operation {
    /// The name, as in `x-acs-action`.
    pub(super) const fn action(self) -> &'static str {
        match self {
            Self::CreateJob => "CreateJob",
            Self::GetJob => "GetJob",
            Self::ListJobs => "ListJobs",
            Self::UpdateJob => "UpdateJob",
            Self::StopJob => "StopJob",
            Self::DeleteJob => "DeleteJob",
            Self::GetJobEvents => "GetJobEvents",
            Self::GetPodEvents => "GetPodEvents",
            Self::GetPodLogs => "GetPodLogs",
            Self::ListEcsSpecs => "ListEcsSpecs",
            Self::ListWorkspaces => "ListWorkspaces",
            Self::GetWorkspace => "GetWorkspace",
            Self::GetDefaultWorkspace => "GetDefaultWorkspace",
            Self::ListDatasets => "ListDatasets",
            Self::GetDataset => "GetDataset",
            Self::CreateDataset => "CreateDataset",
            Self::DeleteDataset => "DeleteDataset",
        }
    }

    /// The operation of a name.
    pub(super) fn from_action(action: &str) -> Option<Self> {
        TABLE
            .iter()
            .map(|(_, _, operation)| *operation)
            .find(|operation| operation.action() == action)
    }

    /// The version of its product, as in `x-acs-version`.
    pub(super) const fn version(self) -> &'static str {
        match self {
            Self::CreateJob
            | Self::GetJob
            | Self::ListJobs
            | Self::UpdateJob
            | Self::StopJob
            | Self::DeleteJob
            | Self::GetJobEvents
            | Self::GetPodEvents
            | Self::GetPodLogs
            | Self::ListEcsSpecs => DLC_VERSION,
            Self::ListWorkspaces
            | Self::GetWorkspace
            | Self::GetDefaultWorkspace
            | Self::ListDatasets
            | Self::GetDataset
            | Self::CreateDataset
            | Self::DeleteDataset => WORKSPACE_VERSION,
        }
    }

    /// Every query parameter that the operation has; others are ignored and noted (§1.3).
    pub(super) const fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::GetJob => &["NeedDetail"],
            Self::ListJobs => LIST_JOBS_PARAMETERS,
            Self::GetJobEvents => &["StartTime", "EndTime", "MaxEventsNum"],
            Self::GetPodEvents => &["PodUid", "StartTime", "EndTime", "MaxEventsNum"],
            Self::GetPodLogs => &[
                "PodUid",
                "StartTime",
                "EndTime",
                "MaxLines",
                "DownloadToFile",
                "Containers",
            ],
            Self::ListEcsSpecs => &[
                "AcceleratorType",
                "ResourceType",
                "InstanceTypes",
                "PageNumber",
                "PageSize",
                "SortBy",
                "Order",
            ],
            Self::ListWorkspaces => &[
                "PageNumber",
                "PageSize",
                "SortBy",
                "Order",
                "WorkspaceName",
                "WorkspaceIds",
                "ModuleList",
                "Status",
                "Option",
                "Verbose",
                "Fields",
                "ResourceGroupId",
                "UserId",
            ],
            Self::GetWorkspace | Self::GetDefaultWorkspace => &["Verbose"],
            Self::ListDatasets => &[
                "WorkspaceId",
                "DatasetIds",
                "Name",
                "DataSourceTypes",
                "DataTypes",
                "Properties",
                "SourceTypes",
                "SourceId",
                "Label",
                "Provider",
                "Edition",
                "Accessibility",
                "ShareScope",
                "SourceDatasetId",
                "PageNumber",
                "PageSize",
                "SortBy",
                "Order",
            ],
            Self::CreateJob
            | Self::UpdateJob
            | Self::StopJob
            | Self::DeleteJob
            | Self::GetDataset
            | Self::CreateDataset
            | Self::DeleteDataset => &[],
        }
    }
}
