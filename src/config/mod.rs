//! Configuration: where every setting of a provider comes from (cli.md §8 and §10, "Configuration, small print").
//!
//! Layers, the strongest first: flag, `GPUJOB_<PROVIDER>_<KEY>`, the file, the vendor's own variables, the vendor's own
//! files, the default. The merge is pure and keeps the origin of every value; `environment`, `file`, `secret` and the
//! readers under `native` are the edge. No value of a secret ever reaches a message, a `Debug` text or a row.

mod document;
mod environment;
mod file;
mod keys;
pub mod native;
mod origin;
mod place;
mod prices;
mod private;
mod secret;
mod settings;
mod show;

#[cfg(test)]
mod tests;

pub use environment::Environment;
pub use file::Config;
pub use keys::{Key, KeyKind, environment_name, keys_of, nearest};
pub use native::aliyun::{AccessKey, Credential, Found};
pub use origin::Origin;
pub use prices::{PRICE_FILE, Prices};
pub use private::{create_private_directory, others_can_read, write_private_file};
pub use secret::resolve as resolve_secret;
pub use settings::ProviderSettings;
pub use show::Row;
