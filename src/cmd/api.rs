//! `api`: a raw request with the provider's own signature; the escape hatch to everything else (cli.md §2, §10).

use std::io::Read as _;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use serde::de::IgnoredAny;

use crate::ambient::{Clock as _, Entropy as _, Reporter as _};
use crate::app::App;
use crate::cli::ApiArgs;
use crate::error::{Error, Kind, Result};
use crate::http::{Answer, Failure, Fate};
use crate::output::{self, Jq, sanitize};
use crate::provider::{Provider, RawCall, RawPath, RawRequest};
use crate::sign::SignContext;
use crate::ui::LogTarget;

use super::volumes::pair;

/// Methods that HTTP has for resources; `CONNECT` and `TRACE` are about the way there.
const METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];

/// Headers of an answer that `-v` shows.
const SHOWN: [&str; 3] = ["content-type", "location", "retry-after"];

/// Runs `api`.
pub async fn run(app: &App, args: &ApiArgs) -> Result<u8> {
    let request = request(app, args).await?;
    if let [other, ..] = app.global.provider.as_slice()
        && *other != args.account
    {
        return Err(Error::new(
            Kind::Usage,
            "several_providers",
            format!(
                "-p names `{other}`, and the request is for `{}`",
                args.account
            ),
        )
        .with_hint("leave out `-p`: the first argument is the provider"));
    }
    let provider = app.provider(&args.account)?;
    let call = provider.raw(request)?;
    if args.dry_run.is_some() {
        return dry_run(app, &*provider, &call, args.show_signature).await;
    }
    let text = format!("asking {}", provider.name());
    let sending = app.with_progress(&text, call.send());
    let sent = tokio::select! {
        sent = sending => sent,
        signal = app.interrupt()?.came() => return Err(interrupted(&call, signal.error("interrupted"))),
    };
    match sent {
        Ok(answer) => {
            describe(app, &answer);
            print(app, &answer).map_err(|error| error.with_provider(provider.name()))?;
            Ok(0)
        }
        Err(failure) => {
            if let Some(answer) = &failure.answer {
                describe(app, answer);
                print_bytes(app, &answer.body)?;
            }
            Err(judged(&call, failure))
        }
    }
}

/// What the arguments say; nothing is opened but the body's file.
async fn request(app: &App, args: &ApiArgs) -> Result<RawRequest> {
    let parameters = args
        .query
        .iter()
        .map(|text| pair("--query", text))
        .collect::<Result<Vec<_>>>()?;
    Ok(RawRequest {
        method: method(&args.method)?,
        path: RawPath::parse(&args.path, &parameters)?,
        headers: args
            .header
            .iter()
            .map(|text| header(text))
            .collect::<Result<_>>()?,
        body: match &args.data {
            Some(text) => Some(body(app, text).await?),
            None => None,
        },
        action: args.action.clone(),
    })
}

fn method(word: &str) -> Result<Method> {
    METHODS
        .into_iter()
        .find(|method| method.as_str().eq_ignore_ascii_case(word))
        .ok_or_else(|| {
            Error::new(
                Kind::Usage,
                "bad_method",
                format!("METHOD `{word}` is none of HTTP's"),
            )
            .with_hint(format!(
                "there are {}",
                METHODS.map(|method| method.to_string()).join(", ")
            ))
        })
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue)> {
    let bad = |why: &str| {
        Error::new(Kind::Usage, "bad_header", format!("-H: {why}"))
            .with_hint("write it as `NAME: VALUE`")
    };
    // The value is not repeated: it may be a secret.
    let (name, value) = text
        .split_once(':')
        .ok_or_else(|| bad("a header has no `:`"))?;
    let name = name.trim();
    let value = HeaderValue::from_str(value.trim())
        .map_err(|_unsendable| bad(&format!("the value of `{name}` cannot travel in a header")))?;
    let name = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_bad| bad(&format!("`{name}` is no name of a header")))?;
    Ok((name, value))
}

async fn body(app: &App, text: &str) -> Result<Bytes> {
    let Some(source) = text.strip_prefix('@').map(str::to_owned) else {
        return Ok(Bytes::from(text.to_owned()));
    };
    let read = move || {
        let mut bytes = Vec::new();
        let outcome = if source == "-" {
            std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
        } else {
            std::fs::read(&source)
        };
        outcome.map(Bytes::from).map_err(|error| {
            Error::new(
                Kind::Usage,
                "unreadable_body",
                format!("-d: `@{source}` cannot be read: {error}"),
            )
        })
    };
    app.blocking("interrupted; nothing was sent", read).await
}

/// Prints the commands that would send it.
async fn dry_run(
    app: &App,
    provider: &dyn Provider,
    call: &RawCall,
    shows_signature: bool,
) -> Result<u8> {
    let signed = if shows_signature {
        let signer = &call.session.signer;
        let now = app.clock.now();
        app.unless_interrupted("interrupted", signer.prepare(now))
            .await?;
        let context = SignContext {
            now: app.clock.now(),
            nonce: app.entropy.nonce(),
        };
        Some(signer.sign(&call.template, &context)?)
    } else {
        None
    };
    let text = output::render_curl_of(
        provider.name(),
        provider.backend(),
        call.session.signer.scheme(),
        &call.template,
        signed.as_ref(),
    );
    app.ui.print(&text)?;
    Ok(0)
}

/// `-v`: what the status line and a few headers say.
fn describe(app: &App, answer: &Answer) {
    let mut text = format!("HTTP {}", answer.status);
    let id = ["x-acs-request-id", "x-request-id"]
        .iter()
        .find_map(|name| answer.header(name))
        .map(str::to_owned)
        .or_else(|| {
            answer
                .json()
                .ok()?
                .get("RequestId")?
                .as_str()
                .map(str::to_owned)
        });
    if let Some(id) = id {
        text.push_str("\nrequest id: ");
        text.push_str(&id);
    }
    for name in SHOWN {
        if let Some(value) = answer.header(name) {
            text.push('\n');
            text.push_str(name);
            text.push_str(": ");
            text.push_str(value);
        }
    }
    app.ui.detail(1, &text);
}

/// The body as it came; through `--jq` where that is asked for.
///
/// The request is done, and its answer may be shown but once: what cannot be filtered is printed as it came.
fn print(app: &App, answer: &Answer) -> Result<()> {
    let style = app.ui.style();
    let Some(jq) = &style.jq else {
        return print_bytes(app, &answer.body);
    };
    // No results, as jq has them of no input.
    if answer.body.is_empty() {
        return Ok(());
    }
    match filtered(jq, answer) {
        Ok(text) => app.ui.print(&text),
        Err(error) => {
            print_bytes(app, &answer.body)?;
            Err(error.with_hint(
                "the request is done: its answer is printed as it came; send it again only if that does no harm",
            ))
        }
    }
}

fn filtered(jq: &Jq, answer: &Answer) -> Result<String> {
    let text = answer.text_bytes();
    // jq's reader takes more than JSON.
    serde_json::from_slice::<IgnoredAny>(text).map_err(|error| {
        Error::new(
            Kind::Protocol,
            "not_json",
            "`--jq` filters JSON, and the body of the answer is none",
        )
        .with_cause(error)
    })?;
    jq.run_text(text)
}

/// A pipe gets the bytes; a terminal gets them harmless, and a line feed at the end (cli.md §3).
fn print_bytes(app: &App, body: &Bytes) -> Result<()> {
    if !app.ui.facts().terminals.output || body.is_empty() {
        return app.ui.print_bytes(body);
    }
    match std::str::from_utf8(body) {
        Ok(text) if serde_json::from_str::<IgnoredAny>(text).is_ok() => {
            app.ui.print(&sanitize::json(text))?;
        }
        Ok(_) | Err(_) => {
            let mut sanitizer = sanitize::LogSanitizer::default();
            app.ui.log(LogTarget::Output, body, &mut sanitizer)?;
        }
    }
    if body.ends_with(b"\n") {
        return Ok(());
    }
    app.ui.print("\n")
}

/// The failure as it ends the command. Of what is sent once and got no answer nobody knows what it did.
fn judged(call: &RawCall, failure: Failure) -> Error {
    let is_lost = failure.fate == Fate::Unclear
        && failure.answer.is_none()
        && matches!(failure.error.kind(), Kind::Temporary | Kind::Timeout);
    if is_lost && may_create(call) {
        unclear(failure.error)
    } else {
        failure.error
    }
}

/// A signal while something that may create was under way: what became of it is not known either.
fn interrupted(call: &RawCall, error: Error) -> Error {
    if may_create(call) {
        unclear(error)
    } else {
        error
    }
}

/// Only a POST is not the same when it is done twice (RFC 9110 §9.2.2), patches apart.
fn may_create(call: &RawCall) -> bool {
    matches!(call.template.method, Method::POST | Method::PATCH)
}

fn unclear(error: Error) -> Error {
    let message = format!(
        "the request was sent once, and nobody can tell whether it took: {}",
        error.message()
    );
    error
        .with_kind(Kind::OutcomeUnknown)
        .with_message(message)
        .with_hint("look at what it was to change before sending it again")
        .with_retryable(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_taken_in_any_case() {
        assert_eq!(method("get").unwrap(), Method::GET);
        assert_eq!(method("CONNECT").unwrap_err().code(), "bad_method");
    }

    #[test]
    fn headers_are_read_and_their_values_not_repeated() {
        let (name, value) = header("X-Thing:  a:b ").unwrap();
        assert_eq!((name.as_str(), value.to_str().unwrap()), ("x-thing", "a:b"));
        for bad in [
            "no colon",
            "x-a: hun\nter2hunter2",
            "b ad: hunter2",
            ": hunter2",
        ] {
            let error = header(bad).unwrap_err();
            assert_eq!(error.code(), "bad_header");
            assert!(!error.message().contains("hunter2"), "{error}");
        }
    }
}
