//! Jobs over the wire: create once, observe many with one list, list, find, cancel (paracloud.md §3.4–3.6, §9.3).

use std::collections::BTreeMap;

use futures_util::future;
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::model::{Job, Marker, Offer, ResourceRef};
use crate::provider::{Creation, ListFilter, Listing, Observation, Plan, Tracked, redacted};
use crate::secret::Secret;

use super::ids::{self, Parts};
use super::parse::{self, Place};
use super::reading::Reading;
use super::record::{self, Context, Group};
use super::{Paracloud, echo, plan, script};

/// The groups of one namespace.
#[derive(Debug, Clone, Default)]
pub(super) struct Groups {
    pub(super) groups: Vec<Group>,
    /// Why the list is not whole, if it is not.
    pub(super) incomplete: Option<String>,
}

/// A job to observe: its place in the question, what is known of it, and its ref taken apart.
#[derive(Debug, Clone, Copy)]
struct Asked<'a> {
    index: usize,
    tracked: &'a Tracked,
    parts: Parts<'a>,
}

impl Paracloud {
    /// Sends the create of a plan, once, and takes the cluster from the answer (§2.2).
    pub(super) async fn create_job(&self, plan: &Plan) -> Creation<Job> {
        let (Some(request), Some(namespace)) =
            (plan.requests.first(), plan::namespace_of(&plan.scope))
        else {
            return Creation::Refused(self.named(Error::internal(
                "a plan for Paracloud has no request or no namespace",
            )));
        };
        let answer = match self.session.send(request).await {
            Ok(answer) => answer,
            Err(failure) => return self.unsuccessful(failure),
        };
        // From here on the job exists: whatever cannot be read is for the engine to look up.
        let raw = match parse::object(&answer, request.operation) {
            Ok(raw) => raw,
            Err(error) => return Creation::Ambiguous(self.named(error)),
        };
        let Some(group) = Group::read(&raw) else {
            return Creation::Ambiguous(self.named(parse::unexpected(
                "the answer to the create holds no id".to_owned(),
            )));
        };
        let sent_to = plan.offer.as_ref().and_then(|offer| offer.cluster.clone());
        let cluster = match group.cluster().map(str::to_owned).or(sent_to) {
            Some(cluster) => Some(cluster),
            None => self.look_for_cluster(namespace, &group.id).await,
        };
        let place = self.place(namespace, cluster.as_deref());
        let offers: &[Offer] = plan.offer.as_slice();
        let mut job = record::job(&group, Context::unknown(place, offers));
        job.created_at = Some(self.session.clock.now());
        job.approximate.push("created_at");
        let secrets: Vec<&str> = plan.secrets.iter().map(Secret::expose).collect();
        job.raw = redacted(&raw, &secrets);
        job.reading = reading_of(plan, &job);
        self.warn_of_differences(plan, &group);
        Creation::Accepted(job)
    }

    /// Jobs of a scope whose container name carries the marker's identity.
    pub(super) async fn find_jobs(&self, marker: &Marker, scope: &str) -> Result<Vec<Job>> {
        let namespace = plan::namespace_of(scope).ok_or_else(|| {
            self.named(Error::internal(format!(
                "`{scope}` is no scope of Paracloud"
            )))
        })?;
        let groups = self.groups(namespace).await?;
        let found: Vec<Job> = groups
            .groups
            .iter()
            .filter(|group| {
                group
                    .marker()
                    .is_some_and(|found| found.identity() == marker.identity())
            })
            .map(|group| {
                let place = self.place(namespace, None);
                let mut job = record::job(group, Context::unknown(place, &[]));
                job.reading = script_reading(group, &job);
                job
            })
            .collect();
        match groups.incomplete {
            // Not finding it in part of a list proves nothing.
            Some(reason) if found.is_empty() => {
                Err(self.named(parse::unexpected(format!("the job may exist: {reason}"))))
            }
            _ => Ok(found),
        }
    }

    /// One list call for a namespace's jobs, one GET for a single job.
    pub(super) async fn observe_jobs(&self, jobs: &[Tracked]) -> Result<Vec<Observation>> {
        let mut namespaces: BTreeMap<&str, Vec<Asked<'_>>> = BTreeMap::new();
        for (index, tracked) in jobs.iter().enumerate() {
            let parts = ids::parts("job", &tracked.job_ref).map_err(|error| self.named(error))?;
            namespaces.entry(parts.namespace).or_default().push(Asked {
                index,
                tracked,
                parts,
            });
        }
        if namespaces.is_empty() {
            return Ok(Vec::new());
        }
        let observed = future::try_join_all(
            namespaces
                .iter()
                .map(|(namespace, asked)| self.observe_namespace(namespace, asked)),
        );
        let (observed, offers) = future::join(observed, self.known_offers()).await;
        let found: BTreeMap<usize, Group> = observed?.into_iter().flatten().collect();
        let looks = jobs
            .iter()
            .enumerate()
            .map(|(index, tracked)| {
                let Some(group) = found.get(&index) else {
                    return Ok(None);
                };
                let parts = ids::parts("job", &tracked.job_ref)?;
                let context = Context {
                    place: self.place(parts.namespace, parts.cluster),
                    cancel_requested_at: tracked.cancel_requested_at,
                    time_limit_s: tracked.time_limit_s,
                    offers,
                };
                Ok(Some((record::job(group, context), group)))
            })
            .collect::<Result<Vec<_>>>()?;
        let looks = looks.into_iter().zip(jobs);
        Ok(future::join_all(looks.map(|(look, tracked)| async move {
            let told = match look {
                Some((job, group)) => self.seen(job, group, tracked).await,
                None => self.unseen(tracked, offers).await,
            };
            // One exit code that cannot be read hides no other job.
            told.unwrap_or_else(Observation::Unread)
        }))
        .await)
    }

    /// Recent jobs of one namespace or of all, newest first as far as the API tells.
    pub(super) async fn list_jobs(&self, filter: &ListFilter) -> Result<Listing> {
        let walk = self.walk(filter.namespace.as_deref());
        let (walked, offers) = future::join(walk, self.known_offers()).await;
        let mut listing = Listing::default();
        for (namespace, groups) in walked? {
            let context = Context::unknown(self.place(&namespace, None), offers);
            listing.jobs.extend(groups.groups.iter().map(|group| {
                let job = record::job(group, context);
                match filter.memory_of(&job.job_ref) {
                    Some(tracked) => record::job(group, context.remembering(tracked)),
                    None => job,
                }
            }));
            if let Some(reason) = groups.incomplete {
                listing.truncated.get_or_insert(reason);
            }
        }
        let jobs = std::mem::take(&mut listing.jobs);
        listing.jobs = select(jobs, filter);
        Ok(listing)
    }

    /// Full refs of a bare group id.
    pub(super) async fn resolve_job(&self, id: &str) -> Result<Vec<ResourceRef>> {
        ids::check("job", id, Kind::Usage).map_err(|error| self.named(error))?;
        let walked = self.walk(None).await?;
        Ok(walked
            .iter()
            .flat_map(|(namespace, groups)| {
                let context = Context::unknown(self.place(namespace, None), &[]);
                groups
                    .groups
                    .iter()
                    .filter(|group| group.id == id)
                    .map(move |group| record::job(group, context).job_ref)
            })
            .collect())
    }

    /// Asks for a job's end; a job that has ended already is a success (job-model.md §6.2).
    pub(super) async fn cancel_job(&self, job: &ResourceRef) -> Result<()> {
        let parts = ids::parts("job", job).map_err(|error| self.named(error))?;
        let cluster = match parts.cluster {
            Some(cluster) => cluster.to_owned(),
            None => self.cluster_of(&parts).await?,
        };
        let request = self
            .routes
            .cancel_group(parts.namespace, &cluster, parts.id);
        let Err(error) = self.send_delete(&request).await else {
            return Ok(());
        };
        // What a finished group answers is not documented: its state decides (§3.6, §7.3).
        if matches!(error.kind(), Kind::NotFound | Kind::Rejected)
            && let Ok(Some(group)) = self.get(parts.namespace, &cluster, parts.id).await
            && group.state().is_terminal()
        {
            return Ok(());
        }
        Err(error.with_job(job.to_string()))
    }

    /// The groups of a namespace, in all clusters.
    pub(super) async fn groups(&self, namespace: &str) -> Result<Groups> {
        let list = self
            .read_list(&self.routes.list_groups(namespace), "containerGroups")
            .await?;
        let groups: Vec<Group> = list.items.iter().filter_map(Group::read).collect();
        let unreadable = list.unreadable + list.items.len() - groups.len();
        let list = parse::List { unreadable, ..list };
        Ok(Groups {
            groups,
            incomplete: list.incompleteness("jobs"),
        })
    }

    /// The groups of one namespace (named or configured), else of every namespace of the account.
    async fn walk(&self, named: Option<&str>) -> Result<Vec<(String, Groups)>> {
        if let Some(namespace) = named.or(self.namespace.as_deref()) {
            ids::check("namespace", namespace, Kind::Usage).map_err(|error| self.named(error))?;
            return Ok(vec![(namespace.to_owned(), self.groups(namespace).await?)]);
        }
        let namespaces = self.namespace_ids().await?;
        future::try_join_all(namespaces.into_iter().map(|namespace| async move {
            match self.groups(&namespace).await {
                // It has gone since it was listed.
                Err(error) if error.kind() == Kind::NotFound => Ok((namespace, Groups::default())),
                groups => Ok((namespace, groups?)),
            }
        }))
        .await
    }

    /// The groups among those asked for, by their place in the question.
    async fn observe_namespace(
        &self,
        namespace: &str,
        asked: &[Asked<'_>],
    ) -> Result<Vec<(usize, Group)>> {
        if let [only] = asked
            && let Some(cluster) = only.parts.cluster
            && let Some(group) = self.get(namespace, cluster, only.parts.id).await?
        {
            return Ok(vec![(only.index, group)]);
        }
        // Several jobs, no certain cluster, or a 404 that the list has to confirm (§5.3).
        let listed = match self.groups(namespace).await {
            Err(error) if error.kind() == Kind::NotFound => return Ok(Vec::new()),
            listed => listed?,
        };
        let mut found = Vec::new();
        for one in asked {
            let in_list = listed.groups.iter().find(|group| {
                group.id == one.parts.id
                    && (one.parts.cluster.is_none()
                        || group.cluster().is_none()
                        || group.cluster() == one.parts.cluster)
            });
            if let Some(group) = in_list {
                found.push((one.index, group.clone()));
            } else if asked.len() > 1
                && let Some(cluster) = one.parts.cluster
            {
                // Nobody promises that finished groups stay listed (§3.5).
                let group = self.get(namespace, cluster, one.parts.id).await?;
                found.extend(group.map(|group| (one.index, group)));
            } else if let (None, Some(reason)) = (one.parts.cluster, &listed.incomplete) {
                return Err(self.named(
                    parse::unexpected(format!("job `{}` may exist: {reason}", one.tracked.job_ref))
                        .with_job(one.tracked.job_ref.to_string()),
                ));
            }
        }
        Ok(found)
    }

    /// One group; `None` if the service does not know it.
    async fn get(&self, namespace: &str, cluster: &str, id: &str) -> Result<Option<Group>> {
        let request = self.routes.get_group(namespace, cluster, id);
        let raw = match self.read(&request).await {
            Ok(raw) => raw,
            Err(error) if error.kind() == Kind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match Group::read(&raw) {
            Some(group) => Ok(Some(group)),
            None => Err(self.named(parse::unexpected(format!(
                "the answer about job `{id}` holds no id"
            )))),
        }
    }

    /// The cluster of a job whose ref does not know it.
    async fn cluster_of(&self, parts: &Parts<'_>) -> Result<String> {
        let groups = self.groups(parts.namespace).await?;
        groups
            .groups
            .iter()
            .find(|group| group.id == parts.id)
            .and_then(|group| group.cluster().map(str::to_owned))
            .ok_or_else(|| {
                self.named(Error::new(
                    Kind::NotFound,
                    "job_not_found",
                    format!(
                        "namespace `{}` has no job `{}` whose cluster is told",
                        parts.namespace, parts.id
                    ),
                ))
            })
    }

    /// The cluster of a job that was just created with the wildcard; a warning if nobody tells it.
    async fn look_for_cluster(&self, namespace: &str, id: &str) -> Option<String> {
        let parts = Parts {
            namespace,
            cluster: None,
            id,
        };
        match self.cluster_of(&parts).await {
            Ok(cluster) => Some(cluster),
            Err(error) => {
                self.session.reporter.warning(&format!(
                    "job `{id}` was created, and its cluster is unknown: {error}"
                ));
                None
            }
        }
    }

    fn place<'a>(&'a self, namespace: &'a str, cluster: Option<&'a str>) -> Place<'a> {
        Place {
            provider: &self.name,
            namespace,
            cluster,
        }
    }

    /// The service changed or dropped something: said loudly, since it would be lost without an error (§9.3).
    fn warn_of_differences(&self, plan: &Plan, group: &Group) {
        let Some(request) = plan.requests.first() else {
            return;
        };
        let differences = match echo::differences(request, &group.wire) {
            Ok(differences) => differences,
            Err(error) => vec![error.to_string()],
        };
        for difference in differences {
            self.session.reporter.warning(&format!(
                "job `{}` runs, but is not what was asked for: {difference}",
                group.id
            ));
        }
    }
}

/// What is remembered of a job that was just created: where its script's files are.
fn reading_of(plan: &Plan, job: &Job) -> Option<Value> {
    let upload = plan.uploads.first()?;
    let mut reading = Reading::default();
    reading.at(&upload.volume, &script::folder(&plan.marker));
    reading.has_secrets = script::holds_secrets(plan);
    reading.learn(job);
    reading.kept()
}

/// What is remembered of a job that was found.
fn script_reading(group: &Group, job: &Job) -> Option<Value> {
    let (volume, folder) = script::place_of(group, &job.job_ref)?;
    let mut reading = Reading::default();
    reading.at(&volume, &folder);
    reading.learn(job);
    reading.kept()
}

/// Filters and orders. A job that has not started is among the newest; without a creation time nothing finer is known.
fn select(mut jobs: Vec<Job>, filter: &ListFilter) -> Vec<Job> {
    jobs.retain(|job| {
        let wanted = filter.states.is_empty() || filter.states.contains(&job.state);
        let recent = match (filter.since, job.started_at.or(job.finished_at)) {
            (Some(since), Some(known)) => known >= since,
            (_, _) => true,
        };
        wanted && recent
    });
    jobs.sort_by(|one, other| match (one.started_at, other.started_at) {
        (Some(one), Some(other)) => other.cmp(&one),
        // `None` first: `Option` orders it before every time.
        (one, other) => one.cmp(&other),
    });
    jobs.truncate(filter.limit.unwrap_or(usize::MAX));
    jobs
}
