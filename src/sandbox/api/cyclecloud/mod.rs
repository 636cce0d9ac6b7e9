//! Azure CycleCloud, emulated (cyclecloud.md §11): an opponent for the client, written from the contract.
//!
//! Order: Basic over the raw header, with its lock-out; then the raw path; then the body. The server starts and stops
//! nodes and knows no jobs. A node whose `Configuration` holds a `gpujob` boots for real, as far as one machine can:
//! the runner that an operator would have installed runs as processes of this machine, with a `jetpack` of its own.
//!
//! Not imitated: TLS with a self-signed certificate, guest health reports, `CloudInit` (kept, never run),
//! `ClusterInitSpecs`, public addresses, and the internal endpoints of the vendor's command line.

mod boot;
mod calls;
mod capacity;
mod catalogue;
mod create;
mod filter;
mod lifecycle;
mod manage;
mod query;
mod record;
mod reply;
mod request;
mod route;
mod runner;
mod status;
mod switches;
#[cfg(test)]
mod tests;
mod told;
mod usage;
mod world;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::header::{ALLOW, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::model::Backend;
use crate::sandbox::auth::basic::{self, Account, Refused};
use crate::sandbox::auth::bearer::{self, Token};
use crate::sandbox::clock::Clock;
use crate::sandbox::operation::{Held, Operation, Script};
use crate::sandbox::process::Launcher;
use crate::sandbox::service::Setup;
use crate::sandbox::service::{Delivery, RawAnswer, RawRequest, Service};
use crate::sandbox::trouble::Trouble;
use crate::secret::Secret;

use self::calls::Caller;
use self::catalogue::Catalogue;
use self::lifecycle::Surroundings;
use self::reply::Refusal;
use self::route::{Call, NoCall, route};
use self::switches::{FailNext, seconds};
use self::world::{Node, Phase, SERVICE, World};

/// The seeded user and another one, whose cluster the first must not see.
const USERS: [&str; 2] = ["ops", "eve"];

/// Symbols of passwords and tokens. A colon is among them: only the first one of the header is a border (§2.1).
const SYMBOLS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789:_-";

/// The emulated service.
#[derive(Debug)]
pub struct CycleCloud {
    clock: Clock,
    launcher: Launcher,
    seed: u64,
    catalogue: Catalogue,
    accounts: Vec<Account>,
    /// Accepted only while the switch `entra` is on.
    tokens: Vec<Token>,
    runner: String,
    world: Mutex<World>,
}

/// What the seeded users know.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub username: String,
    pub password: Secret,
    /// The same user's token, for a server with Entra ID.
    pub token: Secret,
    /// Another user, for tests of isolation.
    pub other_username: String,
    pub other_password: Secret,
}

impl CycleCloud {
    /// The cluster of the seeded user that is started.
    pub const CLUSTER: &str = "lab";

    /// The array of that cluster with a single GPU in every size that comes first.
    pub const NODEARRAY: &str = "gpu";

    /// A server with its clusters. The seed fixes its ids; passwords are fresh for every run.
    pub fn new(setup: Setup) -> Arc<Self> {
        Self::with_runner(setup, runner::RUNNER)
    }

    /// The same, with another runner on its nodes.
    pub(super) fn with_runner(setup: Setup, runner: &str) -> Arc<Self> {
        let accounts = USERS
            .iter()
            .map(|user| Account {
                username: (*user).to_owned(),
                password: fresh_secret(24),
            })
            .collect();
        let tokens = USERS
            .iter()
            .map(|user| Token {
                secret: fresh_secret(64),
                user: (*user).to_owned(),
            })
            .collect();
        let catalogue = Catalogue::load();
        Arc::new(Self {
            world: Mutex::new(World::new(setup.seed, &catalogue, &setup.clock)),
            clock: setup.clock,
            launcher: setup.launcher,
            seed: setup.seed,
            catalogue,
            accounts,
            tokens,
            runner: runner.to_owned(),
        })
    }

    /// The users and their passwords.
    pub fn credentials(&self) -> Credentials {
        let [username, other_username] = USERS.map(str::to_owned);
        let mut passwords = self.accounts.iter().map(|account| &account.password);
        let mut next = || passwords.next().cloned().unwrap_or_else(|| Secret::new(""));
        let token = self.tokens.first().map(|token| token.secret.clone());
        Credentials {
            username,
            password: next(),
            token: token.unwrap_or_else(|| Secret::new("")),
            other_username,
            other_password: next(),
        }
    }

    /// The directory of this machine that the nodes' runners write to: shared with whoever looks for exit codes.
    pub fn results_directory(&self) -> io::Result<PathBuf> {
        boot::results_directory(&self.launcher)
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn surroundings(&self) -> Surroundings<'_> {
        Surroundings {
            catalogue: &self.catalogue,
            clock: &self.clock,
            launcher: &self.launcher,
            runner: &self.runner,
        }
    }

    /// The user of a request.
    fn authenticate(&self, world: &mut World, request: &RawRequest) -> Result<&str, Refused> {
        if world.switches.entra
            && let Ok(token) = bearer::verify(&request.headers, &self.tokens)
        {
            return Ok(&token.user);
        }
        let rule = world.switches.lockout();
        let verified = basic::verify(
            &request.headers,
            &self.accounts,
            &mut world.lockout,
            &rule,
            &self.clock,
        );
        verified.map(|account| account.username.as_str())
    }

    fn call(&self, world: &mut World, request: &RawRequest) -> RawAnswer {
        let routed = route(
            &request.method,
            request.path(),
            &world.switches.context_path,
        );
        // The one call without credentials (§2.2).
        if routed == Ok(Call::Metadata) {
            count(world, "metadata");
            return calls::metadata(world.switches.entra);
        }
        let user = match self.authenticate(world, request) {
            Ok(user) => user,
            Err(refused) => {
                count(world, "unauthenticated");
                log::info!(
                    "{SERVICE}: {} {}: {refused}",
                    request.method,
                    request.path()
                );
                return unauthorized(&refused, world);
            }
        };
        let call = match routed {
            Ok(call) => call,
            Err(why) => {
                count(world, "unknown");
                return no_call(why, request, world);
            }
        };
        count(world, call.name());
        if world.switches.forbidden {
            return Refusal::forbidden("Access denied").answer(&world.switches);
        }
        let failure = world.switches.draw_failure();
        if let Some(failure) = failure
            && !failure.after_effect
        {
            return failed(failure, world);
        }
        if world.switches.html {
            return RawAnswer::html(
                StatusCode::OK,
                "<!DOCTYPE html><html><head><title>Login</title></head><body>Log in</body></html>",
            );
        }
        let mut caller = Caller {
            world,
            catalogue: &self.catalogue,
            clock: &self.clock,
            launcher: &self.launcher,
            user,
            request,
        };
        let outcome = caller.act(&call);
        if let Some(failure) = failure {
            return failed(failure, world);
        }
        let is_create = matches!(call, Call::Create { .. });
        match outcome {
            Ok(answer) if is_create && world.switches.drop_creates > 0 => {
                world.switches.drop_creates -= 1;
                answer.delivered(Delivery {
                    lost: true,
                    ..Delivery::default()
                })
            }
            Ok(answer) => with_extra(answer, world),
            Err(refusal) => refusal.answer(&world.switches),
        }
    }

    /// Does what is no switch: the deeds of [`Service::configure`].
    fn deed(&self, world: &mut World, name: &str, value: &Value) -> Result<(), String> {
        let wanted = value
            .as_str()
            .ok_or_else(|| format!("`{name}` takes a text, not {value}"))?;
        match name {
            "evict" => {
                let node = world
                    .nodes
                    .iter_mut()
                    .find(|node| node.id == wanted || node.name == wanted)
                    .ok_or_else(|| format!("`evict`: there is no node `{wanted}`"))?;
                lifecycle::evict(node, &self.clock);
            }
            "forget_operation" => {
                let before = world.operations.len();
                world.operations.retain(|operation| {
                    operation.id != wanted && operation.request_id.as_deref() != Some(wanted)
                });
                if world.operations.len() == before {
                    return Err(format!(
                        "`forget_operation`: there is no operation `{wanted}`"
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// What is done once, by these members of [`Service::configure`].
const DEEDS: [&str; 2] = ["evict", "forget_operation"];

impl Service for CycleCloud {
    fn backend(&self) -> &'static str {
        Backend::Cyclecloud.as_str()
    }

    fn answer(&self, request: &RawRequest) -> RawAnswer {
        let mut world = self.lock();
        let mut answer = self.call(&mut world, request);
        answer.delivery.delay = seconds(world.switches.slow_s);
        answer
    }

    fn operation(&self, request: &RawRequest) -> Operation {
        told::operation(request, &self.lock().switches.context_path)
    }

    fn context_path(&self) -> String {
        self.lock().switches.context_path.clone()
    }

    fn operations(&self) -> Vec<Operation> {
        told::OPERATIONS.to_vec()
    }

    fn scripted(&self, request: &RawRequest, script: Script) -> Option<RawAnswer> {
        let mut world = self.lock();
        let nodes = match script {
            Script::Partly { nodes } => nodes,
            Script::SoldOut => 0,
            Script::Throttled { .. } | Script::Failed(_) | Script::NotFound => {
                return told::scripted(script, &world);
            }
        };
        let usual = world.switches.grants_at_most.replace(nodes);
        let answer = self.call(&mut world, request);
        world.switches.grants_at_most = usual;
        Some(answer)
    }

    fn created(&self, request: &RawRequest, answer: &RawAnswer) -> Vec<String> {
        told::created(request, answer, &self.lock())
    }

    fn held(&self) -> Vec<Held> {
        told::held(&self.lock())
    }

    fn tick(&self) {
        lifecycle::advance(&mut self.lock(), &self.surroundings());
    }

    /// Beside the switches there are two deeds: `{"evict": NODE}`, by name or id, and `{"forget_operation": ID}`, by the
    /// operation's or the request's id.
    fn configure(&self, settings: &Value) -> Result<(), String> {
        let mut world = self.lock();
        let mut settings = settings.clone();
        let deeds: Vec<(&str, Value)> = DEEDS
            .into_iter()
            .filter_map(|name| Some((name, settings.as_object_mut()?.shift_remove(name)?)))
            .collect();
        let changed = world.switches.changed(&settings)?;
        if deeds.len() > 1 {
            return Err(format!("one deed at a time: {}", DEEDS.join(" or ")));
        }
        for (name, value) in deeds {
            self.deed(&mut world, name, &value)?;
        }
        world.switches = changed;
        drop(world);
        self.tick();
        Ok(())
    }

    fn befall(&self, job: &str, trouble: Trouble) -> Result<(), String> {
        let mut world = self.lock();
        let operation = told::held(&world)
            .into_iter()
            .find(|held| held.is(job))
            .ok_or_else(|| trouble.cannot(job, "there is no such request"))?
            .id;
        lifecycle::befall(&mut world, &operation, trouble, &self.surroundings())
            .map_err(|why| trouble.cannot(job, why))
    }

    fn reset(&self) {
        let mut world = self.lock();
        for node in &world.nodes {
            self.launcher.forget(&node.job());
        }
        boot::clear_all(&self.launcher);
        // Clients were told this directory.
        if let Err(error) = self.results_directory() {
            log::warn!("{SERVICE}: the directory of results is not there: {error}");
        }
        *world = World::new(self.seed, &self.catalogue, &self.clock);
    }

    fn summary(&self) -> Value {
        let world = self.lock();
        let mut jobs: BTreeMap<&str, u64> = BTreeMap::new();
        let creates = world
            .operations
            .iter()
            .filter(|call| call.action == "create");
        for operation in creates {
            let nodes: Vec<&Node> = world
                .nodes
                .iter()
                .filter(|node| operation.nodes.contains(&node.id))
                .collect();
            *jobs.entry(job_word(&nodes)).or_default() += 1;
        }
        json!({
            "jobs": jobs,
            "nodes": world.nodes.len(),
            "requests": world.requests,
            "switches": world.switches,
        })
    }
}

/// What a request's nodes are up to; of one whose nodes are gone the server knows nothing more.
fn job_word(nodes: &[&Node]) -> &'static str {
    let any = |phase: Phase| nodes.iter().any(|node| node.phase == phase);
    if nodes.is_empty() {
        "gone"
    } else if any(Phase::Failed) {
        "failed"
    } else if any(Phase::Acquiring) {
        "pending"
    } else if any(Phase::Preparing) {
        "starting"
    } else if any(Phase::Ready) {
        "running"
    } else {
        "stopping"
    }
}

fn unauthorized(refused: &Refused, world: &World) -> RawAnswer {
    let message = if *refused == Refused::Locked {
        "account locked"
    } else {
        "Authentication failed"
    };
    Refusal::with_status(StatusCode::UNAUTHORIZED, message)
        .answer(&world.switches)
        .with_header(
            WWW_AUTHENTICATE,
            HeaderValue::from_static("Basic realm=\"CycleCloud\""),
        )
}

fn no_call(why: NoCall, request: &RawRequest, world: &World) -> RawAnswer {
    match why {
        NoCall::Path => {
            Refusal::not_found(format!("No such path: {}", request.path())).answer(&world.switches)
        }
        NoCall::Method(allowed) => Refusal::with_status(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("{} is not allowed here", request.method),
        )
        .answer(&world.switches)
        .with_header(ALLOW, HeaderValue::from_static(allowed)),
    }
}

fn failed(failure: FailNext, world: &World) -> RawAnswer {
    let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Refusal::with_status(status, "The server is in trouble, by a switch").answer(&world.switches)
}

/// The switch `extra_members` at the top of an answer.
fn with_extra(mut answer: RawAnswer, world: &World) -> RawAnswer {
    if world.switches.extra_members
        && let Ok(Value::Object(mut body)) = serde_json::from_slice(&answer.body)
    {
        body.insert("sandboxExtra".to_owned(), json!("nobody knows this"));
        answer.body = Value::Object(body).to_string().into();
    }
    answer
}

fn count(world: &mut World, name: &'static str) {
    *world.requests.entry(name).or_default() += 1;
}

/// Never from the seed.
fn fresh_secret(length: usize) -> Secret {
    let mut random = fastrand::Rng::new();
    let symbols: String = (0..length)
        .filter_map(|_| random.choice(SYMBOLS).copied())
        .map(char::from)
        .collect();
    Secret::new(symbols)
}
