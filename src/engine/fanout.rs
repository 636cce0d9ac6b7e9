//! One question to many providers at once: a slow or broken one costs neither the others' rows nor their time.

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use crate::error::{Error, Result};
use crate::provider::Provider;

/// One provider, or why there is none.
#[derive(Debug)]
pub struct Candidate {
    pub name: String,
    pub provider: Result<Box<dyn Provider>>,
}

/// What came back, in the order of the configuration.
#[derive(Debug)]
pub struct Gathered<T> {
    pub answers: Vec<(String, T)>,
    pub errors: Vec<Error>,
}

/// Asks every candidate at once and keeps the order they were given in; `came` sees each answer as it comes.
pub async fn gather<'a, T, F, A>(
    candidates: &'a [Candidate],
    ask: A,
    mut came: impl FnMut(&T),
) -> Gathered<T>
where
    A: Fn(&'a dyn Provider) -> F,
    F: Future<Output = Result<T>>,
{
    let mut questions: FuturesUnordered<_> = candidates
        .iter()
        .enumerate()
        .map(|(place, candidate)| {
            let question = candidate.provider.as_deref().map(&ask);
            async move {
                let answer = match question {
                    Ok(question) => question.await,
                    Err(error) => Err(error.clone()),
                };
                (place, candidate, answer)
            }
        })
        .collect();
    let mut answers = Vec::new();
    let mut errors = Vec::new();
    while let Some((place, candidate, answer)) = questions.next().await {
        match answer {
            Ok(answer) => {
                came(&answer);
                answers.push((place, (candidate.name.clone(), answer)));
            }
            Err(error) => errors.push((place, error.with_provider(&candidate.name))),
        }
    }
    Gathered {
        answers: in_order(answers),
        errors: in_order(errors),
    }
}

fn in_order<T>(mut placed: Vec<(usize, T)>) -> Vec<T> {
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, item)| item).collect()
}

impl<T> Gathered<T> {
    /// Whether nobody answered: then there is no result, only failures.
    pub fn is_silent(&self) -> bool {
        self.answers.is_empty() && !self.errors.is_empty()
    }
}
