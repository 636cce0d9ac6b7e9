//! `Range` (RFC 9110 §14): which bytes of a file a `GET` wants. Pure.

/// The part of a file that is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    /// From `start`, `length` bytes.
    Some {
        start: u64,
        length: u64,
    },
    /// 416: nothing of it is there.
    Unsatisfiable,
}

/// The part that a header asks for. Several ranges and other units are not served: the whole file is, as the RFC allows.
pub(super) fn part(header: Option<&str>, size: u64) -> Part {
    let Some(range) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else {
        return Part::Whole;
    };
    let Some((first, last)) = range.trim().split_once('-') else {
        return Part::Whole;
    };
    let number = |text: &str| -> Option<u64> {
        (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse().unwrap_or(u64::MAX))
    };
    match (first, last, number(first), number(last)) {
        (_, "", Some(start), None) => from_to(start, u64::MAX, size),
        ("", _, None, Some(suffix)) if suffix > 0 => {
            from_to(size.saturating_sub(suffix), u64::MAX, size)
        }
        ("", _, None, Some(_)) => Part::Unsatisfiable,
        (_, _, Some(start), Some(end)) if start <= end => from_to(start, end, size),
        _ => Part::Whole,
    }
}

fn from_to(start: u64, end: u64, size: u64) -> Part {
    if start >= size {
        return Part::Unsatisfiable;
    }
    let length = end.min(size - 1) - start + 1;
    Part::Some { start, length }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(None, 10, Part::Whole)]
    #[case(Some("bytes=0-"), 10, Part::Some { start: 0, length: 10 })]
    #[case(Some("bytes=4-"), 10, Part::Some { start: 4, length: 6 })]
    #[case(Some("bytes=4-5"), 10, Part::Some { start: 4, length: 2 })]
    #[case(Some("bytes=4-99"), 10, Part::Some { start: 4, length: 6 })]
    #[case(Some("bytes=-3"), 10, Part::Some { start: 7, length: 3 })]
    #[case(Some("bytes=-30"), 10, Part::Some { start: 0, length: 10 })]
    #[case(Some("bytes=-0"), 10, Part::Unsatisfiable)]
    #[case(Some("bytes=10-"), 10, Part::Unsatisfiable)]
    #[case(Some("bytes=0-"), 0, Part::Unsatisfiable)]
    #[case(Some("bytes=99999999999999999999999-"), 10, Part::Unsatisfiable)]
    #[case(Some("bytes=5-4"), 10, Part::Whole)]
    #[case(Some("bytes=0-1,3-4"), 10, Part::Whole)]
    #[case(Some("lines=0-1"), 10, Part::Whole)]
    #[case(Some("bytes=+1-"), 10, Part::Whole)]
    fn a_range_is_bytes_of_the_file(
        #[case] header: Option<&str>,
        #[case] size: u64,
        #[case] expected: Part,
    ) {
        assert_eq!(part(header, size), expected);
    }
}
