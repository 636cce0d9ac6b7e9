//! What `CreateJob` checks before it accepts a job (pai-dlc.md §5, §11.3).

use super::catalogue::{Catalogue, Quota, Workspace};
use super::datasets::Datasets;
use super::mounting::{Mount, mounts};
use super::reply::Refusal;
use super::request::{JobRequest, JobSpec};
use super::resources::{Resources, Totals};

/// "The whole parameter set" of `CreateJob` (§2.6).
pub(super) const LARGEST_BODY: usize = 65_536;

/// A pod is a process of this machine: more of them is what no stock looks like.
const MOST_PODS: i64 = 64;

/// What the checks found out.
#[derive(Debug)]
pub(super) struct Admission {
    pub(super) workspace: Workspace,
    pub(super) quota: Option<Quota>,
    pub(super) resource_type: String,
    pub(super) totals: Totals,
    /// There is none of it, but the job asked to queue for it.
    pub(super) waits_for_stock: bool,
    pub(super) mounts: Vec<Mount>,
}

/// Checks a job. `sold_out` says that there is no stock of anything.
pub(super) fn check(
    job: &JobRequest,
    catalogue: &Catalogue,
    datasets: &Datasets,
    sold_out: bool,
) -> Result<Admission, Refusal> {
    check_words(job)?;
    check_settings(job)?;
    let workspace = Some(job.workspace_id.as_str()).filter(|id| !id.is_empty());
    let workspace = catalogue.workspace(workspace)?;
    if !workspace.enabled {
        return Err(Refusal::bad_request(format!(
            "Workspace {} is not enabled.",
            workspace.id
        )));
    }
    if !job.template_id.is_empty() {
        return Err(Refusal::not_found("Job template", &job.template_id));
    }
    let quota = if job.is_on_quota() {
        Some(catalogue.quota(&job.resource_id)?)
    } else {
        None
    };
    let mut resources = Resources::default();
    for (index, spec) in job.job_specs.iter().enumerate() {
        let path = format!("JobSpecs[{index}]");
        check_role(job, spec, &path)?;
        resources.add(spec, &path, quota, catalogue)?;
    }
    check_roles_differ(job)?;
    let mounts = mounts(job, &workspace.id, datasets)?;
    if resources.pods > MOST_PODS {
        return Err(Refusal::no_capacity(format!(
            "there are not enough machines for {} pods.",
            resources.pods
        )));
    }
    let short = resources.short || (sold_out && quota.is_none());
    if short && !job.settings.disable_ecs_stock_check {
        return Err(Refusal::no_capacity(
            "the requested instance type is out of stock.",
        ));
    }
    Ok(Admission {
        workspace: workspace.clone(),
        resource_type: quota.map_or(resources.resource_type, |quota| quota.resource_type.clone()),
        quota: quota.cloned(),
        totals: resources.totals,
        waits_for_stock: short,
        mounts,
    })
}

/// Members of the top level.
fn check_words(job: &JobRequest) -> Result<(), Refusal> {
    for (name, value) in [
        ("DisplayName", &job.display_name),
        ("JobType", &job.job_type),
        ("UserCommand", &job.user_command),
    ] {
        if value.is_empty() {
            return Err(Refusal::invalid(format!("{name} is required.")));
        }
    }
    if job.job_specs.is_empty() {
        return Err(Refusal::invalid("JobSpecs is required."));
    }
    let name = &job.display_name;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if name.len() > 256 || !name.bytes().all(allowed) {
        return Err(Refusal::invalid(
            "DisplayName must be 1 to 256 letters, digits, underscores, dots or hyphens.",
        ));
    }
    if job
        .priority
        .is_some_and(|priority| !(1..=9).contains(&priority))
    {
        return Err(Refusal::invalid("Priority must be from 1 to 9."));
    }
    if job.job_max_running_time_minutes < 0 {
        return Err(Refusal::invalid(
            "JobMaxRunningTimeMinutes must not be negative.",
        ));
    }
    one_of("Accessibility", &job.accessibility, &["PRIVATE", "PUBLIC"])?;
    if job
        .custom_envs
        .iter()
        .any(|variable| variable.key.is_empty())
    {
        return Err(Refusal::invalid("CustomEnvs: Key is required."));
    }
    if let Some(vpc) = &job.user_vpc {
        if vpc.vpc_id.is_empty() {
            return Err(Refusal::invalid("UserVpc.VpcId is required."));
        }
        if !vpc.switch_id.is_empty() && vpc.extended_cidrs.is_empty() {
            return Err(Refusal::invalid(
                "UserVpc.ExtendedCIDRs is required when SwitchId is given.",
            ));
        }
        one_of(
            "UserVpc.DefaultRoute",
            &vpc.default_route,
            &["eth0", "eth1"],
        )?;
    }
    Ok(())
}

fn check_settings(job: &JobRequest) -> Result<(), Refusal> {
    let settings = &job.settings;
    if settings.job_reserved_minutes < 0 {
        return Err(Refusal::invalid(
            "Settings.JobReservedMinutes must not be negative.",
        ));
    }
    one_of(
        "Settings.JobReservedPolicy",
        &settings.job_reserved_policy,
        &["Always", "OnFailure", "OnSucceed"],
    )?;
    one_of(
        "Settings.OversoldType",
        &settings.oversold_type,
        &[
            "ForbiddenQuotaOverSold",
            "ForceQuotaOverSold",
            "AcceptQuotaOverSold",
        ],
    )?;
    if !job.success_policy.is_empty() && job.job_type != "TFJob" {
        return Err(Refusal::invalid("SuccessPolicy is for TFJob only."));
    }
    one_of(
        "SuccessPolicy",
        &job.success_policy,
        &["AllWorkers", "ChiefWorker", "Partial"],
    )
}

/// An empty value counts as absent.
pub(super) fn one_of(name: &str, value: &str, words: &[&str]) -> Result<(), Refusal> {
    if value.is_empty() || words.contains(&value) {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "{name} must be one of {}, not `{value}`.",
        words.join(", ")
    )))
}

/// Type and role go together, both case-sensitive and without aliases (§5.2).
fn check_role(job: &JobRequest, spec: &JobSpec, path: &str) -> Result<(), Refusal> {
    let role = spec.role.as_str();
    if role.is_empty() {
        return Err(Refusal::invalid(format!("{path}.Type is required.")));
    }
    let fits = match job.job_type.as_str() {
        "PyTorchJob" | "MPIJob" | "XGBoostJob" | "OneFlowJob" | "ElasticBatchJob" => {
            matches!(role, "Worker" | "Master")
        }
        "TFJob" => matches!(
            role,
            "Chief" | "PS" | "Worker" | "Evaluator" | "GraphLearn" | "Master"
        ),
        "RayJob" => {
            matches!(role, "Head" | "Worker")
                || role
                    .strip_prefix("Worker-")
                    .is_some_and(|group| !group.is_empty())
        }
        // Their roles are not documented.
        "SlurmJob" | "DataJuicerJob" | "FlinkBatchJob" => true,
        other => {
            return Err(Refusal::invalid(format!(
                "JobType `{other}` is not supported."
            )));
        }
    };
    if !fits {
        return Err(Refusal::invalid(format!(
            "{path}.Type `{role}` does not fit JobType {}.",
            job.job_type
        )));
    }
    if spec.image.is_empty() {
        return Err(Refusal::invalid(format!("{path}.Image is required.")));
    }
    one_of(
        &format!("{path}.RestartPolicy"),
        &spec.restart_policy,
        &["Always", "Never", "OnFailure", "ExitCode"],
    )
}

/// Two entries of one role would have pods of the same names.
fn check_roles_differ(job: &JobRequest) -> Result<(), Refusal> {
    let mut roles: Vec<&str> = job
        .job_specs
        .iter()
        .map(|spec| spec.role.as_str())
        .collect();
    roles.sort_unstable();
    let before = roles.len();
    roles.dedup();
    if roles.len() == before {
        Ok(())
    } else {
        Err(Refusal::invalid("JobSpecs has a Type twice."))
    }
}
