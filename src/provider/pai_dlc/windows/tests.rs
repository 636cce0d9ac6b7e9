use proptest::prelude::*;
use rstest::rstest;

use super::*;

/// A service with lines and the seconds they came in.
#[derive(Debug, Default)]
struct Service {
    lines: Vec<(i64, String)>,
    /// More lines than this are never told.
    limit: Option<usize>,
    keeps_newest: bool,
    asked: Vec<Ask>,
}

impl Service {
    fn with(seconds: impl IntoIterator<Item = i64>) -> Self {
        let lines = seconds.into_iter().enumerate();
        Self {
            lines: lines
                .map(|(number, second)| (second, format!("line {number}")))
                .collect(),
            ..Self::default()
        }
    }

    fn tell(&mut self, ask: Ask) -> Vec<String> {
        self.asked.push(ask);
        let period = ask.from..=ask.to;
        let mut told: Vec<String> = self
            .lines
            .iter()
            .filter(|(second, _)| period.contains(second))
            .map(|(_, line)| line.clone())
            .collect();
        let most = ask.most_lines.min(self.limit.unwrap_or(usize::MAX));
        if self.keeps_newest {
            told.drain(..told.len().saturating_sub(most));
        } else {
            told.truncate(most);
        }
        told
    }

    fn written(&self) -> Vec<String> {
        self.lines.iter().map(|(_, line)| line.clone()).collect()
    }
}

/// One round; the lines that were new in it.
fn round(windows: &mut Windows, service: &mut Service, now: i64, is_last: bool) -> Vec<String> {
    windows.begin(now, is_last);
    let mut new = Vec::new();
    while let Some(ask) = windows.ask() {
        let lines = service.tell(ask);
        let news = windows.answer(&lines);
        new.extend(news.lines.iter().map(|position| lines[*position].clone()));
        assert!(service.asked.len() < 100_000, "no end");
    }
    new
}

#[test]
fn a_short_log_takes_one_question() {
    let mut service = Service::with([100, 100, 130]);
    let mut windows = Windows::new(60);
    let new = round(&mut windows, &mut service, 200, true);
    assert_eq!(new, service.written());
    assert_eq!(
        service.asked,
        [Ask {
            from: 60,
            to: 200,
            most_lines: 2_000
        }]
    );
}

#[rstest]
#[case::oldest(false)]
#[case::newest(true)]
fn of_a_full_answer_neither_end_is_believed(#[case] keeps_newest: bool) {
    let mut service = Service::with((0..10_000).map(|number| number / 7));
    service.keeps_newest = keeps_newest;
    let new = round(&mut Windows::new(-50), &mut service, 86_400, false);
    assert_eq!(new, service.written());
}

#[test]
fn a_full_second_is_asked_for_with_more_lines() {
    let mut service = Service::with(std::iter::repeat_n(7, 50_000));
    let new = round(&mut Windows::new(0), &mut service, 10, false);
    assert_eq!(new, service.written());
    assert_eq!(
        service.asked.last().unwrap().most_lines,
        2_000,
        "the seconds behind"
    );
}

#[test]
fn a_second_that_is_never_told_whole_is_named_once() {
    let mut service = Service::with(std::iter::repeat_n(7, 5_000));
    service.limit = Some(2_000);
    let mut windows = Windows::new(7);
    windows.begin(7, false);
    let mut cuts = Vec::new();
    while let Some(ask) = windows.ask() {
        let news = windows.answer(&service.tell(ask));
        cuts.push((news.lines.len(), news.is_cut));
    }
    assert_eq!(cuts, [(0, false), (2_000, true)]);
}

#[test]
fn lines_that_are_alike_are_counted() {
    let mut service = Service::default();
    let mut windows = Windows::new(0);
    let mut new = Vec::new();
    for now in 0..100 {
        for _ in 0..now % 4 {
            service.lines.push((now, "same".to_owned()));
        }
        new.extend(round(&mut windows, &mut service, now, false));
    }
    assert_eq!(new, service.written());
}

#[test]
fn a_line_that_comes_late_is_told_late_and_nothing_twice() {
    let mut service = Service::with([0, 1, 2, 3]);
    let mut windows = Windows::new(0);
    assert_eq!(round(&mut windows, &mut service, 3, false).len(), 4);
    service.lines.insert(2, (1, "late".to_owned()));
    assert_eq!(round(&mut windows, &mut service, 4, false), ["late"]);
    assert_eq!(round(&mut windows, &mut service, 30, false), [""; 0]);
    // After the end the last look goes back further than a usual one.
    for now in (40..100).step_by(10) {
        assert_eq!(round(&mut windows, &mut service, now, false), [""; 0]);
    }
    service.lines.push((50, "very late".to_owned()));
    assert_eq!(round(&mut windows, &mut service, 101, false), [""; 0]);
    assert_eq!(round(&mut windows, &mut service, 102, true), ["very late"]);
}

#[test]
fn an_answer_that_lacks_lines_for_a_while_changes_nothing() {
    let mut service = Service::with([0, 1, 2]);
    let mut windows = Windows::new(0);
    round(&mut windows, &mut service, 2, false);
    let all = std::mem::take(&mut service.lines);
    for kept in [0, 1] {
        service.lines = all[..kept].to_vec();
        assert_eq!(round(&mut windows, &mut service, 3, false), [""; 0]);
    }
    service.lines = all;
    service.lines.push((3, "more".to_owned()));
    assert_eq!(round(&mut windows, &mut service, 3, false), ["more"]);
}

#[test]
fn what_the_service_no_longer_keeps_does_not_bring_the_rest_twice() {
    let mut service = Service::with([0, 1, 2]);
    let mut windows = Windows::new(0);
    round(&mut windows, &mut service, 2, false);
    service.lines.remove(0);
    service.lines.push((3, "more".to_owned()));
    assert_eq!(round(&mut windows, &mut service, 3, false), ["more"]);
}

#[test]
fn a_log_that_is_watched_for_a_day_is_remembered_for_a_minute() {
    let mut service = Service::default();
    let mut windows = Windows::new(0);
    let mut told = 0;
    for now in (0..86_400).step_by(10) {
        service.lines.push((now, format!("at {now}")));
        told += round(&mut windows, &mut service, now, false).len();
        assert!(windows.all.len() <= 4, "{windows:?}");
    }
    assert_eq!(told, service.lines.len());
    // One question a look, and now and then one more.
    assert!(
        service.asked.len() < 8_640 * 13 / 10,
        "{}",
        service.asked.len()
    );
}

proptest! {
    #[test]
    fn each_line_is_told_once_and_in_order(
        steps in proptest::collection::vec((0_i64..20, 0_usize..3_000, any::<bool>()), 1..12),
        keeps_newest in any::<bool>(),
    ) {
        let mut service = Service { keeps_newest, ..Service::default() };
        let mut windows = Windows::new(0);
        let (mut now, mut number) = (0, 0);
        let mut new = Vec::new();
        for (pause, count, looks) in steps {
            now += pause;
            for _ in 0..count {
                service.lines.push((now, format!("line {number}")));
                number += 1;
            }
            if looks {
                new.extend(round(&mut windows, &mut service, now, false));
            }
        }
        new.extend(round(&mut windows, &mut service, now + 10, true));
        prop_assert_eq!(new, service.written());
    }
}
