//! Alibaba PAI-DLC and AIWorkspace, emulated (pai-dlc.md §11).
//!
//! One port serves both products: their paths do not meet, and `x-acs-version` tells them apart. Every request goes
//! through the steps of §2.8 over its raw bytes before it is routed; bodies and parameters are decoded strictly, and
//! what no model has is ignored and noted in the log, as the service does (§10, 21).
//!
//! Not imitated: prices and bids, restarts, priorities among jobs, read-only mounts, images, code sources and Python
//! libraries (their places are there and empty), metrics, terminals, sanity checks' results, boards, templates.

mod admission;
mod catalogue;
mod credentials;
mod datasets;
mod decode;
mod ids;
mod job;
mod launching;
mod listing;
mod members;
mod mounting;
mod operations;
mod pod_log;
mod query;
mod reply;
mod request;
mod resources;
mod routes;
mod show;
mod status;
mod switches;
#[cfg(test)]
mod tests;
mod times;
mod told;
mod walk;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use self::catalogue::Catalogue;
pub use self::credentials::{Credentials, KeyPair, TemporaryKey};
use self::job::Moment;
use self::operations::State;
use self::query::Query;
use self::reply::{Body, Envelope, Refusal};
use crate::model::Timestamp;
use crate::sandbox::auth::acs3::{self, Fault, KeyStore};
use crate::sandbox::clock::Clock;
use crate::sandbox::operation::{Held, Operation, Script};
use crate::sandbox::process::Launcher;
use crate::sandbox::service::Setup;
use crate::sandbox::service::{RawAnswer, RawRequest, Service};
use crate::sandbox::trouble::Trouble;

/// The emulated service.
#[derive(Debug)]
pub struct PaiDlc {
    clock: Clock,
    launcher: Launcher,
    catalogue: Catalogue,
    credentials: Credentials,
    keys: KeyStore,
    state: Mutex<State>,
}

impl PaiDlc {
    /// A service without jobs. The seed fixes its ids; keys are fresh for every run.
    pub fn new(setup: Setup) -> Arc<Self> {
        let random = fastrand::Rng::with_seed(setup.seed);
        let catalogue = Catalogue::load();
        let credentials = Credentials::make(setup.clock.now());
        let keys = credentials.store(&catalogue.own, &catalogue.colleague);
        Arc::new(Self {
            clock: setup.clock,
            launcher: setup.launcher,
            catalogue,
            credentials,
            keys,
            state: Mutex::new(State::new(random)),
        })
    }

    /// The region of the account; the emulator itself has one host for all.
    pub const REGION: &str = "cn-hangzhou";

    /// The id of the default workspace.
    pub fn default_workspace(&self) -> String {
        self.catalogue
            .workspace(None)
            .map_or_else(|_| String::new(), |workspace| workspace.id.clone())
    }

    /// The keys that the service knows.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Steps 1 to 10 of §2.8, then the operation.
    fn respond(
        &self,
        state: &mut State,
        request: &RawRequest,
        now: Timestamp,
    ) -> Result<Body, Refusal> {
        let user = acs3::verify(request, now, &self.keys)
            .and_then(|verified| {
                state
                    .nonces
                    .admit(&verified.key_id, &verified.nonce, now)
                    .map(|()| verified.user_id)
            })
            .map_err(|fault| noted(request, fault))?;
        let user = self.catalogue.user(&user);
        let route = routes::find(request)?;
        state.count(route.operation);
        if let Some(refusal) = state.switches.refuse(route.operation, &user.name) {
            return Err(refusal);
        }
        let query = Query::parse(request.raw_query())?;
        for name in query.unknown(route.operation.parameters()) {
            log::info!(
                "pai-dlc: {}: unknown parameter `{name}` ignored",
                route.operation.action()
            );
        }
        let call = operations::Call {
            catalogue: &self.catalogue,
            launcher: &self.launcher,
            user,
            now,
            elapsed: self.clock.elapsed(),
            query: &query,
            body: &request.body,
            content_type: request.header("content-type"),
            route: &route,
        };
        state.perform(&call)
    }
}

/// Tells the log, and only the log, which part was wrong (style.md §12).
fn noted(request: &RawRequest, fault: Fault) -> Refusal {
    log::info!(
        "pai-dlc: {} {} refused: {} ({})",
        request.method,
        request.path(),
        fault.code(),
        fault.reason()
    );
    fault.into()
}

fn envelope<'a>(state: &mut State, request: &'a RawRequest, now: Timestamp) -> Envelope<'a> {
    Envelope {
        request_id: ids::request(&mut state.random),
        now,
        host: request.header("host").unwrap_or_default(),
        product: routes::product(request.header("x-acs-version")),
    }
}

impl Service for PaiDlc {
    fn backend(&self) -> &'static str {
        launching::SERVICE
    }

    fn answer(&self, request: &RawRequest) -> RawAnswer {
        let now = self.clock.now();
        let mut state = self.state();
        let envelope = envelope(&mut state, request, now);
        let outcome = self.respond(&mut state, request, now);
        drop(state);
        reply::render(outcome, &envelope)
    }

    fn operation(&self, request: &RawRequest) -> Operation {
        told::operation(request)
    }

    fn operations(&self) -> Vec<Operation> {
        routes::all().map(told::of_action).collect()
    }

    fn scripted(&self, request: &RawRequest, script: Script) -> Option<RawAnswer> {
        let refusal = told::scripted(script, request)?;
        let envelope = envelope(&mut self.state(), request, self.clock.now());
        Some(reply::render(Err(refusal), &envelope))
    }

    fn created(&self, _request: &RawRequest, answer: &RawAnswer) -> Vec<String> {
        told::created(answer)
    }

    fn held(&self) -> Vec<Held> {
        told::held(&self.state())
    }

    fn tick(&self) {
        let now = Moment {
            time: self.clock.now(),
            elapsed: self.clock.elapsed(),
        };
        self.state()
            .advance(now, self.clock.speed(), &self.launcher);
    }

    fn configure(&self, settings: &Value) -> Result<(), String> {
        let mut state = self.state();
        state.switches = state.switches.with(settings)?;
        drop(state);
        self.tick();
        Ok(())
    }

    fn befall(&self, job: &str, trouble: Trouble) -> Result<(), String> {
        let now = Moment {
            time: self.clock.now(),
            elapsed: self.clock.elapsed(),
        };
        let mut state = self.state();
        let id = told::held(&state)
            .into_iter()
            .find(|held| held.is(job))
            .map_or_else(|| job.to_owned(), |held| held.id);
        state
            .befall(&id, trouble, now, &self.launcher)
            .map_err(|why| trouble.cannot(job, why))?;
        drop(state);
        self.tick();
        Ok(())
    }

    fn reset(&self) {
        self.state().clear(&self.launcher);
        if let Err(error) = self.launcher.remove_volumes(launching::SERVICE) {
            log::warn!("pai-dlc: files of datasets stay: {error}");
        }
    }

    fn summary(&self) -> Value {
        let state = self.state();
        json!({
            "jobs": state.job_counts(),
            "volumes": state.dataset_count(),
            "requests": state.requests,
            "switches": state.switches.shown(),
        })
    }
}
