//! Reads one container's log, which comes whole each time, as a stream (gongji.md §5.2).
//!
//! What is held is one piece, and fingerprints of what was handed out. Only a log that lost its beginning, or is another
//! one, is held whole while its joint is looked for.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};

use crate::error::{Error, Kind, Result};
use crate::http::dialect::{Dialect, Verdict};
use crate::http::stream::Incoming;
use crate::http::{Answer, Session, Template};
use crate::provider::{LogLook, LogPiece, LogReader};

use super::Gongji;
use super::events::is_refusal;
use super::joint::{Joint, Printed, Step, Walk};
use super::logs::Restarted;
use super::sift::Sieve;

/// So much is handed on at a time.
const PIECE: usize = 256 << 10;

/// What stands for a character whose other bytes were not there yet.
const INCOMPLETE: &[u8] = "\u{fffd}".as_bytes();

const BEGAN_AGAIN: &str = "the log has another beginning: its container began again, or it lost more lines than were read";

/// What was handed out of one container's log.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    gongji: &'a Gongji,
    /// The provider's connection, which passes on a success before its body is there.
    session: Session,
    request: Template,
    point: i64,
    printed: Printed,
    /// How often the container had begun again when what was handed out was written.
    restarts: Option<i64>,
    /// The rest of a log whose joint was looked for.
    pending: Pending,
    flow: Option<Flow>,
    /// People know that it was refused.
    is_refusal_told: bool,
}

/// An answer on its way.
#[derive(Debug)]
struct Flow {
    incoming: Incoming,
    sieve: Sieve,
    stage: Stage,
    /// New, and not yet handed out.
    out: Vec<u8>,
    /// What the pod told of its restarts before it was asked for.
    restarted: Option<Restarted>,
    /// It is a new run's, of which nothing was handed out.
    is_new_run: bool,
}

#[derive(Debug)]
enum Stage {
    /// All of it was handed out so far.
    Known(Walk),
    New,
    /// It begins otherwise.
    Gathered(Vec<u8>),
}

/// What an answer gave.
enum Outcome {
    Piece(LogPiece),
    /// It turned out late that the log must be held whole.
    Gather,
}

/// Why an answer gave nothing.
struct Broken {
    error: Error,
    /// It had begun well.
    midway: bool,
}

/// A log that is being handed on.
#[derive(Debug, Default)]
struct Pending {
    text: Vec<u8>,
    /// So many bytes of it were handed on.
    done: usize,
}

/// Every success begins well; what it holds is judged when it has passed.
#[derive(Debug)]
struct Begun(Arc<dyn Dialect>);

impl Dialect for Begun {
    fn judge(&self, operation: &'static str, answer: &Answer) -> Verdict {
        if answer.status.is_success() {
            Verdict::Success
        } else {
            self.0.judge(operation, answer)
        }
    }
}

#[async_trait]
impl LogReader for Reader<'_> {
    async fn read(&mut self, look: LogLook) -> Result<LogPiece> {
        if let Some(piece) = self.pending.next() {
            return Ok(piece);
        }
        let is_last = look == LogLook::Last;
        let mut gathers = false;
        let mut repeats = self.session.patience.retries;
        loop {
            // Without it, what was not handed out is asked for again.
            let flow = self.flow.take();
            let broken = match self.advance(flow, gathers, is_last).await {
                Ok(Outcome::Piece(piece)) => return Ok(piece),
                Ok(Outcome::Gather) => {
                    gathers = true;
                    continue;
                }
                Err(broken) => broken,
            };
            let Broken { error, midway } = broken;
            // No container yet, or no longer.
            if is_refusal(error.kind()) {
                return Ok(self.refused(&error, is_last));
            }
            if !midway || error.kind() != Kind::Temporary || repeats == 0 {
                return Err(error);
            }
            repeats -= 1;
            let text = format!("a log broke off: {error}; asking for it again");
            self.session.reporter.detail(1, &text);
        }
    }
}

impl<'a> Reader<'a> {
    /// Nothing is sent before the first read.
    pub(super) fn new(gongji: &'a Gongji, request: Template, point: i64) -> Self {
        let mut session = gongji.session.clone();
        session.dialect = Arc::new(Begun(Arc::clone(&gongji.session.dialect)));
        Self {
            gongji,
            session,
            request,
            point,
            printed: Printed::default(),
            restarts: None,
            pending: Pending::default(),
            flow: None,
            is_refusal_told: false,
        }
    }

    /// The next piece of what is new.
    async fn advance(
        &mut self,
        flow: Option<Flow>,
        gathers: bool,
        is_last: bool,
    ) -> Result<Outcome, Broken> {
        let mut flow = match flow {
            Some(flow) => flow,
            None => self.open(gathers).await?,
        };
        loop {
            let held = incomplete(&flow.out);
            if flow.out.len() - held >= PIECE {
                let rest = flow.out.split_off(flow.out.len() - held);
                let bytes = std::mem::replace(&mut flow.out, rest);
                let piece = self.hand_out(&mut flow, bytes, true);
                self.flow = Some(flow);
                return Ok(Outcome::Piece(piece));
            }
            let next = self
                .session
                .before_deadline(self.request.operation, flow.incoming.pieces.next());
            match next.await.map_err(Broken::midway)? {
                Some(Ok(bytes)) => {
                    if !flow.take(&self.printed, &bytes) {
                        return Ok(Outcome::Gather);
                    }
                }
                Some(Err(lost)) => {
                    return Err(Broken::midway(self.gongji.named(lost.error)));
                }
                None => return self.finish(flow, is_last).map_err(Broken::midway),
            }
        }
    }

    /// Asks for the log from its beginning.
    async fn open(&mut self, gathers: bool) -> Result<Flow, Broken> {
        let restarted = self.gongji.restarts.of(self.point);
        let incoming = match self.session.transport.streaming() {
            Some(streaming) => self.session.download(streaming, &self.request).await,
            None => self.session.send(&self.request).await.map(whole),
        };
        let incoming = incoming.map_err(|failure| Broken {
            error: self.gongji.named(failure.error),
            midway: false,
        })?;
        let is_new_run = self.has_begun_again(restarted) && restarted.is_some_and(|it| it.is_only);
        let stage = match (is_new_run, gathers) {
            (true, _) => Stage::New,
            (false, true) => Stage::Gathered(Vec::new()),
            (false, false) => Stage::Known(Walk::default()),
        };
        Ok(Flow {
            incoming,
            sieve: Sieve::default(),
            stage,
            out: Vec::new(),
            restarted,
            is_new_run,
        })
    }

    /// Whether the pod began again since what was handed out was written.
    fn has_begun_again(&self, restarted: Option<Restarted>) -> bool {
        let known = self.restarts.filter(|_| !self.printed.is_empty());
        known
            .zip(restarted)
            .is_some_and(|(known, restarted)| restarted.times > known)
    }

    /// The answer has ended: it is judged, and what is left of it is handed out.
    fn finish(&mut self, mut flow: Flow, is_last: bool) -> Result<Outcome> {
        let answer = Answer {
            status: flow.incoming.status,
            headers: flow.incoming.headers.clone(),
            body: flow.sieve.envelope(),
        };
        let operation = self.request.operation;
        if let Verdict::Failure { error, .. } =
            self.gongji.session.dialect.judge(operation, &answer)
        {
            return Err(self.gongji.named(error));
        }
        Ok(Outcome::Piece(
            match std::mem::replace(&mut flow.stage, Stage::New) {
                Stage::Known(walk) if walk.is_empty() => LogPiece::default(),
                Stage::Known(walk) => {
                    let is_late = walk.is_shorter(&self.printed)
                        && !self.shorter_is_new(flow.restarted, is_last);
                    if is_late {
                        LogPiece::default()
                    } else if let Some(text) = walk.beginning() {
                        self.join(&flow, text, is_last)
                    } else {
                        return Ok(Outcome::Gather);
                    }
                }
                Stage::New => {
                    let mut bytes = std::mem::take(&mut flow.out);
                    if !is_last {
                        bytes.truncate(bytes.len() - incomplete(&bytes));
                    }
                    self.hand_out(&mut flow, bytes, false)
                }
                Stage::Gathered(text) => self.join(&flow, text, is_last),
            },
        ))
    }

    /// Whether a log that says only the beginning of what was handed out is another run's. Without restarts it is a late
    /// answer; if nobody tells restarts, it was another after all by the end.
    fn shorter_is_new(&self, restarted: Option<Restarted>, is_last: bool) -> bool {
        match restarted {
            Some(_) => self.has_begun_again(restarted),
            None => is_last,
        }
    }

    /// What is new in a log that begins otherwise than what was handed out.
    fn join(&mut self, flow: &Flow, text: Vec<u8>, is_last: bool) -> LogPiece {
        let mut text = text;
        if !is_last {
            text.truncate(text.len() - incomplete(&text));
        }
        let mut notes = Vec::new();
        let joint = self.printed.joint(&text);
        let times = flow.restarted.map(|restarted| restarted.times);
        let from = match joint {
            Joint::GoesOn(from) | Joint::Rotated(from) => {
                self.restarts = times;
                from
            }
            Joint::Shorter if text.is_empty() || !self.shorter_is_new(flow.restarted, is_last) => {
                return LogPiece::default();
            }
            Joint::Shorter => {
                self.restarts = times;
                0
            }
            Joint::Other => {
                notes.push(BEGAN_AGAIN.to_owned());
                // The pod's word for it, which was asked for before the log, may still be to come.
                let was_told = self.has_begun_again(flow.restarted);
                self.restarts = times.map(|times| times + i64::from(!was_told));
                0
            }
        };
        let separator = if from == 0 { self.separator() } else { b"" };
        self.printed.take(&text, matches!(joint, Joint::GoesOn(_)));
        self.pending = Pending { text, done: from };
        let mut piece = self.pending.next().unwrap_or_default();
        piece.bytes.splice(..0, separator.iter().copied());
        piece.notes = notes;
        piece
    }

    /// Remembers and gives what comes next.
    fn hand_out(&mut self, flow: &mut Flow, bytes: Vec<u8>, more: bool) -> LogPiece {
        let mut piece = LogPiece {
            bytes,
            more,
            notes: Vec::new(),
        };
        let times = flow.restarted.map(|restarted| restarted.times);
        if piece.bytes.is_empty() {
            return piece;
        }
        if std::mem::take(&mut flow.is_new_run) {
            let before = self.restarts.zip(times).map(|(known, times)| times - known);
            piece.notes.push(new_run(before.unwrap_or(1)));
            let separator = self.separator();
            self.printed = Printed::default();
            self.printed.extend(&piece.bytes);
            piece.bytes.splice(..0, separator.iter().copied());
        } else {
            let lost = times.filter(|times| *times > 0 && self.printed.is_empty());
            piece.notes.extend(lost.map(runs_before));
            self.printed.extend(&piece.bytes);
        }
        self.restarts = times;
        piece
    }

    /// Keeps another log from going on in a line that was never ended.
    fn separator(&self) -> &'static [u8] {
        if self.printed.ends_a_line() {
            b""
        } else {
            b"\n"
        }
    }

    /// Nothing is there; at the last look that is told, since what was written since the last answer is lost.
    fn refused(&mut self, error: &Error, is_last: bool) -> LogPiece {
        let mut piece = LogPiece::default();
        if is_last && !std::mem::replace(&mut self.is_refusal_told, true) {
            piece.notes.push(if self.printed.is_empty() {
                format!("its log cannot be had: {error}")
            } else {
                format!("whether its log is whole is not known: {error}")
            });
        }
        piece
    }
}

impl Broken {
    const fn midway(error: Error) -> Self {
        Self {
            error,
            midway: true,
        }
    }
}

impl Flow {
    /// Takes bytes of the answer; `false` if what would have to be held is gone.
    fn take(&mut self, printed: &Printed, bytes: &[u8]) -> bool {
        let mut log = Vec::new();
        self.sieve.feed(bytes, &mut log);
        if log.is_empty() {
            return true;
        }
        match &mut self.stage {
            Stage::New => self.out.append(&mut log),
            Stage::Gathered(text) => text.append(&mut log),
            Stage::Known(walk) => match walk.step(printed, &log) {
                Step::Known => {}
                Step::New(from) => {
                    self.out
                        .extend_from_slice(log.get(from..).unwrap_or_default());
                    self.stage = Stage::New;
                }
                Step::Differs(used) => {
                    let Some(mut text) = std::mem::take(walk).beginning() else {
                        return false;
                    };
                    text.extend_from_slice(log.get(used..).unwrap_or_default());
                    self.stage = Stage::Gathered(text);
                }
            },
        }
        true
    }
}

impl Pending {
    /// The next part, if there is one.
    fn next(&mut self) -> Option<LogPiece> {
        let rest = self.text.get(self.done..).unwrap_or_default();
        if rest.is_empty() {
            // The memory is given back at once: a follower lives long.
            *self = Self::default();
            return None;
        }
        let bytes = rest.get(..PIECE.min(rest.len())).unwrap_or(rest).to_vec();
        let more = bytes.len() < rest.len();
        if more {
            self.done += bytes.len();
        } else {
            *self = Self::default();
        }
        Some(LogPiece {
            bytes,
            more,
            notes: Vec::new(),
        })
    }
}

/// An answer that came whole.
fn whole(answer: Answer) -> Incoming {
    let body: Bytes = answer.body;
    Incoming {
        status: answer.status,
        headers: answer.headers,
        pieces: stream::once(async move { Ok(body) }).boxed(),
    }
}

/// So many bytes at the end stand for characters that are not whole yet.
fn incomplete(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some(before) = rest.strip_suffix(INCOMPLETE) {
        rest = before;
    }
    bytes.len() - rest.len()
}

fn new_run(times: i64) -> String {
    match times {
        1 => "its container began again: here its next run begins".to_owned(),
        times => {
            format!("its container began again {times} times: here the last of its runs begins")
        }
    }
}

fn runs_before(times: i64) -> String {
    let runs = if times == 1 { "run" } else { "runs" };
    format!("its container began again: of {times} {runs} before this one nothing was read")
}
