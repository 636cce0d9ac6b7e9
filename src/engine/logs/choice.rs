//! Which of a job's logs are wanted: some pods, one of their streams (cli.md §2, `--pod`). Pure.

use crate::provider::{LogSource, LogStream};

/// What was asked for; empty is everything.
#[derive(Debug, Clone, Default)]
pub(super) struct Choice(Vec<String>);

impl Choice {
    /// The words of `--pod`.
    pub(super) fn new(words: Vec<String>) -> Self {
        Self(words)
    }

    /// Whether a log is wanted. A log that is one of two streams is chosen by its pod, its stream, or both.
    pub(super) fn takes(&self, source: &LogSource) -> bool {
        let Some(own) = source.stream else {
            return self.0.is_empty() || self.names(&source.name);
        };
        let (streams, pods): (Vec<_>, Vec<_>) =
            self.0.iter().partition(|word| is_stream(word.as_str()));
        (streams.is_empty() || streams.iter().any(|word| *word == own.as_str()))
            && (pods.is_empty() || pods.iter().any(|word| is_named(&source.name, word)))
    }

    /// Whether a pod or node is among those named.
    pub(super) fn names(&self, pod: &str) -> bool {
        self.0.iter().any(|word| is_named(pod, word))
    }

    /// The pods that were named; none if all are wanted.
    pub(super) fn pods(&self) -> Vec<&str> {
        let words = self.0.iter().map(String::as_str);
        words.filter(|word| !is_stream(word)).collect()
    }

    /// The first word that names none of these logs, and no node of the job either. A stream that nothing was written to
    /// is no unknown one, where streams are kept apart.
    pub(super) fn missing(&self, listed: &[LogSource], nodes: &[String]) -> Option<&str> {
        let are_apart = listed.iter().all(|source| source.stream.is_some());
        let is_known = |word: &str| {
            let mut pods = listed
                .iter()
                .map(|source| source.name.as_str())
                // A node may have its address behind its name.
                .chain(nodes.iter().filter_map(|node| node.split(' ').next()));
            pods.any(|pod| is_named(pod, word)) || (are_apart && is_stream(word))
        };
        let mut words = self.0.iter().map(String::as_str);
        words.find(|word| !is_known(word))
    }
}

fn is_stream(word: &str) -> bool {
    LogStream::parse(word).is_some()
}

/// Whether a word means a pod; the last part of a long name is enough.
fn is_named(pod: &str, word: &str) -> bool {
    pod == word
        || pod
            .strip_suffix(word)
            .is_some_and(|before| before.ends_with('-'))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn source(name: &str, stream: &str) -> LogSource {
        LogSource {
            name: name.to_owned(),
            stream: LogStream::parse(stream),
            locator: Vec::new(),
            began_at: None,
            ended: false,
        }
    }

    fn choice(words: &[&str]) -> Choice {
        Choice::new(words.iter().map(|&word| word.to_owned()).collect())
    }

    #[rstest]
    #[case("dlc1-master-0", "", &[], true)]
    #[case("dlc1-master-0", "", &["dlc1-master-0"], true)]
    #[case("dlc1-master-0", "", &["worker-0", "master-0"], true)]
    #[case("dlc1-master-0", "", &["aster-0"], false)]
    #[case("dlc1-master-0", "", &["master"], false)]
    #[case("dlc1-master-0", "", &[""], false)]
    #[case("dlc1-master-0", "", &["stderr"], false)]
    #[case("gpu-1", "stdout", &[], true)]
    #[case("gpu-1", "stdout", &["stderr"], false)]
    #[case("gpu-1", "stderr", &["stderr"], true)]
    #[case("gpu-1", "stderr", &["gpu-1"], true)]
    #[case("gpu-1", "stderr", &["gpu-1", "stderr"], true)]
    #[case("gpu-1", "stdout", &["gpu-1", "stderr"], false)]
    #[case("gpu-2", "stderr", &["gpu-1", "stderr"], false)]
    #[case("gpu-1", "stdout", &["stdout", "stderr"], true)]
    fn a_log_is_chosen_by_its_pod_and_by_its_stream(
        #[case] name: &str,
        #[case] stream: &str,
        #[case] words: &[&str],
        #[case] chosen: bool,
    ) {
        assert_eq!(choice(words).takes(&source(name, stream)), chosen);
    }

    #[rstest]
    #[case(&["a-0"], &[("job-a-0", "")], &[], None)]
    #[case(&["a-1"], &[("job-a-0", "")], &[], Some("a-1"))]
    // A pod that has not begun to write is known all the same.
    #[case(&["a-1"], &[("job-a-0", "")], &["job-a-1"], None)]
    #[case(&["gpu-2"], &[], &["gpu-2 (10.20.1.12)"], None)]
    #[case(&["stderr"], &[("gpu-1", "stdout")], &[], None)]
    #[case(&["stderr"], &[], &[], None)]
    #[case(&["stderr"], &[("job-a-0", "")], &[], Some("stderr"))]
    fn what_is_not_there_is_named(
        #[case] words: &[&str],
        #[case] listed: &[(&str, &str)],
        #[case] nodes: &[&str],
        #[case] missing: Option<&str>,
    ) {
        let listed: Vec<_> = listed
            .iter()
            .map(|(name, stream)| source(name, stream))
            .collect();
        let nodes: Vec<_> = nodes.iter().map(|&node| node.to_owned()).collect();
        assert_eq!(choice(words).missing(&listed, &nodes), missing);
    }
}
