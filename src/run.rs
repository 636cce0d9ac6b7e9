//! One run of the command line: parse, dispatch, print one error, return one code.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::sync::Arc;

use clap::error::ErrorKind;
use clap::{ColorChoice, CommandFactory as _, FromArgMatches as _};

use crate::app::App;
use crate::cli::{Cli, Colour, Command, GlobalArgs, OutputFormat};
use crate::cmd;
use crate::config::Environment;
use crate::error::{Error, Kind, Result};
use crate::output::{Format, Jq, Reader};
use crate::ui::{Answers, ColourChoice, Options, Ui};

/// Runs gpujob with these arguments (the program's name first) and gives its exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let parsed = Cli::command()
        .color(help_colour(&arguments))
        .try_get_matches_from(&arguments)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return unparsed(&error, &arguments),
    };
    let options = match options(&cli.global) {
        Ok(options) => options,
        Err(error) => {
            let format = if cli.global.wants_json() {
                Format::Json
            } else {
                Format::Table
            };
            Ui::standard(Options {
                format,
                ..Options::default()
            })
            .fail(&error);
            return error.kind().exit_code();
        }
    };
    let ui = Arc::new(Ui::standard(options));
    let outcome = App::new(cli.global, Environment::from_process(), Arc::clone(&ui))
        .and_then(|app| dispatch(&app, cli.command));
    match outcome {
        Ok(code) => code,
        Err(error) => {
            ui.fail(&error);
            error.kind().exit_code()
        }
    }
}

/// Purely local commands start no runtime (design.md §4, rule 3).
fn dispatch(app: &App, command: Command) -> Result<u8> {
    match command {
        Command::Config(args) => cmd::config::run(app, &args),
        Command::Journal(args) => cmd::journal::run(app, &args),
        Command::Settle(args) => block_on(cmd::settle::run(app, &args)),
        Command::Submit(args) => block_on(cmd::submit::run(app, &args)),
        Command::Status(args) => block_on(cmd::status::run(app, &args)),
        Command::Wait(args) => block_on(cmd::wait::run(app, &args)),
        Command::Logs(args) => block_on(cmd::logs::run(app, &args)),
        Command::Events(args) => block_on(cmd::events::run(app, &args)),
        Command::Cancel(args) => block_on(cmd::cancel::run(app, &args)),
        Command::Types(args) => block_on(cmd::types::run(app, &args)),
        Command::Cost(args) => block_on(cmd::cost::run(app, &args)),
        Command::Volumes(args) => block_on(cmd::volumes::run(app, &args)),
        Command::Namespaces(args) => block_on(cmd::namespaces::run(app, &args)),
        Command::Api(args) => block_on(cmd::api::run(app, &args)),
        Command::Explain(args) if args.cyclecloud_runner => cmd::explain::runner(app),
        Command::Explain(args) => block_on(cmd::explain::run(app, &args)),
        Command::Sandbox(args) => block_on(cmd::sandbox::run(
            args,
            &mut std::io::stdout().lock(),
            &mut std::io::stderr().lock(),
        )),
    }
}

/// One thread is enough for a handful of sockets, and starts faster (design.md §4).
fn block_on(work: impl Future<Output = Result<u8>>) -> Result<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Error::internal(format!(
                "the asynchronous runtime cannot be started: {error}"
            ))
        })?;
    let outcome = runtime.block_on(work);
    // A thread that still waits for standard input would keep an interrupted command alive.
    runtime.shutdown_background();
    outcome
}

fn options(global: &GlobalArgs) -> Result<Options> {
    let wanted = global.output.map(|format| match format {
        OutputFormat::Table => Format::Table,
        OutputFormat::Wide => Format::Wide,
        OutputFormat::Json => Format::Json,
        OutputFormat::Ndjson => Format::Ndjson,
        OutputFormat::Csv => Format::Csv,
        OutputFormat::Tsv => Format::Tsv,
        OutputFormat::Name => Format::Name,
    });
    Ok(Options {
        format: Format::choose(wanted, global.quiet, global.jq.is_some())?,
        jq: jq(global)?,
        colour: match global.color {
            None | Some(Colour::Auto) => ColourChoice::Auto,
            Some(Colour::Always) => ColourChoice::Always,
            Some(Colour::Never) => ColourChoice::Never,
        },
        answers: match (global.yes, global.no_input) {
            (true, _) => Answers::Yes,
            (false, true) => Answers::Nobody,
            (false, false) => Answers::Ask,
        },
        verbosity: global.verbose,
        quiet: global.quiet,
        traces: global.trace_http,
    })
}

/// The expression of `--jq`, for whoever reads stdout.
fn jq(global: &GlobalArgs) -> Result<Option<Jq>> {
    let reader = if std::io::stdout().is_terminal() {
        Reader::Terminal
    } else {
        Reader::Pipe
    };
    let parsed = global.jq.as_deref().map(Jq::parse).transpose()?;
    Ok(parsed.map(|jq| jq.read_by(reader)))
}

/// `--help` and `--version` are results; everything else is a usage error, as text or as JSON.
fn unparsed(error: &clap::Error, arguments: &[OsString]) -> u8 {
    let is_result = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    if !is_result && asks_for_json(arguments) {
        let usage = Error::new(Kind::Usage, "bad_arguments", sentence(error))
            .with_hint("`gpujob --help` lists the commands and flags");
        let ui = Ui::standard(Options {
            format: Format::Json,
            ..Options::default()
        });
        ui.fail(&usage);
    } else {
        // A closed pipe is no error (cli.md §3).
        drop(error.print());
    }
    if is_result {
        0
    } else {
        Kind::Usage.exit_code()
    }
}

/// What `--color` says, for help and for arguments that cannot be parsed.
fn help_colour(arguments: &[OsString]) -> ColorChoice {
    let words: Vec<&str> = arguments
        .iter()
        .filter_map(|word| word.to_str())
        .take_while(|word| *word != "--")
        .collect();
    let joined = words
        .iter()
        .filter_map(|word| word.strip_prefix("--color="));
    let apart = words.windows(2).filter_map(|pair| match pair {
        ["--color", when] => Some(*when),
        _ => None,
    });
    match joined.chain(apart).last() {
        Some("always") => ColorChoice::Always,
        Some("never") => ColorChoice::Never,
        Some(_) | None => ColorChoice::Auto,
    }
}

/// Whether the arguments, which could not be parsed, ask for JSON all the same.
fn asks_for_json(arguments: &[OsString]) -> bool {
    let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).collect();
    let is_json = |word: &str| matches!(word, "json" | "ndjson");
    words.iter().any(|word| {
        word.starts_with("--jq")
            || word.strip_prefix("--output=").is_some_and(is_json)
            || word
                .strip_prefix("-o")
                .is_some_and(|rest| is_json(rest.trim_start_matches('=')))
    }) || words
        .windows(2)
        .any(|pair| matches!(pair, ["-o" | "--output", format] if is_json(format)))
}

/// The first paragraph of clap's message as one sentence.
fn sentence(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let paragraph: Vec<&str> = text
        .lines()
        .take_while(|line| !line.trim().is_empty())
        .map(str::trim)
        .collect();
    paragraph.join(" ").trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_flag_and_no_command_is_without_an_explanation() {
        fn check(command: &clap::Command) {
            for argument in command.get_arguments() {
                assert!(
                    argument.get_help().is_some(),
                    "{} {}",
                    command.get_name(),
                    argument.get_id()
                );
            }
            for inner in command.get_subcommands() {
                assert!(inner.get_about().is_some(), "{}", inner.get_name());
                check(inner);
            }
        }
        check(&Cli::command());
    }

    #[test]
    fn help_takes_colour_at_its_word() {
        for (line, wanted) in [
            ("x --color=always", ColorChoice::Always),
            ("x types --color never --bad", ColorChoice::Never),
            ("x types --color", ColorChoice::Auto),
            ("x submit -- --color=always", ColorChoice::Auto),
        ] {
            assert_eq!(help_colour(&words(line)), wanted, "{line}");
        }
    }

    #[test]
    fn json_is_asked_for_in_every_spelling() {
        for line in [
            "x -o json",
            "x -ojson",
            "x --output=ndjson",
            "x --output json",
            "x --jq .a",
        ] {
            assert!(asks_for_json(&words(line)), "{line}");
        }
        for line in ["x -o table", "x json", "x --output=name"] {
            assert!(!asks_for_json(&words(line)), "{line}");
        }
    }
}
