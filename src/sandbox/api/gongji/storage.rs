//! Object storage and shared volumes, which can only be listed and mounted (gongji.md §4.1).

use serde_json::{Value, json};

use super::credentials::OWN;
use super::job::Job;
use super::query::{Page, Query};
use super::reply::Refusal;

const DATA: &str = include_str!("data/storage.json");

/// Kinds, and the first is meant if none is said.
const KINDS: [&str; 2] = ["Juicefs", "ShareStorage"];

const STATUSES: [&str; 3] = ["Activate", "Unactivated", "Delete"];

fn volumes(tenant: &str) -> Vec<Value> {
    // The other account has none.
    if tenant == OWN {
        serde_json::from_str(DATA).unwrap_or_default()
    } else {
        Vec::new()
    }
}

/// `GET /api/storage/get_storage`.
pub(super) fn list(query: &Query, tenant: &str, jobs: &[Job]) -> Result<Value, Refusal> {
    let kind = query.word("storage_type", &KINDS)?.unwrap_or("Juicefs");
    let statuses = query.words("status", &STATUSES)?;
    if query.text("page").is_some() != query.text("page_size").is_some() {
        return Err(Refusal::parameter(
            "give both of page and page_size or neither",
        ));
    }
    let page = Page::read(query)?;
    let is_paged = query.text("page").is_some();
    let found: Vec<Value> = volumes(tenant)
        .into_iter()
        .filter(|row| *member(row, "storage_type") == kind)
        .filter(|row| {
            statuses.as_ref().is_none_or(|statuses| {
                member(row, "status")
                    .as_str()
                    .is_some_and(|status| statuses.contains(&status))
            })
        })
        .map(|row| with_deployments(row, kind, tenant, jobs))
        .collect();
    let count = found.len();
    let rows = if is_paged { page.of(found) } else { found };
    Ok(json!({ "count": count, "results": rows }))
}

/// Adds the jobs that use a volume.
fn with_deployments(mut row: Value, kind: &str, tenant: &str, jobs: &[Job]) -> Value {
    let id = member(&row, "storage_id").as_i64();
    let mut deployments = Vec::new();
    for job in jobs
        .iter()
        .filter(|job| job.tenant == tenant && !job.phase.is_over())
    {
        for service in &job.request.services {
            let mounts = if kind == "Juicefs" {
                &service.storage_config
            } else {
                &service.share_storage_config
            };
            for mount in mounts.iter().flatten() {
                if Some(mount.storage_id) == id {
                    deployments.push(json!({
                        "deployment_id": job.id,
                        "deployment_name": job.request.task_name,
                        "target_dir": mount.target_dir,
                        "task_type": "Job",
                        "regions": [],
                    }));
                }
            }
        }
    }
    if !deployments.is_empty()
        && let Some(members) = row.as_object_mut()
    {
        members.insert("deployments".to_owned(), Value::Array(deployments));
    }
    row
}

/// The regions in which a volume can be mounted now.
pub(super) fn mountable(tenant: &str, kind: &str, id: i64) -> Result<Vec<String>, Refusal> {
    let row = volumes(tenant)
        .into_iter()
        .find(|row| *member(row, "storage_type") == kind && *member(row, "storage_id") == id)
        .ok_or_else(Refusal::not_found)?;
    if *member(&row, "status") != "Activate" {
        return Err(Refusal::rule("the storage is not activated"));
    }
    let regions = if kind == "Juicefs" {
        member(&row, "activate_regions")
    } else {
        member(&row, "regions")
    };
    Ok(regions
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|region| member(region, "tag").as_str())
        .map(str::to_owned)
        .collect())
}

/// A member, null if there is none.
fn member<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}
