//! One question to many providers at once: a slow or broken one costs neither the others' rows nor their time.


use futures_util::future::join_all;

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

/// Asks every candidate at once and keeps the order they were given in.
pub async fn gather<'a, T, F, A>(candidates: &'a [Candidate], ask: A) -> Gathered<T>
where
    A: Fn(&'a dyn Provider) -> F,
    F: Future<Output = Result<T>>,
{
    let questions = candidates.iter().map(|candidate| {
        let question = candidate.provider.as_deref().map(&ask);
        async move {
            match question {
                Ok(question) => question.await,
                Err(error) => Err(error.clone()),
            }
        }
    });
    let mut gathered = Gathered {
        answers: Vec::new(),
        errors: Vec::new(),
    };
    for (candidate, answer) in candidates.iter().zip(join_all(questions).await) {
        match answer {
            Ok(answer) => gathered.answers.push((candidate.name.clone(), answer)),
            Err(error) => gathered.errors.push(error.with_provider(&candidate.name)),
        }
    }
    gathered
}

impl<T> Gathered<T> {
    /// Whether nobody answered: then there is no result, only failures.
    pub fn is_silent(&self) -> bool {
        self.answers.is_empty() && !self.errors.is_empty()
    }
}
