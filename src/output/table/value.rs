//! Numbers, times and sizes as people read them. The only place where output is rounded (cli.md §10 "Records").

use jiff::tz::TimeZone;

use crate::model::{Gpu, Money, Timestamp};

const MICROS: i128 = 1_000_000;
const BINARY_UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];

/// A local time: `2026-01-05 08:09:10`.
pub(super) fn local_time(timestamp: Timestamp, zone: &TimeZone) -> String {
    timestamp
        .to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// A local time with its zone: `2026-01-05 08:09:10 +08:00`.
pub(super) fn local_time_with_zone(timestamp: Timestamp, zone: &TimeZone) -> String {
    timestamp
        .to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S %:z")
        .to_string()
}

/// The two greatest units of a duration: `1d2h`, `2h5m`, `45m`, `1m30s`, `12s`.
pub(super) fn duration(seconds: i64) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    let seconds = seconds.unsigned_abs();
    let units = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
    ];
    let shown: Vec<String> = units
        .iter()
        .skip_while(|(count, _)| *count == 0)
        .take(2)
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    if shown.is_empty() {
        "0s".to_owned()
    } else {
        format!("{sign}{}", shown.concat())
    }
}

/// How long ago something was, in one unit: `3d`, `2h`, `45m`, `12s`; the future counts as now.
pub fn age(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A size in binary units with at most one decimal: `80 GiB`, `1.5 TiB`.
pub(super) fn size(bytes: u64) -> String {
    let mut unit = 1_u128;
    let mut name = "B";
    for (power, candidate) in (0_u32..).zip(BINARY_UNITS) {
        let candidate_unit = 1_u128 << (10 * power);
        if u128::from(bytes) >= candidate_unit {
            unit = candidate_unit;
            name = candidate;
        }
    }
    let tenths = (u128::from(bytes) * 10 + unit / 2) / unit;
    match tenths % 10 {
        0 => format!("{} {name}", tenths / 10),
        tenth => format!("{}.{tenth} {name}", tenths / 10),
    }
}

/// An amount with two decimals, or four below one unit: `12.50 CNY`, `0.0125 CNY`.
pub(super) fn money(money: &Money) -> String {
    let decimals: u32 = if money.micros.abs() < MICROS { 4 } else { 2 };
    let step = 10_i128.pow(6 - decimals);
    let scale = 10_i128.pow(decimals);
    let sign = if money.micros < 0 { "-" } else { "" };
    let rounded = (money.micros.abs() + step / 2) / step;
    let mut fraction = format!(
        "{:0width$}",
        rounded % scale,
        width = usize::try_from(decimals).unwrap_or(2)
    );
    while fraction.len() > 2 && fraction.ends_with('0') {
        fraction.pop();
    }
    format!("{sign}{}.{fraction} {}", rounded / scale, money.currency)
}

/// A number with at most two decimals: `8`, `0.5`, `7.33`.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// GPUs in one phrase: `4x A100 80 GiB SXM`.
pub(super) fn gpu(gpu: &Gpu, text: Option<&str>) -> String {
    let mut words = vec![format!("{}x", number(gpu.count))];
    words.push(
        gpu.model
            .as_deref()
            .or(text)
            .unwrap_or("unknown GPU")
            .to_owned(),
    );
    words.extend(gpu.memory_bytes.map(size));
    words.extend(gpu.form_factor.clone());
    words.join(" ")
}

/// `yes`, `no`, or nothing.
pub(super) fn yes_no(answer: Option<bool>) -> Option<&'static str> {
    answer.map(|yes| if yes { "yes" } else { "no" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_show_their_two_greatest_units() {
        for (seconds, shown) in [
            (0, "0s"),
            (12, "12s"),
            (90, "1m30s"),
            (3_600, "1h"),
            (3_605, "1h"),
            (7_500, "2h5m"),
            (93_600, "1d2h"),
            (-90, "-1m30s"),
        ] {
            assert_eq!(duration(seconds), shown, "{seconds}");
        }
    }

    #[test]
    fn ages_have_one_unit_and_no_future() {
        let now: Timestamp = "2026-01-05T00:00:00Z".parse().unwrap();
        let ago = |text: &str| age(text.parse().unwrap(), now);
        assert_eq!(ago("2026-01-04T23:59:18Z"), "42s");
        assert_eq!(ago("2026-01-04T21:30:00Z"), "2h");
        assert_eq!(ago("2025-12-30T00:00:00Z"), "6d");
        assert_eq!(ago("2026-01-05T00:10:00Z"), "0s");
    }

    #[test]
    fn sizes_and_amounts_are_rounded() {
        assert_eq!(size(80 << 30), "80 GiB");
        assert_eq!(size(1_649_267_441_664), "1.5 TiB");
        assert_eq!(size(512), "512 B");
        assert_eq!(size(0), "0 B");
        assert_eq!(size(u64::MAX), "16777216 TiB");
        assert_eq!(money(&Money::from_micros(1_677_600, "CNY")), "1.68 CNY");
        assert_eq!(money(&Money::from_micros(20_000_000, "CNY")), "20.00 CNY");
        assert_eq!(money(&Money::from_micros(12_540, "USD")), "0.0125 USD");
        assert_eq!(money(&Money::from_micros(500_000, "USD")), "0.50 USD");
        assert_eq!(money(&Money::from_micros(-1_999_999, "USD")), "-2.00 USD");
        assert_eq!(money(&Money::from_micros(999_990, "USD")), "1.00 USD");
    }

    #[test]
    fn numbers_lose_what_nobody_reads() {
        assert_eq!(number(8.0), "8");
        assert_eq!(number(0.5), "0.5");
        assert_eq!(number(7.333_333), "7.33");
        assert_eq!(number(100.0), "100");
    }
}
