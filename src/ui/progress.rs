//! Progress of long work: a spinner or a bar on a terminal, a heartbeat line about every minute elsewhere (cli.md §3).

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::model::Timestamp;
use crate::output::sanitize;

use super::Ui;

/// Pause between heartbeat lines.
const HEARTBEAT_S: i64 = 60;
const SPINNER: &str = "{spinner} {wide_msg}";
const BAR: &str = "{bar:24} {bytes}/{total_bytes} {bytes_per_sec} {wide_msg}";
const COUNTER: &str = "{spinner} {bytes} {bytes_per_sec} {wide_msg}";
const TICK: Duration = Duration::from_millis(120);

/// Long work that is under way; dropping it clears its line.
#[derive(Debug)]
pub struct Task<'ui> {
    ui: &'ui Ui,
    bar: Option<ProgressBar>,
    last_line: Timestamp,
}

impl<'ui> Task<'ui> {
    /// Work of unknown length.
    pub(super) fn spinner(ui: &'ui Ui, text: &str, now: Timestamp) -> Self {
        let bar = ui.draws().then(|| {
            let bar = ui.bars.add(ProgressBar::no_length());
            bar.set_style(style(SPINNER));
            bar.enable_steady_tick(TICK);
            bar
        });
        Self::new(ui, bar, text, now)
    }

    /// A transfer of so many bytes.
    pub(super) fn transfer(ui: &'ui Ui, text: &str, bytes: Option<u64>, now: Timestamp) -> Self {
        let bar = ui.draws().then(|| {
            let (bar, look) = match bytes {
                Some(bytes) => (ProgressBar::new(bytes), BAR),
                None => (ProgressBar::no_length(), COUNTER),
            };
            let bar = ui.bars.add(bar);
            bar.set_style(style(look));
            bar
        });
        Self::new(ui, bar, text, now)
    }

    fn new(ui: &'ui Ui, bar: Option<ProgressBar>, text: &str, now: Timestamp) -> Self {
        if let Some(bar) = &bar {
            bar.set_message(sanitize::line(text).into_owned());
        }
        Self {
            ui,
            bar,
            last_line: now,
        }
    }

    /// What is being done now; without a terminal a line at most once a minute.
    pub fn update(&mut self, text: &str, now: Timestamp) {
        match &self.bar {
            Some(bar) => bar.set_message(sanitize::line(text).into_owned()),
            None => {
                if now.duration_since(self.last_line).as_secs() >= HEARTBEAT_S {
                    self.last_line = now;
                    self.ui.heartbeat(text);
                }
            }
        }
    }

    /// How many bytes have gone so far.
    pub fn set_bytes(&self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(bytes);
        }
    }
}

impl Drop for Task<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A style of a template above; that each can be read is tested, so the fallback is never seen.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_can_be_read() {
        for template in [SPINNER, BAR, COUNTER] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
