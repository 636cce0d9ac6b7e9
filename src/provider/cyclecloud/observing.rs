//! Looks at jobs: one, many, a list of all, and one that is over (cyclecloud.md §4.2, §8.5; job-model.md §6).
//!
//! What cannot be read says nothing about what can: access is per cluster (§2.3), and requests fail one by one.

use std::cmp::Reverse;

use futures_util::{StreamExt as _, stream};

use crate::error::{Kind, Result};
use crate::model::{Job, Timestamp};
use crate::provider::{ListFilter, Listing, Observation, Tracked};

use super::Cyclecloud;
use super::answers::NodeList;
use super::history::History;
use super::offers::RECENT_FAILURE_S;
use super::record::{self, Sight};
use super::results::Exits;
use super::routes::NodesOf;
use super::status::ClusterStatus;
use super::together::by_job;

/// Jobs that are looked at together.
const AT_ONCE: usize = 4;

/// What the server says about the nodes of a request.
pub(super) enum Listed {
    Known(NodeList),
    /// The request and its operation are unknown, and no node of the cluster is one of the job's: the cluster's list.
    Gone(NodeList),
    /// The cluster is unknown too.
    Forgotten,
}

impl Cyclecloud {
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
    pub(super) async fn look(&self, cluster: &str, id: &str, history: &History) -> Result<Listed> {
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
    pub(super) async fn seen(
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
