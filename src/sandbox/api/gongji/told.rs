//! What fault rules and tests ask of this service: names of requests, answers in its words, and the jobs it holds.

use http::{HeaderValue, StatusCode, header};
use serde_json::Value;

use super::operations::State;
use super::reply::{self, Refusal};
use super::routes::{self, Operation as Kind, Route};
use super::switches::Statuses;
use crate::sandbox::operation::{Deed, Held, Operation, Script};
use crate::sandbox::service::{RawAnswer, RawRequest};

/// The operation that a request is.
pub(super) fn operation(request: &RawRequest) -> Operation {
    routes::find(&request.method, request.path()).map_or(Operation::UNKNOWN, of_route)
}

/// An operation under its path behind `/api/`.
pub(super) fn of_route(route: &Route) -> Operation {
    let deed = match route.operation {
        Kind::CreateJob => Deed::Create,
        Kind::SearchJobs => Deed::List,
        Kind::JobDetail => Deed::Get,
        Kind::StopJob => Deed::Cancel,
        Kind::SearchResources => Deed::Types,
        Kind::NodeLog => Deed::Logs,
        Kind::NodeEvents => Deed::Events,
        Kind::BillingRecord | Kind::TaskBillingRecord => Deed::Cost,
        Kind::ListStorage
        | Kind::ListNas
        | Kind::NasSummary
        | Kind::NasDictionaries
        | Kind::NasOffers
        | Kind::CreateNas
        | Kind::ExpandNas
        | Kind::RenameNas
        | Kind::DeleteNas => Deed::Volumes,
        Kind::ListNodes | Kind::DeleteNode => Deed::Other,
    };
    Operation::new(route.name(), deed)
}

/// The service's words: an envelope, also under a status that is an error (§7.1).
pub(super) fn scripted(script: Script, statuses: Statuses) -> Option<RawAnswer> {
    let refused = |refusal: Refusal| reply::render(Err(refusal), statuses);
    let under = |status: StatusCode, message: &str| RawAnswer {
        status,
        ..refused(Refusal::rule(message))
    };
    let answer = match script {
        Script::Throttled { retry_after } => {
            let answer = under(StatusCode::TOO_MANY_REQUESTS, "too many requests");
            match retry_after {
                Some(wait) => answer.with_header(
                    header::RETRY_AFTER,
                    HeaderValue::from(crate::sandbox::faults::whole_seconds(wait)),
                ),
                None => answer,
            }
        }
        Script::Failed(status) => under(status, "system error"),
        Script::NotFound => refused(Refusal::not_found()),
        Script::SoldOut => refused(Refusal::rule("库存不足: the resource is sold out")),
        Script::Partly { .. } => return None,
    };
    Some(answer)
}

/// The id of a new job.
pub(super) fn created(answer: &RawAnswer) -> Vec<String> {
    serde_json::from_slice::<Value>(&answer.body)
        .ok()
        .filter(|body| body.get("code").and_then(Value::as_str) == Some("0000"))
        .and_then(|body| {
            let data = body.get("data")?;
            let id = data.get("task_id").unwrap_or(data);
            id.as_i64()
                .map(|number| number.to_string())
                .or_else(|| id.as_str().map(str::to_owned))
        })
        .into_iter()
        .collect()
}

/// Every job with its name.
pub(super) fn held(state: &State) -> Vec<Held> {
    state
        .jobs
        .iter()
        .map(|job| Held {
            id: job.id.to_string(),
            names: vec![job.request.task_name.clone()],
        })
        .collect()
}
