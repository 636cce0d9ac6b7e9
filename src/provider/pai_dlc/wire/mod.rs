//! The wire types of PAI-DLC and AIWorkspace (pai-dlc.md §3, §5, §6).
//!
//! Requests carry the service's member names exactly and refuse any other; answers are lenient: unknown members are
//! ignored, and absent, null, empty and zero members are alike (pai-dlc.md §1.3).

mod catalogue;
mod job;
mod lenient;
mod request;
mod workspace;

pub use catalogue::{EcsSpec, EcsSpecPage};
pub use job::{
    Created, JobAnswer, JobPage, JobSpecAnswer, LogsAnswer, PodAnswer, ResourceConfigAnswer,
    SettingsAnswer, StatusDetail,
};
pub use request::{
    CodeSource, CreateDataset, CreateJob, DataSource, ImageConfig, JobSpec, Label, ResourceConfig,
    Settings, SpotSpec, SystemDisk, UserVpc,
};
pub use workspace::{DatasetAnswer, DatasetCreated, DatasetPage, WorkspaceAnswer, WorkspacePage};
