//! Colours: which kind of text has which, and the escape codes around it.

use anstyle::{AnsiColor, Style as Paint};

use crate::model::{Level, State};

/// What a colour says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Good,
    Bad,
    /// Something is going on.
    Active,
    /// Something is waiting, or worth a look.
    Waiting,
    Faint,
    Heading,
}

impl Tone {
    /// The tone of a job state.
    pub const fn of_state(state: State) -> Self {
        match state {
            State::Pending | State::Starting => Self::Waiting,
            State::Running => Self::Active,
            State::Succeeded => Self::Good,
            State::Failed => Self::Bad,
            State::Cancelled | State::Unknown => Self::Faint,
        }
    }

    /// The tone of a field's level.
    pub const fn of_level(level: Level) -> Self {
        match level {
            Level::Native => Self::Good,
            Level::Emulated => Self::Waiting,
            Level::Local => Self::Faint,
            Level::Refused => Self::Bad,
        }
    }

    /// The text in this tone, or as it is without colour.
    pub fn paint(self, text: &str, colour: bool) -> String {
        if !colour || text.is_empty() {
            return text.to_owned();
        }
        let paint = match self {
            Self::Good => AnsiColor::Green.on_default(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Active => AnsiColor::Cyan.on_default(),
            Self::Waiting => AnsiColor::Yellow.on_default(),
            Self::Faint => Paint::new().dimmed(),
            Self::Heading => Paint::new().bold(),
        };
        format!("{paint}{text}{paint:#}")
    }
}
