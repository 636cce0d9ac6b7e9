//! Arguments of `volumes` and `namespaces`.

use clap::{Args, Subcommand};

/// `volumes`.
#[derive(Debug, Clone, Args)]
pub struct VolumesArgs {
    #[command(subcommand)]
    pub command: VolumesCommand,
}

/// The verbs of `volumes`.
#[derive(Debug, Clone, Subcommand)]
pub enum VolumesCommand {
    /// List volumes of every provider, or show one
    List(VolumesListArgs),
    /// Create or register a volume
    Create(VolumesCreateArgs),
    /// Delete volumes
    Delete(VolumesDeleteArgs),
    /// List the files in a volume
    Ls(VolumesLsArgs),
    /// Copy a file into a volume
    Put(VolumesPutArgs),
    /// Copy a file out of a volume
    Get(VolumesGetArgs),
    /// Remove files in a volume
    Rm(VolumesRmArgs),
}

/// `volumes list`.
#[derive(Debug, Clone, Args)]
pub struct VolumesListArgs {
    /// Show this volume only
    #[arg(value_name = "REF")]
    pub volume: Option<String>,
    /// Exit 0 although a provider failed
    #[arg(long)]
    pub best_effort: bool,
}

/// `volumes create`.
#[derive(Debug, Clone, Args)]
pub struct VolumesCreateArgs {
    /// Cluster it belongs to
    #[arg(long)]
    pub cluster: Option<String>,
    /// Its name
    #[arg(long)]
    pub name: Option<String>,
    /// Its size, such as 100GiB
    #[arg(long, value_name = "SIZE")]
    pub size: Option<String>,
    /// A setting of the provider, such as uri=oss://bucket/path/
    #[arg(long = "set", value_name = "K=V")]
    pub set: Vec<String>,
    /// Without transfer access from outside
    #[arg(long)]
    pub no_transfer: bool,
}

/// `volumes delete`.
#[derive(Debug, Clone, Args)]
pub struct VolumesDeleteArgs {
    /// Volumes: a ref, or a bare id with -p
    #[arg(value_name = "REF", required = true)]
    pub refs: Vec<String>,
    /// Skip the check whether a job uses it
    #[arg(long)]
    pub force: bool,
}

/// `volumes ls`.
#[derive(Debug, Clone, Args)]
pub struct VolumesLsArgs {
    /// Volume (a ref, or a bare id with -p), and a path in it
    #[arg(value_name = "VOL[:PATH]")]
    pub place: String,
}

/// `volumes put`.
#[derive(Debug, Clone, Args)]
pub struct VolumesPutArgs {
    /// File on this machine; - is standard input
    #[arg(value_name = "LOCAL")]
    pub local: String,
    /// Volume (a ref, or a bare id with -p), and the file's path in it; one that ends in / keeps the file's name
    #[arg(value_name = "VOL:PATH")]
    pub place: String,
}

/// `volumes get`.
#[derive(Debug, Clone, Args)]
pub struct VolumesGetArgs {
    /// Volume (a ref, or a bare id with -p), and the file's path in it
    #[arg(value_name = "VOL:PATH")]
    pub place: String,
    /// File or folder on this machine; - is standard output
    #[arg(value_name = "LOCAL")]
    pub local: String,
}

/// `volumes rm`.
#[derive(Debug, Clone, Args)]
pub struct VolumesRmArgs {
    /// Volumes (a ref, or a bare id with -p), and paths in them
    #[arg(value_name = "VOL:PATH", required = true)]
    pub places: Vec<String>,
    /// Remove folders with all that is in them
    #[arg(short, long)]
    pub recursive: bool,
}

/// `namespaces`.
#[derive(Debug, Clone, Args)]
pub struct NamespacesArgs {
    #[command(subcommand)]
    pub command: NamespacesCommand,
}

/// The verbs of `namespaces`.
#[derive(Debug, Clone, Subcommand)]
pub enum NamespacesCommand {
    /// List namespaces, workspaces and clusters of every provider
    List {
        /// Exit 0 although a provider failed
        #[arg(long)]
        best_effort: bool,
    },
    /// Create a namespace
    Create(NamespacesCreateArgs),
    /// Delete a namespace
    Delete(NamespacesDeleteArgs),
}

/// `namespaces create`.
#[derive(Debug, Clone, Args)]
pub struct NamespacesCreateArgs {
    /// Its name, where the provider has names
    #[arg(long)]
    pub name: Option<String>,
    /// A setting of the provider
    #[arg(long = "set", value_name = "K=V")]
    pub set: Vec<String>,
}

/// `namespaces delete`.
#[derive(Debug, Clone, Args)]
pub struct NamespacesDeleteArgs {
    /// The namespace's id
    #[arg(value_name = "ID")]
    pub id: String,
    /// Skip the check whether it is empty
    #[arg(long)]
    pub force: bool,
}
