//! Ids that people type: opaque, checked for what would change a URL and nothing else (paracloud.md §2.1).
//!
//! Pure. Never checks an alphabet or a length: the observed formats are not promised.

use crate::error::{Error, Kind, Result};
use crate::model::ResourceRef;

/// What is wrong with an id, as the end of a sentence; `None` if it can stand in a path.
pub(super) fn problem(id: &str) -> Option<&'static str> {
    if id.is_empty() {
        Some("is empty")
    } else if id == "-" {
        Some("is the wildcard, which stands for no certain one")
    } else if id == "." || id == ".." {
        Some("is a path step")
    } else if id.contains(['/', '?', '#', '%', ':'])
        || id
            .chars()
            .any(|character| character.is_whitespace() || character.is_control())
    {
        Some("holds a character that no id has")
    } else {
        None
    }
}

/// An error for an id that cannot stand in a path.
pub(super) fn check(what: &str, id: &str, kind: Kind) -> Result<()> {
    match problem(id) {
        None => Ok(()),
        Some(problem) => Err(Error::new(
            kind,
            "bad_id",
            format!("the {what} `{}` {problem}", id.escape_debug()),
        )),
    }
}

/// The parts of a ref: namespace, cluster (`None` while it is unknown) and the thing's own id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    pub(super) namespace: &'a str,
    pub(super) cluster: Option<&'a str>,
    pub(super) id: &'a str,
}

/// Takes a ref of a job or a volume apart: `PROVIDER/NAMESPACE/CLUSTER/ID`.
pub(super) fn parts<'a>(what: &str, reference: &'a ResourceRef) -> Result<Parts<'a>> {
    let [namespace, cluster, id] = reference.path.as_slice() else {
        return Err(Error::new(
            Kind::Usage,
            "bad_ref",
            format!("`{reference}` is no ref of a {what} on Paracloud"),
        )
        .with_hint(format!(
            "one looks like `{}/NAMESPACE/CLUSTER/ID`",
            reference.provider
        )));
    };
    check("namespace", namespace, Kind::Usage)?;
    check(what, id, Kind::Usage)?;
    let cluster = Some(cluster.as_str()).filter(|cluster| *cluster != "-");
    if let Some(cluster) = cluster {
        check("cluster", cluster, Kind::Usage)?;
    }
    Ok(Parts {
        namespace,
        cluster,
        id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_change_a_url_is_no_id() {
        for good in ["k8r2wq", "BSCC-N32-H", "n32h.xlarge", "a..b", "训"] {
            assert_eq!(problem(good), None, "{good}");
        }
        for bad in [
            "", "-", ".", "..", "a/b", "a?b", "a#b", "a%2fb", "a:cancel", "a b", "a\n",
        ] {
            assert!(problem(bad).is_some(), "{bad:?}");
        }
    }

    #[test]
    fn a_ref_has_three_parts_and_may_not_know_its_cluster() {
        let reference = ResourceRef::new("para", ["k8r2wq", "-", "p6vd2hcn"]);
        let found = parts("job", &reference).unwrap();
        assert_eq!((found.cluster, found.id), (None, "p6vd2hcn"));
        for bad in [vec!["p6vd2hcn"], vec!["-", "C", "x"], vec!["n", "C", ".."]] {
            let reference = ResourceRef::new("para", bad);
            assert_eq!(parts("job", &reference).unwrap_err().kind(), Kind::Usage);
        }
    }
}
