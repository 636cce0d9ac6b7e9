//! What a user asks for in one word: `A100`, `A100:2`, `A100:2:80G`, `A100-80G` (cli.md §2.1).

use crate::spec::model::GpuRequest;
use crate::spec::units::{UnitError, parse_gpu_memory};

use super::GpuName;

/// Reads `MODEL[:COUNT[:MEM]]`; the model keeps its spelling, a memory in it counts like one that is given.
pub fn parse_gpu_request(text: &str) -> Result<GpuRequest, UnitError> {
    const FORM: &str =
        "write `MODEL`, `MODEL:COUNT` or `MODEL:COUNT:MEMORY`, such as `A100:2:80GiB`";
    let bad = |why: String| UnitError {
        code: "bad_value",
        message: why,
        hint: FORM.to_owned(),
    };
    let text = text.trim();
    let mut parts = text.split(':').map(str::trim);
    let model = parts.next().unwrap_or_default();
    let count = parts.next();
    let memory = parts.next();
    if parts.next().is_some() {
        return Err(bad(format!("`{text}` has more than three parts")));
    }
    if model.is_empty() {
        return Err(bad(format!("`{text}` names no GPU model")));
    }
    if model.len() < 4 && model.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad(format!("`{model}` is a number of GPUs, not a model")));
    }
    let count = match count {
        None => 1,
        Some(count) => count
            .parse::<u32>()
            .ok()
            .filter(|count| *count > 0)
            .ok_or_else(|| {
                bad(format!(
                    "`{count}` in `{text}` is no number of GPUs, 1 or more"
                ))
            })?,
    };
    let memory_gib = memory.map(parse_gpu_memory).transpose()?;
    with_memory_of_name(Some(model.to_owned()), count, memory_gib).map_err(|(named, given)| {
        bad(format!(
            "`{text}` asks for {named} GiB and for {given} GiB a card"
        ))
    })
}

/// A request whose memory is the given one or the name's; the error is both, where they differ.
pub(in crate::spec) fn with_memory_of_name(
    model: Option<String>,
    count: u32,
    memory_gib: Option<u64>,
) -> Result<GpuRequest, (u64, u64)> {
    let named = model
        .as_deref()
        .and_then(|model| GpuName::parse(model).memory_gib);
    if let (Some(named), Some(given)) = (named, memory_gib)
        && named != given
    {
        return Err((named, given));
    }
    Ok(GpuRequest {
        model,
        count,
        memory_gib: memory_gib.or(named),
    })
}
