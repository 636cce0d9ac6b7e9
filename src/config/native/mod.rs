//! The vendors' own files, read so that an account that works with their tools works here (cli.md §8).
//!
//! Pure functions over contents in `ini`, `aliyun` and `cycle`; the thin readers are here and in `aliyun`.

pub mod aliyun;
pub(super) mod cycle;
pub mod ini;
mod profile;

use std::collections::BTreeMap;

use crate::model::Backend;

use super::document::Value;
use super::{Environment, Origin};

/// What the vendor's files say about the keys of one backend.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub(super) values: Vec<(&'static str, Value, Origin)>,
    /// Why a key has no value, by key.
    pub(super) absences: BTreeMap<&'static str, String>,
    /// What the user should know.
    pub(super) notes: Vec<String>,
}

/// Reads the files of one backend.
pub(super) fn layer(backend: Backend, environment: &Environment) -> Layer {
    match backend {
        Backend::Paracloud | Backend::Gongji => Layer::default(),
        Backend::Cyclecloud => cycle::read(environment),
        Backend::PaiDlc => aliyun::read_region(environment),
    }
}
