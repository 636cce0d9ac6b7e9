//! Errors as text for stderr (style.md §7 "Words").
//!
//! `error:` and the sentence; below it, indented, what is known; then an empty line and the hint. A value to be copied
//! stands alone at the end of its line.

use std::fmt::Write as _;

use crate::error::Error;
use crate::model::Refusal;

use super::sanitize;
use super::table::Tone;

/// The error as text; every line ends with a line feed.
pub fn error_text(error: &Error, colour: bool) -> String {
    labelled("error:", error, colour)
}

/// The same with another first word: a provider's failure beside other providers' answers is a warning.
pub fn labelled(label: &str, error: &Error, colour: bool) -> String {
    let details = error.details();
    let tone = if label == "error:" {
        Tone::Bad
    } else {
        Tone::Waiting
    };
    let mut text = tone.paint(label, colour);
    text.push(' ');
    // Lines after the first are indented: no foreign text can pass for a line of ours.
    push_indented(&mut text, &details.message, "", "  ");
    for cause in &details.causes {
        push_indented(&mut text, cause, "  ", "    ");
    }
    for refusal in &details.refusals {
        push_indented(&mut text, &refusal_text(refusal), "  ", "  ");
    }
    if !details.candidates.is_empty() {
        text.push_str("  candidates:\n");
        for candidate in &details.candidates {
            push_line(&mut text, "    ", candidate);
        }
    }
    let provider = details
        .provider
        .as_deref()
        .filter(|provider| !details.message.contains(*provider));
    push_fact(&mut text, "provider", provider);
    let status = details.http_status.map(|status| status.to_string());
    push_fact(&mut text, "HTTP status", status.as_deref());
    push_fact(
        &mut text,
        "provider's code",
        details.provider_code.as_deref(),
    );
    push_fact(&mut text, "request id", details.request_id.as_deref());
    let shown_already = |value: &&str| !details.message.contains(*value);
    push_fact(
        &mut text,
        "job",
        details.job.as_deref().filter(shown_already),
    );
    push_fact(
        &mut text,
        "marker",
        details.marker.as_deref().filter(shown_already),
    );
    if let Some(hint) = &details.hint {
        text.push('\n');
        for line in sanitize::text(hint).lines() {
            text.push_str(&Tone::Active.paint("hint:", colour));
            text.push(' ');
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

/// A refusal on its line, and the alternative below.
pub fn refusal_text(refusal: &Refusal) -> String {
    let mut text = String::new();
    let message = format!("{}: {}", refusal.field, refusal.message);
    push_line(&mut text, "", &message);
    if let Some(alternative) = &refusal.alternative {
        push_line(&mut text, "  instead: ", alternative);
    }
    text
}

fn push_fact(text: &mut String, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        push_line(text, &format!("  {name}: "), value);
    }
}

fn push_line(text: &mut String, before: &str, value: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{before}{}", sanitize::line(value));
}

fn push_indented(text: &mut String, message: &str, first: &str, later: &str) {
    let message = sanitize::text(message);
    let mut lines = message.lines();
    let _ = writeln!(text, "{first}{}", lines.next().unwrap_or_default());
    for line in lines {
        let _ = writeln!(text, "{}", format!("{later}{line}").trim_end());
    }
}
