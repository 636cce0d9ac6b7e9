//! Document and flags to one spec; flags win (cli.md §2.1).
//!
//! Flags are put into the document's tree as values that remember their flag, and then everything is read once: a bad
//! value is `usage` 80 under the flag's name, or `spec` 81 with line and column.

mod env;
mod flags;
mod mount;
mod set;

pub(in crate::spec) use flags::apply as apply_flags;

use crate::error::Result;

use super::error::{Origin, Position, SpecError};
use super::model::JobSpec;
use super::parse::{self, Format};
use super::read;
use super::script;
use super::tree::{Content, Node};

/// A spec document that has been read from somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its name in messages: the path as it was given, or `standard input`.
    pub source: String,
    pub text: String,
    /// `None` is the format of the name's extension, or else of the text's look.
    pub format: Option<Format>,
}

/// `--spot` alone or with a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpotFlag {
    Default,
    /// `--spot=0.8`: at most this fraction of the normal price.
    AtMost(String),
}

/// The content of a `--env-file`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvFile {
    pub name: String,
    pub text: String,
}

/// What the flags of `submit` gave, as text where the flag is text. Empty where nothing was given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overrides {
    /// `-p`, split at commas.
    pub providers: Vec<String>,
    pub name: Option<String>,
    pub image: Option<String>,
    /// Shell text; `@FILE` has been read.
    pub script: Option<String>,
    /// The words after `--`.
    pub words: Vec<String>,
    pub gpu: Option<String>,
    /// `--type`.
    pub instance_type: Option<String>,
    pub cpu: Option<String>,
    pub memory: Option<String>,
    pub shm: Option<String>,
    pub nodes: Option<String>,
    /// `K=V` or `K`.
    pub env: Vec<String>,
    pub env_files: Vec<EnvFile>,
    /// `--secret`.
    pub secrets: Vec<String>,
    /// `SOURCE:PATH[:ro]`.
    pub mounts: Vec<String>,
    /// `NAME[:https]` or `NUMBER`.
    pub ports: Vec<String>,
    /// `--time`.
    pub time: Option<String>,
    /// `--job-retries`.
    pub job_retries: Option<String>,
    pub spot: Option<SpotFlag>,
    pub priority: Option<String>,
    /// `K=V`.
    pub labels: Vec<String>,
    pub workdir: Option<String>,
    /// `PATH=VALUE`.
    pub set: Vec<String>,
    pub exit_code_carrier: bool,
    pub max_price: Option<String>,
    pub max_cost: Option<String>,
    /// `N[%P]` or `A-B[%P]`.
    pub array: Option<String>,
    pub estimate: Option<String>,
    pub start_timeout: Option<String>,
}

/// One spec from a document, the flags, or both. `environment` is asked for the variables that `--env K` inherits.
pub fn assemble(
    document: Option<&Document>,
    overrides: &Overrides,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<JobSpec> {
    assemble_noting(document, overrides, environment).map(|(spec, _)| spec)
}

/// [`assemble`], with what of a script's directives does not count.
pub fn assemble_noting(
    document: Option<&Document>,
    overrides: &Overrides,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<(JobSpec, Vec<String>)> {
    let source = document.map_or("the flags", |document| document.source.as_str());
    let root = match document {
        Some(document) => tree(document, environment),
        None => Ok((
            Node::new(
                Origin::Document(Position { line: 1, column: 1 }),
                Content::Map(Vec::new()),
            ),
            Vec::new(),
        )),
    };
    root.and_then(|(mut root, notes)| {
        flags::apply(&mut root, overrides, environment)?;
        Ok((read::job(&root)?, notes))
    })
    .map_err(|error| error.into_error(source))
}

/// A job file, or a script with its directives.
fn tree(
    document: &Document,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<(Node, Vec<String>), SpecError> {
    if document.format.is_none() && script::is_script(&document.source, &document.text) {
        let read = script::read(&document.text, environment)?;
        return Ok((read.root, read.notes));
    }
    let format = document
        .format
        .or_else(|| Format::of_name(&document.source))
        .unwrap_or_else(|| Format::of_look(&document.text));
    Ok((parse::document(&document.text, format)?, Vec::new()))
}

#[cfg(test)]
mod tests;
