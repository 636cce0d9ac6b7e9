//! Creates whose fate is unclear: looked up by their marker, and told as 88 when that does not settle it.

use tokio::time::Instant;

use crate::error::{Error, Kind};
use crate::model::{Job, Marker, Timestamp};
use crate::provider::Provider;

use super::Submitter;

/// One create that may have taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Doubt<'a> {
    pub(super) provider: &'a str,
    pub(super) marker: &'a Marker,
    pub(super) key: Option<&'a str>,
}

/// What looking brought.
#[derive(Debug, Default)]
pub(super) struct Looked {
    pub(super) found: Vec<Job>,
    /// Whether the last look was answered.
    pub(super) is_answered: bool,
    pub(super) failure: Option<Error>,
}

impl Submitter<'_> {
    /// Looks for the jobs of a marker, after each pause, until there is one or the time is up.
    pub(super) async fn look_up(
        &self,
        provider: &dyn Provider,
        marker: &Marker,
        scope: &str,
        since: Timestamp,
    ) -> Looked {
        let mut looked = Looked::default();
        for pause in self.pauses {
            if self
                .deadline
                .is_some_and(|end| Instant::now() + *pause >= end)
            {
                break;
            }
            let look = async {
                tokio::time::sleep(*pause).await;
                provider.find(marker, scope, since).await
            };
            let found = tokio::select! {
                found = look => found,
                _ = self.interrupt.came() => break,
            };
            match found {
                Ok(found) => {
                    looked.is_answered = true;
                    looked.found = found;
                    if !looked.found.is_empty() {
                        break;
                    }
                }
                Err(error) => {
                    looked.is_answered = false;
                    looked.failure = Some(error);
                }
            }
        }
        looked
    }
}

impl Doubt<'_> {
    /// The error of cli.md §6, 88: says how to find out, and that nothing was sent twice.
    pub(super) fn error(&self, cause: &Error, looked: &Looked) -> Error {
        let Self {
            provider,
            marker,
            key,
        } = self;
        let found: Vec<String> = looked
            .found
            .iter()
            .map(|job| job.job_ref.to_string())
            .collect();
        let message = if found.is_empty() {
            format!("the create on `{provider}` was sent once and nobody can tell whether it took")
        } else {
            format!(
                "{} jobs on `{provider}` carry the marker of this one create; none was adopted",
                found.len()
            )
        };
        let look = format!(
            "look for its job with `gpujob settle marker:{marker}` before you submit again; on another machine:\n  gpujob status --all -p {provider} -o json --jq '.items[] | select(.marker == \"{marker}\") | .ref'"
        );
        let hint = match key {
            None => look,
            Some(_) => format!(
                "{look}\nthe same command looks again too, and with `--resubmit`, once you have looked, sends the create once more"
            ),
        };
        let mut error = Error::new(Kind::OutcomeUnknown, "outcome_unknown", message)
            .with_provider(provider)
            .with_marker(marker.to_string())
            .with_candidates(found)
            .with_cause(cause)
            .with_hint(hint);
        if let Some(failure) = &looked.failure {
            error = error.with_cause(format!("looking it up failed too: {failure}"));
        }
        error
    }
}
