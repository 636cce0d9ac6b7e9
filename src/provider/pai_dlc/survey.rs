//! The reads before a create: workspace, catalogue, datasets (job-model.md §8).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::model::{Gpu, Namespace, Offer, Volume};
use crate::provider::Survey;
use crate::spec::JobSpec;

use super::api::Site;
use super::pages::Pages;
use super::wire::EcsSpecPage;
use super::{PaiDlc, datasets, draft, mounts, offers, workspaces};

impl PaiDlc {
    /// What a submit must know. A quota is sized by numbers, so it needs no catalogue.
    pub(super) async fn look_around(&self, spec: &JobSpec) -> Result<Survey> {
        let site = match spec.placement.region.as_deref() {
            Some(region) => self.site(region)?,
            None => self.home.clone(),
        };
        let workspace = self.workspace(draft::workspace_of(None, spec))?;
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

    /// The cards of one instance type, asked for once; `None` where nobody tells. A job's record is worth having
    /// without them, so a failed look-up is no failure.
    pub(super) async fn cards_of(&self, site: &Site, instance_type: &str) -> Option<Gpu> {
        let key = format!("{}/{instance_type}", site.region);
        if let Some(known) = self.known_cards(|cards| cards.get(&key).cloned()) {
            return known;
        }
        let gpu = match self.catalogue(site, &[instance_type]).await {
            Ok(offers) => offers
                .into_iter()
                .find(|offer| offer.id == instance_type)
                .and_then(|offer| offer.gpu),
            Err(error) => {
                self.session.reporter.detail(
                    1,
                    &format!("the cards of `{instance_type}` are not known: {error}"),
                );
                None
            }
        };
        self.known_cards(|cards| cards.insert(key, gpu.clone()));
        gpu
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
        answer
            .json()
            .map_err(|error| self.unreadable(template.operation, &format!("is no JSON: {error}")))
    }
}

/// Known keys without a RAM permission, as opposed to keys that are refused.
fn is_missing_permission(error: &Error) -> bool {
    let code = error.details().provider_code.as_deref().unwrap_or_default();
    error.kind() == Kind::Auth
        && code != "Forbidden.AccessKeyDisabled"
        && (code.starts_with("Forbidden") || code.starts_with("NoPermission"))
}
