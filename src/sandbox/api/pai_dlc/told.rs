//! What fault rules and tests ask of this service: names of requests, answers in its words, and the jobs it holds.

use http::StatusCode;
use serde_json::Value;

use super::operations::State;
use super::reply::Refusal;
use super::routes::{self, Operation as Action};
use crate::sandbox::operation::{Deed, Held, Operation, Script};
use crate::sandbox::service::{RawAnswer, RawRequest};

/// The operation that a request is.
pub(super) fn operation(request: &RawRequest) -> Operation {
    routes::look_up(request.method.as_str(), request.path())
        .map_or(Operation::UNKNOWN, |route| of_action(route.operation))
}

/// An operation under its `x-acs-action`.
pub(super) fn of_action(action: Action) -> Operation {
    let deed = match action {
        Action::CreateJob => Deed::Create,
        Action::GetJob => Deed::Get,
        Action::ListJobs => Deed::List,
        Action::StopJob => Deed::Cancel,
        Action::ListEcsSpecs => Deed::Types,
        Action::GetPodLogs => Deed::Logs,
        Action::GetJobEvents | Action::GetPodEvents => Deed::Events,
        Action::ListWorkspaces | Action::GetWorkspace | Action::GetDefaultWorkspace => {
            Deed::Namespaces
        }
        Action::ListDatasets
        | Action::GetDataset
        | Action::CreateDataset
        | Action::DeleteDataset => Deed::Volumes,
        Action::UpdateJob | Action::DeleteJob => Deed::Other,
    };
    Operation::new(action.action(), deed)
}

/// The service's words (§7.3, §7.4); a wait is told in milliseconds.
pub(super) fn scripted(script: Script, request: &RawRequest) -> Option<Refusal> {
    let refusal = match script {
        Script::Throttled { retry_after } => Refusal {
            retry_after_milliseconds: retry_after
                .map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
            ..Refusal::gateway(
                StatusCode::TOO_MANY_REQUESTS,
                "Throttling.User",
                "Request was denied due to user flow control.",
            )
        },
        Script::Failed(StatusCode::SERVICE_UNAVAILABLE) => Refusal::gateway(
            StatusCode::SERVICE_UNAVAILABLE,
            "ServiceUnavailable",
            "The request has failed due to a temporary failure of the server.",
        ),
        Script::Failed(status) => Refusal::gateway(
            status,
            "InternalError",
            "The request processing has failed due to some unknown error.",
        ),
        Script::NotFound => {
            Refusal::not_found("Job", request.path().rsplit('/').next().unwrap_or(""))
        }
        Script::SoldOut => Refusal::no_capacity("No resource is available for this job."),
        Script::Partly { .. } => return None,
    };
    Some(refusal)
}

/// The id of a new job.
pub(super) fn created(answer: &RawAnswer) -> Vec<String> {
    if !answer.status.is_success() {
        return Vec::new();
    }
    serde_json::from_slice::<Value>(&answer.body)
        .ok()
        .and_then(|body| Some(body.get("JobId")?.as_str()?.to_owned()))
        .into_iter()
        .collect()
}

/// Every job with its name.
pub(super) fn held(state: &State) -> Vec<Held> {
    state
        .jobs
        .iter()
        .map(|job| Held {
            id: job.id.clone(),
            names: job
                .asked
                .get("DisplayName")
                .and_then(|name| Some(name.as_str()?.to_owned()))
                .into_iter()
                .collect(),
        })
        .collect()
}
