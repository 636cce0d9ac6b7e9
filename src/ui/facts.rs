//! What is known about the streams, and what follows from it. Pure: the environment is an argument (cli.md §3, §10).

use std::num::NonZeroU16;

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColourChoice {
    #[default]
    Auto,
    Always,
    Never,
}

impl ColourChoice {
    /// Every choice, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Always, Self::Never];

    /// The word on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        }
    }
}

/// Which streams are terminals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terminals {
    pub input: bool,
    pub output: bool,
    pub errors: bool,
}

/// What the environment wishes for colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Wish {
    /// Colour on terminals.
    #[default]
    Usual,
    /// `NO_COLOR`.
    None,
    /// `CLICOLOR_FORCE`.
    Force,
}

/// What is known about the streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    pub terminals: Terminals,
    /// Columns of the terminal on stdout.
    pub columns: Option<NonZeroU16>,
    wish: Wish,
    /// `TERM=dumb`: nothing that moves a cursor.
    is_dumb: bool,
}

impl Facts {
    /// Facts from the environment and from what was asked of the streams; `COLUMNS` beats the terminal's own answer.
    pub fn new(
        terminals: Terminals,
        columns: Option<NonZeroU16>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let wish = if set("NO_COLOR").is_some() {
            Wish::None
        } else if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
            Wish::Force
        } else {
            Wish::Usual
        };
        Self {
            terminals,
            columns: set("COLUMNS")
                .and_then(|value| value.parse().ok())
                .or(columns),
            wish,
            is_dumb: set("TERM").is_some_and(|value| value == "dumb"),
        }
    }

    /// Whether a stream gets colour: `--color` beats `NO_COLOR` beats `CLICOLOR_FORCE` (cli.md §10).
    pub fn colour(&self, choice: ColourChoice, is_terminal: bool) -> bool {
        match (choice, self.wish) {
            (ColourChoice::Always, _) | (ColourChoice::Auto, Wish::Force) => true,
            (ColourChoice::Never, _) | (ColourChoice::Auto, Wish::None) => false,
            (ColourChoice::Auto, Wish::Usual) => is_terminal && !self.is_dumb,
        }
    }

    /// The width that tables on stdout have to fit in; none for a pipe.
    pub fn table_width(&self) -> Option<u16> {
        self.columns
            .filter(|_| self.terminals.output)
            .map(NonZeroU16::get)
    }

    /// Whether bars and spinners can be drawn on stderr.
    pub fn can_draw(&self) -> bool {
        self.terminals.errors && !self.is_dumb
    }

    /// Whether the screen that stdout is can be drawn again and again.
    pub fn can_redraw(&self) -> bool {
        self.terminals.output && !self.is_dumb
    }

    /// Whether a question can be asked and its answer read.
    pub fn can_ask(&self) -> bool {
        self.terminals.input && self.terminals.errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMINALS: Terminals = Terminals {
        input: true,
        output: true,
        errors: true,
    };

    fn facts(variables: &[(&str, &str)]) -> Facts {
        Facts::new(TERMINALS, NonZeroU16::new(120), |name| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_flag_beats_no_color_beats_force() {
        let both = facts(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]);
        assert!(both.colour(ColourChoice::Always, false));
        assert!(!both.colour(ColourChoice::Auto, true));
        let force = facts(&[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")]);
        assert!(force.colour(ColourChoice::Auto, false));
        assert!(!force.colour(ColourChoice::Never, true));
    }

    #[test]
    fn without_a_wish_terminals_are_coloured_and_pipes_are_not() {
        let plain = facts(&[("NO_COLOR", ""), ("CLICOLOR_FORCE", "0")]);
        assert!(plain.colour(ColourChoice::Auto, true));
        assert!(!plain.colour(ColourChoice::Auto, false));
        let dumb = facts(&[("TERM", "dumb")]);
        assert!(!dumb.colour(ColourChoice::Auto, true));
        assert!(!dumb.can_draw());
        assert!(!dumb.can_redraw());
        assert!(plain.can_redraw());
    }

    #[test]
    fn the_width_is_that_of_columns_or_of_the_terminal_and_a_pipe_has_none() {
        assert_eq!(facts(&[("COLUMNS", "77")]).table_width(), Some(77));
        for useless in ["", "0", "wide"] {
            assert_eq!(facts(&[("COLUMNS", useless)]).table_width(), Some(120));
        }
        let piped = Facts {
            terminals: Terminals {
                output: false,
                ..TERMINALS
            },
            ..facts(&[("COLUMNS", "77")])
        };
        assert_eq!(piped.table_width(), None);
    }
}
