//! Why a request was not let in, with the gateway's codes, statuses and messages (pai-dlc.md §2.8, §7.2).

use http::StatusCode;

/// A refusal of the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// `Authorization` is absent or not of its form.
    Incomplete(String),
    /// Another algorithm.
    Method(String),
    UnknownKey,
    DisabledKey,
    DateFormat,
    DateExpired,
    TokenMissing,
    /// The token belongs to another key.
    TokenMismatch,
    /// The token belongs to no key.
    TokenMalformed,
    TokenExpired,
    /// A header is unsigned, the body hash is wrong or the signature differs.
    Mismatch(Mismatch),
    NonceUsed,
}

/// What the gateway calculated; a security token is blanked out already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    pub string_to_sign: String,
    pub canonical_request: String,
    /// What is wrong as far as it can be told: for the log, never for the answer (style.md §12).
    pub reason: String,
}

impl Fault {
    /// The gateway's code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Incomplete(_) => "IncompleteSignature",
            Self::Method(_) => "InvalidSignatureMethod",
            Self::UnknownKey => "InvalidAccessKeyId.NotFound",
            Self::DisabledKey => "InvalidAccessKeyId.Inactive",
            Self::DateFormat => "InvalidTimeStamp.Format",
            Self::DateExpired => "InvalidTimeStamp.Expired",
            Self::TokenMissing => "MissingSecurityToken",
            Self::TokenMismatch => "InvalidSecurityToken.MismatchWithAccessKey",
            Self::TokenMalformed => "InvalidSecurityToken.Malformed",
            Self::TokenExpired => "InvalidSecurityToken.Expired",
            Self::Mismatch(_) => "SignatureDoesNotMatch",
            Self::NonceUsed => "SignatureNonceUsed",
        }
    }

    /// The HTTP status: 404 for an unknown key, 400 for all else.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::UnknownKey => StatusCode::NOT_FOUND,
            Self::Incomplete(_)
            | Self::Method(_)
            | Self::DisabledKey
            | Self::DateFormat
            | Self::DateExpired
            | Self::TokenMissing
            | Self::TokenMismatch
            | Self::TokenMalformed
            | Self::TokenExpired
            | Self::Mismatch(_)
            | Self::NonceUsed => StatusCode::BAD_REQUEST,
        }
    }

    /// The sentence of the answer; those known word for word are kept so.
    pub fn message(&self) -> String {
        match self {
            Self::Incomplete(_) => "The request signature does not conform to Aliyun standards.",
            Self::Method(_) => "Specified signature method is not valid.",
            Self::UnknownKey => "Specified access key is not found.",
            Self::DisabledKey => "Specified access key is disabled.",
            Self::DateFormat => "Specified time stamp or date value is not well formatted.",
            Self::DateExpired => "Specified time stamp or date value is expired.",
            Self::TokenMissing => "SecurityToken is mandatory for this action.",
            Self::TokenMismatch => "Specified SecurityToken mismatch with the AccessKey.",
            Self::TokenMalformed => "Specified SecurityToken is malformed.",
            Self::TokenExpired => "Specified SecurityToken is expired.",
            Self::NonceUsed => "Specified signature nonce was used already.",
            Self::Mismatch(mismatch) => {
                return format!(
                    "Specified signature does not match our calculation. server StringToSign is [{}] server \
                     CanonicalRequest is [{}]",
                    mismatch.string_to_sign, mismatch.canonical_request
                );
            }
        }
        .to_owned()
    }

    /// What the sandbox's log adds to the message.
    pub fn reason(&self) -> &str {
        match self {
            Self::Incomplete(why) => why,
            Self::Method(found) => found,
            Self::Mismatch(mismatch) => &mismatch.reason,
            Self::UnknownKey
            | Self::DisabledKey
            | Self::DateFormat
            | Self::DateExpired
            | Self::TokenMissing
            | Self::TokenMismatch
            | Self::TokenMalformed
            | Self::TokenExpired
            | Self::NonceUsed => "",
        }
    }
}
