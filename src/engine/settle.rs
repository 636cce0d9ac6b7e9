//! Unclear creates of volumes and namespaces: they carry no marker, so the lists before and after are compared.
//!
//! cli.md §10 ("Never twice" covers them too); paracloud.md §6.1 no. 7. Nothing is sent twice.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::ambient::Reporter;
use crate::error::{Error, Kind, Result};

/// Finds what an unclear create left behind: the one id that was not there before.
///
/// `list` is asked after each pause. One new id is returned; none or several end with `outcome-unknown`.
pub async fn find_new<F, L>(
    what: &str,
    provider: &str,
    before: &BTreeSet<String>,
    cause: &Error,
    pauses: &[Duration],
    reporter: &dyn Reporter,
    list: L,
) -> Result<String>
where
    L: Fn() -> F,
    F: Future<Output = Result<BTreeSet<String>>>,
{
    reporter.warning(&format!(
        "nobody can tell whether the {what} was created ({cause}); comparing the list before and after"
    ));
    let mut candidates = Vec::new();
    for pause in pauses {
        tokio::time::sleep(*pause).await;
        if let Ok(after) = list().await {
            candidates = after.difference(before).cloned().collect();
            if let [only] = candidates.as_slice() {
                return Ok(only.clone());
            }
        }
    }
    Err(Error::new(
        Kind::OutcomeUnknown,
        "outcome_unknown",
        format!("the create of a {what} on `{provider}` was sent once and nobody can tell whether it took"),
    )
    .with_provider(provider)
    .with_candidates(candidates)
    .with_cause(cause)
    .with_hint(format!("look at `gpujob {what}s list -p {provider}` before you create another")))
}
