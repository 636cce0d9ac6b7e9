//! Jobs over the wire: create, find, cancel (cyclecloud.md §6, §7, §8).
//!
//! A create is sent once. A grant of fewer nodes than asked for is undone here, since only here is it known; what an
//! unclear create means is the engine's to find out.

use std::time::Duration;

use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::http::{Answer, Failure, Fate};
use crate::model::{Job, Marker, ResourceRef, Timestamp};
use crate::provider::{Creation, Plan};

use super::Cyclecloud;
use super::answers::{Created, Managed, NodeList};
use super::fields::{as_text, member, path, text};
use super::history::History;
use super::observing::Listed;
use super::payload::{TAG_NAME, TAG_START_TIMEOUT};
use super::plan as planning;
use super::record::{self, Sight};
use super::request_id;
use super::routes::{NodesOf, Termination};

/// Looks for the nodes of a grant that is to be undone, and the pause between them (§1.4: no faster than 5 s).
const LOOKS: u32 = 3;
const PAUSE: Duration = Duration::from_secs(5);

/// What a plan's one request asks for.
struct Wanted {
    request_id: String,
    nodearray: Option<String>,
    set: Value,
}

impl Wanted {
    fn read(plan: &Plan) -> Option<Self> {
        let [request] = plan.requests.as_slice() else {
            return None;
        };
        let body: Value = serde_json::from_slice(request.body_bytes()).ok()?;
        let set = member(&body, "sets")?.as_array()?.first()?.clone();
        Some(Self {
            request_id: text(&body, "requestId")?,
            nodearray: text(&set, "nodearray"),
            set,
        })
    }

    fn setting(&self, names: &[&str]) -> Option<String> {
        path(&self.set, names).and_then(as_text)
    }

    /// What is known of the job before anybody has looked at it.
    fn history(&self, plan: &Plan, now: Timestamp) -> History {
        const TAGS: [&str; 2] = ["nodeAttributes", "Tags"];
        let [attributes, tags] = TAGS;
        let result_dir = self.setting(&[attributes, "Configuration", "gpujob", "result_dir"]);
        History {
            accepted: true,
            nodearray: self.nodearray.clone(),
            machine_type: plan.offer.as_ref().map(|offer| offer.name.clone()),
            wanted: Some(plan.nodes),
            created_at: Some(now),
            submitted_at: Some(now),
            result_dir,
            start_timeout_s: self
                .setting(&[attributes, tags, TAG_START_TIMEOUT])
                .and_then(|seconds| seconds.parse().ok()),
            time_limit_s: plan.time_limit_s,
            name: self.setting(&[attributes, tags, TAG_NAME]),
            marker: Some(plan.marker.as_str().to_owned()),
            ..History::default()
        }
    }
}

impl Cyclecloud {
    /// Sends the one create of a plan.
    ///
    /// `Refused` also stands for a grant of too few nodes that was undone, and for one that could not be undone whole:
    /// then the error's kind is `rejected`, it names the job, and says what may still run and cost.
    pub(super) async fn create_job(&self, plan: &Plan) -> Creation<Job> {
        let (Some(wanted), Some(cluster)) = (Wanted::read(plan), cluster_of(&plan.scope)) else {
            return Creation::Refused(Error::internal(
                "a plan for CycleCloud holds one create with one set",
            ));
        };
        let Some(request) = plan.requests.first() else {
            return Creation::Refused(Error::internal("a plan for CycleCloud holds one request"));
        };
        let answer = match self.send(request).await {
            Ok(answer) => answer,
            Err(failure) => return self.not_created(failure, plan, &cluster, &wanted).await,
        };
        let raw = answer.json().unwrap_or(Value::Null);
        let Some(created) = Created::read(&raw) else {
            return Creation::Ambiguous(self.named(Error::new(
                Kind::Protocol,
                "unexpected_answer",
                "the create was accepted with an answer that cannot be read",
            )));
        };
        let added = created.added();
        let count = u64::from(plan.nodes);
        let is_partial = added < count;
        let message = created.message();
        if is_partial && (added == 0 || !planning::allows_partial(plan)) {
            let error = self.too_few(added, count, message.as_deref());
            return self.undo(error, &cluster, &wanted.request_id, added).await;
        }
        if let Some(message) = message {
            self.session
                .reporter
                .warning(&format!("`{}`: {message}", self.name));
        }
        let history = History {
            operation_id: created.operation_id,
            added: Some(added),
            ..wanted.history(plan, self.now())
        };
        let sight = self.sight(&cluster, &wanted.request_id);
        Creation::Accepted(record::accepted(&sight, &history, raw))
    }

    /// A create that failed. A refused request id may be that of an accepted create: then the job is there (§6.3 no. 4).
    async fn not_created(
        &self,
        failure: Failure,
        plan: &Plan,
        cluster: &str,
        wanted: &Wanted,
    ) -> Creation<Job> {
        let error = self.named(failure.error);
        if failure.fate == Fate::Unclear {
            return Creation::Ambiguous(error);
        }
        if error.details().http_status != Some(409) {
            return Creation::Refused(error);
        }
        let look = self.list_nodes(cluster, NodesOf::Request(&wanted.request_id));
        match look.await {
            Ok(list) => {
                let history = History {
                    accepted: true,
                    ..History::default()
                };
                let sight = self.sight(cluster, &wanted.request_id);
                let mut job = record::job(&sight, &list, history);
                job.adopted = true;
                job.nodes = job.nodes.max(plan.nodes);
                Creation::Accepted(job)
            }
            Err(look) if look.kind() == Kind::NotFound => Creation::Refused(error),
            Err(look) => Creation::Ambiguous(error.with_cause(look)),
        }
    }

    /// Fewer nodes than asked for, in the server's words.
    fn too_few(&self, added: u64, count: u64, message: Option<&str>) -> Error {
        let why = message.map_or(String::new(), |message| format!(": {message}"));
        self.named(
            Error::new(
                Kind::Capacity,
                "capacity",
                format!("only {added} of {count} nodes were granted{why}"),
            )
            .with_hint(
                "try again later or ask for fewer nodes; `--allow-partial` takes what there is",
            ),
        )
    }

    /// Terminates what was added, all or nothing (§6.2).
    async fn undo(
        &self,
        error: Error,
        cluster: &str,
        request_id: &str,
        added: u64,
    ) -> Creation<Job> {
        if added == 0 {
            return Creation::Refused(error);
        }
        match self.remove(cluster, request_id, added).await {
            Ok(names) => {
                let message = format!("{error}; {} terminated again", count_of(&names));
                Creation::Refused(error.with_message(message))
            }
            Err(left) => {
                let reference = self.job_ref(cluster, request_id).to_string();
                let undone = Error::new(
                    Kind::Rejected,
                    "cleanup_failed",
                    format!("{error}, and they could not all be terminated: {left}; nodes may still be running and costing money"),
                )
                .with_hint(format!("look with `gpujob status {reference}`, and end them with `gpujob cancel {reference}`"))
                .with_job(reference)
                .with_cause(error);
                Creation::Refused(self.named(undone))
            }
        }
    }

    /// Terminates all nodes of a request; the names of those that were, or what is left.
    async fn remove(
        &self,
        cluster: &str,
        request_id: &str,
        added: u64,
    ) -> Result<Vec<String>, String> {
        let expected = usize::try_from(added).unwrap_or(usize::MAX);
        let mut look = 0;
        // The list may lag behind the answer.
        let list = loop {
            look += 1;
            match self.list_nodes(cluster, NodesOf::Request(request_id)).await {
                Ok(list) if list.nodes.len() >= expected || look == LOOKS => break list,
                Err(error) if look == LOOKS => {
                    return Err(format!("their names cannot be read ({error})"));
                }
                Ok(_) | Err(_) => {}
            }
            tokio::time::sleep(PAUSE).await;
        };
        let names: Vec<String> = list.nodes.iter().map(|node| node.name.clone()).collect();
        self.terminate(cluster, request_id, &list)
            .await
            .map_err(|error| format!("{}: {error}", names.join(", ")))?;
        if names.len() < expected {
            return Err(format!(
                "{} of {added} were found, by the request id {request_id}",
                names.len()
            ));
        }
        Ok(names)
    }

    /// Sends one terminate for all nodes that are to stay; an entry that refuses is an error (§7).
    async fn terminate(&self, cluster: &str, request_id: &str, list: &NodeList) -> Result<()> {
        let nodes = record::to_terminate(list);
        let ids: Vec<String> = nodes.iter().filter_map(|node| node.id.clone()).collect();
        if ids.len() < nodes.len() {
            return Err(self.named(Error::new(
                Kind::Protocol,
                "unexpected_answer",
                format!(
                    "a node of the request {request_id} has no id, by which it could be terminated"
                ),
            )));
        }
        // Never a body without a selector (§7).
        if ids.is_empty() {
            return Ok(());
        }
        let body = Termination {
            ids,
            request_id: request_id::fresh(self.session.entropy.bytes()).to_string(),
        };
        let template = self.routes.terminate(cluster, &body)?;
        let answer = match self.send(&template).await {
            Ok(answer) => answer,
            Err(failure) if failure.fate == Fate::Unclear => {
                // Looked up first, then once more with the same id (§1.4).
                let look = self.list_nodes(cluster, NodesOf::Request(&body.request_id));
                match look.await {
                    Ok(_) => return Ok(()),
                    Err(error) if error.kind() == Kind::NotFound => self
                        .send(&template)
                        .await
                        .map_err(|again| self.named(again.error))?,
                    Err(_) => return Err(self.named(failure.error)),
                }
            }
            Err(failure) => return Err(self.named(failure.error)),
        };
        self.check_terminated(&answer)
    }

    fn check_terminated(&self, answer: &Answer) -> Result<()> {
        let managed = Managed::read(&answer.json().unwrap_or(Value::Null));
        let refused = managed.refused();
        if refused.is_empty() {
            return Ok(());
        }
        Err(self.named(
            Error::new(
                Kind::Rejected,
                "not_terminated",
                format!("not terminated: {}", refused.join("; ")),
            )
            .with_hint("a node with `KeepAlive` stays until an operator switches that off"),
        ))
    }

    /// The job of a marker's request id, if the server knows it; the spec's four characters come from the tag.
    pub(super) async fn find_jobs(&self, marker: &Marker, scope: &str) -> Result<Vec<Job>> {
        let cluster = cluster_of(scope).ok_or_else(|| {
            self.named(Error::internal(format!(
                "`{scope}` is no scope of CycleCloud"
            )))
        })?;
        let id = request_id::of_marker(marker).to_string();
        match self.list_nodes(&cluster, NodesOf::Request(&id)).await {
            Ok(list) => {
                let history = History {
                    accepted: true,
                    ..History::default()
                };
                Ok(vec![self.seen(&cluster, &id, &list, history, None).await])
            }
            Err(error) if error.kind() == Kind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// A bare request id of the configured cluster.
    pub(super) async fn resolve_job(&self, id: &str) -> Result<Vec<ResourceRef>> {
        let cluster = self.chosen_cluster(None)?;
        Ok(match self.look(cluster, id, &History::default()).await? {
            Listed::Known(_) => vec![self.job_ref(cluster, id)],
            Listed::Gone(_) | Listed::Forgotten => Vec::new(),
        })
    }

    /// Terminates the nodes of a job; none left is nothing to cancel (§7).
    pub(super) async fn cancel_job(&self, job: &ResourceRef) -> Result<()> {
        let (cluster, id) = self.parts(job)?;
        match self.look(cluster, id, &History::default()).await? {
            Listed::Known(list) => self.terminate(cluster, id, &list).await,
            Listed::Gone(_) | Listed::Forgotten => Err(self.named(
                Error::new(
                    Kind::NotFound,
                    "not_found",
                    format!("the cluster `{cluster}` knows no request `{id}`, or the account has no access"),
                )
                .with_job(job.to_string()),
            )),
        }
    }

    pub(super) fn sight<'a>(&'a self, cluster: &'a str, request_id: &'a str) -> Sight<'a> {
        Sight {
            provider: &self.name,
            cluster,
            request_id,
            exits: None,
            cancel_requested_at: None,
            now: self.now(),
            apart: self.apart(),
        }
    }

    pub(super) async fn list_nodes(&self, cluster: &str, of: NodesOf<'_>) -> Result<NodeList> {
        let value = self.read(&self.routes.nodes(cluster, of)).await?;
        NodeList::read(&value).ok_or_else(|| {
            self.named(Error::new(
                Kind::Protocol,
                "unexpected_answer",
                "the answer with the nodes holds no list of them",
            ))
        })
    }
}

/// The cluster in a plan's scope.
fn cluster_of(scope: &str) -> Option<String> {
    let scope: ResourceRef = scope.parse().ok()?;
    match scope.path.as_slice() {
        [cluster] => Some(cluster.clone()),
        _ => None,
    }
}

fn count_of(names: &[String]) -> String {
    match names {
        [only] => format!("{only} was"),
        several => format!("{} were", several.join(", ")),
    }
}
