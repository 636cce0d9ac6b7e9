//! What people are told while nothing has begun to write, or when nothing was written: the state with its reason, and what
//! happened so far. No error.

use std::collections::HashSet;

use crate::ambient::Reporter;
use crate::model::{Event, Job, State};
use crate::provider::Provider;

use super::choice::Choice;

/// Of a job that waits, events are asked for in one round of so many: they cost a request for each pod.
const EVENT_ROUNDS: u32 = 6;

/// What was told so far.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    said: Option<String>,
    events: HashSet<Event>,
    rounds: u32,
}

impl Waiting {
    /// Tells what is new. That nothing was written is said only if all that was asked for could be looked at.
    pub(super) async fn tell(
        &mut self,
        job: &Job,
        choice: &Choice,
        is_sure: bool,
        provider: &dyn Provider,
        reporter: &dyn Reporter,
    ) {
        let said = sentence_of(job, choice, is_sure);
        let is_news = self.said.as_ref() != Some(&said);
        if is_news {
            reporter.note(&said);
            self.said = Some(said);
        }
        let is_turn = !job.terminal && self.rounds.is_multiple_of(EVENT_ROUNDS);
        self.rounds = self.rounds.wrapping_add(1);
        if !has_a_story(job, choice) || !(is_news || is_turn) {
            return;
        }
        let Some(events) = provider.events() else {
            return;
        };
        match events.events_of(&job.job_ref).await {
            Ok(events) => {
                for event in events {
                    if is_about(&event, choice) && self.events.insert(event.clone()) {
                        reporter.note(&sentence(&event));
                    }
                }
            }
            Err(error) => {
                reporter.detail(1, &format!("what happened so far is not known: {error}"));
            }
        }
    }
}

/// Whether events may tell why nothing was written: a job waits, has failed, or one of its pods is behind the others.
fn has_a_story(job: &Job, choice: &Choice) -> bool {
    match job.state {
        State::Pending | State::Starting | State::Failed => true,
        State::Running => !choice.pods().is_empty(),
        State::Succeeded | State::Cancelled | State::Unknown => false,
    }
}

/// Whether an event is one of a chosen pod, or of none in particular.
fn is_about(event: &Event, choice: &Choice) -> bool {
    // A container is named behind its pod.
    let is_chosen = |source: &String| {
        source
            .split('/')
            .next()
            .is_some_and(|pod| choice.names(pod))
    };
    choice.pods().is_empty() || event.source.as_ref().is_none_or(is_chosen)
}

fn sentence_of(job: &Job, choice: &Choice, is_sure: bool) -> String {
    let why = match (&job.reason, &job.message) {
        (Some(reason), Some(message)) => format!(" ({reason}: {message})"),
        (Some(text), None) | (None, Some(text)) => format!(" ({text})"),
        (None, None) => String::new(),
    };
    let pods = choice.pods();
    let who = match pods.as_slice() {
        [] => "it has".to_owned(),
        [pod] => format!("`{pod}` has"),
        several => format!("`{}` have", several.join("`, `")),
    };
    let so_far = if matches!(job.state, State::Pending | State::Starting) {
        format!("; {who} not begun to write")
    } else if job.terminal && is_sure {
        format!("; {who} written nothing")
    } else if job.terminal {
        String::new()
    } else if pods.is_empty() {
        "; nothing has been written so far".to_owned()
    } else {
        format!("; {who} written nothing so far")
    };
    format!("{} is {}{why}{so_far}", job.job_ref, job.state)
}

/// One event as people read it.
fn sentence(event: &Event) -> String {
    let mut words = Vec::new();
    words.extend(
        event
            .time
            .map(|time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
    );
    words.extend(event.source.clone());
    words.extend(event.reason.clone());
    let head = words.join(" ");
    match &event.message {
        Some(message) if head.is_empty() => message.clone(),
        Some(message) => format!("{head}: {message}"),
        None => head,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::model::ResourceRef;

    #[rstest]
    #[case(State::Pending, &[], true, "gongji/1 is pending (Pull: denied); it has not begun to write")]
    #[case(State::Running, &[], true, "gongji/1 is running (Pull: denied); nothing has been written so far")]
    #[case(State::Running, &["pod-1"], true, "gongji/1 is running (Pull: denied); `pod-1` has written nothing so far")]
    #[case(State::Failed, &[], true, "gongji/1 is failed (Pull: denied); it has written nothing")]
    #[case(State::Failed, &["a", "b"], true, "gongji/1 is failed (Pull: denied); `a`, `b` have written nothing")]
    #[case(State::Failed, &[], false, "gongji/1 is failed (Pull: denied)")]
    fn that_nothing_was_written_is_said_when_it_is_known(
        #[case] state: State,
        #[case] pods: &[&str],
        #[case] is_sure: bool,
        #[case] said: &str,
    ) {
        let mut job = Job::new(ResourceRef::new("gongji", ["1"]), "1", state);
        job.reason = Some("Pull".to_owned());
        job.message = Some("denied".to_owned());
        let choice = Choice::new(pods.iter().map(|&pod| pod.to_owned()).collect());
        assert_eq!(sentence_of(&job, &choice, is_sure), said);
    }

    #[test]
    fn of_a_chosen_pod_its_own_events_are_told() {
        let choice = Choice::new(vec!["pod-1".to_owned()]);
        let event = |source: Option<&str>| Event {
            time: None,
            kind: None,
            reason: None,
            message: None,
            source: source.map(str::to_owned),
        };
        for (source, told) in [
            (None, true),
            (Some("pod-1/main"), true),
            (Some("pod-2"), false),
        ] {
            assert_eq!(is_about(&event(source), &choice), told);
            assert!(is_about(&event(source), &Choice::default()));
        }
    }
}
