//! The reads before a create: a catalogue with fresh marks, and the volumes (gongji.md §2.3, §3, §4).

use std::collections::BTreeSet;

use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::http::Answer;
use crate::model::Offer;
use crate::provider::Survey;
use crate::spec::JobSpec;

use super::api::Audience;
use super::storage::StorageKind;
use super::{Gongji, data_of, mounts, offers};

impl Gongji {
    /// What a submit must know. Marks are good for one create soon after, so nothing is kept from earlier.
    pub(super) async fn look_around(&self, spec: &JobSpec) -> Result<Survey> {
        let kinds: BTreeSet<StorageKind> = mounts::kinds(spec);
        let mut volumes = Vec::new();
        for kind in kinds {
            volumes.extend(self.volumes_of(kind).await?);
        }
        // Last, so that the marks are as fresh as can be.
        let offers = self.catalogue().await?;
        Ok(Survey {
            namespace: None,
            offers,
            volumes,
            as_of: Some(self.now()),
            ..Survey::default()
        })
    }

    /// Every offer. The documentation lists no jobs as an audience: where that is refused or empty, deployments' list
    /// is taken once, and said (§10 no. 7).
    pub(super) async fn catalogue(&self) -> Result<Vec<Offer>> {
        let for_jobs = self.read(&self.api.search_resources(Audience::Job)).await;
        let why = match for_jobs {
            Ok(data) => {
                let offers = offers::catalogue(&data, self.now());
                if !offers.is_empty() {
                    return Ok(offers);
                }
                "is empty".to_owned()
            }
            Err(error) if error.kind() == Kind::Rejected => format!("was refused ({error})"),
            Err(error) => return Err(error),
        };
        let data = self
            .read(&self.api.search_resources(Audience::Deployment))
            .await?;
        let offers = offers::catalogue(&data, self.now());
        if !offers.is_empty() {
            self.session.reporter.note(&format!(
                "`{}`: the list of types for jobs {why}; taking the one for deployments",
                self.name
            ));
        }
        Ok(offers)
    }

    /// Sends a read and gives the `data` of its answer; null where there is none.
    pub(super) async fn read(&self, template: &crate::http::Template) -> Result<Value> {
        let answer: Answer = self
            .session
            .send(template)
            .await
            .map_err(|failure| self.named(failure.error))?;
        Ok(data_of(&answer))
    }

    /// The answer could not be read as what it must be.
    pub(super) fn unreadable(&self, operation: &str, why: &str) -> Error {
        self.named(
            Error::new(
                Kind::Protocol,
                "unexpected_answer",
                format!("the answer to `{operation}` {why}"),
            )
            .with_hint("check `base-url`, and what `--trace-http` shows"),
        )
    }
}
