//! How often, how long and in what class a job runs: arrays, retries, limits, spot (gongji.md §2.3; job-model.md §2.3,
//! §2.4, §9).
//!
//! Pure. Members that the service wants are sent with a default, and the report says so.

use crate::model::{Refusal, RefusalCode};
use crate::provider::{Assessment, Policy};
use crate::spec::{Framework, JobSpec, Timeout};

use super::options::{self, Options};
use super::wire::{JobSupport, ModParam};

/// What is sent when no limit is said: the service wants one.
const DEFAULT_LIMIT_S: u64 = 24 * 3600;

/// The longest run time that a spot job may announce.
const LONGEST_ESTIMATE_S: u64 = 86_400;

/// A job's shape in the service's terms.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Shape {
    pub(super) points: u32,
    pub(super) support: JobSupport,
    pub(super) is_spot: bool,
}

/// Reads all of a spec that decides the shape.
pub(super) fn shape(
    spec: &JobSpec,
    options: &Options,
    policy: Policy,
    assessment: &mut Assessment,
) -> Shape {
    one_node(spec, assessment);
    let (points, parallelism) = repetitions(spec, policy, assessment);
    let timeout_sec = time_limit(spec.timeout, assessment);
    let estimated_exec_sec = spot(spec, timeout_sec, assessment);
    Shape {
        points,
        support: JobSupport {
            timeout_sec,
            parallelism,
            estimated_exec_sec,
            mod_param: failures(spec, options, assessment),
        },
        is_spot: spec.spot.is_some(),
    }
}

/// Pods do not know of each other.
fn one_node(spec: &JobSpec, assessment: &mut Assessment) {
    match spec.nodes {
        Some(nodes) if nodes > 1 => assessment.refuse(
            Refusal::new(
                RefusalCode::UnsupportedValue,
                "nodes",
                format!("{nodes} nodes cannot work together: pods on Gongji are independent"),
            )
            .with_alternative(
                "take one node with more GPUs, or `array` for repetitions that need not meet",
            ),
        ),
        Some(_) => assessment.native("nodes", "one pod"),
        None => {}
    }
    match spec.framework {
        Some(Framework::None) => {
            assessment.native("framework", "nothing is started beside the program");
        }
        Some(framework) => assessment.refuse(
            Refusal::new(
                RefusalCode::UnsupportedValue,
                "framework",
                format!("Gongji starts no `{}`", framework.as_str()),
            )
            .with_alternative("leave it out; the program runs in one pod"),
        ),
        None => {}
    }
}

/// Completions and how many at a time.
fn repetitions(spec: &JobSpec, policy: Policy, assessment: &mut Assessment) -> (u32, u32) {
    let Some(array) = &spec.array else {
        return (1, 1);
    };
    if array.index && array.first != 0 {
        // The service counts from 0 only.
        assessment.driven_array(array, &policy);
        return (1, 1);
    }
    assessment.native(
        "array",
        if array.index {
            "`points`, `parallelism` and `mod_param.index`"
        } else {
            "`points` and `parallelism`"
        },
    );
    if array.index {
        assessment.note(
            "the API does not name the variable that tells a pod its index; Kubernetes calls it `JOB_COMPLETION_INDEX`",
        );
    }
    if !spec.ports.is_empty() {
        assessment.refuse(
            Refusal::new(
                RefusalCode::ConflictingFields,
                "array",
                "an array cannot publish ports: its pods would share one URL",
            )
            .with_alternative("leave out `ports`, or submit one job per index"),
        );
    }
    (array.count(), array.parallel)
}

/// Always sent: the service has no job without a limit.
fn time_limit(timeout: Timeout, assessment: &mut Assessment) -> u64 {
    match timeout {
        Timeout::Unset => {
            assessment.note(
                "no `timeout` is given: a limit of 24 h is sent, since the service wants one",
            );
            assessment.native("timeout", "`timeout_sec`, 24 h by default");
            DEFAULT_LIMIT_S
        }
        Timeout::Unlimited => {
            assessment.refuse(
                Refusal::new(
                    RefusalCode::UnsupportedValue,
                    "timeout",
                    "every job on Gongji has a time limit",
                )
                .with_alternative("give one that is long enough, such as `720h`"),
            );
            DEFAULT_LIMIT_S
        }
        Timeout::After(0) => {
            assessment.refuse(
                Refusal::new(
                    RefusalCode::UnsupportedValue,
                    "timeout",
                    "a limit of 0 s ends the job before it begins",
                )
                .with_alternative("give one above 0"),
            );
            DEFAULT_LIMIT_S
        }
        Timeout::After(seconds) => {
            assessment.native("timeout", format!("`timeout_sec` {seconds}"));
            seconds
        }
    }
}

/// The run time that a spot job announces; without spot it stays here.
fn spot(spec: &JobSpec, limit_s: u64, assessment: &mut Assessment) -> Option<u64> {
    let Some(spot) = spec.spot else {
        if spec.estimate.is_some() {
            assessment.local(
                "estimate",
                "kept by gpujob: the service reads it for spot only",
            );
        }
        return None;
    };
    if let Some(discount) = spot.max_discount {
        assessment.unsupported(
            "spot.max_discount",
            format!("Gongji takes no limit such as {discount} on a spot price"),
            "leave it out, and limit the price with `max_price`",
        );
    }
    let Some(estimate) = spec.estimate else {
        assessment.refuse(
            Refusal::new(
                RefusalCode::ConflictingFields,
                "spot",
                "a spot job must say how long it will run",
            )
            .with_alternative(
                "give `estimate`, a little above the true run time and below `timeout`",
            ),
        );
        return None;
    };
    if !(1..=LONGEST_ESTIMATE_S).contains(&estimate) {
        assessment.refuse(
            Refusal::new(
                RefusalCode::UnsupportedValue,
                "estimate",
                format!("a spot job may announce 1 s to {LONGEST_ESTIMATE_S} s, not {estimate} s"),
            )
            .with_alternative("split the work, or leave out `spot`"),
        );
        return None;
    }
    if estimate >= limit_s {
        assessment.refuse(
            Refusal::new(
                RefusalCode::ConflictingFields,
                "estimate",
                format!("the estimate of {estimate} s is not below the time limit of {limit_s} s"),
            )
            .with_alternative("give a longer `timeout`"),
        );
        return None;
    }
    assessment.native("spot", "`sub_type` Spot");
    assessment.native("estimate", format!("`estimated_exec_sec` {estimate}"));
    Some(estimate)
}

/// What becomes of failed pods; exactly one of two forms.
fn failures(spec: &JobSpec, options: &Options, assessment: &mut Assessment) -> ModParam {
    let is_indexed = spec.array.as_ref().is_some_and(|array| array.index);
    if is_indexed {
        if spec.retries.is_some() {
            assessment.refuse(
                Refusal::new(
                    RefusalCode::ConflictingFields,
                    "retries",
                    "an array with indices counts its retries per index",
                )
                .with_alternative("use `provider_options.gongji.index_backoff_limit`"),
            );
        }
        if options.index_backoff_limit.is_none() {
            assessment.native(
                &options::field("index_backoff_limit"),
                "0 by default: the service wants it",
            );
        }
        return ModParam::Index {
            index_backoff_limit: options.index_backoff_limit.unwrap_or_default(),
            max_failed_index: options.max_failed_index,
        };
    }
    for (key, is_set) in [
        ("index_backoff_limit", options.index_backoff_limit.is_some()),
        ("max_failed_index", options.max_failed_index.is_some()),
    ] {
        if is_set {
            assessment.refuse(
                Refusal::new(
                    RefusalCode::ConflictingFields,
                    options::field(key),
                    format!("`{key}` means something for an array with indices only"),
                )
                .with_alternative("use `retries`, or `array` with `index: true`"),
            );
        }
    }
    let backoff_limit = spec.retries.unwrap_or_default();
    let restart_policy = if backoff_limit == 0 {
        "Never"
    } else {
        "OnFailure"
    };
    let default = if spec.retries.is_none() {
        ", by default: the service wants them"
    } else {
        ""
    };
    assessment.native(
        "retries",
        format!("`backoff_limit` {backoff_limit} and `restart_policy` {restart_policy}{default}"),
    );
    ModParam::Default {
        backoff_limit,
        restart_policy,
    }
}
