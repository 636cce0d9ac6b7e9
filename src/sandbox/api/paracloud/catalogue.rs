//! Instance types: raw entries, shown as they are (paracloud.md §3.2). The first four GPU types of the data file are the
//! vendor's facts; `n30.cpu` and `n40.xlarge` are invented for tests.

use serde_json::Value;

const ENTRIES: &str = include_str!("catalogue.json");

/// The catalogue's own entries followed by those of the switch `extra_types`.
pub(super) fn entries(extra: &[Value]) -> Vec<Value> {
    let mut entries: Vec<Value> = serde_json::from_str(ENTRIES).unwrap_or_default();
    entries.extend_from_slice(extra);
    entries
}

/// Whether any type belongs to this cluster; there is no other list of clusters (§2).
pub(super) fn has_cluster(entries: &[Value], cluster: &str) -> bool {
    entries
        .iter()
        .any(|entry| text(entry, "clusterID") == Some(cluster))
}

/// Whether a type of this id exists anywhere.
pub(super) fn has_type(entries: &[Value], id: &str) -> bool {
    entries.iter().any(|entry| text(entry, "id") == Some(id))
}

/// The cluster in which a type runs: the wanted one if it has the type, the first that has it for `-`.
pub(super) fn cluster_of_type(entries: &[Value], id: &str, wanted: Option<&str>) -> Option<String> {
    entries
        .iter()
        .filter(|entry| text(entry, "id") == Some(id))
        .filter_map(|entry| text(entry, "clusterID"))
        .find(|cluster| wanted.is_none_or(|wanted| wanted == *cluster))
        .map(ToOwned::to_owned)
}

fn text<'a>(entry: &'a Value, key: &str) -> Option<&'a str> {
    entry.get(key)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_file_holds_the_documented_types() {
        let entries = entries(&[]);
        for (id, cluster) in [
            ("n30.xlarge", "NC-N30"),
            ("n30.2xlarge", "NC-N30"),
            ("n32h.xlarge", "BSCC-N32-H"),
            ("n32h.2xlarge", "BSCC-N32-H"),
        ] {
            assert_eq!(
                cluster_of_type(&entries, id, None).as_deref(),
                Some(cluster)
            );
        }
        assert!(entries.iter().any(|entry| entry["gpu"]["count"] == 0));
        assert_eq!(
            cluster_of_type(&entries, "n30.xlarge", Some("BSCC-N32-H")),
            None
        );
    }
}
