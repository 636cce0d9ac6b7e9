//! What joins the provider block, what stays on this side, and what PAI-DLC has no concept of (job-model.md §2).
//!
//! Pure. A generic field and the block may say the same thing, never two.

use crate::model::{Refusal, RefusalCode};
use crate::provider::{Assessment, Policy};
use crate::spec::JobSpec;

use super::options::Options;
use super::parse::{TAG_NAME, TAG_RUN};
use super::wire::{CodeSource, Settings, UserVpc};

/// The generic `code`, or the provider's own block; never both.
pub(super) fn code(
    spec: &JobSpec,
    options: &Options,
    assessment: &mut Assessment,
) -> Option<CodeSource> {
    let Some(code) = &spec.code else {
        return options.code_source.clone();
    };
    if options.code_source.is_some() {
        assessment.refuse(
            Refusal::new(
                RefusalCode::ConflictingFields,
                "code",
                "`code` and `provider_options.pai-dlc.code_source` mean the same",
            )
            .with_alternative("give one of the two"),
        );
    }
    if code.id.contains("://") || code.id.contains('@') {
        assessment.refuse(
            Refusal::new(
                RefusalCode::UnsupportedValue,
                "code.id",
                format!(
                    "`{}` is an address; PAI-DLC takes registered code sources only",
                    code.id
                ),
            )
            .with_alternative(
                "register it in the workspace and give its id, or clone it in the script",
            ),
        );
        return None;
    }
    assessment.native("code", "`CodeSource`");
    Some(CodeSource {
        code_source_id: code.id.clone(),
        branch: code.branch.clone(),
        commit: code.commit.clone(),
        mount_path: code.path.clone(),
        is_shared_mount_path: None,
    })
}

/// The generic `vpc` is the id; the block may hold the rest.
pub(super) fn vpc(
    spec: &JobSpec,
    options: &Options,
    assessment: &mut Assessment,
) -> Option<UserVpc> {
    let Some(id) = &spec.vpc else {
        return options.user_vpc.clone();
    };
    let mut vpc = options.user_vpc.clone().unwrap_or_default();
    if vpc.vpc_id.as_ref().is_some_and(|own| own != id) {
        assessment.refuse(
            Refusal::new(
                RefusalCode::ConflictingFields,
                "vpc",
                "`vpc` and `provider_options.pai-dlc.user_vpc.VpcId` name two networks",
            )
            .with_alternative("give one of the two"),
        );
    } else {
        assessment.native("vpc", "`UserVpc.VpcId`");
    }
    vpc.vpc_id = Some(id.clone());
    Some(vpc)
}

/// Labels, name and grace join the settings of the block.
pub(super) fn settings(spec: &JobSpec, options: &Options, assessment: &mut Assessment) -> Settings {
    let mut settings = options.settings.clone();
    let own = |key: &str| key == TAG_RUN || key == TAG_NAME;
    if !spec.labels.is_empty() {
        assessment.native("labels", "`Settings.Tags`");
    }
    for (key, value) in &spec.labels {
        if settings.tags.get(key).is_some_and(|other| other != value) {
            assessment.refuse(
                Refusal::new(
                    RefusalCode::ConflictingFields,
                    format!("labels.{key}"),
                    "`provider_options.pai-dlc.settings.Tags` gives it another value",
                )
                .with_alternative("give it once"),
            );
        }
        settings.tags.insert(key.clone(), value.clone());
    }
    if let Some(key) = settings.tags.keys().find(|key| own(key)) {
        assessment.refuse(
            Refusal::new(
                RefusalCode::UnsupportedValue,
                format!("labels.{key}"),
                format!("the tag `{key}` is gpujob's own"),
            )
            .with_alternative("use another name"),
        );
    }
    if let Some(name) = &spec.name {
        settings.tags.insert(TAG_NAME.to_owned(), name.clone());
    }
    if let Some(grace) = spec.grace {
        let other = settings.termination_grace_period_seconds;
        if other.is_some_and(|other| other != grace) {
            assessment.refuse(
                Refusal::new(
                    RefusalCode::ConflictingFields,
                    "grace",
                    "`provider_options.pai-dlc.settings.TerminationGracePeriodSeconds` says otherwise",
                )
                .with_alternative("give one of the two"),
            );
        } else {
            assessment.native("grace", "`Settings.TerminationGracePeriodSeconds`");
        }
        settings.termination_grace_period_seconds = Some(grace);
    }
    settings
}

/// Fields that stay on this side, and fields that PAI-DLC has no concept of (job-model.md §2).
pub(super) fn local_and_refused(spec: &JobSpec, policy: Policy, assessment: &mut Assessment) {
    if spec.estimate.is_some() {
        assessment.local("estimate", "kept by gpujob");
    }
    if spec.start_timeout.is_some() {
        assessment.local("start_timeout", "watched by `gpujob wait`");
    }
    if spec.max_price.is_some() {
        assessment.local(
            "max_price",
            "compared with the price file before the create",
        );
    }
    if spec.max_cost.is_some() {
        assessment.local("max_cost", "compared with the price file before the create");
    }
    if let Some(array) = &spec.array {
        assessment.driven_array(array, &policy);
    }
    if spec.exit_code_carrier {
        assessment.emulated(
            "exit_code_carrier",
            "the command runs in a subshell, and a marked last line of the log tells its code",
            &policy,
        );
    }
    let absent = [
        (
            spec.user.is_some(),
            "user",
            "jobs run as the image's user",
            "set the user in the image",
        ),
        (
            spec.privileged.is_some(),
            "privileged",
            "PAI-DLC has no such switch",
            "leave it out",
        ),
        (
            spec.host_network.is_some(),
            "host_network",
            "PAI-DLC has no such switch",
            "leave it out",
        ),
        (
            spec.ulimits.is_some(),
            "ulimits",
            "PAI-DLC has no such setting",
            "call `ulimit` in a script",
        ),
        (
            spec.retries.is_some(),
            "retries",
            "PAI-DLC counts no retries",
            "use `provider_options.pai-dlc.restart_policy` or `settings.EnableErrorMonitoringInAIMaster`",
        ),
        (
            spec.ttl_after_finish.is_some(),
            "ttl_after_finish",
            "PAI-DLC removes no finished jobs; `JobReservedMinutes` keeps resources and costs",
            "delete the job in the console",
        ),
        (
            spec.budget.is_some(),
            "budget",
            "no API of PAI-DLC knows a price",
            "use `timeout`",
        ),
        (
            !spec.ports.is_empty(),
            "ports",
            "PAI-DLC publishes no ports",
            "let the program connect outwards, or use the console's web terminal",
        ),
        (
            spec.health_checks.is_some(),
            "health_checks",
            "PAI-DLC checks no program's health",
            "use `provider_options.pai-dlc.settings.EnableSanityCheck` for the hardware",
        ),
    ];
    for (is_set, field, why, instead) in absent {
        if is_set {
            assessment.unsupported(field, why, instead);
        }
    }
}
