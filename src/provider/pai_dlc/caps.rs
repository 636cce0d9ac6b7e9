//! What PAI-DLC can do through gpujob (job-model.md §7).

use crate::provider::{Capabilities, Support, Verb};

/// The row of the capability table.
pub static CAPABILITIES: Capabilities = Capabilities {
    creates_once: false,
    verbs: [
        (
            Verb::Logs,
            Support::With("of each pod and each of its incarnations"),
        ),
        (Verb::Events, Support::With("of the job and of each pod")),
        (
            Verb::Types,
            Support::With("stock and spot discount, no price; quotas cannot be listed"),
        ),
        (
            Verb::VolumesList,
            Support::With("the datasets of the workspace"),
        ),
        (
            Verb::VolumesCreate,
            Support::With("registers an existing OSS, NAS or CPFS place as a dataset"),
        ),
        (
            Verb::VolumesDelete,
            Support::With("removes the registration; the data stays"),
        ),
        (
            Verb::Files,
            Support::No {
                reason: "the API moves no files",
                alternative: "use the tools of OSS or NAS",
            },
        ),
        (Verb::NamespacesList, Support::With("workspaces")),
        (
            Verb::NamespacesCreate,
            Support::No {
                reason: "workspaces are not created through this API",
                alternative: "create the workspace in the console",
            },
        ),
        (
            Verb::NamespacesDelete,
            Support::No {
                reason: "workspaces are not deleted through this API",
                alternative: "delete the workspace in the console",
            },
        ),
        (
            Verb::Cost,
            Support::No {
                reason: "no answer of the API holds a price",
                alternative: "look at the bill in the console",
            },
        ),
    ],
};
