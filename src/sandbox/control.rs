//! The control route `/__sandbox/` on its own port: state, speed, holds, clock, switches, reset (cli.md §9).
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
use super::listen::Answering;
use super::service::{RawAnswer, RawRequest, Service};

const PREFIX: &str = "/__sandbox/";

/// The control port's state.
#[derive(Debug)]
pub struct Control {
    clock: Clock,
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
    pub fn new(clock: Clock, controlled: Vec<Controlled>) -> Self {
        Self { clock, controlled }
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
            "state" => Method::GET,
            "speed" | "hold" | "clock" | "configure" | "reset" => Method::POST,
            _ => {
                return Err(Wrong(
                    StatusCode::NOT_FOUND,
                    format!(
                        "`{}` is not on the control route; under {PREFIX} are state, speed, hold, clock, configure and reset",
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
            "speed" => self.clock.set_speed(body::<Speed>(request)?.speed)?,
            "hold" => {
                let hold: Hold = body(request)?;
                self.service(&hold.backend)?
                    .configure(&json!({ "hold": hold.state }))?;
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
        self.clock.set_skew(SignedDuration::ZERO)?;
        Ok(())
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
