//! Arguments of `api`.

use clap::{Args, ValueEnum};

/// `--dry-run` of `api`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ApiDryRun {
    /// Shell commands that would send it, secrets as variables
    Curl,
}

/// `api`. Here `-q` is a query parameter; `--quiet` keeps its long form, and `-q` its place before `api`.
#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_HELP)]
pub struct ApiArgs {
    /// Provider: a name from the configuration
    #[arg(value_name = "PROVIDER")]
    pub account: String,
    /// HTTP method, such as GET
    #[arg(value_name = "METHOD")]
    pub method: String,
    /// Path from the root of the service, with or without a query
    #[arg(value_name = "PATH")]
    pub path: String,
    /// Body: text, @FILE, or @- for standard input; its content type is JSON unless -H says otherwise
    #[arg(short, long, value_name = "BODY", allow_hyphen_values = true)]
    pub data: Option<String>,
    /// Query parameter, taken literally
    #[arg(short = 'q', long, value_name = "NAME=VALUE")]
    pub query: Vec<String>,
    /// Header of the request
    #[arg(short = 'H', long, value_name = "NAME:VALUE")]
    pub header: Vec<String>,
    /// PAI-DLC: the operation, for a path that gpujob does not know
    #[arg(long, value_name = "NAME")]
    pub action: Option<String>,
    /// Show what would be sent, and send nothing
    #[arg(long, value_name = "FORM", value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "curl")]
    pub dry_run: Option<ApiDryRun>,
    /// With --dry-run: sign now, and show the signature, which is good for minutes
    #[arg(long, requires = "dry_run")]
    pub show_signature: bool,
    /// Print no notes
    #[arg(long, help_heading = "Global options")]
    pub quiet: bool,
}

const AFTER_HELP: &str = "\
In PATH a `%XX` is an escape, as in a copied URL; every other character, `+` too, stands for itself and is
escaped as the service wants it. What -q gives is literal. The body of the answer goes to standard output
unchanged, of a refusal too; -v shows the status. GET and HEAD are repeated when that may help, everything
else is sent once; no redirect is followed.

  gpujob api pai-dlc GET '/api/v1/jobs?DisplayName=a b+c'
  gpujob api gongji POST /api/task/job/stop -d '{\"task_id\": 42}'";
