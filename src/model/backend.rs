//! The four systems gpujob speaks to.

use std::fmt;
use std::str::FromStr;

/// A system with an API of its own; a *provider* is a configured account on one (cli.md §1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Backend {
    Paracloud,
    Cyclecloud,
    Gongji,
    PaiDlc,
}

impl Backend {
    /// All backends, in the order of the documentation.
    pub const ALL: [Self; 4] = [
        Self::Paracloud,
        Self::Cyclecloud,
        Self::Gongji,
        Self::PaiDlc,
    ];

    /// The id used in configuration, refs and output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Paracloud => "paracloud",
            Self::Cyclecloud => "cyclecloud",
            Self::Gongji => "gongji",
            Self::PaiDlc => "pai-dlc",
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Backend {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|backend| backend.as_str() == text)
            .ok_or(())
    }
}
