//! `-p A,B,C` and `-p any`: one candidate after the other until one takes the job (cli.md §2.1).
//!
//! Only a definite refusal moves on. What is not known to be refused ends the search, since a second create somewhere
//! else could be a second job. What each candidate said is kept as its receipt.

use std::path::Path;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use crate::ambient::{Clock as _, Reporter as _};
use crate::app::App;
use crate::engine::failover::{self, Prospect, Step};
use crate::engine::fanout::Candidate;
use crate::engine::submit::Turn;
use crate::error::{Error, Kind, Result};
use crate::model::{Job, Receipt, Timestamp};
use crate::output::table::receipts as receipt_lines;
use crate::output::{PriceCheck, Told};
use crate::provider::{Plan, Provider};
use crate::spec::units::format_duration;

use super::super::plan::{Planned, plan_as, refusal};
use super::super::spec::Prepared;
use super::super::wait::Pace;
use super::id_file::IdFile;
use super::place::place;
use super::price;

/// A job that is there.
#[derive(Debug)]
pub(super) struct Placed<'a> {
    pub(super) job: Job,
    pub(super) told: Told,
    pub(super) id_file: Option<IdFile<'a>>,
}

/// Who may take the job, and for how long they are asked.
#[derive(Debug)]
pub(super) struct Candidates {
    pub(super) all: Vec<Candidate>,
    /// `-p any`: by price, then stock; else in the order given.
    pub(super) is_any: bool,
    /// `--wait-for-capacity`.
    pub(super) wait: Option<Duration>,
    /// `--best-effort`: one that does not answer, before any create, is passed over like one that refuses.
    pub(super) passes_over_silence: bool,
}

impl Candidates {
    /// Their names, in order.
    pub(super) fn names(&self) -> Vec<&str> {
        let names = self.all.iter().map(|candidate| candidate.name.as_str());
        names.collect()
    }
}

/// What every candidate gets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order<'o, 'a> {
    pub(super) prepared: &'o Prepared,
    pub(super) pace: &'o Pace,
    pub(super) turn: &'o Turn,
    pub(super) id_file: Option<&'a Path>,
}

/// One candidate, and how it stands.
#[derive(Debug)]
struct Standing {
    is_open: bool,
    fate: Option<Error>,
    receipt: Receipt,
}

/// Finds the job a place, or ends with every receipt.
pub(super) async fn place_somewhere<'a>(
    app: &App,
    candidates: &Candidates,
    order: Order<'_, 'a>,
) -> Result<Placed<'a>> {
    // Without a journal nothing may be created anywhere.
    app.writable_journal()?;
    let mut search = Search::new(app, candidates, order)?;
    let end = candidates.wait.map(|wait| Instant::now() + wait);
    let mut rounds = 0;
    loop {
        match search.round().await {
            Round::Placed(placed) => return Ok(*placed),
            Round::Stopped(error) => return Err(search.stopped(error)),
            Round::Refused => {}
        }
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        let Some(left) = left.filter(|left| search.may_change() && !left.is_zero()) else {
            return Err(search.refused());
        };
        // The last look is at the very end.
        let pause = failover::pause(rounds, search.unit()).min(left);
        if let Err(error) = search.sleep(pause).await {
            return Err(search.stopped(error));
        }
        rounds += 1;
    }
}

/// The plans of some candidates, by their places, in the order in which they would be tried.
pub(super) async fn plan_all(
    app: &App,
    candidates: &Candidates,
    places: &[usize],
    prepared: &Prepared,
    turn: &Turn,
) -> Vec<(usize, Result<Planned>)> {
    let planning = places.iter().filter_map(|place| {
        let candidate = candidates.all.get(*place)?;
        Some(async move {
            let planned = match &candidate.provider {
                Ok(provider) => plan_as(app, &**provider, prepared, turn).await,
                Err(error) => Err(error.clone()),
            };
            (*place, planned)
        })
    });
    let mut planned = join_all(planning).await;
    if candidates.is_any {
        let prospects: Vec<Prospect> = planned
            .iter()
            .map(|(place, planned)| prospect(*place, planned.as_ref().ok()))
            .collect();
        if failover::has_several_currencies(&prospects) {
            app.ui.note(
                "prices are told in several currencies, which are not converted: those of the first come first",
            );
        }
        let order = failover::by_price_then_stock(prospects);
        planned.sort_by_key(|(place, _)| order.iter().position(|other| other == place));
    }
    planned
}

fn prospect(place: usize, planned: Option<&Planned>) -> Prospect {
    let plan = match planned {
        Some(Planned::Ready(plan)) => Some(&**plan),
        Some(Planned::Refused(_)) | None => None,
    };
    Prospect {
        place,
        is_planned: plan.is_some(),
        price: plan.and_then(|plan| plan.bill().per_hour),
        stock: Prospect::stock_of(plan.and_then(|plan| plan.offer.as_ref())),
    }
}

/// How a round ended.
enum Round<'a> {
    Placed(Box<Placed<'a>>),
    /// Everybody who was asked refused, or could not answer before any create.
    Refused,
    Stopped(Error),
}

struct Search<'c, 'a> {
    app: &'c App,
    candidates: &'c Candidates,
    order: Order<'c, 'a>,
    id_file: Option<IdFile<'a>>,
    standings: Vec<Standing>,
}

impl<'c, 'a> Search<'c, 'a> {
    fn new(app: &'c App, candidates: &'c Candidates, order: Order<'c, 'a>) -> Result<Self> {
        let config = app.config()?;
        let standings = candidates
            .all
            .iter()
            .map(|candidate| {
                let backend = config.provider(&candidate.name)?.backend;
                Ok(Standing {
                    is_open: true,
                    fate: None,
                    receipt: Receipt::unasked(&candidate.name, backend),
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            app,
            candidates,
            order,
            id_file: None,
            standings,
        })
    }

    /// Asks everybody who is open, once.
    async fn round(&mut self) -> Round<'a> {
        let Order { prepared, turn, .. } = self.order;
        let open: Vec<usize> = (0..self.standings.len())
            .filter(|place| {
                self.standings
                    .get(*place)
                    .is_some_and(|standing| standing.is_open)
            })
            .collect();
        let ahead: Vec<(usize, Option<Result<Planned>>)> = if self.candidates.is_any {
            let planning = plan_all(self.app, self.candidates, &open, prepared, turn);
            let planning = async {
                Ok(self
                    .app
                    .with_progress("asking all candidates", planning)
                    .await)
            };
            match self.app.unless_interrupted(NOTHING, planning).await {
                Ok(planned) => planned
                    .into_iter()
                    .map(|(place, planned)| (place, Some(planned)))
                    .collect(),
                Err(error) => return Round::Stopped(error),
            }
        } else {
            open.into_iter().map(|place| (place, None)).collect()
        };
        let now = self.app.clock.now();
        for (place, planned) in &ahead {
            if let (Some(Ok(Planned::Ready(plan))), Some(standing)) =
                (planned, self.standings.get_mut(*place))
            {
                saw(&mut standing.receipt, plan, now);
            }
        }
        for (place, planned) in ahead {
            let outcome = self.attempt(place, planned).await;
            let Some(standing) = self.standings.get_mut(place) else {
                continue;
            };
            match outcome {
                Ok((job, price)) => {
                    standing.receipt.chosen = true;
                    standing.receipt.code = None;
                    standing.receipt.reason = None;
                    let why = format!("`{}` took the job", standing.receipt.provider);
                    self.leave_out(&why);
                    let receipts = self.receipts();
                    if receipts.len() > 1 {
                        self.app.ui.receipts(&receipts, self.app.clock.now());
                    }
                    return Round::Placed(Box::new(Placed {
                        job,
                        told: Told { receipts, price },
                        id_file: self.id_file.take(),
                    }));
                }
                Err(error) => {
                    standing.receipt.code = Some(error.code().to_owned());
                    standing.receipt.reason = Some(reason(&error));
                    standing.fate = Some(error.clone().with_provider(&standing.receipt.provider));
                    match failover::after(&error) {
                        Step::Next { again } => standing.is_open = again,
                        Step::Pause if self.candidates.passes_over_silence => {}
                        Step::Pause if self.candidates.wait.is_some() => return Round::Refused,
                        Step::Pause | Step::Stop => return Round::Stopped(error),
                    }
                    if self.standings.len() > 1 {
                        self.app.ui.detail(1, &error.to_string());
                    }
                }
            }
        }
        Round::Refused
    }

    /// Plans for one candidate, unless that was done, and sends it the create.
    async fn attempt(
        &mut self,
        place_of: usize,
        planned: Option<Result<Planned>>,
    ) -> Result<(Job, Option<PriceCheck>)> {
        let (app, order) = (self.app, self.order);
        let candidate = self
            .candidates
            .all
            .get(place_of)
            .ok_or_else(|| Error::internal("a candidate is missing"))?;
        let provider: &dyn Provider = match &candidate.provider {
            Ok(provider) => &**provider,
            Err(error) => return Err(error.clone()),
        };
        let planned = if let Some(planned) = planned {
            planned?
        } else {
            let text = format!("asking {}", provider.name());
            let planning = plan_as(app, provider, order.prepared, order.turn);
            app.unless_interrupted(NOTHING, app.with_progress(&text, planning))
                .await?
        };
        let plan = match planned {
            Planned::Ready(plan) => plan,
            Planned::Refused(assessment) => return Err(refusal(provider, assessment)),
        };
        let now = app.clock.now();
        if let Some(standing) = self.standings.get_mut(place_of) {
            saw(&mut standing.receipt, &plan, now);
            standing.receipt.tried = true;
        }
        if self.id_file.is_none() {
            self.id_file = order.id_file.map(IdFile::open).transpose()?;
        }
        let job = place(app, provider, &plan, order.prepared, order.pace, order.turn).await?;
        let price = price::check(app, provider, &plan, &job).await?;
        Ok((job, price))
    }

    /// Says of everybody who was not asked why.
    fn leave_out(&mut self, why: &str) {
        for standing in &mut self.standings {
            let receipt = &mut standing.receipt;
            if !receipt.chosen && !receipt.tried && receipt.reason.is_none() {
                receipt.reason = Some(why.to_owned());
            }
        }
    }

    fn receipts(&self) -> Vec<Receipt> {
        let now = self.app.clock.now();
        self.standings
            .iter()
            .map(|standing| standing.receipt.told_at(now))
            .collect()
    }

    /// Whether waiting may change anything for anybody.
    fn may_change(&self) -> bool {
        self.standings.iter().any(|standing| standing.is_open)
    }

    /// The first pause where everybody is on this machine.
    fn unit(&self) -> Option<Duration> {
        let is_here = self.candidates.all.iter().all(|candidate| {
            candidate
                .provider
                .as_ref()
                .is_ok_and(|provider| provider.polling().loopback)
        });
        self.order.pace.poll.filter(|_| is_here)
    }

    /// Waits before the next round; the end of the whole command and signals come first.
    async fn sleep(&self, pause: Duration) -> Result<()> {
        let end = Instant::now() + pause;
        let text = "waiting for capacity".to_owned();
        let sleeping = self.app.with_progress(&text, async {
            match self.app.deadline {
                Some(deadline) if deadline < end => {
                    tokio::time::sleep_until(deadline).await;
                    Err(Error::new(
                        Kind::Timeout,
                        "timeout",
                        "`--timeout` ran out before anybody took the job; nothing was submitted",
                    ))
                }
                Some(_) | None => {
                    tokio::time::sleep_until(end).await;
                    Ok(())
                }
            }
        });
        self.app.unless_interrupted(NOTHING, sleeping).await
    }

    /// The error that ended the search, with the receipts.
    fn stopped(&mut self, error: Error) -> Error {
        let why = if error.kind() == Kind::OutcomeUnknown {
            "it is not known whether the job is elsewhere"
        } else {
            "the search ended before"
        };
        self.leave_out(why);
        let receipts = self.receipts();
        if receipts.len() > 1 {
            self.app.ui.receipts(&receipts, self.app.clock.now());
        }
        error.with_receipts(receipts)
    }

    /// The error of a search that found no place.
    fn refused(&mut self) -> Error {
        self.leave_out("the search ended before");
        let receipts = self.receipts();
        let looked_for = self
            .candidates
            .wait
            .filter(|_| self.may_change())
            .map(|wait| format_duration(wait.as_secs()));
        let mut fates: Vec<Error> = self
            .standings
            .iter()
            .filter_map(|standing| standing.fate.clone())
            .collect();
        if self.standings.len() == 1
            && let Some(only) = fates.pop()
        {
            return only.with_receipts(receipts);
        }
        let names = self.app.provider_names().unwrap_or_default();
        fates.sort_by_key(|error| {
            let provider = error.details().provider.as_ref();
            names
                .iter()
                .position(|name| Some(name) == provider)
                .unwrap_or(names.len())
        });
        let lines = receipt_lines(&receipts, self.app.clock.now());
        failover::conclude(&fates, &lines, looked_for.as_deref()).with_receipts(receipts)
    }
}

const NOTHING: &str = "interrupted; nothing was submitted";

/// What a plan shows of its candidate.
fn saw(receipt: &mut Receipt, plan: &Plan, now: Timestamp) {
    receipt.price_per_hour = plan.bill().per_hour;
    let read_at = plan.offer.as_ref().and_then(|offer| offer.as_of);
    receipt.as_of = Some(read_at.unwrap_or(now));
}

/// Why a candidate did not take the job: every refusal, else the sentence.
fn reason(error: &Error) -> String {
    match error.details().refusals.as_slice() {
        [] | [_] => error.message().to_owned(),
        several => several
            .iter()
            .map(|refusal| format!("`{}`: {}", refusal.field, refusal.message))
            .collect::<Vec<_>>()
            .join("; "),
    }
}
