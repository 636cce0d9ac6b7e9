//! The one lenient reader of provider times (job-model.md §5.2).
//!
//! Pure. It never fails: what cannot be read is `None`, and the caller keeps the original text in `raw`.

use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde_json::Value;

use crate::model::Timestamp;

/// UTC+08:00, which some Chinese services leave out of their times.
pub const CHINA: Offset = Offset::constant(8);

/// From here on a Unix time counts milliseconds: as seconds it would lie in the year 5138.
const FIRST_MILLISECONDS: i64 = 100_000_000_000;

/// The instant in a JSON value: text, Unix seconds or milliseconds, or `{"$date": …}` around either.
///
/// `zone` is the offset of texts that name none.
pub fn read(value: &Value, zone: Offset) -> Option<Timestamp> {
    match value {
        Value::String(text) => read_text(text, zone),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => read_unix(whole),
            None => read_unix_fraction(number.as_f64()?),
        },
        Value::Object(members) => read(members.get("$date")?, zone),
        Value::Null | Value::Bool(_) | Value::Array(_) => None,
    }
}

/// The instant in a text; `zone` is the offset of texts that name none.
pub fn read_text(text: &str, zone: Offset) -> Option<Timestamp> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return read_unix(text.parse().ok()?);
    }
    let text = join(text)?;
    let instant = match text.parse::<Timestamp>() {
        Ok(instant) => instant,
        // A bare date is no instant: it would claim a precision that nobody gave.
        Err(_) if text.contains('T') && !text.ends_with(['Z', 'z']) => {
            let civil: DateTime = text.parse().ok()?;
            zone.to_timestamp(civil).ok()?
        }
        Err(_) => return None,
    };
    plausible(instant)
}

/// The instant of a Unix time in seconds (10 digits) or milliseconds (13 digits).
pub fn read_unix(number: i64) -> Option<Timestamp> {
    let instant = if number < FIRST_MILLISECONDS {
        Timestamp::from_second(number)
    } else {
        Timestamp::from_millisecond(number)
    };
    plausible(instant.ok()?)
}

/// Unix seconds with a fraction, or milliseconds with one.
fn read_unix_fraction(number: f64) -> Option<Timestamp> {
    let seconds = if number < 1e11 {
        number
    } else {
        number / 1000.0
    };
    let duration = SignedDuration::try_from_secs_f64(seconds).ok()?;
    plausible(Timestamp::from_duration(duration).ok()?)
}

/// Zero values of the providers' languages (`0001-01-01`, the Unix epoch) mean "not yet".
fn plausible(instant: Timestamp) -> Option<Timestamp> {
    (Offset::UTC.to_datetime(instant).year() > 1970).then_some(instant)
}

/// Date, time and zone in one piece with a `T` between: `2024-03-08 09:15:02.5 +0800 CST` is three or four.
fn join(text: &str) -> Option<String> {
    let mut words = text.split_ascii_whitespace();
    let first = words.next()?;
    let mut joined = first.to_owned();
    if !first.contains(['T', 't']) {
        joined.push('T');
        joined.push_str(words.next()?);
    }
    let mut has_zone = false;
    for word in words {
        match word {
            "UTC" | "GMT" | "Z" if !has_zone => joined.push('Z'),
            // A zone's name after its offset says nothing new; without one it is ambiguous (`CST` is three zones).
            name if has_zone && name.bytes().all(|byte| byte.is_ascii_alphabetic()) => continue,
            offset if !has_zone && offset.starts_with(['+', '-']) => joined.push_str(offset),
            _ => return None,
        }
        has_zone = true;
    }
    Some(shorten_fraction(&joined))
}

/// At most nine digits after the decimal point: more are cut, not refused.
fn shorten_fraction(text: &str) -> String {
    let Some((whole, rest)) = text.split_once('.') else {
        return text.to_owned();
    };
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let tail = rest.get(digits.len()..).unwrap_or_default();
    let digits = digits.get(..9).unwrap_or(&digits);
    if digits.is_empty() {
        format!("{whole}{tail}")
    } else {
        format!("{whole}.{digits}{tail}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn utc(text: &str) -> Option<Timestamp> {
        text.parse().ok()
    }

    #[test]
    fn every_form_of_the_contract_names_the_same_instant() {
        for text in [
            "2024-03-08T09:15:02+08:00",
            "2024-03-08T01:15:02Z",
            "2024-03-08t01:15:02.000000000z",
            "2024-03-08T01:15:02.00000000000000Z",
            "2024-03-08 09:15:02 +08:00",
            "2024-03-08 09:15:02.0 +0800 CST",
            "2024-03-08 01:15:02 UTC",
            "2024-03-08 01:15:02",
            " 1709860502 ",
            "1709860502000",
        ] {
            assert_eq!(
                read_text(text, Offset::UTC),
                utc("2024-03-08T01:15:02Z"),
                "{text}"
            );
        }
        for value in [
            json!(1_709_860_502),
            json!(1_709_860_502_000_i64),
            json!(1_709_860_502.0),
            json!({"$date": "2024-03-08T01:15:02.000Z"}),
            json!({"$date": 1_709_860_502_000_i64}),
        ] {
            assert_eq!(
                read(&value, Offset::UTC),
                utc("2024-03-08T01:15:02Z"),
                "{value}"
            );
        }
    }

    #[test]
    fn a_text_without_zone_takes_the_given_one() {
        assert_eq!(
            read_text("2024-03-08 09:15:02", CHINA),
            utc("2024-03-08T01:15:02Z")
        );
        assert_eq!(
            read_text("2024-03-08T09:15:02.5", CHINA),
            utc("2024-03-08T01:15:02.5Z")
        );
        assert_eq!(
            read_text("2024-03-08T09:15:02Z", CHINA),
            utc("2024-03-08T09:15:02Z")
        );
    }

    #[test]
    fn fractions_are_kept_up_to_nine_digits() {
        assert_eq!(
            read_text("2024-03-08 01:15:02.1234567891 +00:00", Offset::UTC),
            utc("2024-03-08T01:15:02.123456789Z")
        );
        assert_eq!(
            read(&json!(1_709_860_502.25), Offset::UTC),
            utc("2024-03-08T01:15:02.25Z")
        );
    }

    #[test]
    fn zero_values_and_what_is_no_time_are_nothing() {
        for text in [
            "",
            " ",
            "0001-01-01T00:00:00Z",
            "1970-01-01T00:00:00Z",
            "1970-01-01 08:00:00",
            "0",
            "soon",
            "2024-03-08",
            "2024-13-08T00:00:00Z",
            "2024-03-08 09:15:02 CST",
            "2024-03-08 09:15:02 +08:00 +08:00",
            "99999999999999999999",
        ] {
            assert_eq!(read_text(text, Offset::UTC), None, "{text}");
        }
        for value in [
            json!(null),
            json!(true),
            json!([1]),
            json!({}),
            json!(0),
            json!(-5),
            json!(1e300),
        ] {
            assert_eq!(read(&value, Offset::UTC), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _ = read_text(&text, CHINA);
        }

        #[test]
        fn every_second_comes_back(second in 31_536_000_i64..99_999_999_999) {
            let instant = Timestamp::from_second(second).unwrap();
            prop_assert_eq!(read_unix(second), Some(instant));
            prop_assert_eq!(read_text(&instant.to_string(), CHINA), Some(instant));
        }
    }
}
