//! Events of a job and of its pods (pai-dlc.md §3.6).
//!
//! The service answers lines of free text and promises no structure in them: what looks like a time, a class and a
//! reason is told as such, the rest is the message.

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::tz::Offset;
use serde::Deserialize;
use serde_json::Value;

use crate::error::{Kind, Result};
use crate::http::Template;
use crate::model::{Event, ResourceRef, event};
use crate::provider::{Events, time};

use super::PaiDlc;
use super::api::{BEGINNING, MOST_EVENTS, Site};
use super::wire::{JobAnswer, PodAnswer};

/// Who speaks of the job as a whole.
const JOB: &str = "job";

/// Pods asked at once: a job may have hundreds, and calls are throttled per account.
const PODS_AT_ONCE: usize = 8;

/// The classes that Kubernetes knows.
const CLASSES: [&str; 2] = ["Normal", "Warning"];

#[async_trait]
impl Events for PaiDlc {
    async fn events_of(&self, job: &ResourceRef) -> Result<Vec<Event>> {
        let (site, id) = self.parts(job)?;
        let answer = self
            .read(&site.get_job(id))
            .await
            .map_err(|error| error.with_job(job.to_string()))?;
        let answer = JobAnswer::deserialize(&answer).unwrap_or_default();
        let since = answer.gmt_create_time.as_deref().unwrap_or(BEGINNING);
        let of_job = self
            .events_in(&site.job_events(id, since), JOB)
            .await
            .map_err(|error| error.with_job(job.to_string()))?;
        let questions: Vec<_> = incarnations(&answer.pods)
            .into_iter()
            .map(|(pod, uid, _)| self.events_of_pod(&site, id, pod, uid, since))
            .collect();
        let mut answers = vec![of_job];
        let of_pods: Vec<Vec<Event>> = stream::iter(questions)
            .buffered(PODS_AT_ONCE)
            .try_collect()
            .await?;
        answers.extend(of_pods);
        Ok(event::in_order(answers, Some(JOB)))
    }
}

impl PaiDlc {
    async fn events_of_pod(
        &self,
        site: &Site,
        job: &str,
        pod: &str,
        uid: Option<&str>,
        since: &str,
    ) -> Result<Vec<Event>> {
        match self
            .events_in(&site.pod_events(job, pod, uid, since), pod)
            .await
        {
            // The service forgets a pod before its job.
            Err(error) if error.kind() == Kind::NotFound => {
                let text = format!(
                    "`{}` tells no events of the pod `{pod}`: {error}",
                    self.name
                );
                self.session.reporter.note(&text);
                Ok(Vec::new())
            }
            told => told,
        }
    }

    /// The events of one answer.
    async fn events_in(&self, request: &Template, source: &str) -> Result<Vec<Event>> {
        let body = self.read(request).await?;
        let lines = body
            .get("Events")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        if lines.len() >= MOST_EVENTS {
            self.session.reporter.warning(&format!(
                "`{}` tells no more than {MOST_EVENTS} events of `{source}`: some are missing",
                self.name
            ));
        }
        Ok(lines.iter().map(|line| read_event(line, source)).collect())
    }
}

/// Every pod by id and uid, earlier incarnations first, and whether it is the present one.
pub(super) fn incarnations(pods: &[PodAnswer]) -> Vec<(&str, Option<&str>, bool)> {
    pods.iter()
        .flat_map(|pod| {
            let earlier = pod
                .history_pods
                .iter()
                .map(|old| (old.pod_id.as_ref(), old, false));
            let all = earlier.chain([(None, pod, true)]);
            all.filter_map(|(id, incarnation, is_present)| {
                let id = id.or(pod.pod_id.as_ref())?;
                Some((id.as_str(), incarnation.pod_uid.as_deref(), is_present))
            })
        })
        .collect()
}

/// One line such as `2026-01-12T09:42:02Z Normal SuccessfulCreatePod created pod x`; none of it is promised.
fn read_event(line: &Value, source: &str) -> Event {
    let text = line
        .as_str()
        .map_or_else(|| line.to_string(), str::to_owned);
    let (instant, rest) = match text.trim().split_once(char::is_whitespace) {
        Some((first, rest)) => match time::read_text(first, Offset::UTC) {
            Some(instant) => (Some(instant), rest.trim_start()),
            None => (None, text.trim()),
        },
        None => (None, text.trim()),
    };
    let (kind, rest) = match rest.split_once(char::is_whitespace) {
        Some((first, rest)) if CLASSES.contains(&first) => (Some(first), rest.trim_start()),
        Some(_) | None => (None, rest),
    };
    // Only behind a class: any sentence begins with a capital.
    let (reason, message) = match rest.split_once(char::is_whitespace) {
        Some((first, rest)) if kind.is_some() && is_reason(first) => {
            (Some(first.trim_end_matches(':')), rest.trim_start())
        }
        Some(_) | None => (None, rest),
    };
    Event {
        time: instant,
        kind: kind.map(str::to_lowercase),
        reason: reason.map(str::to_owned),
        message: (!message.is_empty()).then(|| message.to_owned()),
        source: Some(source.to_owned()),
    }
}

/// A word in the manner of Kubernetes, such as `FailedScheduling`.
fn is_reason(word: &str) -> bool {
    let word = word.strip_suffix(':').unwrap_or(word);
    word.starts_with(|first: char| first.is_ascii_uppercase())
        && word
            .chars()
            .all(|character| character.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case::of_the_contract(
        "2026-01-12T09:42:02Z Normal SuccessfulCreatePod created pod x-master-0",
        Some("2026-01-12T09:42:02Z"),
        Some("normal"),
        Some("SuccessfulCreatePod"),
        "created pod x-master-0"
    )]
    #[case::an_offset_and_a_colon(
        "2026-01-12T17:42:02+08:00 Warning FailedScheduling: 0/8 nodes are available",
        Some("2026-01-12T09:42:02Z"),
        Some("warning"),
        Some("FailedScheduling"),
        "0/8 nodes are available"
    )]
    #[case::free_text("Back-off pulling image", None, None, None, "Back-off pulling image")]
    #[case::a_time_alone(
        "2026-01-12T09:42:02Z Waiting for quota",
        Some("2026-01-12T09:42:02Z"),
        None,
        None,
        "Waiting for quota"
    )]
    #[case::one_word("Started", None, None, None, "Started")]
    fn a_line_is_read_as_far_as_it_looks_structured(
        #[case] line: &str,
        #[case] time: Option<&str>,
        #[case] kind: Option<&str>,
        #[case] reason: Option<&str>,
        #[case] message: &str,
    ) {
        let event = read_event(&json!(line), "job");
        assert_eq!(event.time, time.map(|text| text.parse().unwrap()));
        assert_eq!(event.kind.as_deref(), kind);
        assert_eq!(event.reason.as_deref(), reason);
        assert_eq!(event.message.as_deref(), Some(message));
    }

    #[test]
    fn what_is_no_text_is_shown_as_it_came() {
        let event = read_event(&json!({"Reason": "x"}), "job");
        assert_eq!(event.message.as_deref(), Some("{\"Reason\":\"x\"}"));
    }

    #[test]
    fn earlier_incarnations_of_a_pod_are_asked_too() {
        let pods: Vec<PodAnswer> = serde_json::from_value(json!([
            {"PodId": "j-master-0", "PodUid": "2", "HistoryPods": [{"PodId": "j-master-0", "PodUid": "1"}]},
            {"PodId": "j-worker-0", "PodUid": ""},
            {"PodUid": "9"},
        ]))
        .unwrap();
        assert_eq!(
            incarnations(&pods),
            [
                ("j-master-0", Some("1"), false),
                ("j-master-0", Some("2"), true),
                ("j-worker-0", None, true)
            ]
        );
    }
}
