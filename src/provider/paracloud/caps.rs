//! What Paracloud can do, as data (job-model.md §7).

use crate::provider::{Capabilities, Support, Verb};

/// Paracloud's row of the capability table.
pub static CAPABILITIES: Capabilities = Capabilities {
    creates_once: false,
    verbs: [
        (
            Verb::Logs,
            Support::No {
                reason: "the API has no endpoint for logs",
                alternative: "have the job write its output to a mounted volume",
            },
        ),
        (
            Verb::Events,
            Support::No {
                reason: "the API has no endpoint for events",
                alternative: "`gpujob status REF` shows the state's reason and message",
            },
        ),
        (Verb::Types, Support::With("no price and no stock are told")),
        (Verb::VolumesList, Support::Yes),
        (
            Verb::VolumesCreate,
            Support::With("no name and no size; transfer credentials are shown once"),
        ),
        (
            Verb::VolumesDelete,
            Support::With("all files in the volume are lost"),
        ),
        (
            Verb::Files,
            Support::With("by WebDAV, with the credentials kept where the volume was created"),
        ),
        (Verb::NamespacesList, Support::Yes),
        (
            Verb::NamespacesCreate,
            Support::With("the service chooses the id; there is no name"),
        ),
        (Verb::NamespacesDelete, Support::Yes),
        (
            Verb::Cost,
            Support::No {
                reason: "the API tells no price and no bill",
                alternative: "see the provider's console",
            },
        ),
    ],
};
