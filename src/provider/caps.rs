//! What each provider can do, as data: the accessors, `help providers` and refusals all read it (job-model.md §7).

use crate::model::Backend;

/// A verb that not every provider has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    Logs,
    Events,
    Types,
    VolumesList,
    VolumesCreate,
    VolumesDelete,
    Files,
    NamespacesList,
    NamespacesCreate,
    NamespacesDelete,
    Cost,
}

impl Verb {
    /// Every verb of the table, in its order.
    pub const ALL: [Self; 11] = [
        Self::Logs,
        Self::Events,
        Self::Types,
        Self::VolumesList,
        Self::VolumesCreate,
        Self::VolumesDelete,
        Self::Files,
        Self::NamespacesList,
        Self::NamespacesCreate,
        Self::NamespacesDelete,
        Self::Cost,
    ];

    /// The words on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Events => "events",
            Self::Types => "types",
            Self::VolumesList => "volumes list",
            Self::VolumesCreate => "volumes create",
            Self::VolumesDelete => "volumes delete",
            Self::Files => "volumes ls|put|get|rm",
            Self::NamespacesList => "namespaces list",
            Self::NamespacesCreate => "namespaces create",
            Self::NamespacesDelete => "namespaces delete",
            Self::Cost => "cost",
        }
    }
}

/// Whether a provider has a verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    Yes,
    /// With this to know about it.
    With(&'static str),
    No {
        reason: &'static str,
        alternative: &'static str,
    },
}

/// One backend's row of the table: a support for every verb.
#[derive(Debug)]
pub struct Capabilities {
    /// Whether the service takes a create with the same marker once only, so that it may be sent again.
    pub creates_once: bool,
    pub verbs: [(Verb, Support); Verb::ALL.len()],
}

impl Capabilities {
    /// How the backend stands to a verb.
    pub fn support(&self, verb: Verb) -> Support {
        self.verbs
            .iter()
            .find(|(listed, _)| *listed == verb)
            .map_or(
                Support::No {
                    reason: "is not listed",
                    alternative: "none",
                },
                |(_, support)| *support,
            )
    }

    /// Whether the backend has the verb at all.
    pub fn has(&self, verb: Verb) -> bool {
        !matches!(self.support(verb), Support::No { .. })
    }
}

/// The capability table as Markdown: one row a verb, one column a backend. `README.md` holds it, checked by a test.
pub fn table(backends: &[(Backend, &Capabilities)]) -> String {
    let mut lines = vec![
        row("", backends.iter().map(|(backend, _)| backend.to_string())),
        row("---", backends.iter().map(|_| "---".to_owned())),
    ];
    for verb in Verb::ALL {
        let cells = backends
            .iter()
            .map(|(_, capabilities)| match capabilities.support(verb) {
                Support::Yes => "yes".to_owned(),
                Support::With(note) => format!("yes; {note}"),
                Support::No { reason, .. } => format!("no: {reason}"),
            });
        lines.push(row(&format!("`{}`", verb.as_str()), cells));
    }
    lines.join("\n")
}

fn row(head: &str, cells: impl Iterator<Item = String>) -> String {
    // A bar would end the cell.
    let cells: Vec<String> = std::iter::once(head.to_owned())
        .chain(cells)
        .map(|cell| cell.replace('|', "\\|"))
        .collect();
    format!("| {} |", cells.join(" | "))
}
