//! What `CreateJob` checks before it accepts a job (pai-dlc.md §5, §11.3).

use serde_json::Value;

use super::catalogue::{Catalogue, Quota, SpecFacts, Workspace};
use super::datasets::Datasets;
use super::reply::Refusal;
use super::request::{DataSource, JobRequest, JobSpec, ResourceConfig, SpotSpec};

/// "The whole parameter set" of `CreateJob` (§2.6).
pub(super) const LARGEST_BODY: usize = 65_536;

/// Where a dataset is mounted if neither job nor dataset says it.
pub(super) const USUAL_MOUNT_PATH: &str = "/mnt/data/";

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

/// What all pods together take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) cpu: u64,
    pub(super) gpu: u64,
    pub(super) memory_mebibytes: u64,
}

/// A place of storage and where pods see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    /// Empty if the job named the place itself.
    pub(super) dataset: String,
    pub(super) uri: String,
    pub(super) path: String,
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
fn one_of(name: &str, value: &str, words: &[&str]) -> Result<(), Refusal> {
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

#[derive(Debug, Default)]
struct Resources {
    pods: i64,
    totals: Totals,
    resource_type: String,
    short: bool,
}

impl Resources {
    /// Public: `EcsSpec` and no `ResourceId`. Quota: `ResourceConfig` and `ResourceId` (§5.3).
    fn add(
        &mut self,
        spec: &JobSpec,
        path: &str,
        quota: Option<&Quota>,
        catalogue: &Catalogue,
    ) -> Result<(), Refusal> {
        let pods = spec
            .pod_count
            .filter(|count| *count >= 1)
            .ok_or_else(|| Refusal::invalid(format!("{path}.PodCount must be 1 or more.")))?;
        self.pods = self.pods.saturating_add(pods);
        let each = match (quota, spec.ecs_spec.as_str(), &spec.resource_config) {
            (None, "", _) => {
                return Err(Refusal::invalid(format!(
                    "{path}.EcsSpec is required without ResourceId."
                )));
            }
            (None, _, Some(_)) => {
                return Err(Refusal::invalid(format!(
                    "{path}.ResourceConfig needs ResourceId and excludes EcsSpec."
                )));
            }
            (None, name, None) => {
                let facts = catalogue.spec(name).ok_or_else(|| {
                    Refusal::invalid(format!("{path}.EcsSpec `{name}` does not exist."))
                })?;
                if let Some(spot) = &spec.spot_spec {
                    check_spot(spot, facts, path)?;
                }
                self.short |= !facts.is_available;
                self.resource_type.clone_from(&facts.resource_type);
                Totals {
                    cpu: facts.cpu,
                    gpu: facts.gpu,
                    memory_mebibytes: facts.memory_mebibytes(),
                }
            }
            (Some(_), "", Some(config)) => config_totals(config, path)?,
            (Some(_), "", None) => {
                return Err(Refusal::invalid(format!(
                    "{path}.ResourceConfig is required with ResourceId."
                )));
            }
            (Some(_), _, _) => {
                return Err(Refusal::invalid(format!(
                    "{path}.EcsSpec must not be given together with ResourceId."
                )));
            }
        };
        let pods = u64::try_from(pods).unwrap_or_default();
        let add = |total: &mut u64, one: u64| {
            *total = total.saturating_add(one.saturating_mul(pods));
        };
        add(&mut self.totals.cpu, each.cpu);
        add(&mut self.totals.gpu, each.gpu);
        add(&mut self.totals.memory_mebibytes, each.memory_mebibytes);
        Ok(())
    }
}

fn check_spot(spot: &SpotSpec, facts: &SpecFacts, path: &str) -> Result<(), Refusal> {
    let refuse = |why: &str| Err(Refusal::invalid(format!("{path}.SpotSpec: {why}")));
    if spot.strategy != "SpotWithPriceLimit" {
        return refuse("SpotStrategy must be SpotWithPriceLimit.");
    }
    match (spot.discount_limit, spot.price_limit) {
        (Some(discount), None) if discount > 0.0 && discount <= 1.0 => {}
        (None, Some(price)) if price > 0.0 => {}
        (Some(_), None) => return refuse("SpotDiscountLimit must be above 0 and at most 1."),
        (None, Some(_)) => return refuse("SpotPriceLimit must be above 0."),
        (Some(_), Some(_)) | (None, None) => {
            return refuse("one of SpotDiscountLimit and SpotPriceLimit is required.");
        }
    }
    if facts.sells_spot() {
        Ok(())
    } else {
        refuse("the instance type has no spot price.")
    }
}

/// All members are texts: `"8"`, `"64Gi"`.
fn config_totals(config: &ResourceConfig, path: &str) -> Result<Totals, Refusal> {
    let count = |name: &str, text: &str, least: u64| {
        if text.is_empty() && least == 0 {
            return Ok(0);
        }
        text.parse::<u64>()
            .ok()
            .filter(|count| *count >= least)
            .ok_or_else(|| {
                Refusal::invalid(format!(
                    "{path}.ResourceConfig.{name} must be a whole number as a string, not `{text}`."
                ))
            })
    };
    let size = |name: &str, text: &str| {
        mebibytes(text).ok_or_else(|| {
            Refusal::invalid(format!(
                "{path}.ResourceConfig.{name} must be a size such as 64Gi, not `{text}`."
            ))
        })
    };
    if !config.shared_memory.is_empty() {
        size("SharedMemory", &config.shared_memory)?;
    }
    Ok(Totals {
        cpu: count("CPU", &config.cpu, 1)?,
        gpu: count("GPU", &config.gpu, 0)?,
        memory_mebibytes: size("Memory", &config.memory)?,
    })
}

fn mebibytes(text: &str) -> Option<u64> {
    let (digits, unit) = [("Mi", 1), ("Gi", 1024), ("Ti", 1024 * 1024)]
        .into_iter()
        .find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, unit)))?;
    digits
        .parse::<u64>()
        .ok()
        .filter(|amount| *amount > 0)?
        .checked_mul(unit)
}

/// The places that the job's pods see: a dataset or a Uri each, not both (§5.5).
fn mounts(job: &JobRequest, workspace: &str, datasets: &Datasets) -> Result<Vec<Mount>, Refusal> {
    let mut mounts: Vec<Mount> = Vec::new();
    for (index, source) in job.data_sources.iter().enumerate() {
        let mount = mount(source, index, workspace, datasets)?;
        let same =
            |other: &Mount| other.path.trim_end_matches('/') == mount.path.trim_end_matches('/');
        if mounts.iter().any(same) {
            return Err(Refusal::invalid(format!(
                "DataSources[{index}].MountPath `{}` is taken.",
                mount.path
            )));
        }
        mounts.push(mount);
    }
    Ok(mounts)
}

fn mount(
    source: &DataSource,
    index: usize,
    workspace: &str,
    datasets: &Datasets,
) -> Result<Mount, Refusal> {
    let path = format!("DataSources[{index}]");
    one_of(
        &format!("{path}.MountAccess"),
        &source.mount_access,
        &["RO", "RW"],
    )?;
    let (uri, usual_path) = match (source.dataset.as_str(), source.uri.as_str()) {
        ("", "") => {
            return Err(Refusal::invalid(format!(
                "{path}: DataSourceId or Uri is required."
            )));
        }
        ("", uri) => {
            check_uri(uri, &path)?;
            (uri.to_owned(), None)
        }
        (id, "") => {
            let dataset = datasets.find(id, Some(workspace))?;
            (dataset.uri().to_owned(), dataset.mount_path())
        }
        (_, _) => {
            return Err(Refusal::invalid(format!(
                "{path}: DataSourceId and Uri exclude each other."
            )));
        }
    };
    if !source.options.is_empty() {
        let is_object =
            serde_json::from_str::<Value>(&source.options).is_ok_and(|options| options.is_object());
        if !is_object || !uri.starts_with("oss://") {
            return Err(Refusal::invalid(format!(
                "{path}.Options must be a JSON text and is for OSS only."
            )));
        }
    }
    let mount_path = match (source.mount_path.as_str(), usual_path) {
        ("", Some(usual)) => usual,
        ("", None) => USUAL_MOUNT_PATH.to_owned(),
        (path, _) => path.to_owned(),
    };
    if !mount_path.starts_with('/') || mount_path == "/" {
        return Err(Refusal::invalid(format!(
            "{path}.MountPath must be an absolute path, not `{mount_path}`."
        )));
    }
    Ok(Mount {
        dataset: source.dataset.clone(),
        uri,
        path: mount_path,
    })
}

/// The forms of §5.5.
fn check_uri(uri: &str, path: &str) -> Result<(), Refusal> {
    let known = ["oss://", "nas://", "cpfs://", "bmcpfs://"]
        .iter()
        .any(|scheme| {
            uri.strip_prefix(scheme)
                .is_some_and(|place| !place.is_empty() && !place.starts_with('/'))
        });
    if known {
        Ok(())
    } else {
        Err(Refusal::invalid(format!(
            "{path}.Uri must begin with oss://, nas://, cpfs:// or bmcpfs:// and name a place, not `{uri}`."
        )))
    }
}
