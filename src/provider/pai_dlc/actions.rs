//! Which operation a method and a path mean (pai-dlc.md §3.1, §6.1): `api` has to name it and its product's version.

use http::Method;

use crate::error::{Error, Kind, Result};

use super::api::{AIWORKSPACE_VERSION, DLC_VERSION};

/// The two products: each has a host and a version of its own (§1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Product {
    Dlc,
    AiWorkspace,
}

/// Method, path below `/api/v1` with `{}` for an id, operation.
type Row = (&'static str, &'static str, &'static str);

const DLC: &[Row] = &[
    ("POST", "jobs", "CreateJob"),
    ("GET", "jobs", "ListJobs"),
    ("GET", "jobs/{}", "GetJob"),
    ("PUT", "jobs/{}", "UpdateJob"),
    ("DELETE", "jobs/{}", "DeleteJob"),
    ("POST", "jobs/{}/stop", "StopJob"),
    ("GET", "jobs/{}/events", "GetJobEvents"),
    ("GET", "jobs/{}/metrics", "GetJobMetrics"),
    ("GET", "jobs/{}/pods/{}/events", "GetPodEvents"),
    ("GET", "jobs/{}/pods/{}/logs", "GetPodLogs"),
    ("GET", "jobs/{}/pods/{}/webterminal", "GetWebTerminal"),
    (
        "GET",
        "jobs/{}/sanitycheckresults",
        "ListJobSanityCheckResults",
    ),
    (
        "GET",
        "jobs/{}/sanitycheckresult",
        "GetJobSanityCheckResult",
    ),
    ("POST", "jobs/{}/signals", "CreateSignal"),
    ("GET", "jobs/{}/signals", "ListSignals"),
    ("GET", "jobs/{}/signals/{}", "GetSignal"),
    ("GET", "jobs/{}/dashboard", "GetDashboard"),
    ("GET", "jobs/{}/rayDashboard", "GetRayDashboard"),
    ("GET", "cms/metrics", "GetMetrics"),
    ("GET", "ecsspecs", "ListEcsSpecs"),
    ("GET", "tokens", "GetToken"),
    ("POST", "tags", "TagResources"),
    ("DELETE", "tags", "UntagResources"),
    ("POST", "jobtemplates", "CreateJobTemplate"),
    ("GET", "jobtemplates", "ListJobTemplates"),
    ("GET", "jobtemplates/{}", "GetJobTemplate"),
    ("PUT", "jobtemplates/{}", "UpdateJobTemplate"),
    ("DELETE", "jobtemplates/{}", "DeleteJobTemplate"),
    (
        "PUT",
        "jobtemplates/{}/defaultversion",
        "SetJobTemplateDefaultVersion",
    ),
];

const AIWORKSPACE: &[Row] = &[
    ("GET", "workspaces", "ListWorkspaces"),
    ("GET", "workspaces/{}", "GetWorkspace"),
    ("GET", "defaultWorkspaces", "GetDefaultWorkspace"),
    ("GET", "datasets", "ListDatasets"),
    ("POST", "datasets", "CreateDataset"),
    ("GET", "datasets/{}", "GetDataset"),
    ("PUT", "datasets/{}", "UpdateDataset"),
    ("DELETE", "datasets/{}", "DeleteDataset"),
    ("GET", "datasets/{}/versions", "ListDatasetVersions"),
    ("POST", "datasets/{}/versions", "CreateDatasetVersion"),
    ("GET", "datasets/{}/versions/{}", "GetDatasetVersion"),
    ("PUT", "datasets/{}/versions/{}", "UpdateDatasetVersion"),
    ("DELETE", "datasets/{}/versions/{}", "DeleteDatasetVersion"),
    ("GET", "images", "ListImages"),
    ("GET", "codesources", "ListCodeSources"),
    ("GET", "quotas", "ListQuotas"),
];

impl Product {
    /// The product that has this version (§1.1).
    pub(super) fn of_version(version: &str) -> Option<Self> {
        match version {
            DLC_VERSION => Some(Self::Dlc),
            AIWORKSPACE_VERSION => Some(Self::AiWorkspace),
            _ => None,
        }
    }
}

/// The product and the operation of a request; `named` is the operation as the user names it.
///
/// A path that the table does not have goes where its first word belongs, else to PAI-DLC.
pub(super) fn of<'a>(
    method: &Method,
    segments: &[String],
    named: Option<&'a str>,
) -> Result<(Product, &'a str)> {
    let tables = [(Product::Dlc, DLC), (Product::AiWorkspace, AIWORKSPACE)];
    let known = tables.into_iter().find_map(|(product, rows)| {
        let row = rows
            .iter()
            .find(|(verb, pattern, _)| *verb == method.as_str() && matches(pattern, segments))?;
        Some((product, row.2))
    });
    match (known, named) {
        (Some((product, _)), Some(named)) => Ok((product, named)),
        (Some(known), None) => Ok(known),
        (None, Some(named)) => Ok((product_of(segments), named)),
        (None, None) => Err(Error::new(
            Kind::Usage,
            "unknown_action",
            format!(
                "which operation {method} /{} is must be told: it is none that gpujob knows",
                segments.join("/")
            ),
        )
        .with_hint(format!(
            "name it with `--action`, such as `--action CreateTensorboard`; for one of AIWorkspace add `-H \"x-acs-version: {AIWORKSPACE_VERSION}\"`"
        ))),
    }
}

/// The product whose paths begin like this one: the two do not meet (§11).
fn product_of(segments: &[String]) -> Product {
    let first = resource(segments).and_then(|words| words.first());
    let is_known = |word: &String| {
        AIWORKSPACE
            .iter()
            .any(|(_, pattern, _)| pattern.split('/').next() == Some(word.as_str()))
    };
    if first.is_some_and(is_known) {
        Product::AiWorkspace
    } else {
        Product::Dlc
    }
}

fn matches(pattern: &str, segments: &[String]) -> bool {
    let Some(words) = resource(segments) else {
        return false;
    };
    let wanted: Vec<&str> = pattern.split('/').collect();
    wanted.len() == words.len()
        && wanted
            .iter()
            .zip(words)
            .all(|(wanted, word)| (*wanted == "{}" && !word.is_empty()) || *wanted == word)
}

/// What stands below `/api/v1`.
fn resource(segments: &[String]) -> Option<&[String]> {
    match segments {
        [api, version, words @ ..] if api == "api" && version == "v1" => Some(words),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(
        method: &str,
        path: &str,
        named: Option<&'static str>,
    ) -> Result<(Product, &'static str)> {
        let segments: Vec<String> = path.split('/').map(str::to_owned).collect();
        of(&method.parse().unwrap(), &segments, named)
    }

    #[test]
    fn the_contracts_table_names_the_operation_and_its_product() {
        for (method, path, product, action) in [
            ("GET", "api/v1/jobs", Product::Dlc, "ListJobs"),
            ("PUT", "api/v1/jobs/dlc1", Product::Dlc, "UpdateJob"),
            ("POST", "api/v1/jobs/dlc1/stop", Product::Dlc, "StopJob"),
            (
                "GET",
                "api/v1/jobs/dlc1/pods/dlc1-master-0/logs",
                Product::Dlc,
                "GetPodLogs",
            ),
            (
                "GET",
                "api/v1/defaultWorkspaces",
                Product::AiWorkspace,
                "GetDefaultWorkspace",
            ),
            (
                "DELETE",
                "api/v1/datasets/d-1/versions/v2",
                Product::AiWorkspace,
                "DeleteDatasetVersion",
            ),
        ] {
            assert_eq!(find(method, path, None).unwrap(), (product, action));
        }
    }

    #[test]
    fn a_path_outside_the_table_needs_its_action() {
        for (method, path) in [
            ("POST", "api/v1/tensorboards"),
            ("PATCH", "api/v1/jobs"),
            ("GET", "api/v2/jobs"),
            ("GET", "api/v1/jobs/"),
        ] {
            let error = find(method, path, None).unwrap_err();
            assert_eq!(error.code(), "unknown_action", "{method} {path}");
        }
        assert_eq!(
            find("POST", "api/v1/tensorboards", Some("CreateTensorboard")).unwrap(),
            (Product::Dlc, "CreateTensorboard")
        );
        assert_eq!(
            find("POST", "api/v1/workspaces", Some("CreateWorkspace")).unwrap(),
            (Product::AiWorkspace, "CreateWorkspace")
        );
        assert_eq!(
            find("GET", "api/v1/jobs", Some("Other")).unwrap(),
            (Product::Dlc, "Other")
        );
    }
}
