use proptest::prelude::*;
use rstest::rstest;

use super::*;

/// What a period's end means.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Its whole second is in it.
    #[default]
    Inclusive,
    /// Only the instant itself.
    Instant,
    /// It is not in it.
    Exclusive,
}

const ENDS: [End; 3] = [End::Inclusive, End::Instant, End::Exclusive];

/// A service with lines and the milliseconds they came in.
#[derive(Debug, Default)]
struct Service {
    lines: Vec<(i64, String)>,
    end: End,
    /// More lines than this are never told.
    limit: Option<usize>,
    keeps_newest: bool,
    asked: Vec<Ask>,
}

impl Service {
    /// Lines in these seconds; the first of each stands on the very second.
    fn with(seconds: impl IntoIterator<Item = i64>) -> Self {
        let mut service = Self::default();
        for (number, second) in seconds.into_iter().enumerate() {
            service.write(second, format!("line {number}"));
        }
        service
    }

    fn write(&mut self, second: i64, line: String) {
        let last = self.lines.last().map_or(i64::MIN, |(moment, _)| *moment);
        let next = if last / 1_000 == second { last + 1 } else { 0 };
        self.lines
            .push((next.clamp(second * 1_000, second * 1_000 + 999), line));
    }

    fn tell(&mut self, ask: Ask) -> Vec<String> {
        assert!(ask.from <= ask.to, "{ask:?}");
        self.asked.push(ask);
        let is_in = |moment: i64| {
            let is_before = match self.end {
                End::Inclusive => moment / 1_000 <= ask.to,
                End::Instant => moment <= ask.to * 1_000,
                End::Exclusive => moment < ask.to * 1_000,
            };
            moment >= ask.from * 1_000 && is_before
        };
        let mut told: Vec<String> = self
            .lines
            .iter()
            .filter(|(moment, _)| is_in(*moment))
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
    let before = service.asked.len();
    while let Some(ask) = windows.ask() {
        let lines = service.tell(ask);
        let news = windows.answer(&lines);
        // A service that has just as many lines as were asked for first looks like one with a limit.
        assert!(!news.is_cut || service.limit.is_some() || lines.len() == 2_000);
        new.extend(news.lines.iter().map(|position| lines[*position].clone()));
        assert!(service.asked.len() < before + 10_000, "no end");
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
            to: 201,
            most_lines: 2_000,
            any_size: false,
            is_seam: false,
        }]
    );
}

#[rstest]
fn of_a_full_answer_neither_end_is_believed(
    #[values(End::Inclusive, End::Instant, End::Exclusive)] end: End,
    #[values(false, true)] keeps_newest: bool,
) {
    let mut service = Service::with((0..10_000).map(|number| number / 7));
    (service.end, service.keeps_newest) = (end, keeps_newest);
    let new = round(&mut Windows::new(-50), &mut service, 86_400, false);
    assert_eq!(new, service.written());
}

#[rstest]
#[case::inclusive(End::Inclusive)]
#[case::instant(End::Instant)]
#[case::exclusive(End::Exclusive)]
fn no_line_is_lost_at_a_seam_whatever_an_end_means(#[case] end: End) {
    // 100 lines a second, as people found them missing.
    let mut service = Service::with((0..5_000).map(|number| number / 100));
    service.end = end;
    let new = round(&mut Windows::new(-60), &mut service, 300, true);
    assert_eq!(new, service.written());

    // And while it is followed.
    let all = service.written();
    let mut windows = Windows::new(-60);
    let mut new = Vec::new();
    let mut service = Service {
        end,
        ..Service::default()
    };
    for (now, lines) in (0..).zip(all.chunks(100)) {
        for line in lines {
            service.write(now, line.clone());
        }
        new.extend(round(&mut windows, &mut service, now, false));
    }
    assert_eq!(new, all);
}

#[rstest]
#[case::inclusive(End::Inclusive)]
#[case::instant(End::Instant)]
#[case::exclusive(End::Exclusive)]
fn an_answer_that_is_too_large_is_asked_for_in_smaller_parts(#[case] end: End) {
    let mut service = Service::with([1, 1, 5, 9, 100, 100, 100]);
    service.end = end;
    let mut windows = Windows::new(0);
    windows.begin(200, true);
    let mut new = Vec::new();
    while let Some(ask) = windows.ask() {
        let lines = service.tell(ask);
        if lines.len() > 2 && !ask.any_size {
            assert!(windows.is_too_large());
            continue;
        }
        assert!(lines.len() <= 2 || ask.to - ask.from <= 1, "{ask:?}");
        let news = windows.answer(&lines);
        new.extend(news.lines.iter().map(|position| lines[*position].clone()));
        assert!(service.asked.len() < 200, "no end");
    }
    assert_eq!(new, service.written());
    // No smaller part, and no larger answer.
    windows.begin(200, true);
    while windows.is_too_large() {
        assert!(windows.ask().is_some());
    }
}

#[rstest]
fn a_full_second_is_asked_for_with_more_lines(#[values(End::Inclusive, End::Exclusive)] end: End) {
    let mut service = Service::with(std::iter::repeat_n(7, 50_000));
    service.end = end;
    let new = round(&mut Windows::new(0), &mut service, 10, false);
    assert_eq!(new, service.written());
    let most = service.asked.iter().map(|ask| ask.most_lines).max();
    assert_eq!(most, Some(200_000));
    assert_eq!(
        service.asked.last().unwrap().most_lines,
        2_000,
        "the seconds behind"
    );
}

#[test]
fn full_seconds_one_after_another_are_told_whole_by_a_service_with_a_limit() {
    let mut service = Service::with((0..30_000).map(|number| number / 1_500));
    service.limit = Some(2_000);
    let new = round(&mut Windows::new(-1), &mut service, 100, true);
    assert_eq!(new, service.written());
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

#[rstest]
#[case::oldest(false)]
#[case::newest(true)]
fn no_line_comes_twice_from_a_service_with_a_limit(#[case] keeps_newest: bool) {
    let mut service = Service {
        limit: Some(2_000),
        keeps_newest,
        ..Service::default()
    };
    let mut windows = Windows::new(-60);
    let (mut new, mut number) = (Vec::new(), 0);
    for look in 0..200_usize {
        let now = i64::try_from(look / 10).unwrap();
        // In some seconds nearly as many as the limit, in some few.
        for _ in 0..[190, 20, 150, 195][look / 10 % 4] {
            service.write(now, format!("line {number}"));
            number += 1;
        }
        new.extend(round(&mut windows, &mut service, now, false));
    }
    new.extend(round(&mut windows, &mut service, 30, true));
    assert_eq!(new, service.written());
}

#[test]
fn lines_that_are_alike_are_counted() {
    for end in ENDS {
        let mut service = Service {
            end,
            ..Service::default()
        };
        let mut windows = Windows::new(0);
        let mut new = Vec::new();
        for now in 0..400 {
            for _ in 0..now % 4 {
                service.write(now, "same".to_owned());
            }
            new.extend(round(&mut windows, &mut service, now, false));
        }
        assert_eq!(new, service.written());
        let again = round(&mut Windows::new(0), &mut service, 500, true);
        assert_eq!(again, service.written());
    }
}

#[test]
fn a_line_that_comes_late_is_told_late_and_nothing_twice() {
    let mut service = Service::with([0, 1, 2, 3]);
    let mut windows = Windows::new(0);
    assert_eq!(round(&mut windows, &mut service, 3, false).len(), 4);
    service.lines.insert(2, (1_500, "late".to_owned()));
    assert_eq!(round(&mut windows, &mut service, 4, false), ["late"]);
    assert_eq!(round(&mut windows, &mut service, 30, false), [""; 0]);
    // After the end the last look goes back further than a usual one.
    for now in (40..=130).step_by(10) {
        assert_eq!(round(&mut windows, &mut service, now, false), [""; 0]);
    }
    service.lines.push((110_000, "very late".to_owned()));
    assert_eq!(round(&mut windows, &mut service, 131, false), [""; 0]);
    assert_eq!(round(&mut windows, &mut service, 132, true), ["very late"]);
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
    service.write(3, "more".to_owned());
    assert_eq!(round(&mut windows, &mut service, 3, false), ["more"]);
}

#[test]
fn what_the_service_no_longer_keeps_does_not_bring_the_rest_twice() {
    let mut service = Service::with([0, 1, 2]);
    let mut windows = Windows::new(0);
    round(&mut windows, &mut service, 2, false);
    service.lines.remove(0);
    service.write(3, "more".to_owned());
    assert_eq!(round(&mut windows, &mut service, 3, false), ["more"]);
}

#[test]
fn a_log_that_is_watched_for_a_day_is_remembered_for_a_minute() {
    let mut service = Service::default();
    let mut windows = Windows::new(0);
    let mut told = 0;
    for now in (0..86_400).step_by(10) {
        service.write(now, format!("at {now}"));
        told += round(&mut windows, &mut service, now, false).len();
        assert!(windows.starts.len() <= 3, "{windows:?}");
        assert!(windows.seen.len() <= 40, "{windows:?}");
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
        end in prop::sample::select(&ENDS[..]),
        alike in any::<bool>(),
    ) {
        let mut service = Service { end, keeps_newest, ..Service::default() };
        let mut windows = Windows::new(0);
        let (mut now, mut number) = (0, 0);
        let mut new = Vec::new();
        for (pause, count, looks) in steps {
            now += pause;
            for _ in 0..count {
                let shown = if alike { number % 3 } else { number };
                service.write(now, format!("line {shown}"));
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
