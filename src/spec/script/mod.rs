//! A script as a job file: `#GPUJOB` lines hold flags of `submit`, and of `#SBATCH` lines the common subset counts
//! (cli.md §2.1).
//!
//! Pure. The directives become the tree that a job file becomes, each value with the line it stands on, so that one
//! reader checks both and flags win over both. As Slurm does, directives are looked for before the first command only.
//! What is not taken over is named in the notes, never dropped silently.

mod flags;
mod sbatch;
mod words;

use std::ffi::OsStr;
use std::path::Path;

use super::Format;
use super::error::{Origin, Position, SpecError};
use super::overrides::apply_flags;
use super::tree::{Content, Entry, Node};

const OWN: &str = "#GPUJOB";
const SLURM: &str = "#SBATCH";

/// Interpreters whose scripts can begin with shell commands of ours.
const SHELLS: [&str; 5] = ["sh", "bash", "dash", "ksh", "zsh"];

/// A script that was read as a job file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ScriptSpec {
    pub(super) root: Node,
    /// What of its directives does not count, and what that means.
    pub(super) notes: Vec<String>,
}

/// Whether a document is a script, not a job file: by its first line, its name or its directives.
pub(super) fn is_script(source: &str, text: &str) -> bool {
    let extension = Path::new(source).extension().and_then(OsStr::to_str);
    text.starts_with("#!")
        || Format::of_name(source).is_none()
            && (matches!(extension, Some("sh" | "bash"))
                || header(text).any(|(_, line)| directive(line).is_some()))
}

/// Reads the directives of a script; `environment` is asked for the variables that `--env K` inherits.
pub(super) fn read(
    text: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<ScriptSpec, SpecError> {
    let start = Origin::Document(Position { line: 1, column: 1 });
    let mut root = Node::new(start.clone(), Content::Map(Vec::new()));
    let mut script = Script::new(text);
    // `#GPUJOB` is the more particular of the two, and so comes last.
    for wanted in [SLURM, OWN] {
        for (number, line) in header(text) {
            let Some((kind, rest)) = directive(line).filter(|(kind, _)| *kind == wanted) else {
                continue;
            };
            let origin = Origin::Document(Position {
                line: number,
                column: 1,
            });
            let placed = |error: SpecError| SpecError {
                message: match &error.origin {
                    Origin::Flag(flag) => format!("`{flag}`: {}", error.message),
                    Origin::Document(_) => error.message.clone(),
                },
                origin: origin.clone(),
                ..error
            };
            let words = words::split(rest).map_err(|why| {
                SpecError::new("syntax", &origin, format!("`{kind}` line: {why}"))
            })?;
            let overrides = match kind {
                OWN => flags::read(&words, &origin)?,
                _ => sbatch::read(&words, number, &origin, &mut script)?,
            };
            let mut piece = Node::new(origin.clone(), Content::Map(Vec::new()));
            apply_flags(&mut piece, &overrides, environment).map_err(placed)?;
            merge(&mut root, piece.with_origin(&origin));
        }
    }
    script.look_behind(text);
    root.set(
        "script",
        Node::new(start, Content::Text(script.text(&root))),
    );
    Ok(ScriptSpec {
        root,
        notes: script.notes,
    })
}

/// The lines before the first command, with their numbers.
fn header(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .take_while(|(_, line)| {
            let line = line.trim_start();
            line.is_empty() || line.starts_with('#')
        })
}

/// The kind of a directive and what follows it. `##SBATCH` is a comment, as Slurm has it.
fn directive(line: &str) -> Option<(&'static str, &str)> {
    [OWN, SLURM].into_iter().find_map(|kind| {
        let rest = line.strip_prefix(kind)?;
        (rest.is_empty() || rest.starts_with([' ', '\t'])).then_some((kind, rest))
    })
}

/// Puts a later line's values over those of earlier ones; lists grow.
fn merge(root: &mut Node, later: Node) {
    let (Content::Map(entries), Content::Map(new)) = (&mut root.content, later.content) else {
        return;
    };
    for Entry { key, origin, node } in new {
        match entries.iter_mut().find(|entry| entry.key == key) {
            None => entries.push(Entry { key, origin, node }),
            Some(entry) => match (&mut entry.node.content, node.content) {
                (Content::List(items), Content::List(more)) => items.extend(more),
                (Content::Map(_), content @ Content::Map(_)) => {
                    merge(&mut entry.node, Node::new(origin, content));
                }
                (_, content) => entry.node = Node::new(origin, content),
            },
        }
    }
}

/// The script itself while its directives are read.
struct Script<'a> {
    lines: Vec<&'a str>,
    ends_with_newline: bool,
    is_shell: bool,
    /// Where `-o` and `-e` send the output: line and path.
    output: Option<(usize, String)>,
    errors: Option<(usize, String)>,
    notes: Vec<String>,
}

impl<'a> Script<'a> {
    fn new(text: &'a str) -> Self {
        let interpreter = text
            .strip_prefix("#!")
            .and_then(|rest| rest.lines().next())
            .map(|line| {
                let mut words = line.split_whitespace();
                let program = words.next().unwrap_or_default();
                let name = program.rsplit('/').next().unwrap_or_default();
                if name == "env" {
                    words
                        .find(|word| !word.starts_with('-'))
                        .unwrap_or_default()
                } else {
                    name
                }
            });
        Self {
            lines: text.lines().collect(),
            ends_with_newline: text.ends_with('\n'),
            is_shell: interpreter.is_none_or(|name| SHELLS.contains(&name)),
            output: None,
            errors: None,
            notes: Vec::new(),
        }
    }

    /// Names what is not taken over.
    fn ignore(&mut self, line: usize, what: &str, why: &str) {
        self.notes
            .push(format!("line {line}: `{what}` is ignored: {why}"));
    }

    /// Directives after the first command, and variables that only Slurm sets.
    fn look_behind(&mut self, text: &str) {
        let read = header(text).count();
        let late: Vec<(usize, &str)> = text
            .lines()
            .enumerate()
            .skip(read)
            .filter_map(|(index, line)| Some((index + 1, directive(line)?.0)))
            .collect();
        for (line, kind) in late {
            let why = "it stands after the first command";
            self.ignore(line, kind, why);
        }
        if text.contains("SLURM_") {
            self.notes.push(
                "the script reads `SLURM_…` variables, which nobody sets here; the index of an array is `GPUJOB_ARRAY_INDEX`"
                    .to_owned(),
            );
        }
    }

    /// The text that runs: the lines of `-o` and `-e` become redirections, so that all other lines keep their numbers.
    fn text(&self, root: &Node) -> String {
        let name = match root.get("name").map(|node| &node.content) {
            Some(Content::Word(name) | Content::Text(name)) => name.as_str(),
            _ => "job",
        };
        let mut lines: Vec<String> = self.lines.iter().map(|line| (*line).to_owned()).collect();
        let mut redirect = |target: &Option<(usize, String)>, how: &str| {
            if let Some((number, path)) = target
                && let Some(line) = lines.get_mut(number - 1)
            {
                *line = format!("exec {}", how.replace("{}", &quoted(path, name)));
            }
        };
        match self.errors {
            // Slurm sends both into one file unless told otherwise.
            None => redirect(&self.output, ">{} 2>&1"),
            Some(_) => redirect(&self.output, ">{}"),
        }
        redirect(&self.errors, "2>{}");
        let mut text = lines.join("\n");
        if self.ends_with_newline {
            text.push('\n');
        }
        text
    }
}

/// A path in double quotes, its patterns filled in: `%x` is the job's name, `%a` the index of an array.
fn quoted(path: &str, name: &str) -> String {
    let mut text = String::from("\"");
    let mut push = |part: &str| {
        for character in part.chars() {
            if matches!(character, '"' | '\\' | '$' | '`') {
                text.push('\\');
            }
            text.push(character);
        }
    };
    let mut rest = path;
    let mut pieces = Vec::new();
    while let Some((before, after)) = rest.split_once('%') {
        pieces.push(before);
        let mut following = after.chars();
        match following.next() {
            Some('x') => pieces.push(name),
            Some('a') => pieces.push("\0"),
            Some('%') => pieces.push("%"),
            Some(_) | None => {}
        }
        rest = following.as_str();
    }
    pieces.push(rest);
    for piece in pieces {
        push(piece);
    }
    text.push('"');
    text.replace('\0', "${GPUJOB_ARRAY_INDEX}")
}

#[cfg(test)]
mod tests;
