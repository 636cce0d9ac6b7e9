//! How each emulated service finds out who sent a request: pure functions over the raw bytes.

pub mod acs3;
