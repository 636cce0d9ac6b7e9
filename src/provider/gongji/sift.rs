//! The answer to `pointLog` as it comes: the log's own text on one side, the envelope on the other (gongji.md §5.2, §7.1).
//!
//! Pure. A log may be larger than memory, and holds what programs wrote: a lone surrogate, a control character or a byte
//! that is no UTF-8 makes no answer unreadable. Half a surrogate pair reads as U+FFFD; other bytes pass as they came.

use bytes::Bytes;
use serde_json::{Map, Value};

/// So much of the answer's beginning is kept, for messages about what is no such answer.
const HEAD: usize = 2 << 10;
/// So much of one text of the envelope is kept.
const TEXT: usize = 64 << 10;
/// No answer is nested so deeply.
const DEEPEST: usize = 64;

/// The members of the envelope that are kept (§7.1, §7.3).
const KEPT: [&str; 3] = ["code", "message", "error"];

const REPLACEMENT: &str = "\u{fffd}";

/// What is known of an answer so far.
#[derive(Debug, Default)]
pub(super) struct Sieve {
    head: Vec<u8>,
    /// The open objects and arrays.
    open: Vec<Container>,
    /// The members that are being read, of the envelope and of its `data`.
    path: [Vec<u8>; 2],
    /// Where the next text belongs to a name.
    expects_name: bool,
    state: State,
    envelope: Map<String, Value>,
    is_complete: bool,
    /// It is no JSON object.
    is_odd: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Container {
    Object,
    Array,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Between,
    Text(Destination, Decoder),
    /// A number or a word.
    Scalar(Vec<u8>),
}

/// What becomes of a text.
#[derive(Debug)]
enum Destination {
    Log,
    Name(Vec<u8>),
    Value(Vec<u8>),
}

/// Within a text.
#[derive(Debug, Default)]
struct Decoder {
    escape: Escape,
    /// The first half of a surrogate pair.
    high: Option<u32>,
}

#[derive(Debug, Default, Clone, Copy)]
enum Escape {
    #[default]
    None,
    Begun,
    /// So many digits of a code unit were read, with this value.
    Unit(u8, u32),
}

impl Sieve {
    /// Takes the next bytes of the answer, and appends those of the log to `log`.
    pub(super) fn feed(&mut self, bytes: &[u8], log: &mut Vec<u8>) {
        let room = HEAD - self.head.len();
        self.head
            .extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
        let mut rest = bytes;
        while !rest.is_empty() && !self.is_odd {
            rest = match &mut self.state {
                State::Between => self.between(rest),
                State::Scalar(text) => {
                    let end = rest.iter().position(|byte| ends_scalar(*byte));
                    let (part, after) = rest.split_at(end.unwrap_or(rest.len()));
                    keep(text, part);
                    if end.is_some() {
                        self.end_scalar();
                    }
                    after
                }
                State::Text(destination, decoder) => {
                    let out = match destination {
                        Destination::Log => &mut *log,
                        Destination::Name(text) | Destination::Value(text) => text,
                    };
                    let (after, is_over) = decoder.decode(rest, out);
                    match destination {
                        Destination::Log => {}
                        Destination::Name(text) | Destination::Value(text) => text.truncate(TEXT),
                    }
                    if is_over {
                        self.end_text();
                    }
                    after
                }
            };
        }
    }

    /// What is judged once the answer has ended: its envelope, or the beginning of what is none.
    pub(super) fn envelope(&self) -> Bytes {
        if self.is_complete && !self.is_odd {
            Value::Object(self.envelope.clone()).to_string().into()
        } else {
            Bytes::copy_from_slice(&self.head)
        }
    }

    /// One byte between texts and numbers.
    fn between<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let Some((byte, after)) = bytes.split_first() else {
            return bytes;
        };
        let is_outside = self.open.is_empty();
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {}
            b'{' if !is_outside || !self.is_complete => self.enter(Container::Object),
            // Outside the envelope nothing else has a place.
            _ if is_outside => self.is_odd = true,
            b'[' => self.enter(Container::Array),
            b'}' | b']' => {
                self.open.pop();
                self.expects_name = false;
                self.is_complete = self.open.is_empty();
            }
            b',' => self.expects_name = self.open.last() == Some(&Container::Object),
            b':' => self.expects_name = false,
            b'"' => self.state = State::Text(self.destination(), Decoder::default()),
            _ => {
                self.state = State::Scalar(Vec::new());
                return bytes;
            }
        }
        after
    }

    fn enter(&mut self, container: Container) {
        self.is_odd |= self.open.len() >= DEEPEST;
        self.open.push(container);
        self.expects_name = container == Container::Object;
    }

    fn destination(&self) -> Destination {
        let is_log = self.open == [Container::Object, Container::Object]
            && self
                .path
                .iter()
                .map(Vec::as_slice)
                .eq([&b"data"[..], b"logs"]);
        match (self.expects_name, is_log) {
            (true, _) => Destination::Name(Vec::new()),
            (false, true) => Destination::Log,
            (false, false) => Destination::Value(Vec::new()),
        }
    }

    fn end_text(&mut self) {
        match std::mem::take(&mut self.state) {
            State::Text(Destination::Name(name), _) => {
                let level = self.open.len().checked_sub(1);
                if let Some(place) = level.and_then(|level| self.path.get_mut(level)) {
                    *place = name;
                }
            }
            State::Text(Destination::Value(text), _) => {
                self.note(String::from_utf8_lossy(&text).into_owned().into());
            }
            State::Text(Destination::Log, _) | State::Between | State::Scalar(_) => {}
        }
    }

    fn end_scalar(&mut self) {
        if let State::Scalar(text) = std::mem::take(&mut self.state) {
            match serde_json::from_slice(&text) {
                Ok(value) => self.note(value),
                Err(_) => self.is_odd = true,
            }
        }
    }

    /// Keeps a member of the envelope itself.
    fn note(&mut self, value: Value) {
        let [name, _] = &self.path;
        if self.open.len() == 1
            && let Some(name) = KEPT.iter().find(|kept| kept.as_bytes() == name)
        {
            self.envelope.insert((*name).to_owned(), value);
        }
    }
}

impl Decoder {
    /// Decodes a text up to its end or that of the bytes; what is left, and whether the text is over.
    fn decode<'a>(&mut self, bytes: &'a [u8], out: &mut Vec<u8>) -> (&'a [u8], bool) {
        let mut rest = bytes;
        while let Some((byte, after)) = rest.split_first() {
            match self.escape {
                Escape::None => {
                    let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'));
                    let (text, after_text) = rest.split_at(plain.unwrap_or(rest.len()));
                    if !text.is_empty() {
                        self.give_up_pair(out);
                        out.extend_from_slice(text);
                        rest = after_text;
                        continue;
                    }
                    if *byte == b'"' {
                        self.give_up_pair(out);
                        return (after, true);
                    }
                    self.escape = Escape::Begun;
                }
                Escape::Begun if *byte == b'u' => self.escape = Escape::Unit(0, 0),
                Escape::Begun => {
                    self.escape = Escape::None;
                    self.give_up_pair(out);
                    out.push(match byte {
                        b'b' => 0x08,
                        b'f' => 0x0c,
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        other => *other,
                    });
                }
                Escape::Unit(digits, value) => {
                    let Some(digit) = char::from(*byte).to_digit(16) else {
                        // Cut off: the byte belongs to what follows.
                        self.escape = Escape::None;
                        self.give_up_pair(out);
                        out.extend_from_slice(REPLACEMENT.as_bytes());
                        continue;
                    };
                    let value = (value << 4) | digit;
                    self.escape = if digits < 3 {
                        Escape::Unit(digits + 1, value)
                    } else {
                        self.unit(value, out);
                        Escape::None
                    };
                }
            }
            rest = after;
        }
        (rest, false)
    }

    /// Takes a code unit of UTF-16.
    fn unit(&mut self, unit: u32, out: &mut Vec<u8>) {
        if let (Some(high), 0xdc00..=0xdfff) = (self.high, unit) {
            self.high = None;
            push(0x1_0000 + ((high - 0xd800) << 10) + (unit - 0xdc00), out);
            return;
        }
        self.give_up_pair(out);
        match unit {
            0xd800..=0xdbff => self.high = Some(unit),
            other => push(other, out),
        }
    }

    /// The second half of a pair did not come.
    fn give_up_pair(&mut self, out: &mut Vec<u8>) {
        if self.high.take().is_some() {
            out.extend_from_slice(REPLACEMENT.as_bytes());
        }
    }
}

fn push(scalar: u32, out: &mut Vec<u8>) {
    let character = char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

fn keep(text: &mut Vec<u8>, part: &[u8]) {
    let room = TEXT.saturating_sub(text.len());
    text.extend_from_slice(part.get(..room.min(part.len())).unwrap_or_default());
}

const fn ends_scalar(byte: u8) -> bool {
    matches!(
        byte,
        b',' | b'}' | b']' | b':' | b'"' | b'{' | b'[' | b' ' | b'\t' | b'\r' | b'\n'
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    /// The log and the envelope of an answer that comes in pieces of so many bytes.
    fn sifted(body: &[u8], size: usize) -> (Vec<u8>, Bytes) {
        let (mut sieve, mut log) = (Sieve::default(), Vec::new());
        for piece in body.chunks(size) {
            sieve.feed(piece, &mut log);
        }
        (log, sieve.envelope())
    }

    fn answer(logs: &[u8]) -> Vec<u8> {
        let before = br#"{"code":"0000","message":"success","data":{"logs":""#;
        [before, logs, b"\"}}"].concat()
    }

    #[rstest]
    #[case::escapes(br#"a\n\tb\\\/\"\u00e9\b\f\r"#, "a\n\tb\\/\"é\x08\x0c\r".as_bytes())]
    #[case::pair(br"\ud83d\ude00!", "😀!".as_bytes())]
    #[case::raw_utf8("é漢😀".as_bytes(), "é漢😀".as_bytes())]
    #[case::surrogate_escape(br"bad \udcff byte\n", "bad \u{fffd} byte\n".as_bytes())]
    #[case::cut_pair(br"a\ud83d", "a\u{fffd}".as_bytes())]
    #[case::cut_pair_and_escape(br"\ud83d\n", "\u{fffd}\n".as_bytes())]
    #[case::cut_pair_and_text(br"\ud83dx", "\u{fffd}x".as_bytes())]
    #[case::two_firsts(br"\ud83d\ud83d\ude00", "\u{fffd}😀".as_bytes())]
    #[case::cut_unit(br"\u12\n", "\u{fffd}\n".as_bytes())]
    #[case::raw_byte(b"a\xffb", b"a\xffb")]
    #[case::raw_control(b"a\x1b[0m\nb\x00", b"a\x1b[0m\nb\x00")]
    #[case::empty(b"", b"")]
    fn a_log_is_read_whatever_programs_wrote(#[case] logs: &[u8], #[case] expected: &[u8]) {
        for size in [1, 2, 3, 7, 1000] {
            let (log, envelope) = sifted(&answer(logs), size);
            assert_eq!(log, expected, "{size}");
            let envelope: Value = serde_json::from_slice(&envelope).unwrap();
            assert_eq!(envelope, json!({"code": "0000", "message": "success"}));
        }
    }

    #[rstest]
    #[case::order(
        r#"{"data": {"x": {"logs": "no"}, "logs": "yes"}, "code": "0000"}"#,
        "yes"
    )]
    #[case::blanks(
        " {\n\"data\" : { \"logs\" : \"yes\" } , \"n\" : [ 1 , \"logs\" ] } \n",
        "yes"
    )]
    #[case::null(r#"{"code":"0000","data":null}"#, "")]
    #[case::null_log(r#"{"code":"0000","data":{"logs":null}}"#, "")]
    #[case::a_list(r#"{"code":"0000","data":[{"logs":"no"}]}"#, "")]
    #[case::elsewhere(r#"{"code":"0000","logs":"no","data":{}}"#, "")]
    fn only_the_log_of_the_data_counts(#[case] body: &str, #[case] log: &str) {
        let (read, envelope) = sifted(body.as_bytes(), 5);
        assert_eq!(String::from_utf8(read).unwrap(), log);
        assert!(serde_json::from_slice::<Value>(&envelope).is_ok());
    }

    #[rstest]
    #[case(r#"{"code":"C999","message":"log \ud83d busy","data":null}"#, json!({"code": "C999", "message": "log \u{fffd} busy"}))]
    #[case(r#"{"code":0,"message":null}"#, json!({"code": 0, "message": null}))]
    #[case("{}", json!({}))]
    fn the_envelope_is_kept(#[case] body: &str, #[case] expected: Value) {
        let (_, envelope) = sifted(body.as_bytes(), 4);
        let envelope: Value = serde_json::from_slice(&envelope).unwrap();
        assert_eq!(envelope, expected);
    }

    #[rstest]
    #[case("")]
    #[case("<!doctype html>")]
    #[case("oops")]
    #[case("[1]")]
    #[case("\"text\"")]
    #[case(r#"{"code":"0000","data":{"logs":"abc"#)]
    #[case(r#"{"code":0000,"data":null}"#)]
    #[case(r#"{"code":"0000"} {"#)]
    fn what_is_no_object_stays_what_it_is(#[case] body: &str) {
        let (_, rest) = sifted(body.as_bytes(), 3);
        assert_eq!(rest, body);
    }
}
