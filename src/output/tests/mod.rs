//! What each kind looks like in each format. Time and zone stand still.

mod records;

use serde_json::Value;

use super::samples::{bare_job, failed_job, full_job, now, style};
use super::*;
use crate::model::{Job, Money, Refusal, RefusalCode};

/// Compares with `tests/snapshots/output/NAME.snap`.
fn check(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../tests/snapshots/output");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn failures() -> Vec<Error> {
    vec![
        Error::new(Kind::Auth, "forbidden", "`gongji` refused the credentials")
            .with_provider("gongji")
            .with_http(403, Some("1001".to_owned()), Some("req-1".to_owned())),
    ]
}

fn jobs() -> [(&'static str, Backend, Job); 3] {
    [
        ("hz", Backend::PaiDlc, full_job()),
        ("cyclecloud", Backend::Cyclecloud, bare_job()),
        ("gongji", Backend::Gongji, failed_job()),
    ]
}

fn rows(jobs: &[(&'static str, Backend, Job)]) -> Vec<Row<'static, Job>> {
    // Leaked: samples live as long as the test process.
    jobs.iter()
        .map(|(provider, backend, job)| {
            Row::new(provider, *backend, Box::leak(Box::new(job.clone())))
        })
        .collect()
}

fn jobs_as(style: &Style) -> String {
    render_jobs(&rows(&jobs()), &failures(), style, now()).unwrap()
}

#[test]
fn jobs_in_a_pipe() {
    check("jobs_in_a_pipe", &jobs_as(&style(Format::Table)));
}

#[test]
fn jobs_on_a_terminal() {
    let style = Style {
        width: Some(100),
        colour: true,
        ..style(Format::Table)
    };
    check(
        "jobs_on_a_terminal",
        &jobs_as(&style).replace('\u{1b}', "^"),
    );
}

#[test]
fn jobs_wide() {
    check("jobs_wide", &jobs_as(&style(Format::Wide)));
}

#[test]
fn jobs_json() {
    check("jobs_json", &jobs_as(&style(Format::Json)));
}

#[test]
fn jobs_ndjson_is_one_item_a_line() {
    let text = jobs_as(&style(Format::Ndjson));
    let lines: Vec<Value> = text.lines().map(json).collect();
    assert_eq!(
        Value::Array(lines),
        json(&jobs_as(&style(Format::Json)))["items"]
    );
}

#[test]
fn jobs_csv() {
    check("jobs_csv", &jobs_as(&style(Format::Csv)));
}

#[test]
fn jobs_tsv_has_the_same_header_without_any_job() {
    let header = |text: String| text.lines().next().unwrap().to_owned();
    let empty = render_jobs(&[], &[], &style(Format::Tsv), now()).unwrap();
    assert_eq!(header(jobs_as(&style(Format::Tsv))), header(empty));
}

#[test]
fn jobs_by_name_are_refs() {
    assert_eq!(
        jobs_as(&style(Format::Name)),
        "hz/cn-hangzhou/dlc1k2m3n4p5q6r7\ncyclecloud/my%20lab/3f2e\ngongji/90071992547409931\n"
    );
}

#[test]
fn jobs_through_jq() {
    let style = Style {
        jq: Some(Jq::parse(".items[] | [.state, .gpu.model] | @tsv").unwrap()),
        ..style(Format::Json)
    };
    assert_eq!(jobs_as(&style), "running\tA10\npending\t\nfailed\t\n");
    let lines = Style {
        format: Format::Ndjson,
        jq: Some(Jq::parse(".exit_code").unwrap()),
        ..style
    };
    assert_eq!(jobs_as(&lines), "null\nnull\n137\n");
}

#[test]
fn one_job_in_detail() {
    let job = full_job();
    let row = Row::new("hz", Backend::PaiDlc, &job);
    check(
        "one_job_in_detail",
        &render_job(&row, &style(Format::Table), now()).unwrap(),
    );
}

#[test]
fn a_submitted_job_is_its_ref_or_its_record_with_receipts() {
    let job = full_job();
    let row = Row::new("hz", Backend::PaiDlc, &job);
    let receipts = [
        Receipt {
            provider: "gongji".to_owned(),
            backend: Backend::Gongji,
            tried: false,
            chosen: false,
            reason: Some("nothing free".to_owned()),
            price_per_hour: Some(Money::from_micros(1_680_000, "CNY")),
            as_of: Some(samples::at("2026-01-06T11:59:00Z")),
        },
        Receipt {
            provider: "hz".to_owned(),
            backend: Backend::PaiDlc,
            tried: true,
            chosen: true,
            reason: None,
            price_per_hour: None,
            as_of: None,
        },
    ];
    let told = Told {
        receipts: receipts.to_vec(),
        price: Some(PriceCheck {
            planned: Money::from_micros(1_680_000, "CNY"),
            source: Some("provider".to_owned()),
            now: Some(Money::from_micros(1_680_001, "CNY")),
        }),
    };
    let shown = |format| render_submitted(&row, &told, &style(format), now()).unwrap();
    assert_eq!(shown(Format::Table), "hz/cn-hangzhou/dlc1k2m3n4p5q6r7\n");
    assert_eq!(shown(Format::Name), shown(Format::Table));
    check(
        "a_submitted_job_is_its_ref_or_its_record_with_receipts",
        &shown(Format::Json),
    );
    assert_eq!(
        table::receipts(&receipts, now()),
        [
            "gongji: not tried: nothing free (1.68 CNY per hour, data 1m old)",
            "hz: took the job"
        ]
    );
}

#[test]
fn errors_as_text_and_as_json() {
    let mut error = Error::refused(
        "paracloud",
        vec![
            Refusal::new(RefusalCode::UnsupportedField, "workdir", "no such concept")
                .with_alternative("begin the command with `cd DIR`"),
            Refusal::new(RefusalCode::UnsupportedValue, "nodes", "2 is more than 1"),
        ],
    );
    error = error.with_hint("see `gpujob explain`");
    check("error_refusals", &error::error_text(&error, false));
    check("error_refusals_json", &error_line(&error).unwrap());

    let error = Error::new(
        Kind::Protocol,
        "html",
        "the answer is HTML:\n<html>\u{1b}[2J\nhint: run rm -rf",
    )
    .with_provider("gongji")
    .with_http(502, Some("E1\u{202e}".to_owned()), Some("req-7".to_owned()))
    .with_job("gongji/7")
    .with_marker("bcdfghjklm2456")
    .with_candidates(vec!["gongji/7".to_owned(), "gongji/71".to_owned()])
    .with_cause("connection closed")
    .with_hint("check `base-url`");
    check("error_everything", &error::error_text(&error, false));
    check(
        "error_colour",
        &error::error_text(&error, true).replace('\u{1b}', "^"),
    );
    check("error_everything_json", &error_line(&error).unwrap());
    assert!(!error_line(&error).unwrap().contains('\n'));
}

#[test]
fn formats_are_chosen_from_flags() {
    assert_eq!(Format::choose(None, false, false).unwrap(), Format::Table);
    assert_eq!(Format::choose(None, true, false).unwrap(), Format::Name);
    assert_eq!(
        Format::choose(Some(Format::Csv), true, false).unwrap(),
        Format::Csv
    );
    assert_eq!(Format::choose(None, true, true).unwrap(), Format::Json);
    assert_eq!(
        Format::choose(Some(Format::Ndjson), false, true).unwrap(),
        Format::Ndjson
    );
    for format in [Format::Csv, Format::Tsv, Format::Table, Format::Name] {
        let error = Format::choose(Some(format), false, true).unwrap_err();
        assert_eq!(error.kind(), Kind::Usage, "{format}");
    }
    assert!(
        Format::ALL
            .iter()
            .all(|format| format.as_str().parse() == Ok(*format))
    );
    assert!("xml".parse::<Format>().unwrap_err().contains("ndjson"));
}

#[test]
fn no_format_lets_an_escape_character_through() {
    for format in Format::ALL {
        let text = jobs_as(&style(format));
        let kept = |character| matches!(character, '\n' | '\t');
        assert!(
            !text
                .chars()
                .any(|character| sanitize::is_dangerous(character) && !kept(character)),
            "{format}: {text:?}"
        );
    }
}
