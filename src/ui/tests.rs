//! What is written to which stream.

use std::io::Cursor;
use std::num::NonZeroU16;
use std::sync::Arc;

use super::*;

/// A stream that keeps what is written.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream whose reader has gone, or whose disk is full.
struct Failing(io::ErrorKind);

impl Write for Failing {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(self.0.into())
    }
}

const TERMINAL: Terminals = Terminals {
    input: true,
    output: true,
    errors: true,
};

struct Scene {
    ui: Ui,
    output: Kept,
    errors: Kept,
}

fn scene(options: Options, terminals: Terminals, typed: &str) -> Scene {
    let (output, errors) = (Kept::default(), Kept::default());
    let streams = Streams {
        output: Box::new(output.clone()),
        errors: Box::new(errors.clone()),
        input: Box::new(Cursor::new(typed.to_owned().into_bytes())),
    };
    let facts = Facts::new(terminals, None, |name| {
        (name == "NO_COLOR").then(|| "1".to_owned())
    });
    Scene {
        ui: Ui::new(options, facts, TimeZone::UTC, streams),
        output,
        errors,
    }
}

fn piped(options: Options) -> Scene {
    scene(options, Terminals::default(), "")
}

fn options(format: Format) -> Options {
    Options {
        format,
        ..Options::default()
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn results_go_to_stdout_and_talk_to_stderr() {
    let scene = piped(Options::default());
    scene.ui.print("gongji/7\n").unwrap();
    scene.ui.note("retrying");
    scene.ui.warning("old\u{1b}[2J data\nhint: do it");
    scene.ui.detail(1, "not asked for");
    scene.ui.trace("not asked for");
    assert_eq!(scene.output.text(), "gongji/7\n");
    assert_eq!(
        scene.errors.text(),
        "note: retrying\nwarning: old\\u{1b}[2J data\n  hint: do it\n"
    );
}

#[test]
fn quiet_leaves_warnings_and_verbose_adds_details() {
    let quiet = piped(Options {
        quiet: true,
        ..Options::default()
    });
    quiet.ui.note("n");
    quiet.ui.warning("w");
    assert_eq!(quiet.errors.text(), "warning: w\n");
    let verbose = piped(Options {
        verbosity: 2,
        traces: true,
        ..Options::default()
    });
    for level in 1..=3 {
        verbose.ui.detail(level, &format!("level {level}"));
    }
    verbose.ui.trace("GET /\naccept: */*");
    assert!(verbose.ui.is_tracing());
    assert_eq!(
        verbose.errors.text(),
        "level 1\nlevel 2\nGET /\n  accept: */*\n"
    );
}

#[test]
fn a_closed_pipe_is_a_quiet_success_and_ends_the_printing() {
    let errors = Kept::default();
    let broken = |kind| {
        Ui::new(
            Options::default(),
            Facts::default(),
            TimeZone::UTC,
            Streams {
                output: Box::new(Failing(kind)),
                errors: Box::new(errors.clone()),
                input: Box::new(io::empty()),
            },
        )
    };
    let gone = broken(io::ErrorKind::BrokenPipe);
    assert!(!gone.is_closed());
    assert_eq!(gone.print("x\n"), Ok(()));
    assert!(gone.is_closed());
    assert_eq!(gone.print("x\n"), Ok(()));
    let full = broken(io::ErrorKind::StorageFull).print("x\n").unwrap_err();
    assert_eq!(full.code(), "output_failed");
    assert_eq!(errors.text(), "");
}

#[test]
fn logs_reach_a_pipe_unchanged_and_a_terminal_harmless() {
    let bytes = b"\x1b[31mred\xff\r\n";
    let mut sanitizer = LogSanitizer::default();
    let pipe = piped(Options::default());
    pipe.ui
        .log(LogTarget::Output, bytes, &mut sanitizer)
        .unwrap();
    assert_eq!(*pipe.output.0.lock().unwrap(), bytes);
    let terminal = scene(Options::default(), TERMINAL, "");
    terminal
        .ui
        .log(LogTarget::Output, bytes, &mut sanitizer)
        .unwrap();
    terminal
        .ui
        .log(LogTarget::Errors, bytes, &mut sanitizer)
        .unwrap();
    let shown = "red\u{fffd}\n";
    assert_eq!(terminal.output.text(), shown);
    assert_eq!(terminal.errors.text(), shown);
}

#[test]
fn questions_are_asked_on_a_terminal_only() {
    for (typed, answer) in [
        ("y\n", true),
        ("Yes\n", true),
        ("n\n", false),
        ("\n", false),
        ("", false),
    ] {
        let scene = scene(Options::default(), TERMINAL, typed);
        assert_eq!(
            scene.ui.ask("delete it?", "`--yes`"),
            Ok(answer),
            "{typed:?}"
        );
        assert_eq!(scene.errors.text(), "delete it? [y/N] ");
        assert_eq!(scene.output.text(), "");
    }
    let nobody = |answers| Options {
        answers,
        ..Options::default()
    };
    for scene in [
        piped(Options::default()),
        scene(nobody(Answers::Nobody), TERMINAL, "y\n"),
    ] {
        let error = scene.ui.ask("delete it?", "`--yes`").unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        assert!(error.details().hint.as_ref().unwrap().contains("`--yes`"));
        assert_eq!(scene.errors.text(), "");
    }
    assert_eq!(
        piped(nobody(Answers::Yes)).ui.ask("delete it?", "`--yes`"),
        Ok(true)
    );
}

#[test]
fn a_secret_is_read_whole_and_never_asked_for_without_a_terminal() {
    let asked = scene(Options::default(), TERMINAL, "hunter2 \n");
    let secret = asked.ui.ask_secret("token", "`--stdin`").unwrap();
    assert_eq!(secret.expose(), "hunter2 ");
    assert_eq!(asked.errors.text(), "token: \n");
    let error = piped(Options::default())
        .ui
        .ask_secret("token", "`--stdin`")
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
}

#[test]
fn under_json_the_error_is_the_last_line_of_stderr() {
    let errors = [
        Error::new(Kind::Auth, "forbidden", "first"),
        Error::new(Kind::Temporary, "busy", "second"),
    ];
    for format in Format::ALL {
        let scene = piped(options(format));
        scene.ui.partial_failures(&errors, false);
        let text = scene.errors.text();
        let last = text.lines().last().unwrap();
        if format.is_json() {
            let value: serde_json::Value = serde_json::from_str(last).unwrap();
            assert_eq!(value["schema"], "gpujob/error/v1");
            assert_eq!(value["error"]["message"], "first");
            assert!(text.starts_with("warning: second\n"));
        } else {
            assert_eq!(text, "error: first\nerror: second\n");
        }
        assert_eq!(scene.output.text(), "");
    }
    let lenient = piped(options(Format::Json));
    lenient.ui.partial_failures(&errors, true);
    assert_eq!(lenient.errors.text(), "warning: first\nwarning: second\n");
}

#[test]
fn a_heartbeat_comes_once_a_minute_and_only_without_a_terminal() {
    let beat = |scene: &Scene| {
        let mut task = scene.ui.task("waiting", at("2026-01-06T12:00:00Z"));
        task.update("still pending", at("2026-01-06T12:00:59Z"));
        task.update("pending for 1m", at("2026-01-06T12:01:00Z"));
        task.update("pending for 1m30s", at("2026-01-06T12:01:30Z"));
        task.update("running \u{1b}[2J", at("2026-01-06T12:02:05Z"));
        task.set_bytes(7);
        drop(task);
        scene.errors.text()
    };
    assert_eq!(
        beat(&piped(Options::default())),
        "pending for 1m\nrunning \\u{1b}[2J\n"
    );
    assert_eq!(beat(&scene(Options::default(), TERMINAL, "")), "");
    let quiet = Options {
        quiet: true,
        ..Options::default()
    };
    assert_eq!(beat(&piped(quiet)), "");
}

#[test]
fn the_style_follows_the_terminal() {
    let pipe = piped(options(Format::Wide)).ui.style();
    assert_eq!((pipe.width, pipe.colour), (None, false));
    let facts = Facts::new(TERMINAL, NonZeroU16::new(90), |_| None);
    let streams = || Streams {
        output: Box::new(io::sink()),
        errors: Box::new(io::sink()),
        input: Box::new(io::empty()),
    };
    let terminal = Ui::new(Options::default(), facts, TimeZone::UTC, streams()).style();
    assert_eq!((terminal.width, terminal.colour), (Some(90), true));
}

#[test]
fn a_mirrored_code_from_80_on_has_its_object_under_json() {
    let error = Error::new(Kind::JobFailed, "job_failed", "job x failed");
    for (format, code, is_told) in [
        (Format::Json, 137, true),
        (Format::Ndjson, 94, true),
        (Format::Json, 7, false),
        (Format::Table, 137, false),
    ] {
        let scene = piped(options(format));
        scene.ui.mirrored(code, &error);
        assert_eq!(
            !scene.errors.text().is_empty(),
            is_told,
            "{format:?} {code}"
        );
    }
}

/// An input that gives nothing until it is told to.
struct Silent(std::sync::mpsc::Receiver<()>, std::sync::mpsc::Sender<()>);

impl io::Read for Silent {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.1.send(()).unwrap();
        self.0.recv().unwrap();
        Ok(0)
    }
}

#[test]
fn a_question_that_nobody_answers_holds_back_no_error() {
    let errors = Kept::default();
    let (answer, answered) = std::sync::mpsc::channel();
    let (reading, is_reading) = std::sync::mpsc::channel();
    let streams = Streams {
        output: Box::new(Kept::default()),
        errors: Box::new(errors.clone()),
        input: Box::new(io::BufReader::new(Silent(answered, reading))),
    };
    let facts = Facts::new(TERMINAL, None, |name| {
        (name == "NO_COLOR").then(|| "1".to_owned())
    });
    let ui = Ui::new(options(Format::Table), facts, TimeZone::UTC, streams);
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| ui.ask("sure?", "--yes"));
        is_reading.recv().unwrap();
        ui.fail(&Error::new(Kind::Interrupted, "interrupted", "interrupted"));
        assert_eq!(errors.text(), "sure? [y/N] \nerror: interrupted\n");
        answer.send(()).unwrap();
        assert!(!asking.join().unwrap().unwrap());
    });
}
