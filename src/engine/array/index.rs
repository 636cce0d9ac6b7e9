//! The job of one index: the array's spec with the index in its environment and in its name. Pure.

use crate::error::{Error, Kind, Result};
use crate::spec::JobSpec;

use super::identity::INDEX_VARIABLE;

/// The spec of one index of an array.
pub fn job_of(spec: &JobSpec, index: u32) -> Result<JobSpec> {
    if spec.env.contains_key(INDEX_VARIABLE)
        || spec.secrets.iter().any(|name| name == INDEX_VARIABLE)
    {
        return Err(Error::new(
            Kind::Spec,
            "conflicting_fields",
            format!("`{INDEX_VARIABLE}` is set in `env`, and an array tells each job its own index in it"),
        )
        .with_hint("leave it out of `env`, or call it something else"));
    }
    let mut job = spec.clone();
    job.array = None;
    job.env.insert(INDEX_VARIABLE.to_owned(), index.to_string());
    job.name = spec.name.as_ref().map(|name| format!("{name}-{index}"));
    Ok(job)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{parse_document, spec_hash};

    fn spec(more: &str) -> JobSpec {
        let text = format!("name: sweep\nimage: a\ncommand: [x]\narray: 0-9%2\n{more}");
        parse_document("job.yaml", &text, None).unwrap()
    }

    #[test]
    fn every_index_is_a_job_of_its_own() {
        let third = job_of(&spec("env: {LR: \"1\"}\n"), 3).unwrap();
        assert_eq!(third.array, None);
        assert_eq!(third.env["GPUJOB_ARRAY_INDEX"], "3");
        assert_eq!(third.env["LR"], "1");
        assert_eq!(third.name.as_deref(), Some("sweep-3"));
        let fourth = job_of(&spec("env: {LR: \"1\"}\n"), 4).unwrap();
        assert_ne!(spec_hash(&third), spec_hash(&fourth));
    }

    #[test]
    fn an_index_of_the_users_own_is_not_overwritten() {
        let error = job_of(&spec("env: {GPUJOB_ARRAY_INDEX: \"1\"}\n"), 3).unwrap_err();
        assert_eq!(error.code(), "conflicting_fields");
    }
}
