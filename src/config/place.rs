//! Byte offsets as lines and columns.

/// One-based line and column of a byte offset; the column counts characters.
pub(super) fn of_offset(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .map_or(0, |start| start.chars().count())
        + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_start_at_one() {
        assert_eq!(of_offset("ab\ncd", 0), (1, 1));
        assert_eq!(of_offset("ab\ncd", 4), (2, 2));
        assert_eq!(of_offset("表=1\n", 3), (1, 2));
        assert_eq!(of_offset("a", 9), (1, 2));
    }
}
