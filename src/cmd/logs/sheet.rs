//! Where a log is written to: the bytes, lines behind the name of their pod, or lines as objects.

use crate::app::App;
use crate::engine::logs::{Form, Sink};
use crate::error::Result;
use crate::output::sanitize::{self, LogSanitizer};
use crate::output::{Format, log_line};
use crate::provider::LogStream;
use crate::ui::LogTarget;

/// Writes a log through the ui.
#[derive(Debug)]
pub struct Sheet<'a> {
    app: &'a App,
    target: LogTarget,
    sanitizer: LogSanitizer,
}

impl<'a> Sheet<'a> {
    /// On one of the two streams; objects go to stdout.
    pub fn new(app: &'a App, target: LogTarget) -> Self {
        Self {
            app,
            target,
            sanitizer: LogSanitizer::default(),
        }
    }

    /// Under ndjson every line is an object.
    pub fn form(&self) -> Form {
        match self.app.ui.format() {
            Format::Ndjson => Form::Lines,
            Format::Table
            | Format::Wide
            | Format::Json
            | Format::Csv
            | Format::Tsv
            | Format::Name => Form::Bytes,
        }
    }

    /// What is left of a character that was cut in two.
    pub fn finish(&mut self) -> Result<()> {
        let rest = self.sanitizer.finish();
        if rest.is_empty() {
            return Ok(());
        }
        let mut none = LogSanitizer::default();
        self.app.ui.log(self.target, rest.as_bytes(), &mut none)
    }
}

impl Sink for Sheet<'_> {
    fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.app.ui.log(self.target, bytes, &mut self.sanitizer)
    }

    fn line(&mut self, pod: &str, stream: Option<LogStream>, line: &[u8]) -> Result<()> {
        if self.form() == Form::Lines {
            let stream = stream.map(LogStream::as_str);
            let line = String::from_utf8_lossy(line);
            let text = log_line(pod, stream, &line, &self.app.ui.style())?;
            return self.app.ui.print(&text);
        }
        let mut bytes = format!("[{}] ", sanitize::line(pod)).into_bytes();
        bytes.extend_from_slice(line);
        bytes.push(b'\n');
        let mut sanitizer = LogSanitizer::default();
        self.app.ui.log(self.target, &bytes, &mut sanitizer)
    }

    fn is_closed(&self) -> bool {
        self.app.ui.is_closed()
    }
}
