//! What a provider says happened to a job (cli.md §10 "Records", kind `events`).

use std::collections::HashSet;

use super::Timestamp;

/// Something that happened to a job.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Event {
    pub time: Option<Timestamp>,
    /// The provider's own class in lower case, such as `normal` or `warning` (cli.md §10, "Names").
    pub kind: Option<String>,
    pub reason: Option<String>,
    pub message: Option<String>,
    /// The pod, node or component that says so.
    pub source: Option<String>,
}

impl Event {
    /// What it gives as reasons: its own, and where its message is `Error: WORD`, as a kubelet's `Failed` says it
    /// (`Error: ImagePullBackOff`), that word too.
    pub fn reasons(&self) -> impl Iterator<Item = &str> {
        let why = self
            .message
            .as_deref()
            .and_then(|text| text.strip_prefix("Error: "));
        let word = why.filter(|why| !why.is_empty() && !why.contains(char::is_whitespace));
        self.reason.as_deref().into_iter().chain(word)
    }
}

/// The events of several answers by time, each once.
///
/// What has no time stays behind what its answer told before it. What `whole`, the source that speaks of the job as a
/// whole, repeats from another source is dropped.
pub fn in_order(answers: Vec<Vec<Event>>, whole: Option<&str>) -> Vec<Event> {
    let is_whole = |event: &Event| whole.is_some() && event.source.as_deref() == whole;
    let told_by_parts: HashSet<Event> = answers
        .iter()
        .flatten()
        .filter(|event| !is_whole(event))
        .map(without_source)
        .collect();
    let mut seen = HashSet::new();
    let mut timed: Vec<(Option<Timestamp>, Event)> = Vec::new();
    for mut told in answers {
        if is_newest_first(&told) {
            told.reverse();
        }
        let mut known = None;
        for event in told {
            known = event.time.or(known);
            let is_repeated = is_whole(&event) && told_by_parts.contains(&without_source(&event));
            if !is_repeated && seen.insert(event.clone()) {
                timed.push((known, event));
            }
        }
    }
    timed.sort_by_key(|(time, _)| *time);
    timed.into_iter().map(|(_, event)| event).collect()
}

/// Whether an answer tells its newest event first, so that those of one second stand in the wrong order.
fn is_newest_first(told: &[Event]) -> bool {
    let first = told.iter().find_map(|event| event.time);
    let last = told.iter().rev().find_map(|event| event.time);
    first > last
}

fn without_source(event: &Event) -> Event {
    Event {
        source: None,
        ..event.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(source: &str, second: Option<i64>, message: &str) -> Event {
        Event {
            time: second.map(|second| Timestamp::from_second(second).unwrap()),
            message: Some(message.to_owned()),
            source: Some(source.to_owned()),
            ..Event::default()
        }
    }

    #[test]
    fn events_of_several_sources_stand_by_time() {
        let told = vec![
            vec![
                event("job", Some(1), "created"),
                event("job", Some(30), "ended"),
            ],
            vec![
                event("pod-0", Some(20), "started"),
                event("pod-0", None, "and a line without a time"),
            ],
        ];
        let messages: Vec<_> = in_order(told, Some("job"))
            .into_iter()
            .filter_map(|event| event.message)
            .collect();
        assert_eq!(
            messages,
            ["created", "started", "and a line without a time", "ended"]
        );
    }

    #[test]
    fn a_source_that_tells_the_newest_first_is_turned_around() {
        let told = vec![
            event("pod-0", Some(9), "ended"),
            event("pod-0", Some(2), "started"),
            event("pod-0", Some(2), "pulled"),
        ];
        let messages: Vec<_> = in_order(vec![told], None)
            .into_iter()
            .filter_map(|event| event.message)
            .collect();
        assert_eq!(messages, ["pulled", "started", "ended"]);
    }

    #[test]
    fn what_is_told_twice_is_shown_once() {
        let told = vec![
            event("job", Some(1), "pulled"),
            event("pod-0", Some(1), "pulled"),
            event("pod-0", Some(1), "pulled"),
            event("pod-1", Some(1), "pulled"),
        ];
        let sources: Vec<_> = in_order(vec![told], Some("job"))
            .into_iter()
            .filter_map(|event| event.source)
            .collect();
        assert_eq!(sources, ["pod-0", "pod-1"]);
    }

    #[test]
    fn a_kubelets_message_gives_the_reason_that_its_reason_hides() {
        let mut event = Event {
            time: None,
            kind: None,
            reason: Some("Failed".to_owned()),
            message: Some("Error: ImagePullBackOff".to_owned()),
            source: None,
        };
        assert_eq!(
            event.reasons().collect::<Vec<_>>(),
            ["Failed", "ImagePullBackOff"]
        );
        event.message = Some("Error: no such host".to_owned());
        assert_eq!(event.reasons().collect::<Vec<_>>(), ["Failed"]);
    }
}
