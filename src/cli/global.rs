//! Flags that every command takes (cli.md §2).

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

/// `-o`: how results are written (cli.md §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Columns for people
    Table,
    /// The table with more columns
    Wide,
    /// One document
    Json,
    /// One object a line
    Ndjson,
    /// Comma-separated values with a header
    Csv,
    /// Tab-separated values with a header
    Tsv,
    /// One ref or id a line
    Name,
}

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    Auto,
    Always,
    Never,
}

/// The global flags.
#[derive(Debug, Clone, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Provider to use: a name from the configuration; repeat it or give a comma list
    #[arg(short, long, global = true, value_name = "NAME", value_delimiter = ',')]
    pub provider: Vec<String>,
    /// How to write results
    #[arg(short, long, global = true, value_name = "FORMAT", value_enum)]
    pub output: Option<OutputFormat>,
    /// Filter the JSON with a jq expression
    #[arg(long, global = true, value_name = "EXPR")]
    pub jq: Option<String>,
    /// Print refs and ids only, and no notes
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more on stderr; repeat for more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Show HTTP traffic on stderr, secrets masked
    #[arg(long, global = true)]
    pub trace_http: bool,
    /// When to colour; `auto` does on a terminal, unless `NO_COLOR` is set
    #[arg(long, global = true, value_name = "WHEN", value_enum)]
    pub color: Option<Colour>,
    /// Configuration file, instead of the one that `gpujob config path` prints
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Limit for the whole command, such as 90s or 2h
    #[arg(long, global = true, value_name = "DUR")]
    pub timeout: Option<String>,
    /// Limit for making a connection
    #[arg(long, global = true, value_name = "DUR", default_value = "10s")]
    pub connect_timeout: String,
    /// Repeats of requests that are safe to repeat
    #[arg(long, global = true, value_name = "N", default_value_t = 4)]
    pub retries: u32,
    /// Answer yes to every question
    #[arg(short, long, global = true)]
    pub yes: bool,
    /// Never ask; fail instead
    #[arg(long, global = true)]
    pub no_input: bool,
}

impl GlobalArgs {
    /// Whether failures are told as one JSON object (cli.md §4).
    pub fn wants_json(&self) -> bool {
        self.jq.is_some() || matches!(self.output, Some(OutputFormat::Json | OutputFormat::Ndjson))
    }
}
