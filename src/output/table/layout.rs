//! Rows and columns to text. Widths are display widths, so that Chinese text stays aligned.
//!
//! comfy-table measures and truncates. It draws a unit separator between columns, which no sanitised cell can hold; the
//! lines are then split at it, so that single cells can be coloured without measuring anything a second time.

use comfy_table::{
    Cell as TableCell, CellAlignment, ColumnConstraint, ContentArrangement, ContentLineStyle, Row,
    Table, TableStyle,
};

use crate::output::{Style, sanitize};

use super::Tone;

const SEPARATOR: char = '\u{1f}';
const GAP: &str = "  ";
/// A column of text that has less room tells nothing.
const LEAST_ROOM: usize = 8;
/// What stands for "unknown": a pipe's columns can be counted only if none is empty.
const NOTHING: &str = "-";

const LOOK: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none().junction(SEPARATOR))
    .content_lines(ContentLineStyle::none().junction(SEPARATOR));

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    title: &'static str,
    /// Numbers stand at the right.
    right: bool,
    /// Kept whole on a terminal while it takes no more than so many percent of the width.
    whole: Option<u16>,
    /// Left out on a terminal that is too narrow for it; a wider one or another format shows it.
    minor: bool,
}

impl Column {
    /// A column of text.
    pub const fn text(title: &'static str) -> Self {
        Self {
            title,
            right: false,
            whole: None,
            minor: false,
        }
    }

    /// A column of numbers.
    pub const fn number(title: &'static str) -> Self {
        Self {
            title,
            right: true,
            whole: None,
            minor: false,
        }
    }

    /// The same column, to be left out first where there is little room.
    #[must_use]
    pub const fn minor(mut self) -> Self {
        self.minor = true;
        self
    }

    /// A column of states: their first word matters most, so they give way late.
    pub const fn state(title: &'static str) -> Self {
        Self {
            title,
            right: false,
            whole: Some(33),
            minor: false,
        }
    }

    /// A column of refs or ids, which are meant to be copied.
    pub const fn reference(title: &'static str) -> Self {
        Self {
            title,
            right: false,
            whole: Some(100),
            minor: false,
        }
    }
}

/// One cell: sanitised text and perhaps a colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    text: String,
    tone: Option<Tone>,
}

impl Cell {
    /// A cell with this text.
    pub fn new(text: impl AsRef<str>) -> Self {
        let text = sanitize::line(text.as_ref());
        Self {
            text: if text.trim().is_empty() {
                NOTHING.to_owned()
            } else {
                text.into_owned()
            },
            tone: None,
        }
    }

    /// A cell that may be unknown.
    pub fn opt(text: Option<impl AsRef<str>>) -> Self {
        match text {
            Some(text) => Self::new(text),
            None => Self::new(NOTHING),
        }
    }

    /// The same cell in a colour.
    #[must_use]
    pub fn toned(mut self, tone: Tone) -> Self {
        self.tone = Some(tone);
        self
    }
}

/// A table before it has a width.
#[derive(Debug, Clone)]
pub struct Grid {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Grid {
    /// A table without rows.
    pub fn new(columns: Vec<Column>) -> Self {
        Self {
            columns,
            rows: Vec::new(),
        }
    }

    /// Adds a row with a cell for every column.
    pub fn push(&mut self, row: Vec<Cell>) {
        debug_assert_eq!(
            row.len(),
            self.columns.len(),
            "a row has a cell for every column"
        );
        self.rows.push(row);
    }
}

/// The table as text; every line ends with a line feed.
pub fn render(grid: &Grid, style: &Style) -> String {
    let mut table = drawn(grid);
    let narrowed = style.width.and_then(|width| narrowed(grid, &table, width));
    if let Some(narrowed) = &narrowed {
        table = drawn(narrowed);
    }
    let grid = narrowed.as_ref().unwrap_or(grid);
    if let Some(width) = style.width {
        fit(&mut table, grid, width);
    }
    let mut text = String::new();
    for (index, line) in table.lines().enumerate() {
        let row = index.checked_sub(1).and_then(|index| grid.rows.get(index));
        text.push_str(&finished_line(&line, row, style.colour));
        text.push('\n');
    }
    text
}

/// The table as it is without any limit.
fn drawn(grid: &Grid) -> Table {
    let mut table = Table::new();
    table
        .load_style(LOOK)
        .set_header(one_line(
            grid.columns
                .iter()
                .map(|column| TableCell::new(column.title))
                .collect(),
        ))
        .set_content_arrangement(ContentArrangement::Disabled);
    for row in &grid.rows {
        table.add_row(one_line(
            row.iter()
                .map(|cell| TableCell::new(&cell.text))
                .collect::<Vec<_>>(),
        ));
    }
    for (drawn, column) in table.column_iter_mut().zip(&grid.columns) {
        drawn.set_padding((0, 0));
        if column.right {
            drawn.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// The grid without as many minor columns, from the right, as it takes to leave the others room; `None` if all have it.
fn narrowed(grid: &Grid, table: &Table, width: u16) -> Option<Grid> {
    let needed = table.column_max_content_widths();
    let room: Vec<usize> = needed
        .iter()
        .zip(&grid.columns)
        .map(|(needed, column)| {
            let needed = usize::from(*needed);
            let least = match column.whole {
                Some(100) => needed,
                Some(_) | None => needed.min(LEAST_ROOM),
            };
            least + GAP.len()
        })
        .collect();
    let mut kept: Vec<usize> = (0..grid.columns.len()).collect();
    let is_wide = |kept: &[usize]| {
        let sum: usize = kept.iter().filter_map(|index| room.get(*index)).sum();
        sum > usize::from(width) + GAP.len()
    };
    let is_minor = |index: &usize| grid.columns.get(*index).is_some_and(|column| column.minor);
    while is_wide(&kept) {
        let Some(last) = kept.iter().rposition(is_minor) else {
            break;
        };
        kept.remove(last);
    }
    (kept.len() < grid.columns.len()).then(|| Grid {
        columns: picked(&grid.columns, &kept),
        rows: grid.rows.iter().map(|row| picked(row, &kept)).collect(),
    })
}

fn picked<T: Clone>(from: &[T], indexes: &[usize]) -> Vec<T> {
    let found = indexes.iter().filter_map(|index| from.get(*index));
    found.cloned().collect()
}

fn one_line(cells: Vec<TableCell>) -> Row {
    let mut row = Row::from(cells);
    row.max_height(1);
    row
}

/// Gives the table a width, and the columns that matter most the room they need.
fn fit(table: &mut Table, grid: &Grid, width: u16) {
    // A gap is one column wider than the separator that stands for it.
    let gaps = u16::try_from(grid.columns.len().saturating_sub(1)).unwrap_or(0);
    let width = width.saturating_sub(gaps).max(1);
    table
        .set_width(width)
        .set_content_arrangement(ContentArrangement::Dynamic);
    let needed = table.column_max_content_widths();
    for ((drawn, column), needed) in table.column_iter_mut().zip(&grid.columns).zip(needed) {
        let is_affordable =
            |percent: u16| u32::from(needed) * 100 <= u32::from(width) * u32::from(percent);
        if column.whole.is_some_and(is_affordable) {
            drawn.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
}

/// One drawn line with gaps instead of separators, coloured, and without blanks at its end.
fn finished_line(line: &str, row: Option<&Vec<Cell>>, colour: bool) -> String {
    let plain = line
        .split(SEPARATOR)
        .collect::<Vec<_>>()
        .join(GAP)
        .trim_end()
        .to_owned();
    if !colour {
        return plain;
    }
    let Some(row) = row else {
        return Tone::Heading.paint(&plain, true);
    };
    let mut text = String::new();
    for (index, (drawn, cell)) in line.split(SEPARATOR).zip(row).enumerate() {
        if index > 0 {
            text.push_str(GAP);
        }
        match cell.tone {
            None => text.push_str(drawn),
            Some(tone) => {
                let word = drawn.trim();
                let (before, after) = drawn.split_once(word).unwrap_or(("", ""));
                text.push_str(before);
                text.push_str(&tone.paint(word, true));
                text.push_str(after);
            }
        }
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Format;

    fn grid() -> Grid {
        let mut grid = Grid::new(vec![
            Column::reference("REF"),
            Column::text("NAME"),
            Column::text("STATE"),
            Column::number("EXIT"),
        ]);
        for (reference, name, state, exit) in [
            (
                "gongji/1",
                "训练 bert 大模型 with a long name",
                "running",
                "-",
            ),
            ("pai-dlc/cn-hangzhou/dlc1", "short", "failed", "137"),
            ("gongji/2", "", "succeeded", "0"),
        ] {
            let tone = if state == "failed" {
                Tone::Bad
            } else {
                Tone::Good
            };
            grid.push(vec![
                Cell::new(reference),
                Cell::new(name),
                Cell::new(state).toned(tone),
                Cell::new(exit),
            ]);
        }
        grid
    }

    fn style(width: Option<u16>, colour: bool) -> Style {
        Style {
            colour,
            width,
            ..Style::plain(Format::Table)
        }
    }

    #[test]
    fn a_pipe_gets_whole_cells_in_aligned_columns() {
        insta::assert_snapshot!(render(&grid(), &style(None, false)), @r#"
        REF                       NAME                               STATE      EXIT
        gongji/1                  训练 bert 大模型 with a long name  running       -
        pai-dlc/cn-hangzhou/dlc1  short                              failed      137
        gongji/2                  -                                  succeeded     0
        "#);
    }

    #[test]
    fn a_terminal_gets_lines_no_wider_than_itself_and_whole_refs() {
        insta::assert_snapshot!(render(&grid(), &style(Some(60), false)), @r#"
        REF                       NAME               STATE      EXIT
        gongji/1                  训练 bert 大模型…  running       -
        pai-dlc/cn-hangzhou/dlc1  short              failed      137
        gongji/2                  -                  succeeded     0
        "#);
    }

    #[test]
    fn colour_stands_around_the_word_alone() {
        let text = render(&grid(), &style(Some(60), true)).replace('\u{1b}', "^");
        insta::assert_snapshot!(text, @r#"
        ^[1mREF                       NAME               STATE      EXIT^[0m
        gongji/1                  训练 bert 大模型…  ^[32mrunning^[0m       -
        pai-dlc/cn-hangzhou/dlc1  short              ^[1m^[31mfailed^[0m      137
        gongji/2                  -                  ^[32msucceeded^[0m     0
        "#);
    }

    #[test]
    fn colour_changes_nothing_else() {
        let plain = render(&grid(), &style(Some(50), false));
        let coloured = render(&grid(), &style(Some(50), true));
        assert_ne!(plain, coloured);
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain);
    }

    #[test]
    fn no_line_ends_with_a_blank_and_no_control_character_is_left() {
        let mut grid = Grid::new(vec![Column::text("A"), Column::text("B")]);
        grid.push(vec![Cell::new("x\u{1b}[31m\ny\u{1f}z"), Cell::new(" ")]);
        let text = render(&grid, &style(None, false));
        assert!(text.lines().all(|line| line == line.trim_end()));
        assert!(
            !text
                .chars()
                .any(|character| sanitize::is_dangerous(character) && character != '\n')
        );
    }

    #[test]
    fn a_narrow_terminal_gets_whole_refs_and_no_minor_columns() {
        let mut grid = Grid::new(vec![
            Column::reference("REF"),
            Column::state("STATE"),
            Column::text("TYPE").minor(),
            Column::number("EXIT"),
        ]);
        grid.push(vec![
            Cell::new("pai-dlc/cn-hangzhou/dlc1"),
            Cell::new("failed").toned(Tone::Bad),
            Cell::new("ecs.gn6e-c12g1.3xlarge"),
            Cell::new("137"),
        ]);
        insta::assert_snapshot!(render(&grid, &style(Some(42), false)), @r#"
        REF                       STATE   EXIT
        pai-dlc/cn-hangzhou/dlc1  failed   137
        "#);
        insta::assert_snapshot!(render(&grid, &style(Some(60), false)), @r#"
        REF                       STATE   TYPE                  EXIT
        pai-dlc/cn-hangzhou/dlc1  failed  ecs.gn6e-c12g1.3xla…   137
        "#);
    }

    #[test]
    fn a_tiny_terminal_is_no_reason_to_fail() {
        for width in 0..20 {
            assert_eq!(
                render(&grid(), &style(Some(width), false)).lines().count(),
                4
            );
        }
    }
}
