//! Durations: `90s`, `1d12h`, `H:MM:SS`, `D-HH:MM:SS`.

use super::{UnitError, is_bare_number, split_number};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const UNITS: [(&str, u64); 4] = [("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", 1)];

/// Reads a duration as whole seconds.
pub fn parse_duration(text: &str) -> Result<u64, UnitError> {
    let trimmed = text.trim();
    if is_bare_number(trimmed) {
        return Err(UnitError::unit(
            format!("`{trimmed}` has no unit"),
            format!(
                "write `{trimmed}s` for seconds, `{trimmed}m` for minutes or `{trimmed}h` for hours"
            ),
        ));
    }
    if trimmed.contains(':') {
        clock_form(trimmed)
    } else {
        unit_form(trimmed)
    }
}

/// Writes seconds as `parse_duration` reads them: `5400` is `1h30m`.
pub fn format_duration(seconds: u64) -> String {
    let mut rest = seconds;
    let mut text = String::new();
    for (unit, length) in UNITS {
        if rest >= length {
            text.push_str(&(rest / length).to_string());
            text.push_str(unit);
            rest %= length;
        }
    }
    if text.is_empty() {
        text.push_str("0s");
    }
    text
}

fn bad(text: &str) -> UnitError {
    UnitError::value(
        format!("`{text}` is no duration"),
        "write one such as `90s`, `45m`, `1d12h`, `2:30:00` (H:MM:SS) or `1-12:00:00` (D-HH:MM:SS)",
    )
}

fn too_long(text: &str) -> UnitError {
    UnitError::value(
        format!("`{text}` is longer than any clock counts"),
        "write a shorter duration",
    )
}

fn unit_form(text: &str) -> Result<u64, UnitError> {
    let mut rest = text;
    let mut total = 0_u64;
    let mut smallest = u64::MAX;
    while !rest.is_empty() {
        let (number, after) = split_number(rest);
        let end = after
            .find(|character: char| character.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        if number.is_empty() {
            return Err(bad(text));
        }
        let Some(length) = UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .map(|(_, length)| *length)
        else {
            return Err(unknown_unit(text, number, unit));
        };
        if number.contains('.') {
            return Err(UnitError::value(
                format!("`{text}` has a fraction"),
                "write whole numbers, such as `1h30m` for an hour and a half",
            ));
        }
        // `1h1h` and `5m2h` are slips more often than wishes.
        if length >= smallest {
            return Err(UnitError::value(
                format!("`{text}` does not go from large units to small ones"),
                "write each unit once, the largest first, as in `1d12h`",
            ));
        }
        smallest = length;
        total = number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(length))
            .and_then(|seconds| total.checked_add(seconds))
            .ok_or_else(|| too_long(text))?;
        rest = after;
    }
    if smallest == u64::MAX {
        return Err(bad(text));
    }
    Ok(total)
}

fn unknown_unit(text: &str, number: &str, unit: &str) -> UnitError {
    if unit.is_empty() {
        return UnitError::unit(
            format!("`{text}` ends without a unit"),
            format!("write a unit after `{number}`: `s`, `m`, `h` or `d`"),
        );
    }
    UnitError::unit(
        format!("`{unit}` in `{text}` is no unit of time"),
        "the units are `s`, `m`, `h` and `d`, as in `90s`, `45m`, `2h`, `1d12h`",
    )
}

fn clock_form(text: &str) -> Result<u64, UnitError> {
    let (days, clock) = match text.split_once('-') {
        Some((days, clock)) => (Some(days), clock),
        None => (None, text),
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let [hours, minutes, seconds] = parts.as_slice() else {
        return Err(UnitError::unit(
            format!("`{text}` could mean hours or minutes"),
            "write all three parts, `H:MM:SS`, or a unit, such as `90m`",
        ));
    };
    let minutes = two_digits(minutes, 60).ok_or_else(|| bad(text))?;
    let seconds = two_digits(seconds, 60).ok_or_else(|| bad(text))?;
    let (days, hours) = match days {
        Some(days) => (
            digits(days).ok_or_else(|| bad(text))?,
            two_digits(hours, 24).ok_or_else(|| bad(text))?,
        ),
        None => (0, digits(hours).ok_or_else(|| bad(text))?),
    };
    let days = days.checked_mul(DAY);
    let hours = hours.checked_mul(HOUR);
    days.zip(hours)
        .and_then(|(days, hours)| days.checked_add(hours))
        .and_then(|sum| sum.checked_add(minutes * MINUTE + seconds))
        .ok_or_else(|| too_long(text))
}

fn digits(text: &str) -> Option<u64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

fn two_digits(text: &str, limit: u64) -> Option<u64> {
    (text.len() == 2)
        .then(|| digits(text))
        .flatten()
        .filter(|number| *number < limit)
}
