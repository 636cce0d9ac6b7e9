//! The process's own streams: what they are made of, how wide, and how to stop them from showing what is typed.

use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::num::NonZeroU16;

use rustix::termios::{self, LocalModes, OptionalActions, Termios};

/// Where things are written to and read from.
pub struct Streams {
    pub output: Box<dyn Write + Send>,
    pub errors: Box<dyn Write + Send>,
    pub input: Box<dyn BufRead + Send>,
}

impl Streams {
    /// The process's own.
    pub fn standard() -> Self {
        Self {
            output: Box::new(io::stdout()),
            errors: Box::new(io::stderr()),
            input: Box::new(BufReader::new(io::stdin())),
        }
    }
}

impl fmt::Debug for Streams {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Streams")
    }
}

/// Columns of the terminal on stdout, as it says itself.
pub(super) fn columns() -> Option<NonZeroU16> {
    let size = termios::tcgetwinsize(io::stdout()).ok()?;
    NonZeroU16::new(size.ws_col)
}

/// While it lives, the terminal does not show what is typed.
pub(super) struct Silence(Option<Termios>);

impl Silence {
    pub(super) fn begin() -> Self {
        let before = termios::tcgetattr(io::stdin()).ok();
        if let Some(mut silent) = before.clone() {
            silent.local_modes -= LocalModes::ECHO;
            // A terminal that refuses shows the secret to the one who types it.
            set_terminal(&silent).ok();
        }
        Self(before)
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            set_terminal(before).ok();
        }
    }
}

fn set_terminal(attributes: &Termios) -> rustix::io::Result<()> {
    termios::tcsetattr(io::stdin(), OptionalActions::Flush, attributes)
}
