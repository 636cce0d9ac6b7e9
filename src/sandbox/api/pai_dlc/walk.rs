//! How a job goes from status to status (pai-dlc.md §4.1, §11.4): a function of the job, the instant and the rules.
//!
//! Nothing is started or killed here: the walk says what is to be done.

use std::time::Duration;

use super::job::{Ending, Job, Moment, PodStatus, Stage};
use super::status::{Group, Status};
use super::switches::{Advance, Switches};
use crate::sandbox::process::ProcessStatus;
use crate::sandbox::trouble::pull_error;

/// A changed priority shows after 10 to 60 s (§3.5).
const PRIORITY_DELAY_SECONDS: f64 = 10.0;

/// What the walk depends on beside the job.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules<'a> {
    pub(super) switches: &'a Switches,
    /// All delays are divided by it.
    pub(super) speed: f64,
}

/// What is to be done after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Start a process per pod.
    Launch,
    /// End all processes.
    Kill,
}

impl Rules<'_> {
    /// Whether a delay that began at `since` is over. The time of day does not count: it jumps with the skew.
    fn has_passed(self, since: Duration, seconds: f64, now: Moment) -> bool {
        now.elapsed.saturating_sub(since).as_secs_f64() * self.speed >= seconds
    }

    /// Whether a job stayed long enough where it is.
    fn is_due(self, job: &Job, now: Moment) -> bool {
        match self.switches.advance {
            Advance::AtOnce => true,
            Advance::Reads(reads) => job.reads >= reads,
            Advance::Time => job.stage().is_some_and(|stage| {
                let seconds = self.switches.delays.get(&stage.status);
                self.has_passed(stage.since, seconds.copied().unwrap_or_default(), now)
            }),
        }
    }
}

/// A new status and why.
struct Next {
    status: Status,
    reason: String,
    message: String,
}

impl Next {
    fn silent(status: Status) -> Self {
        Self::because(status, "", String::new())
    }

    fn because(status: Status, reason: &str, message: String) -> Self {
        Self {
            status,
            reason: reason.to_owned(),
            message,
        }
    }
}

/// Moves a job as far as it goes at this instant.
pub(super) fn advance(job: &mut Job, now: Moment, rules: Rules<'_>) -> Vec<Effect> {
    if let Some((priority, _)) = job
        .next_priority
        .take_if(|(_, since)| rules.has_passed(*since, PRIORITY_DELAY_SECONDS, now))
    {
        job.priority = priority;
    }
    let mut effects = Vec::new();
    while let Some(next) = next(job, now, rules) {
        let held = rules
            .switches
            .hold
            .is_some_and(|hold| hold.keeps(job.status(), next.status));
        if held {
            break;
        }
        effects.extend(enter(job, next, now));
    }
    effects
}

/// `StopJob`: through `Stopping` to `Stopped` from any status that is not terminal.
pub(super) fn stop(job: &mut Job, now: Moment, switches: &Switches) -> Option<Effect> {
    if matches!(job.status().group(), Group::Terminal | Group::Cancelling) {
        return None;
    }
    job.ending = Some(Ending::ByUser);
    enter(
        job,
        Next::because(
            Status::Stopping,
            &switches.stop_reason,
            "Job is stopped by user.".to_owned(),
        ),
        now,
    )
}

fn next(job: &Job, now: Moment, rules: Rules<'_>) -> Option<Next> {
    let status = job.status();
    match status {
        Status::Creating => rules
            .is_due(job, now)
            .then(|| Next::because(Status::Queuing, "JobEnqueued", String::new())),
        Status::Queuing => {
            let is_public = !job.request.is_on_quota();
            let is_starved = job.waits_for_stock || (is_public && rules.switches.no_stock);
            (!is_starved && rules.is_due(job, now)).then(|| {
                // Bids exist for spot on Lingjun only.
                let bids = job.resource_type == "Lingjun" && job.request.is_spot();
                if bids {
                    Next::silent(Status::Bidding)
                } else {
                    prepared(job)
                }
            })
        }
        Status::Bidding => rules.is_due(job, now).then(|| prepared(job)),
        // An image that cannot be pulled is tried for ever.
        Status::EnvPreparing if job.unpullable().is_some() => None,
        Status::EnvPreparing => rules.is_due(job, now).then(|| {
            Next::silent(if job.request.settings.enable_sanity_check {
                Status::SanityChecking
            } else {
                Status::Running
            })
        }),
        Status::SanityChecking => rules
            .is_due(job, now)
            .then(|| Next::silent(Status::Running)),
        Status::Running if job.is_overdue => Some(result(job, &Verdict::TimeLimit)),
        Status::Running => verdict(job).map(|verdict| result(job, &verdict)),
        Status::Restarting => rules
            .is_due(job, now)
            .then(|| Next::silent(Status::Running)),
        Status::Stopping => {
            (job.is_quiet() && rules.is_due(job, now)).then(|| stopped(job, rules.switches))
        }
        Status::SucceededReserving => {
            reserve_is_over(job, now, rules).then(|| same_reason(job, Status::Succeeded))
        }
        Status::FailedReserving => {
            reserve_is_over(job, now, rules).then(|| same_reason(job, Status::Failed))
        }
        Status::Succeeded | Status::Failed | Status::Stopped => None,
    }
}

/// `EnvPreparing`, with the reason why it will not end.
fn prepared(job: &Job) -> Next {
    match job.unpullable() {
        None => Next::silent(Status::EnvPreparing),
        Some(image) => Next::because(
            Status::EnvPreparing,
            "ImagePullBackOff",
            format!("Back-off pulling image \"{image}\"."),
        ),
    }
}

/// Replaces the pods of a running job: `Restarting`, then `Running` again.
pub(super) fn restart(job: &mut Job, now: Moment, random: &mut fastrand::Rng) -> bool {
    if job.status() != Status::Running {
        return false;
    }
    job.replace_pods(now.time, random);
    enter(job, Next::silent(Status::Restarting), now).is_none()
}

/// How a run ended.
enum Verdict {
    Succeeded,
    /// The pod that failed, and its role.
    Failed(String, String),
    TimeLimit,
}

/// What the processes say, once they say anything.
fn verdict(job: &Job) -> Option<Verdict> {
    let mut is_waiting = false;
    for pod in &job.pods {
        match &pod.outcome {
            Some(ProcessStatus::TimedOut) => return Some(Verdict::TimeLimit),
            Some(ProcessStatus::Exited(0)) => {}
            Some(ProcessStatus::Running) | None => is_waiting |= decides(job, &pod.spec_role),
            Some(
                ProcessStatus::Exited(_)
                | ProcessStatus::Signalled(_)
                | ProcessStatus::NotStarted(_),
            ) => return Some(Verdict::Failed(pod.name.clone(), pod.spec_role.clone())),
        }
    }
    (!is_waiting).then_some(Verdict::Succeeded)
}

/// Whether a `TFJob` waits for this role: parameter servers never end by themselves (§5.1, `SuccessPolicy`).
fn decides(job: &Job, role: &str) -> bool {
    if job.request.job_type != "TFJob" {
        return true;
    }
    let has = |role: &str| job.pods.iter().any(|pod| pod.spec_role == role);
    if job.request.success_policy == "ChiefWorker" && has("Chief") {
        return role == "Chief";
    }
    !matches!(role, "PS" | "Evaluator" | "GraphLearn") || !(has("Worker") || has("Chief"))
}

fn result(job: &Job, verdict: &Verdict) -> Next {
    let settings = &job.request.settings;
    let reserves = |policy: &str| {
        settings.job_reserved_minutes > 0
            && (matches!(settings.job_reserved_policy.as_str(), "" | "Always")
                || settings.job_reserved_policy == policy)
    };
    let (kind, id) = (&job.request.job_type, &job.id);
    match verdict {
        Verdict::Succeeded => Next::because(
            if reserves("OnSucceed") {
                Status::SucceededReserving
            } else {
                Status::Succeeded
            },
            "JobSucceeded",
            format!("{kind} {id} is successfully completed."),
        ),
        Verdict::Failed(pod, role) => Next::because(
            if reserves("OnFailure") {
                Status::FailedReserving
            } else {
                Status::Failed
            },
            "JobFailed",
            format!("{kind} {id} is failed because 1 {role} replica(s) failed: {pod}."),
        ),
        // No reason is known for it (§4.2).
        Verdict::TimeLimit => Next::because(Status::Stopping, "", limit_message(job)),
    }
}

fn limit_message(job: &Job) -> String {
    format!(
        "Job is stopped because it ran longer than JobMaxRunningTimeMinutes ({}).",
        job.request.job_max_running_time_minutes
    )
}

/// The end of `Stopping`.
fn stopped(job: &Job, switches: &Switches) -> Next {
    match job.ending {
        Some(Ending::TimeLimit) if switches.time_limit_ends == Status::Failed => {
            Next::because(Status::Failed, "JobFailed", limit_message(job))
        }
        Some(Ending::TimeLimit | Ending::ByUser) | None => same_reason(job, Status::Stopped),
    }
}

fn same_reason(job: &Job, status: Status) -> Next {
    job.stage().map_or_else(
        || Next::silent(status),
        |stage| Next::because(status, &stage.reason, stage.message.clone()),
    )
}

fn reserve_is_over(job: &Job, now: Moment, rules: Rules<'_>) -> bool {
    if rules.switches.advance != Advance::Time {
        return rules.is_due(job, now);
    }
    // Any number of minutes that can be told apart fits.
    let minutes = u32::try_from(job.request.settings.job_reserved_minutes).unwrap_or(u32::MAX);
    let seconds = f64::from(minutes) * rules.switches.minute_seconds;
    job.stage()
        .is_some_and(|stage| rules.has_passed(stage.since, seconds, now))
}

/// Changes the status, with its times, pods and events.
fn enter(job: &mut Job, next: Next, now: Moment) -> Option<Effect> {
    if let Some(stage) = job.history.last_mut() {
        stage.end = Some(now.time);
    }
    let status = next.status;
    let since = now.elapsed;
    let now = now.time;
    job.history.push(Stage {
        status,
        start: now,
        since,
        end: None,
        reason: next.reason,
        message: next.message,
    });
    job.modified = now;
    job.reads = 0;
    match status {
        Status::Queuing => {
            job.submitted = Some(now);
            job.record(now, None, "Normal JobEnqueued job is in the queue");
            if job.waits_for_stock {
                job.record(
                    now,
                    None,
                    "Warning FailedScheduling instance type is out of stock",
                );
            }
            None
        }
        Status::EnvPreparing => {
            job.pods_appeared = true;
            let names: Vec<String> = job
                .pods
                .iter_mut()
                .map(|pod| {
                    pod.created = Some(now);
                    pod.name.clone()
                })
                .collect();
            for name in names {
                let text = format!("Normal SuccessfulCreatePod created pod {name}");
                job.record(now, Some(&name), &text);
                if let Some(image) = job.unpullable().map(str::to_owned) {
                    for text in [
                        format!("Normal Pulling pulling image \"{image}\""),
                        format!("Warning Failed {}", pull_error(&image)),
                        "Warning Failed error: ErrImagePull".to_owned(),
                        format!("Warning BackOff back-off pulling image \"{image}\""),
                        "Warning Failed error: ImagePullBackOff".to_owned(),
                    ] {
                        job.record(now, Some(&name), &text);
                    }
                }
            }
            None
        }
        Status::Running => {
            job.running.get_or_insert(now);
            let names: Vec<String> = job
                .pods
                .iter_mut()
                .map(|pod| {
                    pod.started = Some(now);
                    pod.status = PodStatus::Running;
                    pod.name.clone()
                })
                .collect();
            for name in names {
                job.record(now, Some(&name), "Normal Started started container");
            }
            Some(Effect::Launch)
        }
        Status::Stopping => {
            // Only StopJob names its reason beforehand.
            job.ending.get_or_insert(Ending::TimeLimit);
            if job.running.is_none() {
                job.pods_appeared = false;
            }
            job.record(now, None, "Normal JobStopping job is being stopped");
            Some(Effect::Kill)
        }
        Status::Succeeded | Status::Failed | Status::Stopped => {
            job.finished = Some(now);
            job.record(now, None, &format!("Normal Job{} job ended", status.word()));
            Some(Effect::Kill)
        }
        // Whatever still runs, such as a parameter server, has nothing left to do.
        Status::SucceededReserving | Status::FailedReserving => Some(Effect::Kill),
        Status::Creating | Status::Bidding | Status::SanityChecking | Status::Restarting => None,
    }
}
