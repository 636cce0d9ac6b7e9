//! WebDAV, as far as moving files in and out of volumes needs it (RFC 4918; paracloud.md §6.2).
//!
//! `dialect`, `multistatus`, `reception` and `requests` are pure; `client` sends. It knows no provider: a volume's
//! address, credentials and name are handed in. Never `Depth: infinity`, never a redirect with the credentials.

mod client;
mod dialect;
mod multistatus;
mod parts;
mod reception;
mod requests;

#[cfg(test)]
mod tests;

pub use client::{Access, Client};
pub use parts::Part;
pub use requests::{
    DELETE_FILE, GET_FILE, MAKE_FOLDER, MOVE_FILE, PUT_FILE, READ_PROPERTIES, Requests,
};
