//! Ports, the container's name, and the one DNS label they end up in (paracloud.md §3.7 and §4.1).
//!
//! Pure.

use crate::model::{Marker, Refusal, RefusalCode};
use crate::provider::Assessment;
use crate::spec::{JobSpec, Port};

use super::super::wire;

/// A name and a DNS label are at most so long.
const LABEL_LIMIT: usize = 63;
/// The group's id is the service's choice; all that were seen have eight characters (§2.1).
const GROUP_ID_LENGTH: usize = 8;
/// The name of a job without one, or of whose name nothing is left.
const FALLBACK_NAME: &str = "job";
/// The marker's length and its dash.
const MARKER_ROOM: usize = 15;

/// Judges the name and the ports.
pub(super) fn assess(spec: &JobSpec, assessment: &mut Assessment) {
    assess_name(spec, assessment);
    let mut seen: Vec<&str> = Vec::new();
    for (index, port) in spec.ports.iter().enumerate() {
        let field = format!("ports[{index}]");
        match port {
            Port::Fixed(number) => assessment.unsupported(
                &field,
                format!("Paracloud assigns port numbers itself, so {number} cannot be had"),
                "name the port, and have the program listen on `$BAT_PORT_<name>`",
            ),
            Port::Named { name, .. } if !is_port_name(name) => assessment.refuse(
                Refusal::new(
                    RefusalCode::UnsupportedValue,
                    &field,
                    format!(
                        "the port name `{name}` is not made of `a-z` and `0-9` only: a shell could not read its variable `$BAT_PORT_{name}`"
                    ),
                )
                .with_alternative("a name such as `ui`"),
            ),
            Port::Named { name, .. } if seen.contains(&name.as_str()) => assessment.refuse(
                Refusal::new(
                    RefusalCode::ConflictingFields,
                    &field,
                    format!("the port name `{name}` is there twice"),
                )
                .with_alternative("give each port a name of its own"),
            ),
            Port::Named { name, https } => {
                seen.push(name);
                let how = if *https {
                    assessment.note(format!(
                        "port `{name}` is open to everybody who knows its address: Paracloud's proxy asks for no login"
                    ));
                    "containers[0].ports, published by https"
                } else {
                    "containers[0].ports, inside the cluster only"
                };
                assessment.native(
                    &field,
                    format!("{how}; the number is in `$BAT_PORT_{name}`"),
                );
            }
        }
    }
}

/// Judges whether names and ids fit into one DNS label. `None` for what is not known yet takes no room.
pub(super) fn assess_labels(
    spec: &JobSpec,
    namespace: Option<&str>,
    cluster: Option<&str>,
    assessment: &mut Assessment,
) {
    let taken = namespace.map_or(1, str::len) + cluster.map_or(1, str::len) + GROUP_ID_LENGTH + 4;
    let name = normalised(spec.name.as_deref());
    for (index, port) in spec.ports.iter().enumerate() {
        let Port::Named {
            name: port,
            https: true,
        } = port
        else {
            continue;
        };
        let length = taken + name.len() + MARKER_ROOM + port.len();
        if is_port_name(port) && length > LABEL_LIMIT {
            let room = LABEL_LIMIT.saturating_sub(taken + MARKER_ROOM);
            super::refuse_once(
                assessment,
                Refusal::new(
                    RefusalCode::ConflictingFields,
                    format!("ports[{index}]"),
                    format!(
                        "the address of port `{port}` would have {length} characters in one DNS label, and {LABEL_LIMIT} are the limit"
                    ),
                )
                .with_alternative(format!(
                    "names of the job and of the port with at most {room} characters together (now {})",
                    name.len() + port.len()
                )),
            );
        }
    }
}

/// The ports as they are sent.
pub(super) fn ports(spec: &JobSpec) -> Vec<wire::CreatePort> {
    spec.ports
        .iter()
        .filter_map(|port| match port {
            Port::Named { name, https } => Some(wire::CreatePort {
                name: name.clone(),
                https: https.then_some(wire::Empty {}),
            }),
            Port::Fixed(_) => None,
        })
        .collect()
}

/// `<normalised>-<marker>`, at most 63 characters of `[a-z0-9-]`.
pub(super) fn container_name(spec: &JobSpec, marker: &Marker) -> String {
    format!("{}-{marker}", normalised(spec.name.as_deref()))
}

/// Hyphens are legal for the service, and no shell can read the variable that they end up in (§4.1).
pub(super) fn is_port_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

fn assess_name(spec: &JobSpec, assessment: &mut Assessment) {
    let Some(name) = &spec.name else {
        return;
    };
    let sent = normalised(Some(name));
    assessment.native("name", format!("containers[0].name, as `{sent}-<marker>`"));
    if sent != *name {
        assessment.note(format!(
            "the name is sent as `{sent}`; as written it is kept in gpujob's own records only"
        ));
    }
}

/// Lower case, other characters to dashes, squeezed, trimmed, cut to leave room for the marker (§9.2).
fn normalised(name: Option<&str>) -> String {
    let mut text = String::new();
    for character in name.unwrap_or_default().chars() {
        let character = character.to_ascii_lowercase();
        if character.is_ascii_lowercase() || character.is_ascii_digit() {
            text.push(character);
        } else if !text.is_empty() && !text.ends_with('-') {
            text.push('-');
        }
    }
    let text: String = text.chars().take(LABEL_LIMIT - MARKER_ROOM).collect();
    match text.trim_end_matches('-') {
        "" => FALLBACK_NAME.to_owned(),
        text => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_what_the_service_takes() {
        for (name, expected) in [
            (Some("bert finetune"), "bert-finetune"),
            (Some("BERT_v2.1"), "bert-v2-1"),
            (Some("--a--b--"), "a-b"),
            (Some("训练"), "job"),
            (Some("训练 7"), "7"),
            (Some(""), "job"),
            (None, "job"),
        ] {
            assert_eq!(normalised(name), expected, "{name:?}");
        }
        let long = normalised(Some(&"ab-".repeat(21)));
        assert!(long.len() <= 48 && !long.ends_with('-'), "{long}");
    }
}
