//! The logs of one job: which there are, which are wanted, and how hard each is to be looked at.

use crate::provider::{LogLook, LogReader, LogSource, LogStart, Logs};

use super::tail::Tail;

/// A log that is read.
#[derive(Debug)]
pub(super) struct Track<'a> {
    pub(super) source: LogSource,
    pub(super) reader: Box<dyn LogReader + 'a>,
    /// Collects the history while only its last lines are wanted.
    pub(super) tail: Option<Tail>,
    /// Whether it has ended and was looked at a last time.
    pub(super) closed: bool,
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
        sources: Vec<LogSource>,
        wanted: &[String],
        logs: &'a dyn Logs,
        start: &LogStart,
    ) {
        for track in &mut self.all {
            track.listed = false;
        }
        for source in sources
            .into_iter()
            .filter(|source| is_wanted(&source.name, wanted))
        {
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
                    track.source = source;
                }
                None => self.all.push(Track {
                    reader: logs.open(&source, start),
                    tail: start.tail.map(Tail::new),
                    closed: false,
                    ended_before: false,
                    listed: true,
                    source,
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
}

impl Track<'_> {
    /// How hard to look in a round. One that ended is looked at as usual first, and a round later a last time.
    pub(super) fn look(&self, round: LogLook) -> LogLook {
        if self.ended_before {
            LogLook::Last
        } else {
            round
        }
    }

    /// Everything was read, as far as this look goes.
    pub(super) fn was_read(&mut self, look: LogLook) {
        self.closed = look == LogLook::Last;
        self.ended_before = self.source.ended;
    }

    /// Whether the service no longer names it: it may refuse to tell more.
    pub(super) fn is_unlisted(&self) -> bool {
        !self.listed
    }
}

/// Whether a pod is among those asked for; the last part of a long name is enough.
pub(super) fn is_wanted(name: &str, wanted: &[String]) -> bool {
    wanted.is_empty()
        || wanted.iter().any(|wanted| {
            name == wanted
                || name
                    .strip_suffix(wanted.as_str())
                    .is_some_and(|before| before.ends_with('-'))
        })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("dlc1-master-0", &[], true)]
    #[case("dlc1-master-0", &["dlc1-master-0"], true)]
    #[case("dlc1-master-0", &["worker-0", "master-0"], true)]
    #[case("dlc1-master-0", &["aster-0"], false)]
    #[case("dlc1-master-0", &["master"], false)]
    #[case("dlc1-master-0", &[""], false)]
    fn a_pod_is_chosen_by_its_name_or_the_end_of_it(
        #[case] name: &str,
        #[case] wanted: &[&str],
        #[case] chosen: bool,
    ) {
        let wanted: Vec<String> = wanted.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(is_wanted(name, &wanted), chosen);
    }
}
