//! Jobs over the wire: create, find, observe, list, cancel (cyclecloud.md §6, §7, §8).
//!
//! A create is sent once. A grant of fewer nodes than asked for is undone here, since only here is it known; what an
//! unclear create means is the engine's to find out.

use std::cmp::Reverse;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::http::{Answer, Failure, Fate};
use crate::model::{Job, Marker, ResourceRef, Timestamp};
use crate::provider::{Creation, ListFilter, Listing, Observation, Plan, Tracked};

use super::Cyclecloud;
use super::answers::{Created, Managed, NodeList};
use super::fields::{as_text, member, path, text};
use super::history::History;
use super::offers::RECENT_FAILURE_S;
use super::payload::{TAG_NAME, TAG_START_TIMEOUT};
use super::plan as planning;
use super::record::{self, Sight};
use super::request_id;
use super::results::Exits;
use super::routes::{NodesOf, Termination};
use super::status::ClusterStatus;
use super::together::by_job;

/// Jobs that are looked at together.
const AT_ONCE: usize = 4;
/// Looks for the nodes of a grant that is to be undone, and the pause between them (§1.4: no faster than 5 s).
const LOOKS: u32 = 3;
const PAUSE: Duration = Duration::from_secs(5);

/// What the server says about the nodes of a request.
enum Listed {
    Known(NodeList),
    /// The request and its operation are unknown, and no node of the cluster is one of the job's: the cluster's list.
    Gone(NodeList),
    /// The cluster is unknown too.
    Forgotten,
}

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

    /// One list of the cluster for jobs that were looked at before and have nodes; one call for each other job, since
    /// only a request's own list tells an ended job from an unknown one.
    pub(super) async fn observe_jobs(&self, jobs: &[Tracked]) -> Result<Vec<Observation>> {
        let mut together = self.listed_together(jobs).await;
        let mut looks = jobs.iter().map(|tracked| {
            let listed = together.remove(&tracked.job_ref);
            self.observe_one(tracked, listed)
        });
        let Some(first) = looks.next() else {
            return Ok(Vec::new());
        };
        // Alone: five wrong passwords lock the account, and this one tells whether it is wrong (§2.1).
        let mut answers = vec![first.await];
        let looks: Vec<_> = looks.collect();
        answers.extend(
            stream::iter(looks)
                .buffered(AT_ONCE)
                .collect::<Vec<_>>()
                .await,
        );
        // Access is per cluster (§2.3), and one bad record is no reason to be silent about the others.
        if answers.iter().all(Result::is_err) {
            return answers.into_iter().collect();
        }
        let told = |answer: Result<Observation>| answer.unwrap_or_else(Observation::Unread);
        Ok(answers.into_iter().map(told).collect())
    }

    async fn observe_one(
        &self,
        tracked: &Tracked,
        listed: Option<Result<NodeList>>,
    ) -> Result<Observation> {
        let (cluster, id) = self.parts(&tracked.job_ref)?;
        let history = history_of(tracked);
        let listed = match listed {
            Some(list) => Listed::Known(list?),
            None => self.look(cluster, id, &history).await?,
        };
        let job = match listed {
            Listed::Known(list) => self.looked_at(cluster, id, &list, history, tracked).await,
            // Nodes that somebody saw and that the cluster lists no more are gone, whether or not it remembers the
            // request; without such a history nothing can be said (cli.md §10, "Small print").
            Listed::Gone(list) if !history.nodes.is_empty() => {
                self.looked_at(cluster, id, &list, history, tracked).await
            }
            Listed::Gone(_) | Listed::Forgotten
                if !history.accepted && history.nodes.is_empty() =>
            {
                return Ok(Observation::Missing);
            }
            Listed::Gone(_) | Listed::Forgotten => {
                let exits = self.exits(&history, id).await;
                let sight = Sight {
                    exits: exits.as_ref(),
                    cancel_requested_at: tracked.cancel_requested_at,
                    ..self.sight(cluster, id)
                };
                record::forgotten(&sight, history)
            }
        };
        Ok(Observation::Seen(Box::new(job)))
    }

    /// The record of a look at one job.
    async fn looked_at(
        &self,
        cluster: &str,
        id: &str,
        list: &NodeList,
        history: History,
        tracked: &Tracked,
    ) -> Job {
        let asked = tracked.cancel_requested_at;
        let mut job = self.seen(cluster, id, list, history, asked).await;
        self.add_capacity_failure(cluster, &mut job).await;
        job
    }

    /// The record of an ended job as its last look saw it.
    pub(super) fn recall_job(&self, tracked: &Tracked) -> Option<Job> {
        let (cluster, id) = self.parts(&tracked.job_ref).ok()?;
        record::recalled(&self.sight(cluster, id), &history_of(tracked))
    }

    /// The nodes of a request: by its id, by its operation, by what they carry (§6.3 no. 5, §13).
    async fn look(&self, cluster: &str, id: &str, history: &History) -> Result<Listed> {
        let by_operation = history.operation_id.as_deref().map(NodesOf::Operation);
        for of in [Some(NodesOf::Request(id)), by_operation]
            .into_iter()
            .flatten()
        {
            match self.list_nodes(cluster, of).await {
                Ok(list) => return Ok(Listed::Known(list)),
                Err(error) if error.kind() == Kind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        match self.list_nodes(cluster, NodesOf::WholeCluster).await {
            Ok(mut list) => {
                list.nodes
                    .retain(|node| node.job_id().as_deref() == Some(id));
                // The other nodes of the cluster are none of the job's.
                list.raw = list.nodes.iter().map(|node| node.raw.clone()).collect();
                Ok(if list.nodes.is_empty() {
                    Listed::Gone(list)
                } else {
                    Listed::Known(list)
                })
            }
            Err(error) if error.kind() == Kind::NotFound => Ok(Listed::Forgotten),
            Err(error) => Err(error),
        }
    }

    /// The record of listed nodes, with the results that can be seen from here.
    async fn seen(
        &self,
        cluster: &str,
        id: &str,
        list: &NodeList,
        mut history: History,
        cancel_requested_at: Option<Timestamp>,
    ) -> Job {
        record::learn(&mut history, list);
        let exits = self.exits(&history, id).await;
        let sight = Sight {
            exits: exits.as_ref(),
            cancel_requested_at,
            ..self.sight(cluster, id)
        };
        record::job(&sight, list, history)
    }

    async fn exits(&self, history: &History, id: &str) -> Option<Exits> {
        let directory = history
            .result_dir
            .clone()
            .or_else(|| self.result_dir.clone())?;
        let id = id.to_owned();
        self.on_share(move |results| results.exits(&directory, &id))
            .await
            .unwrap_or_default()
    }

    /// Nodes that vanished are mostly a lack of capacity: the bucket may say when it was (§8.5).
    async fn add_capacity_failure(&self, cluster: &str, job: &mut Job) {
        let Some(machine_type) = job
            .instance_type
            .clone()
            .filter(|_| job.terminal && job.reason.as_deref() == Some("nodes_gone"))
        else {
            return;
        };
        // Without the status the record lacks a remark, which is no reason to fail.
        let Ok(status) = self.read(&self.routes.status(cluster)).await else {
            return;
        };
        let failure = ClusterStatus::read(&status)
            .nodearrays
            .iter()
            .flat_map(|array| &array.buckets)
            .filter(|bucket| {
                bucket
                    .machine_type
                    .as_deref()
                    .is_some_and(|its| its.eq_ignore_ascii_case(&machine_type))
            })
            .filter_map(|bucket| bucket.last_capacity_failure)
            .filter(|seconds| *seconds <= RECENT_FAILURE_S)
            .min_by(f64::total_cmp);
        if let (Some(seconds), Some(message)) = (failure, &mut job.message) {
            let remark =
                format!("; the last capacity failure of `{machine_type}` was {seconds:.0} s ago");
            message.push_str(&remark);
        }
    }

    /// Jobs that have nodes now. The server has no notion of jobs: those without nodes are in the journal only.
    pub(super) async fn list_jobs(&self, filter: &ListFilter) -> Result<Listing> {
        let cluster = self.chosen_cluster(filter.namespace.as_deref())?;
        let list = self.list_nodes(cluster, NodesOf::WholeCluster).await?;
        let mut jobs = Vec::new();
        for (id, list) in by_job(list) {
            // A list cannot tell ready from ready twice: what earlier looks saw decides.
            let tracked = filter.memory_of(&self.job_ref(cluster, &id));
            let history = tracked.map_or_else(History::default, history_of);
            let cancelled_at = tracked.and_then(|tracked| tracked.cancel_requested_at);
            jobs.push(self.seen(cluster, &id, &list, history, cancelled_at).await);
        }
        jobs.sort_by_key(|job| Reverse(job.created_at));
        let is_wanted = |job: &Job| {
            let is_recent = match (filter.since, job.created_at) {
                (Some(since), Some(created)) => created >= since,
                (_, _) => true,
            };
            is_recent && (filter.states.is_empty() || filter.states.contains(&job.state))
        };
        let (mut jobs, mut left_out): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(is_wanted);
        left_out.extend(jobs.split_off(jobs.len().min(filter.limit.unwrap_or(usize::MAX))));
        Ok(Listing {
            jobs,
            truncated: None,
            forgets_ended: true,
            left_out,
        })
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

    fn sight<'a>(&'a self, cluster: &'a str, request_id: &'a str) -> Sight<'a> {
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

/// What is remembered of a job, with what a wait wants of it.
fn history_of(tracked: &Tracked) -> History {
    let history = History::read(tracked.reading.as_ref());
    History {
        time_limit_s: tracked.time_limit_s.or(history.time_limit_s),
        start_by: tracked.start_by,
        ..history
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
