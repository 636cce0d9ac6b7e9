//! What Gongji can do through gpujob (job-model.md §7).

use crate::provider::{Capabilities, Support, Verb};

/// The row of the capability table.
pub static CAPABILITIES: Capabilities = Capabilities {
    creates_once: false,
    verbs: [
        (
            Verb::Logs,
            Support::With("of each pod; without times, so no `--since`"),
        ),
        (Verb::Events, Support::With("of each pod")),
        (Verb::Types, Support::With("price and stock")),
        (
            Verb::VolumesList,
            Support::With("object storage, shared volumes and NAS"),
        ),
        (
            Verb::VolumesCreate,
            Support::With("NAS; object storage and shared volumes are made in the console"),
        ),
        (Verb::VolumesDelete, Support::With("NAS; the data is lost")),
        (
            Verb::Files,
            Support::No {
                reason: "moving files is not built yet",
                alternative: "NAS volumes can be reached by SFTP from the console",
            },
        ),
        (
            Verb::NamespacesList,
            Support::No {
                reason: "an account has no namespaces",
                alternative: "leave it out: jobs belong to the account",
            },
        ),
        (
            Verb::NamespacesCreate,
            Support::No {
                reason: "an account has no namespaces",
                alternative: "leave it out: jobs belong to the account",
            },
        ),
        (
            Verb::NamespacesDelete,
            Support::No {
                reason: "an account has no namespaces",
                alternative: "leave it out: jobs belong to the account",
            },
        ),
        (
            Verb::Cost,
            Support::With("what was billed so far; a running job's last minutes are missing"),
        ),
    ],
};
