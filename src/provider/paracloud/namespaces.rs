//! Namespaces: an id and nothing else (paracloud.md §3.1).
//!
//! A create always makes a new one, so none is ever made implicitly.

use std::collections::BTreeSet;

use async_trait::async_trait;

use crate::error::{Error, Kind, Result};
use crate::model::{Namespace, Refusal, RefusalCode};
use crate::provider::{Creation, Namespaces};

use super::{Paracloud, ids, parse};

impl Paracloud {
    /// All namespaces of the account.
    async fn read_namespaces(&self) -> Result<(Vec<Namespace>, bool)> {
        let list = self
            .read_list(&self.routes.list_namespaces(), "namespaces")
            .await?;
        let namespaces = parse::namespaces(&list, self.namespace.as_deref());
        let unreadable = list.unreadable + list.items.len() - namespaces.len();
        let list = parse::List { unreadable, ..list };
        let incompleteness = list.incompleteness("namespaces");
        if let Some(reason) = &incompleteness {
            self.session
                .reporter
                .warning(&format!("`{}`: {reason}", self.name));
        }
        Ok((namespaces, incompleteness.is_none()))
    }

    /// The ids of all namespaces of the account.
    pub(super) async fn namespace_ids(&self) -> Result<Vec<String>> {
        let (namespaces, _) = self.read_namespaces().await?;
        Ok(namespaces
            .into_iter()
            .map(|namespace| namespace.id)
            .collect())
    }

    /// The namespace a create goes to: asked for, configured, or the account's only one. Always a look (§9.4).
    pub(super) async fn choose_namespace(&self, asked: Option<&str>) -> Result<Namespace> {
        if let Some(id) = asked {
            ids::check("namespace", id, Kind::Spec).map_err(|error| self.named(error))?;
        } else if let Some(id) = self.namespace.as_deref() {
            ids::check("configured namespace", id, Kind::Config)
                .map_err(|error| self.named(error))?;
        }
        let (namespaces, whole) = self.read_namespaces().await?;
        choose(asked.or(self.namespace.as_deref()), namespaces, whole)
            .map_err(|error| self.named(error))
    }

    /// Creates a namespace, once; after an unclear end the list before and after is told.
    async fn create_namespace(
        &self,
        name: Option<&str>,
        settings: &[(String, String)],
    ) -> Creation<Namespace> {
        if let Err(error) = Namespaces::check(self, name, settings) {
            return Creation::Refused(error);
        }
        let before = match self.namespace_ids().await {
            Ok(ids) => ids,
            Err(error) => return Creation::Refused(error),
        };
        let template = match self.routes.create_namespace() {
            Ok(template) => template,
            Err(error) => return Creation::Refused(self.named(error)),
        };
        let unclear = match self.session.send(&template).await {
            Ok(answer) => {
                let created = parse::object(&answer, template.operation)
                    .ok()
                    .as_ref()
                    .and_then(parse::namespace);
                match created {
                    Some(namespace) => return Creation::Accepted(namespace),
                    None => Creation::Ambiguous(self.named(parse::unexpected(
                        "the answer to the create holds no id".to_owned(),
                    ))),
                }
            }
            Err(failure) => self.unsuccessful(failure),
        };
        match unclear {
            Creation::Ambiguous(error) => {
                let after = self.namespace_ids().await.unwrap_or_default();
                Creation::Ambiguous(with_newcomers(error, "namespace", &before, after))
            }
            settled @ (Creation::Accepted(_) | Creation::Refused(_)) => settled,
        }
    }
}

#[async_trait]
impl Namespaces for Paracloud {
    async fn list(&self) -> Result<Vec<Namespace>> {
        Ok(self.read_namespaces().await?.0)
    }

    fn check(&self, name: Option<&str>, settings: &[(String, String)]) -> Result<()> {
        let refusals = refusals(name, settings);
        if refusals.is_empty() {
            Ok(())
        } else {
            Err(Error::refused(&self.name, refusals))
        }
    }

    async fn create(
        &self,
        name: Option<&str>,
        settings: &[(String, String)],
    ) -> Creation<Namespace> {
        self.create_namespace(name, settings).await
    }

    /// Whether content is deleted too is not documented: any volume and any job that has not ended speaks against it.
    async fn obstacles(&self, id: &str) -> Result<Vec<String>> {
        ids::check("namespace", id, Kind::Usage).map_err(|error| self.named(error))?;
        let groups = self.groups(id).await?;
        let volumes = self.volumes_of(id).await?;
        let jobs = groups
            .groups
            .iter()
            .filter(|group| !group.state().is_terminal())
            .map(|group| format!("job `{}` is {}", group.id, group.state()));
        let volumes = volumes
            .iter()
            .map(|volume| format!("volume `{}` is in it", volume.id));
        Ok(jobs.chain(volumes).chain(groups.incomplete).collect())
    }

    async fn delete(&self, id: &str, _force: bool) -> Result<()> {
        ids::check("namespace", id, Kind::Usage).map_err(|error| self.named(error))?;
        let template = self.routes.delete_namespace(id);
        self.send_delete(&template).await.map_err(|error| {
            if error.kind() == Kind::Rejected {
                error.with_hint("delete its volumes and cancel its jobs first")
            } else {
                error
            }
        })
    }
}

/// The namespace among those that exist; `whole` tells whether the list can prove an absence.
fn choose(wanted: Option<&str>, namespaces: Vec<Namespace>, whole: bool) -> Result<Namespace> {
    let ids: Vec<String> = namespaces
        .iter()
        .map(|namespace| namespace.id.clone())
        .collect();
    let mut namespaces = namespaces.into_iter();
    if let Some(wanted) = wanted {
        return match namespaces.find(|namespace| namespace.id == wanted) {
            Some(namespace) => Ok(namespace),
            None if !whole => Ok(Namespace {
                id: wanted.to_owned(),
                name: None,
                default: None,
                raw: serde_json::Value::Null,
            }),
            None => Err(Error::new(
                Kind::NotFound,
                "namespace_not_found",
                format!("the account has no namespace `{wanted}`"),
            )
            .with_hint("`gpujob namespaces list` shows those there are")
            .with_candidates(ids)),
        };
    }
    match (namespaces.next(), ids.len()) {
        (Some(only), 1) if whole => Ok(only),
        (None, _) => Err(Error::new(
            Kind::Config,
            "no_namespace",
            "the account has no namespace, and a job needs one",
        )
        .with_hint("create one: gpujob namespaces create")),
        (Some(_), _) => Err(Error::new(
            Kind::Config,
            "ambiguous_namespace",
            format!(
                "the account has several namespaces and none is chosen: `{}`",
                ids.join("`, `")
            ),
        )
        .with_hint("set `namespace` in the configuration, or `placement.namespace` in the spec")
        .with_candidates(ids)),
    }
}

/// A namespace has no name and no settings (§3.1).
fn refusals(name: Option<&str>, settings: &[(String, String)]) -> Vec<Refusal> {
    let unsupported = |field: String| {
        let message =
            format!("a namespace on Paracloud has no `{field}`: the service chooses its id");
        Refusal::new(RefusalCode::UnsupportedField, field, message)
            .with_alternative("leave it out, and note the id that is printed")
    };
    name.map(|_| unsupported("name".to_owned()))
        .into_iter()
        .chain(settings.iter().map(|(key, _)| unsupported(key.clone())))
        .collect()
}

/// Names what has appeared since an unclear create: it may be the lost one, or somebody else's.
pub(super) fn with_newcomers(
    error: Error,
    what: &str,
    before: &[String],
    after: Vec<String>,
) -> Error {
    let before: BTreeSet<&String> = before.iter().collect();
    let new: Vec<String> = after
        .into_iter()
        .filter(|id| !before.contains(id))
        .collect();
    let hint = if new.is_empty() {
        format!("no new {what} is listed yet; `gpujob {what}s list` shows later whether one came")
    } else {
        format!(
            "since the create there is {what} `{}`; it may be the one that was asked for",
            new.join("`, `")
        )
    };
    error.with_hint(hint).with_candidates(new)
}
