//! The logs of one job: which there are, which are wanted, and how hard each is to be looked at.

use std::collections::BTreeMap;

use crate::provider::{LogLook, LogReader, LogSource, LogStart, Logs};

use super::choice::Choice;
use super::patience::Patience;
use super::tail::Tail;

/// A log that is read.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and most combinations are met"
)]
pub(super) struct Track<'a> {
    pub(super) source: LogSource,
    pub(super) reader: Box<dyn LogReader + 'a>,
    /// Collects the history while only its last lines are wanted.
    pub(super) tail: Option<Tail>,
    /// Whether it has ended and was looked at a last time.
    pub(super) closed: bool,
    /// Whether it could not be read, and will not be asked for again.
    pub(super) given_up: bool,
    pub(super) patience: Patience,
    /// Whether it was read as far as it went.
    was_read: bool,
    /// Whether the round before knew already that it has ended: what comes late has had its time.
    ended_before: bool,
    /// Whether the last listing named it.
    listed: bool,
}

/// All of a job's.
#[derive(Debug, Default)]
pub(super) struct Tracks<'a> {
    pub(super) all: Vec<Track<'a>>,
}

impl<'a> Tracks<'a> {
    /// Takes a listing in: opens what is new, notes what has ended.
    ///
    /// The first listing begins where the user asked; what appears later is read whole.
    pub(super) fn take(
        &mut self,
        sources: &[LogSource],
        choice: &Choice,
        logs: &'a dyn Logs,
        start: &LogStart,
    ) {
        for track in &mut self.all {
            track.listed = false;
        }
        for source in sources.iter().filter(|source| choice.takes(source)) {
            let known = self
                .all
                .iter_mut()
                .find(|track| track.source.locator == source.locator);
            match known {
                Some(track) => {
                    track.listed = true;
                    // One that writes again was not over.
                    track.closed &= source.ended;
                    track.ended_before &= source.ended;
                    track.source = source.clone();
                }
                None => self.all.push(Track {
                    reader: logs.open(source, start),
                    tail: start.tail.map(Tail::new),
                    closed: false,
                    given_up: false,
                    patience: Patience::default(),
                    was_read: false,
                    ended_before: false,
                    listed: true,
                    source: source.clone(),
                }),
            }
        }
        for track in &mut self.all {
            track.source.ended |= !track.listed;
        }
    }

    /// Whether there is more than one pod.
    pub(super) fn are_several(&self) -> bool {
        let mut names = self.all.iter().map(|track| &track.source.name);
        let first = names.next();
        names.any(|name| Some(name) != first)
    }

    /// What of `--tail` can be told now: of each pod its last lines, over all its runs and both its streams. Of logs that
    /// could not be read yet there will be no more than what is left.
    pub(super) fn tails(&mut self, most: usize) -> Vec<(usize, Vec<u8>)> {
        let mut left: BTreeMap<String, usize> = BTreeMap::new();
        let mut found = Vec::new();
        for (index, track) in self.all.iter_mut().enumerate().rev() {
            let left = left.entry(track.source.name.clone()).or_insert(most);
            if track.was_read
                && let Some(mut tail) = track.tail.take()
            {
                tail.limit(*left);
                *left = left.saturating_sub(tail.count());
                found.push((index, tail.finish()));
            }
        }
        for track in &mut self.all {
            if let (Some(tail), Some(left)) = (&mut track.tail, left.get(&track.source.name)) {
                tail.limit(*left);
            }
        }
        found.reverse();
        found
    }
}

impl Track<'_> {
    /// How hard to look in a round, if at all. One that ended is looked at as usual first, and a round later a last time.
    pub(super) fn look(&self, round: LogLook) -> Option<LogLook> {
        match round {
            _ if self.given_up => None,
            LogLook::Usual if self.closed => None,
            _ if self.ended_before => Some(LogLook::Last),
            LogLook::Usual | LogLook::Last => Some(round),
        }
    }

    /// Everything was read, as far as this look goes.
    pub(super) fn was_read(&mut self, look: LogLook) {
        self.was_read = true;
        self.closed = look == LogLook::Last;
        self.ended_before = self.source.ended;
        self.patience.worked();
    }

    /// Whether the service no longer names it: it may refuse to tell more.
    pub(super) fn is_unlisted(&self) -> bool {
        !self.listed
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::error::Result;
    use crate::provider::LogPiece;

    /// Says nothing.
    #[derive(Debug)]
    struct Mute;

    #[async_trait::async_trait]
    impl LogReader for Mute {
        async fn read(&mut self, _look: LogLook) -> Result<LogPiece> {
            Ok(LogPiece::default())
        }
    }

    fn track(pod: &str, text: Option<&str>) -> Track<'static> {
        let mut tail = Tail::new(2);
        tail.push(text.unwrap_or_default().as_bytes());
        Track {
            source: LogSource {
                name: pod.to_owned(),
                stream: None,
                locator: Vec::new(),
                began_at: None,
                ended: false,
            },
            reader: Box::new(Mute),
            tail: Some(tail),
            closed: false,
            given_up: false,
            patience: Patience::default(),
            was_read: text.is_some(),
            ended_before: false,
            listed: true,
        }
    }

    #[rstest]
    #[case::newest_run(&[("a", Some("1\n2\n3\n")), ("a", Some("4\n5\n6\n"))], &["", "5\n6\n"])]
    #[case::over_two_runs(&[("a", Some("1\n2\n")), ("a", Some("3\n"))], &["2\n", "3\n"])]
    #[case::of_each_pod(&[("a", Some("1\n2\n3\n")), ("b", Some("4\n")), ("a", Some("5"))], &["3\n", "4\n", "5"])]
    #[case::nothing_new(&[("a", Some("1\n2\n3\n")), ("a", Some(""))], &["2\n3\n", ""])]
    fn the_last_lines_are_those_of_each_pod(
        #[case] logs: &[(&str, Option<&str>)],
        #[case] left: &[&str],
    ) {
        let mut tracks = Tracks {
            all: logs.iter().map(|(pod, text)| track(pod, *text)).collect(),
        };
        let told = tracks.tails(2);
        let told: Vec<_> = told
            .into_iter()
            .map(|(_, bytes)| String::from_utf8(bytes).unwrap())
            .collect();
        assert_eq!(told, left);
    }

    #[test]
    fn a_log_that_could_not_be_read_gets_the_lines_that_are_left() {
        let mut tracks = Tracks {
            all: vec![track("a", None), track("a", Some("9\n"))],
        };
        assert_eq!(tracks.tails(2), [(1, b"9\n".to_vec())]);
        let late = tracks.all.first_mut().unwrap();
        late.tail.as_mut().unwrap().push(b"1\n2\n");
        late.was_read(LogLook::Usual);
        assert_eq!(tracks.tails(2), [(0, b"2\n".to_vec())]);
    }
}
