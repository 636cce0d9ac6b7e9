//! Lists in pages (gongji.md §2.1, §10 no. 8).
//!
//! The largest page and the order are not documented: rows are counted instead of pages, repeated ids are dropped, and
//! the number of pages is capped.

use std::collections::BTreeSet;

use serde_json::Value;

use super::api::PAGE_SIZE;
use super::wire::lenient;

/// No list is read further: ten thousand rows.
pub(super) const MOST_PAGES: usize = 100;

/// How the rows of a list are told apart: rows move between pages while they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity {
    /// By a member with a number that no two rows share.
    Member(&'static str),
    /// Records without an id: a row of one page that reads as one of an earlier page is that row.
    Whole,
}

/// Collects the rows of a list.
#[derive(Debug)]
pub(super) struct Pages {
    identity: Identity,
    ids: BTreeSet<i64>,
    records: BTreeSet<String>,
    rows: Vec<Value>,
    received: usize,
    read: usize,
}

/// What to do after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Ask for the page of this number.
    Page(usize),
    /// Nothing more is there.
    Whole,
    /// There is more than is ever read.
    TooLong,
}

impl Pages {
    /// A list whose rows are told apart so.
    pub(super) fn new(identity: Identity) -> Self {
        Self {
            identity,
            ids: BTreeSet::new(),
            records: BTreeSet::new(),
            rows: Vec::new(),
            received: 0,
            read: 0,
        }
    }

    /// Takes the `data` of one page; null is an empty one.
    pub(super) fn add(&mut self, data: &Value) -> Next {
        let page = data
            .get("results")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        self.read += 1;
        self.received += page.len();
        let mut is_new = false;
        let mut records = Vec::new();
        for row in page.iter().filter(|row| row.is_object()) {
            match self.identity {
                Identity::Member(member) => match row.get(member).and_then(lenient::integer_of) {
                    Some(id) if self.ids.insert(id) => is_new = true,
                    Some(_) => continue,
                    // Without an id it is kept, and its reader decides; it asks for no further page.
                    None => {}
                },
                Identity::Whole => {
                    let record = row.to_string();
                    if self.records.contains(&record) {
                        continue;
                    }
                    is_new = true;
                    records.push(record);
                }
            }
            self.rows.push(row.clone());
        }
        self.records.extend(records);
        let count = data
            .get("count")
            .and_then(lenient::integer_of)
            .and_then(|count| usize::try_from(count).ok());
        let more = match count {
            Some(count) => self.received < count,
            None => page.len() >= PAGE_SIZE,
        };
        match (is_new && more, self.read < MOST_PAGES) {
            (false, _) => Next::Whole,
            (true, true) => Next::Page(self.read + 1),
            (true, false) => Next::TooLong,
        }
    }

    /// How many pages may be left, if the list told its length.
    pub(super) fn pages_left(&self, data: &Value) -> usize {
        data.get("count")
            .and_then(lenient::integer_of)
            .and_then(|count| usize::try_from(count).ok())
            .map_or(usize::MAX, |count| {
                count.saturating_sub(self.received).div_ceil(PAGE_SIZE)
            })
    }

    /// What is there so far.
    pub(super) fn rows(&self) -> &[Value] {
        &self.rows
    }

    /// Everything collected.
    pub(super) fn into_rows(self) -> Vec<Value> {
        self.rows
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(ids: std::ops::Range<usize>, count: Option<usize>) -> Value {
        let rows: Vec<Value> = ids.map(|id| json!({"task_id": id})).collect();
        json!({"count": count, "results": rows})
    }

    #[test]
    fn the_count_ends_a_list_and_repeated_ids_are_dropped() {
        let mut pages = Pages::new(Identity::Member("task_id"));
        assert_eq!(pages.add(&page(0..100, Some(150))), Next::Page(2));
        // One new job has pushed the hundredth to the second page.
        assert_eq!(pages.add(&page(99..150, Some(151))), Next::Whole);
        assert_eq!(pages.into_rows().len(), 150);
    }

    #[test]
    fn a_server_with_smaller_pages_is_read_to_its_count() {
        let mut pages = Pages::new(Identity::Member("task_id"));
        assert_eq!(pages.add(&page(0..10, Some(25))), Next::Page(2));
        assert_eq!(pages.pages_left(&page(0..10, Some(25))), 1);
        assert_eq!(pages.add(&page(10..20, Some(25))), Next::Page(3));
        assert_eq!(pages.add(&page(20..25, Some(25))), Next::Whole);
        assert_eq!(pages.rows().len(), 25);
    }

    #[test]
    fn without_a_count_a_short_or_repeated_page_ends_the_list() {
        let mut pages = Pages::new(Identity::Member("task_id"));
        assert_eq!(pages.add(&page(0..100, None)), Next::Page(2));
        assert_eq!(pages.add(&page(0..100, None)), Next::Whole);
        for empty in [json!(null), json!({}), json!({"count": 5, "results": null})] {
            assert_eq!(
                Pages::new(Identity::Member("task_id")).add(&empty),
                Next::Whole,
                "{empty}"
            );
        }
    }

    #[test]
    fn a_list_without_end_is_given_up() {
        let mut pages = Pages::new(Identity::Member("task_id"));
        let mut next = Next::Page(1);
        for number in 0..MOST_PAGES {
            assert_eq!(next, Next::Page(number + 1));
            next = pages.add(&page(number * 10..number * 10 + 10, Some(usize::MAX >> 2)));
        }
        assert_eq!(next, Next::TooLong);
    }

    #[test]
    fn records_of_one_page_are_all_kept_and_those_of_an_earlier_page_dropped() {
        let page = |coins: std::ops::Range<usize>| {
            let rows: Vec<Value> = coins
                .map(|coin| json!({"task_id": 7, "coin": coin / 2}))
                .collect();
            json!({"count": 6, "results": rows})
        };
        let mut pages = Pages::new(Identity::Whole);
        assert_eq!(pages.add(&page(0..4)), Next::Page(2));
        assert_eq!(pages.add(&page(3..5)), Next::Whole);
        assert_eq!(pages.into_rows().len(), 5);
    }
}
