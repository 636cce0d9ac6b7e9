//! What a NAS volume is made of: the checks of a request, and the configuration that it means (gongji.md §4.2).
//!
//! Pure. The other two kinds of storage cannot be made here, and the refusal says where instead.

use crate::error::Kind;
use crate::model::{Refusal, RefusalCode};
use crate::provider::VolumeRequest;
use crate::spec::hint;

use super::storage::StorageKind;
use super::wire::{CreateNas, NasConfig};

/// Keys of `--set`.
const SETTINGS: [&str; 4] = ["kind", "region", "storage_class", "nas_config_id"];

/// Characters of a name at most.
const LONGEST_NAME: usize = 32;

/// A request that is well-formed; what it means is seen in the list of configurations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wish {
    name: String,
    total_size: u64,
    region: Option<String>,
    storage_class: Option<String>,
    config: Option<i64>,
}

/// Checks a request without a look; all refusals at once.
pub(super) fn wish(
    request: &VolumeRequest,
    configured_region: Option<&str>,
) -> Result<Wish, Vec<Refusal>> {
    let mut refusals = Vec::new();
    if request.namespace.is_some() {
        refusals.push(absent(
            "namespace",
            "leave it out: a volume belongs to the account",
        ));
    }
    if request.cluster.is_some() {
        refusals.push(absent("cluster", "say `--set region=REGION`"));
    }
    let name = request.name.clone().unwrap_or_default();
    match name.chars().count() {
        0 => refusals.push(missing(
            "name",
            "a NAS volume needs a name",
            "give it with `--name`",
        )),
        1..=LONGEST_NAME => {}
        length => refusals.push(
            Refusal::new(
                RefusalCode::UnsupportedValue,
                "name",
                format!("the name has {length} characters, and a NAS volume takes {LONGEST_NAME}"),
            )
            .with_alternative("take a shorter one"),
        ),
    }
    let total_size = request.size_bytes.unwrap_or_default();
    if total_size == 0 {
        refusals.push(missing(
            "size",
            "a NAS volume needs a size above 0",
            "give it with `--size`, such as `--size 50GiB`",
        ));
    }
    let mut wish = Wish {
        name,
        total_size,
        region: configured_region.map(str::to_owned),
        storage_class: None,
        config: None,
    };
    for (key, value) in &request.settings {
        match key.as_str() {
            "kind" => refusals.extend(wrong_kind(value)),
            "region" => wish.region = Some(value.clone()),
            "storage_class" => wish.storage_class = Some(value.clone()),
            "nas_config_id" => match value.trim().parse() {
                Ok(id) => wish.config = Some(id),
                Err(_) => refusals.push(
                    Refusal::new(
                        RefusalCode::UnsupportedValue,
                        "nas_config_id",
                        format!("`{value}` is no number"),
                    )
                    .with_alternative("leave it out, and name `region` and `storage_class`"),
                ),
            },
            _ => refusals.push(unknown(key)),
        }
    }
    if refusals.is_empty() {
        Ok(wish)
    } else {
        Err(refusals)
    }
}

/// The body of the create, on the one available configuration that the wish means.
pub(super) fn body(wish: &Wish, configs: &[NasConfig]) -> Result<CreateNas, Refusal> {
    let meant: Vec<&NasConfig> = configs
        .iter()
        .filter(|config| means(wish, config))
        .collect();
    let available: Vec<i64> = meant
        .iter()
        .filter(|config| config.status.as_deref() == Some("Available"))
        .filter_map(|config| config.id)
        .collect();
    match (available.as_slice(), meant.as_slice()) {
        ([id], _) => Ok(CreateNas {
            name: wish.name.clone(),
            nas_config_id: *id,
            total_size: wish.total_size,
        }),
        ([], []) => Err(Refusal::new(
            RefusalCode::NoMatchingResource,
            "region",
            "NAS is not offered with that region and class",
        )
        .with_kind(Kind::NotFound)
        .with_alternative(format!("it is offered as {}", list(configs.iter())))),
        ([], _) => Err(Refusal::new(
            RefusalCode::Capacity,
            "region",
            format!("no room now: {} cannot be had", list(meant.iter().copied())),
        )
        .with_alternative("try again later, or name another region")),
        (_, _) => Err(Refusal::new(
            RefusalCode::UnsupportedValue,
            "region",
            format!("several are offered: {}", list(meant.iter().copied())),
        )
        .with_alternative(
            "say `--set region=…`, `--set storage_class=…` or `--set nas_config_id=…`",
        )),
    }
}

/// An id alone says it all, and beats the configured region.
fn means(wish: &Wish, config: &NasConfig) -> bool {
    if let Some(id) = wish.config {
        return config.id == Some(id);
    }
    let class_fits = wish.storage_class.as_ref().is_none_or(|class| {
        [&config.storage_class, &config.storage_class_name]
            .into_iter()
            .any(|its| its.as_ref() == Some(class))
    });
    class_fits
        && wish
            .region
            .as_ref()
            .is_none_or(|region| config.region.as_ref() == Some(region))
}

fn list<'a>(configs: impl Iterator<Item = &'a NasConfig>) -> String {
    let words: Vec<String> = configs
        .map(|config| {
            format!(
                "{} in `{}` (nas_config_id {})",
                config
                    .storage_class_name
                    .as_deref()
                    .or(config.storage_class.as_deref())
                    .unwrap_or("NAS"),
                config.region.as_deref().unwrap_or("-"),
                config.id.unwrap_or_default(),
            )
        })
        .collect();
    if words.is_empty() {
        "nothing at all".to_owned()
    } else {
        words.join(", ")
    }
}

fn wrong_kind(kind: &str) -> Option<Refusal> {
    let message = match StorageKind::from_word(kind) {
        Some(StorageKind::Nas) => return None,
        Some(StorageKind::Object) => {
            "object storage is made by encrypted calls with access keys, which gpujob does not make"
                .to_owned()
        }
        Some(StorageKind::Share) => "shared volumes are made in the console only".to_owned(),
        None => format!("`{kind}` is no kind of storage here"),
    };
    Some(
        Refusal::new(RefusalCode::UnsupportedValue, "kind", message)
            .with_alternative("make it in the console, or make a NAS volume with `kind=nas`"),
    )
}

fn absent(field: &str, alternative: &str) -> Refusal {
    Refusal::new(
        RefusalCode::UnsupportedField,
        field,
        format!("a volume on Gongji has no `{field}`"),
    )
    .with_alternative(alternative)
}

fn missing(field: &str, message: &str, alternative: &str) -> Refusal {
    Refusal::new(RefusalCode::MissingField, field, message).with_alternative(alternative)
}

fn unknown(key: &str) -> Refusal {
    let alternative = hint::nearest(key, SETTINGS).map_or_else(
        || format!("the settings are `{}`", SETTINGS.join("`, `")),
        |nearest| format!("did you mean `{nearest}`"),
    );
    Refusal::new(
        RefusalCode::UnsupportedField,
        key,
        format!("`{key}` is no setting of a volume on Gongji"),
    )
    .with_alternative(alternative)
}
