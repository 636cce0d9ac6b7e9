//! Ids in the forms that the service gives them.

use std::iter::repeat_with;

use uuid::{Builder, Uuid};

/// `dlc` and 13 characters of `[0-9a-z]` (pai-dlc.md §3.2).
pub(super) fn job(random: &mut fastrand::Rng) -> String {
    format!("dlc{}", base36(random, 13))
}

/// `d-` and 18 characters (§5.5).
pub(super) fn dataset(random: &mut fastrand::Rng) -> String {
    format!("d-{}", base36(random, 18))
}

/// An upper-case UUID (§11.5).
pub(super) fn request(random: &mut fastrand::Rng) -> String {
    uuid(random).to_string().to_uppercase()
}

/// A lower-case UUID.
pub(super) fn pod_uid(random: &mut fastrand::Rng) -> String {
    uuid(random).to_string()
}

fn uuid(random: &mut fastrand::Rng) -> Uuid {
    Builder::from_random_bytes(random.u128(..).to_le_bytes()).into_uuid()
}

fn base36(random: &mut fastrand::Rng, length: usize) -> String {
    repeat_with(|| random.digit(36)).take(length).collect()
}
