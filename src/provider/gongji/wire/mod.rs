//! Gongji's own names: what is sent (strict) and what is read (lenient) (gongji.md §2 to §6, §9).
//!
//! Pure data. Answers read only what gpujob uses; everything else stays in `raw`.

mod billing;
mod job;
pub(super) mod lenient;
mod node;
mod request;
mod resource;
mod storage;

pub use billing::{BillingPeriod, BillingTask};
pub use job::{
    CandidateAnswer, Created, JobAnswer, JobStatus, JobSupport as JobSupportAnswer,
    ModParam as ModParamAnswer, PortAnswer, ServiceAnswer,
};
pub use node::{Container, Event, Events, Logs, Node, NodeHistory, NodeResource};
pub use request::{
    Candidate, CreateJob, CreateNas, DeleteNas, EnvEntry, HealthChecks, JobSupport, ModParam,
    Mount, Named, Probe, ProbeType, RemotePort, RepositoryAccount, ResourceWeight, Service,
    SharedMemory, StartScript, StopJob, TaskQos,
};
pub use resource::{Device, Mark, Region, Spec};
pub use storage::{
    NasConfig, NasCreated, NasInstance, NasOffers, NasVolume, Place, Storage, StorageUser,
};
