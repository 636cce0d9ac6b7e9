//! The control route `/__sandbox/` on its own port: state, jobs, speed, holds, faults, troubles, clock, switches, reset
//! (cli.md §9).
//!
//! It has no credentials, so it answers only to names of this machine: a web page in a browser cannot reach it through
//! a host name of its own.

use std::sync::Arc;

use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::clock::Clock;
use super::faults::Faults;
use super::listen::Answering;
use super::service::{RawAnswer, RawRequest, Service};
use super::trouble::Trouble;

const PREFIX: &str = "/__sandbox/";

/// The control port's state.
#[derive(Debug)]
pub struct Control {
    clock: Clock,
    faults: Arc<Faults>,
    controlled: Vec<Controlled>,
}

/// A service that can be controlled.
#[derive(Debug)]
pub struct Controlled {
    pub service: Arc<dyn Service>,
    pub base_url: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Speed {
    speed: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hold {
    backend: String,
    /// Null releases; the key must be there.
    state: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockOffset {
    offset_s: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Configure {
    backend: String,
    settings: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Befall {
    backend: String,
    /// An id, or a name by which its client finds it.
    job: String,
    trouble: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    faults: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reset {
    backend: Option<String>,
}

/// What is wrong with a request.
#[derive(Debug)]
struct Wrong(StatusCode, String);

impl From<String> for Wrong {
    fn from(message: String) -> Self {
        Self(StatusCode::BAD_REQUEST, message)
    }
}

impl Control {
    /// A control over a clock and some services.
    pub fn new(clock: Clock, faults: Arc<Faults>, controlled: Vec<Controlled>) -> Self {
        Self {
            clock,
            faults,
            controlled,
        }
    }

    fn act(&self, request: &RawRequest) -> Result<Value, Wrong> {
        if !request.header("host").is_some_and(is_this_machine) {
            return Err(Wrong(
                StatusCode::FORBIDDEN,
                "the control route answers to 127.0.0.1 and localhost only".to_owned(),
            ));
        }
        let action = request.path().strip_prefix(PREFIX).unwrap_or_default();
        let method = match action {
            "state" | "jobs" => Method::GET,
            "faults" if request.method == Method::GET => Method::GET,
            "faults" | "speed" | "hold" | "trouble" | "clock" | "configure" | "reset" => {
                Method::POST
            }
            _ => {
                return Err(Wrong(
                    StatusCode::NOT_FOUND,
                    format!(
                        "`{}` is not on the control route; under {PREFIX} are state, jobs, speed, hold, faults, trouble, clock, configure and reset",
                        request.path()
                    ),
                ));
            }
        };
        if request.method != method {
            return Err(Wrong(
                StatusCode::METHOD_NOT_ALLOWED,
                format!("`{action}` takes {method}"),
            ));
        }
        match action {
            "jobs" => return Ok(self.jobs()),
            "faults" => {
                if method == Method::POST {
                    let rules: Rules = body(request)?;
                    let services: Vec<_> = self
                        .controlled
                        .iter()
                        .map(|controlled| Arc::clone(&controlled.service))
                        .collect();
                    self.faults.set(&rules.faults, &services)?;
                }
                return Ok(json!({ "faults": self.faults.shown() }));
            }
            "speed" => self.clock.set_speed(body::<Speed>(request)?.speed)?,
            "hold" => {
                let hold: Hold = body(request)?;
                self.service(&hold.backend)?
                    .configure(&json!({ "hold": hold.state }))?;
            }
            "trouble" => {
                let befall: Befall = body(request)?;
                let trouble = Trouble::from_word(&befall.trouble)?;
                self.service(&befall.backend)?
                    .befall(&befall.job, trouble)?;
            }
            "clock" => self.clock.set_skew(SignedDuration::from_secs(
                body::<ClockOffset>(request)?.offset_s,
            ))?,
            "configure" => {
                let configure: Configure = body(request)?;
                self.service(&configure.backend)?
                    .configure(&Value::Object(configure.settings))?;
            }
            "reset" => self.reset(&if request.body.is_empty() {
                Reset::default()
            } else {
                body(request)?
            })?,
            _ => {}
        }
        Ok(self.state())
    }

    /// Takes everything back to the start but the speed, which belongs to the sandbox and not to a test.
    fn reset(&self, reset: &Reset) -> Result<(), Wrong> {
        if let Some(backend) = &reset.backend {
            self.service(backend)?.reset();
            return Ok(());
        }
        for controlled in &self.controlled {
            controlled.service.reset();
        }
        self.faults.clear();
        self.clock.set_skew(SignedDuration::ZERO)?;
        Ok(())
    }

    /// Every job by backend, with the names that its client gave: the truth to compare a client's words with.
    fn jobs(&self) -> Value {
        let services: Map<String, Value> = self
            .controlled
            .iter()
            .map(|controlled| {
                let jobs: Value = controlled
                    .service
                    .held()
                    .into_iter()
                    .map(|held| json!({ "id": held.id, "names": held.names }))
                    .collect();
                (controlled.service.backend().to_owned(), jobs)
            })
            .collect();
        json!({ "jobs": services })
    }

    fn state(&self) -> Value {
        let services: Map<String, Value> = self
            .controlled
            .iter()
            .map(|controlled| {
                let summary = json!({
                    "base_url": controlled.base_url,
                    "summary": controlled.service.summary(),
                });
                (controlled.service.backend().to_owned(), summary)
            })
            .collect();
        json!({
            "speed": self.clock.speed(),
            "clock_offset_s": self.clock.skew().as_secs(),
            "now": self.clock.now().to_string(),
            "faults": self.faults.shown(),
            "services": services,
        })
    }

    fn service(&self, backend: &str) -> Result<&dyn Service, Wrong> {
        let found = self
            .controlled
            .iter()
            .find(|controlled| controlled.service.backend() == backend);
        found
            .map(|controlled| controlled.service.as_ref())
            .ok_or_else(|| {
                let known = self.controlled.iter();
                let known: Vec<&str> = known.map(|other| other.service.backend()).collect();
                Wrong::from(format!(
                    "the sandbox has no backend `{backend}`; it has {}",
                    known.join(", ")
                ))
            })
    }
}

impl Answering for Control {
    /// Every answer is JSON: the state after the change, or what is wrong.
    fn answer(&self, request: &RawRequest) -> RawAnswer {
        match self.act(request) {
            Ok(state) => RawAnswer::json(StatusCode::OK, &state),
            Err(Wrong(status, message)) => RawAnswer::json(status, &json!({ "error": message })),
        }
    }
}

fn body<T: DeserializeOwned>(request: &RawRequest) -> Result<T, Wrong> {
    serde_json::from_slice(&request.body)
        .map_err(|error| Wrong::from(format!("the body does not fit: {error}")))
}

fn is_this_machine(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "127.0.0.1" || name == "localhost"
}
