//! The local record of submissions: what makes a create happen at most once (cli.md §7, design.md §2.7).
//!
//! An intent is durable before its create leaves; what became of it is written afterwards. Many processes share one
//! file; each call here is one short transaction. Losing the file loses convenience only: nothing in it is a
//! secret, an environment value or a command, and nothing in it is needed to find a job by its ref.
//!
//! `record` is pure; `schema`, `store` and `query` are the edge. Stored volume credentials lie beside the journal in
//! files of their own (`credentials`). What providers offered last is kept elsewhere, and may be thrown away (`offers`).

mod credentials;
mod locks;
mod offers;
mod query;
mod record;
mod schema;
mod store;

#[cfg(test)]
mod tests;

pub use credentials::CredentialStore;
pub use locks::{Held, Locks};
pub use offers::{Account, Look, OfferCache, age_within};
pub use record::{Entry, Intent, Memory, Observation, Phase, Prepared, Subject};
pub use store::Journal;
