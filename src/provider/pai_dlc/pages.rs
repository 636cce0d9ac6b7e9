//! Lists in pages (pai-dlc.md §3.4).
//!
//! New entries shift the pages while they are read: repeated ids are dropped. How large a page the server allows is not
//! known, so a short page ends the list only where no total is told.

use std::collections::BTreeSet;

use serde_json::Value;

use super::api::PAGE_SIZE;

/// Collects pages until there is nothing more to ask for.
#[derive(Debug)]
pub(super) struct Pages {
    id_member: &'static str,
    ids: BTreeSet<String>,
    items: Vec<Value>,
    /// Entries that came, repeated ones too.
    received: usize,
    largest_page: usize,
}

impl Pages {
    /// Entries are told apart by `id_member`.
    pub(super) fn new(id_member: &'static str) -> Self {
        Self {
            id_member,
            ids: BTreeSet::new(),
            items: Vec::new(),
            received: 0,
            largest_page: 0,
        }
    }

    /// Takes one page and says whether the next one is worth asking for.
    pub(super) fn add(&mut self, page: Vec<Value>, total: Option<i64>) -> bool {
        let size = page.len();
        self.received = self.received.saturating_add(size);
        self.largest_page = self.largest_page.max(size);
        let mut is_new = false;
        for item in page {
            // An entry without an id is kept, and its reader decides; it asks for no further page.
            if let Some(id) = id_text(item.get(self.id_member)) {
                if !self.ids.insert(id) {
                    continue;
                }
                is_new = true;
            }
            self.items.push(item);
        }
        let total = total.and_then(|total| usize::try_from(total).ok());
        // An entry that came twice has pushed another off a full page. A total below what is there is wrong.
        let more = match total {
            Some(total) if total >= self.items.len() => {
                let is_full = size >= self.largest_page;
                total > self.items.len() && (total > self.received || is_full)
            }
            Some(_) | None => size >= PAGE_SIZE,
        };
        // A page without anything new means that the server does not count pages as we do.
        is_new && more
    }

    /// What is there so far.
    pub(super) fn items(&self) -> &[Value] {
        &self.items
    }

    /// Everything collected.
    pub(super) fn into_items(self) -> Vec<Value> {
        self.items
    }
}

/// An id that is not empty; a number is one too.
fn id_text(member: Option<&Value>) -> Option<String> {
    match member? {
        Value::String(id) if !id.is_empty() => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(ids: std::ops::Range<usize>) -> Vec<Value> {
        ids.map(|id| json!({"JobId": format!("dlc{id}")})).collect()
    }

    #[test]
    fn repeated_ids_are_dropped_and_the_total_ends_the_list() {
        let mut pages = Pages::new("JobId");
        assert!(pages.add(page(0..50), Some(70)));
        // One new job has pushed the fiftieth to the second page.
        assert!(!pages.add(page(49..70), Some(70)));
        assert_eq!(pages.into_items().len(), 70);
    }

    #[test]
    fn a_server_with_smaller_pages_is_read_to_its_total() {
        let mut pages = Pages::new("JobId");
        assert!(pages.add(page(0..10), Some(25)));
        assert!(pages.add(page(10..20), Some(25)));
        assert!(!pages.add(page(20..25), Some(25)));
        assert_eq!(pages.items().len(), 25);
    }

    #[test]
    fn an_entry_that_came_twice_does_not_count_towards_the_total() {
        let mut pages = Pages::new("JobId");
        assert!(pages.add(page(0..50), Some(100)));
        assert!(pages.add(page(49..99), Some(100)));
        assert!(!pages.add(page(99..100), Some(100)));
        assert_eq!(pages.items().len(), 100);
    }

    #[test]
    fn a_total_below_what_is_there_does_not_end_the_list() {
        let mut pages = Pages::new("JobId");
        assert!(pages.add(page(0..50), Some(1)));
        assert!(!pages.add(page(50..60), Some(1)));
        assert_eq!(pages.items().len(), 60);
    }

    #[test]
    fn ids_that_are_numbers_are_ids() {
        let mut pages = Pages::new("WorkspaceId");
        let page = |ids: std::ops::Range<u32>| ids.map(|id| json!({"WorkspaceId": id})).collect();
        assert!(pages.add(page(0..50), Some(70)));
        assert!(!pages.add(page(40..70), Some(70)));
        assert_eq!(pages.items().len(), 70);
    }

    #[test]
    fn without_a_total_a_short_or_repeated_page_ends_the_list() {
        let mut pages = Pages::new("JobId");
        assert!(pages.add(page(0..50), None));
        assert!(!pages.add(page(0..50), None));
        let mut pages = Pages::new("JobId");
        assert!(!pages.add(page(0..3), Some(0)));
        assert!(!pages.add(vec![json!({"x": 1}); 50], None));
        assert_eq!(pages.items().len(), 53);
    }
}
