//! Lines, prefixes, and two streams that are one log.

use rstest::rstest;

use crate::engine::logs::frame::Framer;
use crate::engine::logs::{Form, Sink};
use crate::error::Result;
use crate::provider::{LogSource, LogStream};

/// A mebibyte is the longest line.
const HALF: usize = 1 << 19;

/// Writes down what it takes.
#[derive(Debug, Default)]
struct Page(String);

impl Sink for Page {
    fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.push_str(&String::from_utf8_lossy(bytes));
        Ok(())
    }

    fn line(&mut self, pod: &str, stream: Option<LogStream>, line: &[u8]) -> Result<()> {
        let stream = match stream {
            None => "",
            Some(LogStream::Output) => " out",
            Some(LogStream::Errors) => " err",
        };
        for part in ["[", pod, stream, "] ", &String::from_utf8_lossy(line), "\n"] {
            self.0.push_str(part);
        }
        Ok(())
    }

    fn is_closed(&self) -> bool {
        false
    }
}

fn source(name: &str, stream: Option<LogStream>) -> LogSource {
    LogSource {
        name: name.to_owned(),
        stream,
        locator: Vec::new(),
        began_at: None,
        ended: false,
    }
}

fn pod(name: &str) -> LogSource {
    source(name, None)
}

#[test]
fn the_bytes_of_one_log_are_not_touched() {
    let (mut framer, mut page) = (Framer::new(Form::Bytes), Page::default());
    let pod = pod("x");
    for piece in ["a", "b\r\nc", "", "\n", "end"] {
        framer.push(0, &pod, piece.as_bytes(), &mut page).unwrap();
    }
    framer.finish(0, &pod, &mut page).unwrap();
    framer.end(&mut page).unwrap();
    assert_eq!(page.0, "ab\r\nc\nend");
}

/// What a round brings: the stream and its bytes; `|` ends the round.
#[rstest]
#[case::at_line_ends(&["0:a\n", "1:w\n", "0:b\n"], "a\nw\nb\n")]
#[case::held_until_the_line_ends(&["0:pro", "1:warn\n", "|", "0:gress\n", "0:x\n"], "progress\nwarn\nx\n")]
#[case::switched_inside_a_piece(&["0:pro", "1:warn\n", "|", "0:gress\nnext\nlast"], "progress\nwarn\nnext\nlast")]
#[case::let_go_after_a_while(&["0:10%", "1:warn\n", "|", "|", "0:..20%", "|", "0:..30%\n"], "10%..20%warn\n..30%\n")]
#[case::let_go_at_the_end(&["0:out", "1:err\n", "|"], "outerr\n")]
#[case::neither_ends_its_line(&["0:out", "1:err", "|", "0:\n", "0:more"], "out\nerrmore")]
#[case::both_wait_for_the_other(&["1:err", "0:out\n", "|", "1:or\nand", "0:more\n"], "error\nout\nandmore\n")]
#[case::only_one_writes(&["1:a", "|", "|", "|", "1:b"], "ab")]
fn two_streams_of_one_pod_are_one_log_and_no_byte_is_added(
    #[case] pieces: &[&str],
    #[case] printed: &str,
) {
    let (mut framer, mut page) = (Framer::new(Form::Bytes), Page::default());
    let sources = [LogStream::Output, LogStream::Errors].map(|stream| source("x", Some(stream)));
    for piece in pieces {
        match piece.split_once(':') {
            None => framer.round_is_over(&mut page).unwrap(),
            Some((log, text)) => {
                let log: usize = log.parse().unwrap();
                let bytes = text.as_bytes();
                framer.push(log, &sources[log], bytes, &mut page).unwrap();
            }
        }
    }
    for (log, source) in sources.iter().enumerate() {
        framer.finish(log, source, &mut page).unwrap();
    }
    framer.end(&mut page).unwrap();
    assert_eq!(page.0, printed);
}

#[test]
fn no_more_than_a_line_is_held_back() {
    let (mut framer, mut page) = (Framer::new(Form::Bytes), Page::default());
    let sources = [LogStream::Output, LogStream::Errors].map(|stream| source("x", Some(stream)));
    framer.push(0, &sources[0], b"begun", &mut page).unwrap();
    for _ in 0..3 {
        let piece = vec![b'x'; HALF];
        framer.push(1, &sources[1], &piece, &mut page).unwrap();
    }
    assert_eq!(page.0.matches('x').count(), HALF * 3);
}

#[test]
fn a_run_that_follows_another_begins_on_a_line_of_its_own() {
    let (mut framer, mut page) = (Framer::new(Form::Bytes), Page::default());
    for (log, piece) in [(0, "killed"), (1, "again\n"), (0, "x\n"), (1, "y")] {
        let bytes = piece.as_bytes();
        framer.push(log, &pod("x"), bytes, &mut page).unwrap();
    }
    assert_eq!(page.0, "killed\nagain\nx\ny");
}

#[test]
fn lines_of_several_pods_are_never_mixed() {
    let (mut framer, mut page) = (Framer::new(Form::Lines), Page::default());
    for (log, piece) in [(0, "a1"), (1, "b1\nb"), (0, "\n\na3"), (1, "2\n")] {
        let pod = pod(["a", "b"][log]);
        framer.push(log, &pod, piece.as_bytes(), &mut page).unwrap();
    }
    framer.finish(0, &pod("a"), &mut page).unwrap();
    framer.finish(1, &pod("b"), &mut page).unwrap();
    assert_eq!(page.0, "[b] b1\n[a] a1\n[a] \n[b] b2\n[a] a3\n");
}

#[test]
fn a_second_pod_that_comes_later_ends_the_line_of_the_first() {
    let (mut framer, mut page) = (Framer::new(Form::Bytes), Page::default());
    framer.push(0, &pod("a"), b"one", &mut page).unwrap();
    framer.name_pods(&mut page).unwrap();
    framer.push(1, &pod("b"), b"two\n", &mut page).unwrap();
    assert_eq!(page.0, "one\n[b] two\n");
}

#[test]
fn a_second_pod_names_what_was_held_back_too() {
    let (mut framer, mut page) = (Framer::new(Form::Bytes), Page::default());
    let [output, errors] =
        [LogStream::Output, LogStream::Errors].map(|stream| source("a", Some(stream)));
    framer.push(0, &output, b"one", &mut page).unwrap();
    framer.push(1, &errors, b"oops\n", &mut page).unwrap();
    framer.name_pods(&mut page).unwrap();
    assert_eq!(page.0, "one\n[a err] oops\n");
}

#[test]
fn a_line_without_end_is_handed_on_in_parts() {
    let (mut framer, mut page) = (Framer::new(Form::Lines), Page::default());
    for _ in 0..5 {
        let piece = vec![b'x'; HALF];
        framer.push(0, &pod("a"), &piece, &mut page).unwrap();
    }
    framer.finish(0, &pod("a"), &mut page).unwrap();
    assert_eq!(page.0.lines().count(), 2);
    assert_eq!(page.0.matches('x').count(), HALF * 5);
}
