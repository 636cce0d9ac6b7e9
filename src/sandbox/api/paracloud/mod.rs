//! Paracloud ECI v1beta2, imitated as paracloud.md §10 wants it: an opponent for the client, written from the contract.
//!
//! Order: Bearer over the raw header, then the raw path, then strict decoding. The transfer service (WebDAV, §6) is on the
//! same port, with a user for each volume. A run is a process of this machine; without a `command` there is nothing to
//! run, since images are not pulled.

mod calls;
mod catalogue;
mod groups;
mod lifecycle;
mod model;
mod program;
mod render;
mod route;
mod switches;
#[cfg(test)]
mod tests;
mod told;
mod transfer;
mod wire;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::header::{ALLOW, CONNECTION, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use crate::model::Backend;
use crate::sandbox::auth::bearer::{self, Token};
use crate::sandbox::clock::Clock;
use crate::sandbox::operation::{Held, Operation, Script};
use crate::sandbox::process::Launcher;
use crate::sandbox::service::Setup;
use crate::sandbox::service::{Intake, RawAnswer, RawRequest, Service};
use crate::sandbox::trouble::Trouble;
use crate::secret::Secret;

use self::calls::Caller;
use self::model::{Phase, SERVICE, World};
use self::render::{Failure, framework_error};
use self::route::{Call, NoCall, route};
use self::switches::seconds;

/// The seeded user and another one, who must see nothing of the first.
const USERS: [&str; 2] = ["1024", "2048"];

/// Base64url, as in the one sample of a token (§1.2).
const TOKEN_SYMBOLS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The emulated service.
#[derive(Debug)]
pub struct Paracloud {
    clock: Clock,
    launcher: Launcher,
    seed: u64,
    tokens: Vec<Token>,
    world: Mutex<World>,
}

/// What the seeded users know.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub token: Secret,
    pub namespace: String,
    /// Another user's token and namespace, for tests of isolation.
    pub other_token: Secret,
    pub other_namespace: String,
}

impl Paracloud {
    /// A service with two users and a namespace for each.
    pub fn new(setup: Setup) -> Arc<Self> {
        let tokens = USERS
            .iter()
            .map(|user| Token {
                secret: fresh_token(),
                user: (*user).to_owned(),
            })
            .collect();
        Arc::new(Self {
            clock: setup.clock,
            launcher: setup.launcher,
            seed: setup.seed,
            tokens,
            world: Mutex::new(World::new(setup.seed, &USERS)),
        })
    }

    /// Tokens and namespaces of the seeded users.
    pub fn credentials(&self) -> Credentials {
        let world = World::new(self.seed, &USERS);
        let mut tokens = self.tokens.iter().map(|token| token.secret.clone());
        let mut namespaces = world.namespaces.into_iter().map(|namespace| namespace.id);
        let mut next_token = || tokens.next().unwrap_or_else(|| Secret::new(""));
        let mut next_namespace = || namespaces.next().unwrap_or_default();
        Credentials {
            token: next_token(),
            namespace: next_namespace(),
            other_token: next_token(),
            other_namespace: next_namespace(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The user of a request.
    fn authenticate(&self, world: &mut World, request: &RawRequest) -> Result<&str, Failure> {
        let unauthorized = || Failure::new(StatusCode::UNAUTHORIZED, "unauthorized");
        let token = bearer::verify(&request.headers, &self.tokens).map_err(|refused| {
            log::info!(
                "{SERVICE}: {} {}: {refused}",
                request.method,
                request.path()
            );
            unauthorized()
        })?;
        if world.switches.forbidden {
            return Err(Failure::new(StatusCode::FORBIDDEN, "forbidden"));
        }
        let used_up = world
            .switches
            .token_expires_after_calls
            .is_some_and(|limit| world.calls >= limit);
        let too_old = world
            .switches
            .token_expires_after_s
            .is_some_and(|limit| self.clock.has_passed(world.expiry_since, seconds(limit)));
        if used_up || too_old {
            log::info!("{SERVICE}: the token has expired, by a switch");
            return Err(unauthorized());
        }
        world.calls += 1;
        Ok(&token.user)
    }

    fn call(&self, world: &mut World, request: &RawRequest) -> RawAnswer {
        let user = match self.authenticate(world, request) {
            Ok(user) => user,
            Err(failure) => {
                count(world, "Unauthenticated");
                return failure.answer();
            }
        };
        let call = match route(&request.method, request.path()) {
            Ok(call) => call,
            Err(why) => {
                count(world, "Unknown");
                return no_call(why, request, world);
            }
        };
        count(world, call.name());
        if let Some(refusal) = wrong_form(world, &call, request) {
            return refusal;
        }
        let mut caller = Caller {
            world,
            clock: &self.clock,
            launcher: &self.launcher,
            user,
            host: request.header("host").unwrap_or("127.0.0.1"),
        };
        caller
            .act(&call, &request.body)
            .unwrap_or_else(|failure| failure.answer())
    }

    /// Lets a group vanish, as finished ones may at any time (§3.5).
    fn remove_group(&self, world: &mut World, id: &str) -> Result<(), String> {
        let index = world
            .groups
            .iter()
            .position(|group| group.id == id)
            .ok_or_else(|| format!("`remove_group`: there is no container group `{id}`"))?;
        let group = world.groups.remove(index);
        self.launcher.forget(&group.job());
        Ok(())
    }
}

impl Service for Paracloud {
    fn backend(&self) -> &'static str {
        Backend::Paracloud.as_str()
    }

    fn intake(&self, head: &RawRequest) -> Intake {
        if !transfer::is_transfer(head) {
            return Intake::Memory;
        }
        let access = transfer::admit(&self.lock(), &head.headers, &self.clock);
        transfer::intake(access.as_ref(), &head.method, &self.launcher)
    }

    fn answer(&self, request: &RawRequest) -> RawAnswer {
        if transfer::is_transfer(request) {
            let mut world = self.lock();
            count(&mut world, transfer::operation_name(&request.method));
            let access = transfer::admit(&world, &request.headers, &self.clock);
            drop(world);
            return access.map_or_else(transfer::unauthorized, |access| {
                transfer::answer(&access, request, &self.launcher)
            });
        }
        // The documented answers close the connection (§1.5).
        self.call(&mut self.lock(), request)
            .with_header(CONNECTION, HeaderValue::from_static("close"))
    }

    fn operation(&self, request: &RawRequest) -> Operation {
        told::operation(request)
    }

    fn operations(&self) -> Vec<Operation> {
        told::OPERATIONS.to_vec()
    }

    fn scripted(&self, _request: &RawRequest, script: Script) -> Option<RawAnswer> {
        told::scripted(script)
            .map(|answer| answer.with_header(CONNECTION, HeaderValue::from_static("close")))
    }

    fn created(&self, _request: &RawRequest, answer: &RawAnswer) -> Vec<String> {
        told::created(answer)
    }

    fn held(&self) -> Vec<Held> {
        told::held(&self.lock())
    }

    fn tick(&self) {
        lifecycle::advance(&mut self.lock(), &self.clock, &self.launcher);
    }

    /// Beside the switches there is one deed: `{"remove_group": ID}`.
    fn configure(&self, settings: &Value) -> Result<(), String> {
        let mut world = self.lock();
        let mut settings = settings.clone();
        let removed = settings
            .as_object_mut()
            .and_then(|members| members.shift_remove("remove_group"));
        let changed = world.switches.changed(&settings)?;
        if let Some(id) = removed {
            self.remove_group(&mut world, id.as_str().unwrap_or_default())?;
        }
        if ["token_expires_after_calls", "token_expires_after_s"]
            .iter()
            .any(|name| settings.get(name).is_some())
        {
            world.calls = 0;
            world.expiry_since = self.clock.elapsed();
        }
        world.switches = changed;
        drop(world);
        self.tick();
        Ok(())
    }

    fn befall(&self, job: &str, trouble: Trouble) -> Result<(), String> {
        let mut world = self.lock();
        let id = told::held(&world)
            .into_iter()
            .find(|held| held.is(job))
            .ok_or_else(|| trouble.cannot(job, "there is no such container group"))?
            .id;
        match trouble {
            Trouble::Vanishes => self.remove_group(&mut world, &id),
            Trouble::NodeFails => {
                let mut groups = world.groups.iter_mut();
                let is_lost = groups
                    .find(|group| group.id == id)
                    .is_some_and(|group| lifecycle::lose_node(group, &self.clock));
                if is_lost {
                    Ok(())
                } else {
                    Err(trouble.cannot(job, "it does not run"))
                }
            }
            Trouble::TimesOut => Err(trouble.cannot(
                job,
                "Paracloud has no time limit; a command of its own, such as `timeout`, ends it",
            )),
            Trouble::Restarts => Err(trouble.cannot(job, "Paracloud restarts nothing")),
        }
    }

    fn reset(&self) {
        let mut world = self.lock();
        for group in &world.groups {
            self.launcher.forget(&group.job());
        }
        if let Err(error) = self.launcher.remove_volumes(SERVICE) {
            log::warn!("{SERVICE}: files of volumes stay: {error}");
        }
        *world = World::new(self.seed, &USERS);
    }

    fn summary(&self) -> Value {
        let world = self.lock();
        let mut jobs: BTreeMap<&str, u64> = BTreeMap::new();
        for group in &world.groups {
            let state = match &group.phase {
                Phase::Creating | Phase::ImagePulling | Phase::PullFailed(_) => "pending",
                Phase::Running(_) => "running",
                Phase::Ended(ending) if ending.succeeded => "succeeded",
                Phase::Ended(ending) if ending.reason == "Cancelled" => "cancelled",
                Phase::Ended(_) => "failed",
            };
            *jobs.entry(state).or_default() += 1;
        }
        json!({
            "jobs": jobs,
            "volumes": world.volumes.len(),
            "namespaces": world.namespaces.len(),
            "requests": world.requests,
            "switches": world.switches,
        })
    }
}

/// What is wrong with the request's form, before its meaning counts: media type, parameters, body.
fn wrong_form(world: &World, call: &Call<'_>, request: &RawRequest) -> Option<RawAnswer> {
    let switches = &world.switches;
    if request.method == Method::POST && switches.check_content_type && !is_json(request) {
        return Some(framework_error(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Unsupported Media Type",
            switches.error_pages,
        ));
    }
    if switches.lenient {
        return None;
    }
    // No call has a documented parameter, and none but the creates has a body (§3).
    if !request.raw_query().is_empty() {
        let message = format!("unknown parameter `{}`", request.raw_query());
        return Some(Failure::invalid(message).answer());
    }
    if !call.has_body() && !request.body.is_empty() {
        return Some(Failure::invalid("this call takes no body").answer());
    }
    None
}

fn is_json(request: &RawRequest) -> bool {
    request
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"))
}

fn no_call(why: NoCall, request: &RawRequest, world: &World) -> RawAnswer {
    let pages = world.switches.error_pages;
    match why {
        NoCall::Path => framework_error(StatusCode::NOT_FOUND, "Page Not Found", pages),
        NoCall::Method => {
            let allowed = ["GET", "POST", "DELETE"]
                .into_iter()
                .filter(|name| {
                    Method::from_bytes(name.as_bytes())
                        .is_ok_and(|method| route(&method, request.path()).is_ok())
                })
                .collect::<Vec<_>>()
                .join(", ");
            let answer =
                framework_error(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed", pages);
            match HeaderValue::from_str(&allowed) {
                Ok(allowed) => answer.with_header(ALLOW, allowed),
                Err(_) => answer,
            }
        }
    }
}

fn count(world: &mut World, name: &'static str) {
    *world.requests.entry(name).or_default() += 1;
}

/// 43 symbols, a dash and nine digits (§1.2); never from the seed.
fn fresh_token() -> Secret {
    let mut random = fastrand::Rng::new();
    let symbols: String = (0..43)
        .filter_map(|_| random.choice(TOKEN_SYMBOLS).copied())
        .map(char::from)
        .collect();
    Secret::new(format!(
        "{symbols}-{}",
        random.u32(100_000_000..1_000_000_000)
    ))
}
