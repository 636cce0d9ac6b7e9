//! The reads before a create: workspace, catalogue, datasets (job-model.md §8).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::model::{Gpu, Job, Namespace, Offer, Volume};
use crate::provider::Survey;
use crate::spec::JobSpec;

use super::api::Site;
use super::lenient;
use super::pages::Pages;
use super::wire::{EcsSpecPage, JobAnswer};
use super::{PaiDlc, datasets, draft, mounts, offers, workspaces};

impl PaiDlc {
    /// Region and workspace of a job.
    pub(super) fn place<'a>(&'a self, spec: &'a JobSpec) -> Result<(Site, &'a str)> {
        let site = match spec.placement.region.as_deref() {
            Some(region) => self.site(region)?,
            None => self.home.clone(),
        };
        let workspace = self.workspace(draft::workspace_of(None, spec))?;
        Ok((site, workspace))
    }

    /// What a submit must know. A quota is sized by numbers, so it needs no catalogue.
    pub(super) async fn look_around(&self, spec: &JobSpec) -> Result<Survey> {
        let (site, workspace) = self.place(spec)?;
        let namespace = self.look_up_workspace(&site, workspace).await?;
        let has_quota = spec
            .placement
            .queue
            .as_deref()
            .is_some_and(|queue| !queue.is_empty());
        let offers = if has_quota {
            Vec::new()
        } else {
            self.catalogue(&site, &[]).await?
        };
        let mut volumes = Vec::new();
        for id in mounts::dataset_ids(spec) {
            volumes.extend(self.look_up_dataset(&site, id).await?);
        }
        Ok(Survey {
            namespace,
            offers,
            volumes,
            as_of: Some(self.now()),
            ..Survey::default()
        })
    }

    /// The workspace, or `None` where this key may submit jobs but not look at workspaces.
    async fn look_up_workspace(&self, site: &Site, workspace: &str) -> Result<Option<Namespace>> {
        let value = match self.read(&site.get_workspace(workspace)).await {
            Ok(value) => value,
            Err(error) if is_missing_permission(&error) => return Ok(None),
            Err(error) if error.kind() == Kind::NotFound => {
                return Err(error.with_hint(format!(
                    "there is no workspace `{workspace}` in `{}`; `gpujob namespaces list` shows them",
                    site.region
                )));
            }
            Err(error) => return Err(error),
        };
        Ok(workspaces::namespace(&value))
    }

    /// One dataset; `None` where there is none.
    pub(super) async fn look_up_dataset(&self, site: &Site, id: &str) -> Result<Option<Volume>> {
        match self.read(&site.get_dataset(id)).await {
            Ok(value) => Ok(datasets::volume(&value, &self.name, &site.region)),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Instance types of a region, all pages; only those named, if any are.
    pub(super) async fn catalogue(&self, site: &Site, types: &[&str]) -> Result<Vec<Offer>> {
        let mut pages = Pages::new("InstanceType");
        let mut number = 1;
        loop {
            let value = self.read(&site.list_ecs_specs(types, number)).await?;
            let page = EcsSpecPage::deserialize(&value)
                .map_err(|error| self.unreadable("ListEcsSpecs", &error.to_string()))?;
            if !pages.add(page.ecs_specs, page.total_count) {
                break;
            }
            number += 1;
        }
        let now = self.now();
        let mut offers: Vec<Offer> = pages
            .into_items()
            .iter()
            .filter_map(|entry| offers::offer(entry, &site.region, now))
            .collect();
        offers::sort(&mut offers);
        Ok(offers)
    }

    /// Adds the cards of jobs on public resources: the job names its type only, the catalogue knows the cards. One
    /// request for all types that were not asked for before; a record is worth having without them, so that a
    /// look-up that fails is no failure.
    pub(super) async fn add_cards(&self, site: &Site, jobs: &mut [&mut Job]) {
        let key = |name: &str| format!("{}/{name}", site.region);
        let mut unknown: Vec<String> = Vec::new();
        for name in jobs.iter().filter_map(|job| untold_type(job)) {
            let is_known = self.known_cards(|cards| cards.contains_key(&key(&name)));
            if !is_known && !unknown.contains(&name) {
                unknown.push(name);
            }
        }
        if !unknown.is_empty() {
            let names: Vec<&str> = unknown.iter().map(String::as_str).collect();
            let offers = match self.catalogue(site, &names).await {
                Ok(offers) => offers,
                Err(error) => {
                    let text = format!(
                        "the cards of `{}` are not known: {error}",
                        names.join("`, `")
                    );
                    self.session.reporter.detail(1, &text);
                    Vec::new()
                }
            };
            self.known_cards(|cards| {
                for name in unknown {
                    let offer = offers.iter().find(|offer| offer.id == name);
                    cards.insert(key(&name), offer.and_then(|offer| offer.gpu.clone()));
                }
            });
        }
        for job in jobs {
            let Some(name) = untold_type(job) else {
                continue;
            };
            if let Some(gpu) = self.known_cards(|cards| cards.get(&key(&name)).cloned().flatten()) {
                job.gpu = Some(gpu);
            }
        }
    }

    /// The lock is held for this call only.
    fn known_cards<T>(&self, call: impl FnOnce(&mut BTreeMap<String, Option<Gpu>>) -> T) -> T {
        let mut cards = self
            .cards
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        call(&mut cards)
    }

    /// Sends a read and gives its answer as JSON.
    pub(super) async fn read(&self, template: &crate::http::Template) -> Result<Value> {
        let answer = self.ask(template).await?;
        lenient::json(&answer)
            .map_err(|error| self.unreadable(template.operation, &format!("is no JSON: {error}")))
    }
}

/// The instance type of a job that has cards of which the job itself does not tell the model.
fn untold_type(job: &Job) -> Option<String> {
    if job.gpu.as_ref().is_some_and(|gpu| gpu.model.is_some()) {
        return None;
    }
    let answer = JobAnswer::deserialize(&job.raw).ok()?;
    // A total of zero needs no look-up.
    if answer.request_gpu.is_some_and(|total| total <= 0.0) {
        return None;
    }
    answer.job_specs.into_iter().next()?.ecs_spec
}

/// Known keys without a RAM permission, as opposed to keys that are refused.
fn is_missing_permission(error: &Error) -> bool {
    let code = error.details().provider_code.as_deref().unwrap_or_default();
    error.kind() == Kind::Auth
        && code != "Forbidden.AccessKeyDisabled"
        && (code.starts_with("Forbidden") || code.starts_with("NoPermission"))
}
