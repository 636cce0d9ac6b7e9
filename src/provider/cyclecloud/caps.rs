//! What CycleCloud can do through gpujob (job-model.md §7; cyclecloud.md §8.1).

use crate::provider::{Capabilities, Support, Verb};

/// The row of the capability table.
pub static CAPABILITIES: Capabilities = Capabilities {
    creates_once: true,
    verbs: [
        (
            Verb::Logs,
            Support::With("only where `result_dir` is mounted on this machine"),
        ),
        (
            Verb::Events,
            Support::No {
                reason: "CycleCloud's event log is not in its API",
                alternative: "`gpujob status REF` tells the message of a failed node, and the web page of the cluster shows events",
            },
        ),
        (Verb::Types, Support::With("room under quotas, no price")),
        (
            Verb::VolumesList,
            Support::With("a view of what the nodearrays mount"),
        ),
        (
            Verb::VolumesCreate,
            Support::No {
                reason: "CycleCloud's API makes no storage",
                alternative: "add a mount to the cluster's template, or give a job `nfs://ADDRESS/EXPORT`",
            },
        ),
        (
            Verb::VolumesDelete,
            Support::No {
                reason: "CycleCloud's API removes no storage",
                alternative: "take the mount out of the cluster's template",
            },
        ),
        (
            Verb::Files,
            Support::No {
                reason: "CycleCloud's API moves no files",
                alternative: "use the shared file system itself, or `cyclecloud connect NODE -c CLUSTER`",
            },
        ),
        (
            Verb::NamespacesList,
            Support::With("the configured cluster: the API does not list them"),
        ),
        (
            Verb::NamespacesCreate,
            Support::No {
                reason: "CycleCloud's API makes no clusters",
                alternative: "use `cyclecloud create_cluster` or the web page",
            },
        ),
        (
            Verb::NamespacesDelete,
            Support::No {
                reason: "CycleCloud's API removes no clusters",
                alternative: "use `cyclecloud delete_cluster` or the web page",
            },
        ),
        (
            Verb::Cost,
            Support::No {
                reason: "CycleCloud tells core hours and an estimate of a whole nodearray, never of a job",
                alternative: "`gpujob api PROVIDER GET /clusters/CLUSTER/usage` shows the estimate",
            },
        ),
    ],
};
