//! What the account has from the beginning: users, workspaces, quotas and instance types, as data files.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::query::Query;
use super::reply::{Body, Refusal};

const ACCOUNT: &str = include_str!("data/account.json");
const SPECS: &str = include_str!("data/specs.json");

/// Everything that no request changes.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    pub(super) own: User,
    pub(super) colleague: User,
    workspaces: Vec<Workspace>,
    quotas: Vec<Quota>,
    specs: Vec<Spec>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Account {
    users: Vec<User>,
    workspaces: Vec<Map<String, Value>>,
    quotas: Vec<Quota>,
}

/// A user of the account.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) name: String,
}

/// A quota: resources bought beforehand, named by `ResourceId`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Quota {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) resource_type: String,
    pub(super) level: String,
}

/// A workspace, with its answer as it stands in the data file.
#[derive(Debug, Clone)]
pub(super) struct Workspace {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) enabled: bool,
    is_default: bool,
    shown: Map<String, Value>,
}

/// An instance type, with its answer as it stands in the data file.
#[derive(Debug, Clone)]
pub(super) struct Spec {
    pub(super) facts: SpecFacts,
    shown: Value,
}

/// What the emulator itself reads of an instance type (§3.8).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct SpecFacts {
    pub(super) instance_type: String,
    pub(super) accelerator_type: String,
    pub(super) cpu: u64,
    pub(super) gpu: u64,
    memory: u64,
    pub(super) is_available: bool,
    pub(super) resource_type: String,
    pub(super) payment_types: Vec<String>,
}

impl SpecFacts {
    /// Memory in MiB: "Mi or Gi" in the page, so a value above 8192 is MiB.
    pub(super) fn memory_mebibytes(&self) -> u64 {
        if self.memory > 8192 {
            self.memory
        } else {
            self.memory * 1024
        }
    }

    /// Whether it can be had at the spot price.
    pub(super) fn sells_spot(&self) -> bool {
        self.payment_types.iter().any(|payment| payment == "Spot")
    }
}

impl Catalogue {
    /// Reads the data files; a test sees to it that they can be read.
    pub(super) fn load() -> Self {
        let account: Account = serde_json::from_str(ACCOUNT).unwrap_or_default();
        let specs: Vec<Value> = serde_json::from_str(SPECS).unwrap_or_default();
        let mut users = account.users.into_iter();
        Self {
            own: users.next().unwrap_or_default(),
            colleague: users.next().unwrap_or_default(),
            workspaces: account.workspaces.into_iter().map(workspace).collect(),
            quotas: account.quotas,
            specs: specs
                .into_iter()
                .filter_map(|shown| {
                    Some(Spec {
                        facts: SpecFacts::deserialize(&shown).ok()?,
                        shown,
                    })
                })
                .collect(),
        }
    }

    /// The user of an id.
    pub(super) fn user(&self, id: &str) -> &User {
        if self.colleague.id == id {
            &self.colleague
        } else {
            &self.own
        }
    }

    /// The workspace of an id, or the default one for none.
    pub(super) fn workspace(&self, id: Option<&str>) -> Result<&Workspace, Refusal> {
        self.workspaces
            .iter()
            .find(|workspace| match id {
                Some(id) => workspace.id == id,
                None => workspace.is_default,
            })
            .ok_or_else(|| Refusal::not_found("Workspace", id.unwrap_or("(default)")))
    }

    /// The quota of an id.
    pub(super) fn quota(&self, id: &str) -> Result<&Quota, Refusal> {
        self.quotas
            .iter()
            .find(|quota| quota.id == id)
            .ok_or_else(|| Refusal::not_found("Quota", id))
    }

    /// The instance type of a name.
    pub(super) fn spec(&self, name: &str) -> Option<&SpecFacts> {
        self.specs
            .iter()
            .map(|spec| &spec.facts)
            .find(|facts| facts.instance_type == name)
    }

    /// `ListEcsSpecs` (§3.8).
    pub(super) fn list_specs(&self, query: &Query, sold_out: bool) -> Result<Body, Refusal> {
        // The model has four values for it; the server refuses every one of them.
        if query.text("SortBy").is_some() {
            return Err(Refusal::invalid("SortBy is not supported."));
        }
        let ascending = query.ascending(true)?;
        let accelerator = query.word("AcceleratorType", &["CPU", "GPU"])?;
        let resource = query.word("ResourceType", &["ECS", "Lingjun"])?;
        let names = query.list("InstanceTypes");
        let page = query.page(10)?;
        let mut found: Vec<Value> = self
            .specs
            .iter()
            .filter(|spec| {
                accelerator.is_none_or(|wanted| spec.facts.accelerator_type == wanted)
                    && resource.is_none_or(|wanted| spec.facts.resource_type == wanted)
                    && names
                        .as_ref()
                        .is_none_or(|names| names.contains(&spec.facts.instance_type.as_str()))
            })
            .map(|spec| spec.shown.clone())
            .collect();
        if !ascending {
            found.reverse();
        }
        if sold_out {
            for spec in &mut found {
                if let Value::Object(members) = spec {
                    members.insert("IsAvailable".to_owned(), json!(false));
                    members.shift_remove("SpotStockStatus");
                }
            }
        }
        Ok(counted("EcsSpecs", found.len(), page.of(found)))
    }

    /// `ListWorkspaces` (§6.1).
    pub(super) fn list_workspaces(&self, query: &Query) -> Result<Body, Refusal> {
        let option = query.word("Option", &["GetWorkspaces", "GetResourceLimits"])?;
        if option == Some("GetResourceLimits") {
            let mut body = Body::new();
            body.insert("ResourceLimits".to_owned(), json!({}));
            body.insert("TotalCount".to_owned(), json!(0));
            return Ok(body);
        }
        let sort = query
            .word("SortBy", &["GmtCreateTime", "GmtModifiedTime"])?
            .unwrap_or("GmtCreateTime");
        let ascending = query.ascending(true)?;
        let page = query.page(20)?;
        let ids = query.list("WorkspaceIds");
        let member = |workspace: &Workspace, name: &str| -> String {
            let value = workspace.shown.get(name).and_then(Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        let mut found: Vec<&Workspace> = self
            .workspaces
            .iter()
            .filter(|workspace| {
                let fits = |parameter: &str, name: &str| {
                    query
                        .text(parameter)
                        .is_none_or(|wanted| member(workspace, name) == wanted)
                };
                ids.as_ref()
                    .is_none_or(|ids| ids.contains(&workspace.id.as_str()))
                    && query
                        .text("WorkspaceName")
                        .is_none_or(|part| workspace.name.contains(part))
                    && fits("Status", "Status")
                    && fits("ResourceGroupId", "resourceGroupId")
                    && fits("UserId", "Creator")
            })
            .collect();
        found.sort_by_key(|workspace| member(workspace, sort));
        if !ascending {
            found.reverse();
        }
        let only_ids = query.text("Fields") == Some("Id");
        let shown: Vec<Value> = found
            .iter()
            .map(|workspace| {
                if only_ids {
                    json!({ "WorkspaceId": workspace.id })
                } else {
                    Value::Object(workspace.shown.clone())
                }
            })
            .collect();
        Ok(counted("Workspaces", shown.len(), page.of(shown)))
    }

    /// `GetWorkspace` and `GetDefaultWorkspace`.
    pub(super) fn show_workspace(&self, id: Option<&str>) -> Result<Body, Refusal> {
        let workspace = self.workspace(id)?;
        let mut body = workspace.shown.clone();
        let owner = body.get("Creator").and_then(Value::as_str);
        let owner = self.user(owner.unwrap_or_default());
        body.insert(
            "Owner".to_owned(),
            json!({ "UserId": owner.id, "UserKp": owner.id, "UserName": owner.name }),
        );
        Ok(body)
    }
}

/// A list with `TotalCount`, as all lists of the two products are.
pub(super) fn counted(name: &str, total: usize, items: Vec<Value>) -> Body {
    let mut body = Body::new();
    body.insert(name.to_owned(), Value::Array(items));
    body.insert("TotalCount".to_owned(), json!(total));
    body
}

fn workspace(shown: Map<String, Value>) -> Workspace {
    let text = |name: &str| {
        let value = shown.get(name).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    Workspace {
        id: text("WorkspaceId"),
        name: text("WorkspaceName"),
        enabled: text("Status") == "ENABLED",
        is_default: shown.get("IsDefault") == Some(&Value::Bool(true)),
        shown,
    }
}
