//! What a rule does to a request, and what its words are. Pure.

use std::time::Duration;

use http::StatusCode;

/// Before the request has its effect, so that it has none, or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Before,
    After,
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// The connection is reset and nothing is answered.
    Reset,
    /// Nothing is answered for so long; then the connection closes.
    Timeout(Duration),
    /// 429 in the service's own words.
    Throttle { retry_after: Option<Duration> },
    /// An error status, in the service's envelope or as a gateway's web page.
    Status { status: StatusCode, page: bool },
    /// Half of the answer's body, as if it were all.
    Truncated,
    /// Half of the answer's body, though the head promises more; then the connection closes.
    Torn,
    /// 200 with a web page, as a login or a proxy answers.
    Html,
    /// 200 without a body.
    Empty,
    /// The answer's body comes piece by piece over so long.
    Slow(Duration),
    /// The answer comes so much later.
    Delay(Duration),
    /// The service's clock is so many seconds ahead, for this request.
    Skew(i64),
    /// A job that was just created is not shown for a while.
    Lag(Lag),
    /// A create gives so many nodes at most.
    Partial { nodes: u64 },
    /// A create finds nothing free.
    SoldOut,
}

/// How long lists are behind creates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lag {
    For(Duration),
    /// So many reads that would have shown it.
    Reads(u64),
}

/// One word of the language.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    pub(super) text: &'static str,
    /// Its own options, beside those of every rule.
    pub(super) options: &'static [&'static str],
    /// Whether the word takes `-before` and `-after`; without, it is as its nature wants.
    pub(super) both: bool,
    pub(super) usual: When,
}

const fn word(
    text: &'static str,
    options: &'static [&'static str],
    both: bool,
    usual: When,
) -> Word {
    Word {
        text,
        options,
        both,
        usual,
    }
}

/// Every word, in the order of the documentation.
pub(super) const WORDS: [Word; 18] = [
    word("reset", &[], true, When::Before),
    word("timeout", &["for"], true, When::Before),
    // A refusal by its nature: no service does what it refuses.
    word("429", &["retry-after"], false, When::Before),
    word("408", &["page"], true, When::Before),
    word("500", &["page"], true, When::Before),
    word("502", &["page"], true, When::Before),
    word("503", &["page"], true, When::Before),
    word("504", &["page"], true, When::Before),
    word("truncated", &[], false, When::After),
    word("torn", &[], false, When::After),
    word("html", &[], true, When::Before),
    word("empty", &[], true, When::Before),
    word("slow", &["for"], false, When::After),
    word("delay", &["for"], false, When::After),
    word("skew", &["by"], false, When::Before),
    word("lag", &["for", "reads"], false, When::After),
    word("partial", &["nodes"], false, When::Before),
    word("sold-out", &[], false, When::Before),
];

/// The word of a text, and when its effect is.
pub(super) fn find(text: &str) -> Result<(Word, When), String> {
    let (stem, when) = if let Some(stem) = text.strip_suffix("-before") {
        (stem, Some(When::Before))
    } else if let Some(stem) = text.strip_suffix("-after") {
        (stem, Some(When::After))
    } else {
        (text, None)
    };
    let Some(word) = WORDS.into_iter().find(|word| word.text == stem) else {
        let known: Vec<&str> = WORDS.iter().map(|word| word.text).collect();
        return Err(format!(
            "there is no action `{text}`; there are {}",
            known.join(", ")
        ));
    };
    match when {
        Some(_) if !word.both => Err(format!(
            "`{stem}` has neither `-before` nor `-after`: {}",
            match word.usual {
                When::Before => "it never has the effect it refuses",
                When::After => "it needs the answer of a request that had its effect",
            }
        )),
        Some(when) => Ok((word, when)),
        None => Ok((word, word.usual)),
    }
}
