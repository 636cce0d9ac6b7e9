//! Sizes: `16GiB` and `24Gi` are binary, `64GB` is decimal; a card's memory is nominal GiB.

use super::{UnitError, is_bare_number, split_number};

/// Units that say which of the two they are, largest first.
const UNITS: [(&str, u64); 11] = [
    ("PiB", 1 << 50),
    ("PB", 1_000_000_000_000_000),
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1_000),
    ("B", 1),
];

/// Reads a size as bytes.
pub fn parse_size(text: &str) -> Result<u64, UnitError> {
    let trimmed = text.trim();
    if is_bare_number(trimmed) {
        return Err(UnitError::unit(
            format!("`{trimmed}` has no unit"),
            format!("write `{trimmed}GiB` (binary) or `{trimmed}GB` (decimal)"),
        ));
    }
    let (number, unit) = split_number(trimmed);
    let unit = unit.trim_start();
    if number.is_empty() {
        return Err(bad(trimmed));
    }
    let factor = unit_bytes(unit).ok_or_else(|| unknown_unit(trimmed, number, unit))?;
    exact_product(number, factor, trimmed)
}

/// Reads the memory of a card: `80G`, `80GB`, `80Gi` and `80GiB` all mean the card sold as 80 GB (cli.md §10).
pub fn parse_gpu_memory(text: &str) -> Result<u64, UnitError> {
    let trimmed = text.trim();
    if is_bare_number(trimmed) {
        return Err(UnitError::unit(
            format!("`{trimmed}` has no unit"),
            format!("write `{trimmed}GiB`, the memory of one card"),
        ));
    }
    let (number, unit) = split_number(trimmed);
    let unit = unit.trim_start().to_ascii_uppercase();
    if !["G", "GB", "GI", "GIB"].contains(&unit.as_str()) {
        return Err(UnitError::unit(
            format!("`{trimmed}` is no memory of a card"),
            "write the gigabytes of one card, such as `80GiB`",
        ));
    }
    match number.parse::<u64>() {
        Ok(gib) if gib > 0 && gib <= 1 << 20 => Ok(gib),
        Ok(_) | Err(_) => Err(UnitError::value(
            format!("`{trimmed}` is no memory of a card"),
            "write whole gigabytes of one card, such as `80GiB`",
        )),
    }
}

/// Writes bytes as `parse_size` reads them, exactly and in the largest unit that fits.
pub fn format_size(bytes: u64) -> String {
    let (unit, factor) = UNITS
        .into_iter()
        .filter(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor))
        .max_by_key(|(_, factor)| *factor)
        .unwrap_or(("B", 1));
    format!("{}{unit}", bytes / factor)
}

fn bad(text: &str) -> UnitError {
    UnitError::value(
        format!("`{text}` is no size"),
        "write one such as `64GiB` (binary) or `64GB` (decimal)",
    )
}

/// `Gi` is short for `GiB`; case does not matter.
fn unit_bytes(unit: &str) -> Option<u64> {
    UNITS
        .iter()
        .find(|(name, _)| {
            name.eq_ignore_ascii_case(unit)
                || name
                    .strip_suffix("iB")
                    .is_some_and(|letter| format!("{letter}i").eq_ignore_ascii_case(unit))
        })
        .map(|(_, factor)| *factor)
}

fn unknown_unit(text: &str, number: &str, unit: &str) -> UnitError {
    let mut letters = unit.chars();
    match (letters.next(), letters.next()) {
        // Kubernetes takes `G` as decimal, docker as binary: not told apart, so not taken.
        (Some(letter), None) if "KMGTPkmgtp".contains(letter) => {
            let letter = letter.to_ascii_uppercase();
            UnitError::unit(
                format!("`{text}` does not tell binary from decimal"),
                format!("write `{number}{letter}iB` (binary) or `{number}{letter}B` (decimal)"),
            )
        }
        _ => UnitError::unit(
            format!("`{unit}` in `{text}` is no unit of size"),
            "write a unit such as `MiB`, `GiB`, `TiB` (binary) or `MB`, `GB`, `TB` (decimal)",
        ),
    }
}

/// `number` × `factor` where that is a whole number of bytes: `1.5GiB` is, `0.1KiB` is not.
fn exact_product(number: &str, factor: u64, text: &str) -> Result<u64, UnitError> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.contains('.') || number.ends_with('.') || fraction.len() > 15 {
        return Err(bad(text));
    }
    let too_large = || {
        UnitError::value(
            format!("`{text}` is more than any machine has"),
            "write a smaller size",
        )
    };
    let scale = u32::try_from(fraction.len())
        .ok()
        .and_then(|digits| 10_u128.checked_pow(digits))
        .ok_or_else(too_large)?;
    let product = format!("{whole}{fraction}")
        .parse::<u128>()
        .ok()
        .and_then(|number| number.checked_mul(u128::from(factor)))
        .ok_or_else(too_large)?;
    if !product.is_multiple_of(scale) {
        return Err(UnitError::value(
            format!("`{text}` is no whole number of bytes"),
            "write a whole number with a smaller unit",
        ));
    }
    u64::try_from(product / scale).map_err(|_| too_large())
}
