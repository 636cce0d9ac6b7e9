//! Why a request was not let in: the codes are this emulator's choice, the checks are the contract's (gongji.md §11).

/// A refusal, with a reason that only the log may tell (style.md §12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Step 1.
    Token(String),
    /// Step 2.
    Timestamp(String),
    /// Step 3.
    Version(String),
    /// Step 4.
    Signature(String),
}

impl Fault {
    /// The code of the envelope.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Token(_) => "C003",
            Self::Timestamp(_) => "C001",
            Self::Version(_) => "C002",
            Self::Signature(_) => "C004",
        }
    }

    /// The message of the envelope.
    pub const fn message(&self) -> &'static str {
        match self {
            Self::Token(_) => "token invalid",
            Self::Timestamp(_) => "timestamp invalid or expired",
            Self::Version(_) => "version not supported",
            Self::Signature(_) => "sign verification failed",
        }
    }

    /// Which part was wrong, for the log.
    pub fn reason(&self) -> &str {
        match self {
            Self::Token(reason)
            | Self::Timestamp(reason)
            | Self::Version(reason)
            | Self::Signature(reason) => reason,
        }
    }
}
