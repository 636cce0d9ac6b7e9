//! Size and shape: what a node must have, repetitions, spot (job-model.md §2.3).

use crate::spec::error::SpecError;
use crate::spec::gpu::{parse_gpu_request, with_memory_of_name};
use crate::spec::model::{Array, GpuRequest, Resources, Spot};
use crate::spec::tree::{Content, shorten};

use super::fields::Field;

/// How many repetitions run at a time where nobody says (cli.md §10).
const DEFAULT_PARALLEL: u32 = 8;
/// More indices than this is a slip of the finger on every provider.
const MOST_INDICES: u32 = 1_000_000;

pub(super) fn resources(field: &Field<'_>) -> Result<Resources, SpecError> {
    let fields = field.fields(&[
        "instance_type",
        "gpu",
        "cpu",
        "memory",
        "shm",
        "disk",
        "arch",
    ])?;
    Ok(Resources {
        instance_type: fields.read("instance_type", Field::text)?,
        gpu: fields.read("gpu", gpu)?,
        cpu: fields.read("cpu", Field::positive)?,
        memory: fields.read("memory", Field::size)?,
        shm: fields.read("shm", Field::size)?,
        disk: fields.read("disk", Field::size)?,
        arch: fields.read("arch", arch)?,
    })
}

/// `A100`, `A100:2:80GiB`, `4090`, or a map.
fn gpu(field: &Field<'_>) -> Result<GpuRequest, SpecError> {
    match &field.node.content {
        Content::Text(text) | Content::Word(text) | Content::Number(text) => {
            parse_gpu_request(text).map_err(|error| field.unit_error(error))
        }
        Content::Map(_) => {
            let fields = field.fields(&["model", "count", "memory"])?;
            let model = fields.read("model", Field::identifier)?;
            let count = fields
                .read("count", |count| count.whole(1, u32::MAX))?
                .unwrap_or(1);
            let memory = fields.read("memory", Field::gpu_memory)?;
            with_memory_of_name(model, count, memory).map_err(|(named, given)| {
                field
                    .error(
                        "conflicting_fields",
                        format!(
                            "`{0}.model` names {named} GiB and `{0}.memory` is {given} GiB",
                            field.path
                        ),
                    )
                    .with_hint("keep the memory in one of them")
            })
        }
        Content::Null | Content::Bool { .. } | Content::List(_) => Err(field
            .wrong_type("a GPU")
            .with_hint("write `A100`, `A100:2` or `{ model: A100, count: 2, memory: 80GiB }`")),
    }
}

fn arch(field: &Field<'_>) -> Result<String, SpecError> {
    let arch = field.text()?;
    match arch.as_str() {
        "amd64" | "arm64" => Ok(arch),
        "x86_64" | "x86-64" => Err(field.bad_value("is `x86_64`", "write `amd64`")),
        "aarch64" => Err(field.bad_value("is `aarch64`", "write `arm64`")),
        other => Err(field.bad_value(
            &format!("is `{}`", shorten(other)),
            "write `amd64` or `arm64`",
        )),
    }
}

/// A map, or the text of the flag: `10`, `10%2`, `5-9%2`.
pub(super) fn array(field: &Field<'_>) -> Result<Array, SpecError> {
    match &field.node.content {
        Content::Map(_) => {
            let fields = field.fields(&["count", "parallel", "index"])?;
            let count = fields.require("count")?.whole(1, MOST_INDICES)?;
            let parallel = fields.read("parallel", |parallel| parallel.whole(1, u32::MAX))?;
            Ok(Array {
                first: 0,
                last: count - 1,
                parallel: parallel.unwrap_or(DEFAULT_PARALLEL).min(count),
                index: fields.read("index", Field::boolean)?.unwrap_or_default(),
            })
        }
        Content::Text(text) | Content::Word(text) | Content::Number(text) => {
            array_text(text).ok_or_else(|| {
                field.bad_value(
                    &format!("is `{}`", shorten(text)),
                    &format!(
                        "write `COUNT`, `FIRST-LAST`, and `%PARALLEL` after it, with at most {MOST_INDICES} indices"
                    ),
                )
            })
        }
        Content::Null | Content::Bool { .. } | Content::List(_) => Err(field
            .wrong_type("a map")
            .with_hint("write `{ count: 10, parallel: 2 }`")),
    }
}

fn array_text(text: &str) -> Option<Array> {
    let number = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| text.parse::<u32>().ok())
            .flatten()
    };
    let (range, parallel) = match text.trim().split_once('%') {
        Some((range, parallel)) => (range, Some(number(parallel)?)),
        None => (text.trim(), None),
    };
    let (first, last, index) = match range.split_once('-') {
        // Whoever names the indices wants them told.
        Some((first, last)) => (number(first)?, number(last)?, true),
        None => (0, number(range)?.checked_sub(1)?, false),
    };
    let count = last
        .checked_sub(first)?
        .checked_add(1)
        .filter(|count| *count <= MOST_INDICES)?;
    let parallel = parallel.unwrap_or(DEFAULT_PARALLEL);
    (parallel > 0).then(|| Array {
        first,
        last,
        parallel: parallel.min(count),
        index,
    })
}

/// `true`, `false` or a map with a limit.
pub(super) fn spot(field: &Field<'_>) -> Result<Option<Spot>, SpecError> {
    if let Content::Map(_) = &field.node.content {
        let fields = field.fields(&["max_discount"])?;
        let max_discount = fields.read("max_discount", |limit| {
            let fraction = limit.positive()?;
            if fraction > 1.0 {
                return Err(limit.bad_value(
                    &format!("is `{fraction}`"),
                    "write the fraction of the normal price to pay at most, such as `0.8`",
                ));
            }
            Ok(fraction)
        })?;
        return Ok(Some(Spot { max_discount }));
    }
    match field.boolean() {
        Ok(true) => Ok(Some(Spot { max_discount: None })),
        Ok(false) => Ok(None),
        Err(_) => Err(field
            .wrong_type("`true`, `false` or a map")
            .with_hint("write `true` or `{ max_discount: 0.8 }`")),
    }
}
