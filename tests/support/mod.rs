//! What the tests share.

pub(crate) mod closed;
pub(crate) mod environment;
pub(crate) mod recorder;
pub(crate) mod relay;
pub(crate) mod scripted;
pub(crate) mod wire;
