//! `--jq EXPR`: filters the JSON document in-process (cli.md §4); strings are printed raw, as gh does.
//!
//! Raw means that a pipe gets every character of a string; a terminal gets them harmless (cli.md §3). Other results are
//! JSON, and JSON escapes by itself.
//!
//! The expression is read twice: once when the flags are, so that a slip costs no request, and once when there is
//! something to filter. A compiled filter is not kept, because it may not cross threads.

use std::fmt;

use jaq_core::data::JustLut;
use jaq_core::load::parse::Def;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Filter, Vars, compile};
use jaq_json::Val;
use serde_json::Value;

use crate::error::{Error, Kind, Result};

use super::sanitize;

/// Who reads the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// A person: nothing may move the cursor.
    Terminal,
    /// A program.
    Pipe,
}

/// An expression that compiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jq {
    expression: String,
    reader: Reader,
}

impl Jq {
    /// Reads an expression; what cannot be read is a usage error that names the place.
    pub fn parse(expression: &str) -> Result<Self> {
        compiled(expression)?;
        Ok(Self {
            expression: expression.to_owned(),
            reader: Reader::Pipe,
        })
    }

    /// The same expression for this reader; without it a pipe's.
    #[must_use]
    pub fn read_by(self, reader: Reader) -> Self {
        Self { reader, ..self }
    }

    /// The results for one document, a line each.
    pub fn run(&self, document: &Value) -> Result<String> {
        let bytes = serde_json::to_vec(document).map_err(|error| {
            Error::internal(format!("a result cannot be written as JSON: {error}"))
        })?;
        self.run_text(&bytes)
    }

    /// The same for a document as it was written: its numbers keep all their digits.
    pub fn run_text(&self, document: &[u8]) -> Result<String> {
        let filter = compiled(&self.expression)?;
        let input = jaq_json::read::parse_single(document)
            .map_err(|error| Error::internal(format!("a result cannot be read by jq: {error}")))?;
        let context = Ctx::<JustLut<Val>>::new(&filter.lut, Vars::new([]));
        let mut text = String::new();
        for result in filter.id.run((context, input)) {
            match result {
                Ok(value) => push_result(&mut text, &value, self.reader),
                Err(exception) => match exception.get_err() {
                    Ok(error) => return Err(failed(&error.to_string())),
                    // `halt` ends the output; the exit code stays gpujob's own.
                    Err(_) => break,
                },
            }
        }
        Ok(text)
    }
}

impl fmt::Display for Jq {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.expression)
    }
}

fn push_result(text: &mut String, value: &Val, reader: Reader) {
    match value {
        Val::TStr(bytes) | Val::BStr(bytes) => {
            let raw = String::from_utf8_lossy(bytes);
            match reader {
                Reader::Terminal => text.push_str(&sanitize::text(&raw)),
                Reader::Pipe => text.push_str(&raw),
            }
        }
        Val::Null | Val::Bool(_) | Val::Num(_) | Val::Arr(_) | Val::Obj(_) => {
            text.push_str(&sanitize::json(&value.to_string()));
        }
    }
    text.push('\n');
}

fn compiled(expression: &str) -> Result<Filter<JustLut<Val>>> {
    let definitions = jaq_core::defs()
        .chain(jaq_std::defs())
        .chain(jaq_json::defs())
        .chain(own_definitions()?);
    let functions = jaq_core::funs()
        .chain(jaq_std::funs())
        .chain(jaq_json::funs());
    let arena = Arena::default();
    let file = File {
        code: expression,
        path: (),
    };
    let modules = Loader::new(definitions)
        .load(&arena, file)
        .map_err(|errors| load_error(expression, &errors))?;
    Compiler::default()
        .with_funs(functions)
        .compile(modules)
        .map_err(|errors| compile_error(expression, &errors))
}

/// Our own filters, in jq.
fn own_definitions() -> Result<Vec<Def<&'static str>>> {
    load::parse(include_str!("jq_definitions.jq"), |parser| parser.defs())
        .ok_or_else(|| Error::internal("gpujob's own jq definitions cannot be read"))
}

fn load_error(expression: &str, errors: &load::Errors<&str, ()>) -> Error {
    let first = errors.first().map(|(_, error)| error);
    let (place, problem) = match first {
        Some(load::Error::Io(problems)) => problems.first().map_or_else(
            || (expression.len(), "a module cannot be read".to_owned()),
            |(part, problem)| (offset(expression, part), problem.clone()),
        ),
        Some(load::Error::Lex(problems)) => problems.first().map_or_else(
            || (expression.len(), "not a jq expression".to_owned()),
            |(expected, part)| {
                (
                    offset(expression, part),
                    format!("expected {}", expected.as_str()),
                )
            },
        ),
        Some(load::Error::Parse(problems)) => problems.first().map_or_else(
            || (expression.len(), "not a jq expression".to_owned()),
            |(expected, found)| {
                (
                    offset(expression, found),
                    format!("expected {}", expected.as_str()),
                )
            },
        ),
        None => (expression.len(), "not a jq expression".to_owned()),
    };
    unreadable(expression, place, &problem)
}

fn compile_error(expression: &str, errors: &compile::Errors<&str, ()>) -> Error {
    let first = errors.first().and_then(|(_, undefined)| undefined.first());
    match first {
        Some((name, undefined)) => unreadable(
            expression,
            offset(expression, name),
            &format!("no {} `{name}`", undefined.as_str()),
        ),
        None => unreadable(expression, expression.len(), "it cannot be compiled"),
    }
}

/// Where a part of the expression begins; its end for a part that lies outside (jaq's marker for "end of input").
fn offset(expression: &str, part: &str) -> usize {
    let whole = expression.as_bytes().as_ptr_range();
    if whole.start <= part.as_ptr() && part.as_ptr() <= whole.end {
        load::span(expression, part).start
    } else {
        expression.len()
    }
}

fn unreadable(expression: &str, offset: usize, problem: &str) -> Error {
    let before = expression.get(..offset).unwrap_or(expression);
    let place = if before.len() == expression.len() {
        "at its end".to_owned()
    } else {
        format!("at character {}", before.chars().count() + 1)
    };
    Error::new(
        Kind::Usage,
        "bad_jq",
        format!("the `--jq` expression `{expression}` cannot be read {place}: {problem}"),
    )
    .with_hint("an expression looks like `.items[].ref`")
}

fn failed(problem: &str) -> Error {
    Error::new(
        Kind::Usage,
        "jq_failed",
        format!("the `--jq` expression does not fit this output: {problem}"),
    )
    .with_hint("run the command with `-o json` alone to see what there is")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(expression: &str, document: &Value) -> String {
        Jq::parse(expression).unwrap().run(document).unwrap()
    }

    #[test]
    fn strings_are_raw_and_other_results_compact() {
        let document = json!({"items": [{"ref": "a/1", "n": 1.5}, {"ref": "b \"2\"", "n": null}]});
        assert_eq!(run(".items[].ref", &document), "a/1\nb \"2\"\n");
        assert_eq!(
            run(".items[0], (.items | length)", &document),
            "{\"ref\":\"a/1\",\"n\":1.5}\n2\n"
        );
        assert_eq!(
            run(".items | map(select(.n == null) | .ref) | @csv", &document),
            "\"b \"\"2\"\"\"\n"
        );
        assert_eq!(
            run(
                ".items[0] | [.ref, .n, null, \"a\\tb\"] | @tsv, @csv",
                &document
            ),
            "a/1\t1.5\t\ta\\tb\n\"a/1\",1.5,,\"a\tb\"\n"
        );
    }

    #[test]
    fn large_numbers_stay_exact() {
        assert_eq!(
            run(".id", &json!({"id": 9_007_199_254_740_993_u64})),
            "9007199254740993\n"
        );
    }

    #[test]
    fn a_document_as_it_was_written_keeps_its_digits() {
        let jq = Jq::parse(".[]").unwrap();
        assert_eq!(
            jq.run_text(b"[123456789012345678901234567890, 1E400]")
                .unwrap(),
            "123456789012345678901234567890\n1E400\n"
        );
    }

    #[test]
    fn a_terminal_gets_foreign_text_harmless_and_a_pipe_gets_it_whole() {
        let document = json!({"a": "\u{1b}[2J\r\n\u{9b}\u{200d}"});
        let jq = Jq::parse(".a, {a}").unwrap();
        let object = "{\"a\":\"\\u001b[2J\\r\\n\\u009b\\u200d\"}\n";
        assert_eq!(
            jq.clone().read_by(Reader::Terminal).run(&document).unwrap(),
            format!("\\u{{1b}}[2J\n\\u{{9b}}\\u{{200d}}\n{object}")
        );
        assert_eq!(
            jq.run(&document).unwrap(),
            format!("\u{1b}[2J\r\n\u{9b}\u{200d}\n{object}")
        );
    }

    #[test]
    fn a_slip_is_named_with_its_place() {
        for (expression, expected) in [
            (".items[", "at its end: expected closing bracket"),
            (".a | nosuch", "at character 6: no filter `nosuch`"),
            ("é | $x", "at character 1"),
            (".a | $x", "at character 6: no variable `$x`"),
            (".a |", "at its end"),
            (".a ; .b", "at character 4"),
        ] {
            let error = Jq::parse(expression).unwrap_err();
            assert_eq!(error.kind(), Kind::Usage, "{expression}");
            assert!(
                error.message().contains(expected),
                "{expression}: {}",
                error.message()
            );
        }
    }

    #[test]
    fn a_filter_that_does_not_fit_is_a_usage_error() {
        let error = Jq::parse(".a.b")
            .unwrap()
            .run(&json!({"a": 1}))
            .unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::Usage, "jq_failed"));
    }

    #[test]
    fn halt_ends_the_output_and_not_the_process() {
        assert_eq!(run("1, halt, 2", &json!(null)), "1\n");
    }
}
