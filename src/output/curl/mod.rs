//! `--dry-run=curl`: each planned request as shell commands that would send it (cli.md §2.1).
//!
//! No secret is written: credentials are the variables under which the vendors' own clients read them, values of job
//! secrets are variables too. Where a backend wants a signature, the commands compute it with `openssl`.

mod acs3;
mod body;
mod gongji;
mod shell;
mod signature;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use http::{HeaderName, Method};

use crate::http::{Signed, Template};
use crate::model::Backend;
use crate::sign::Scheme;

use super::json::{PlanEntry, PlanOutcome};
use super::redact::{Redactor, is_harmless};

use body::printed;
use shell::{Words, comment, variable_name};

/// The commands for one provider's plan; for a refused one comments that say why.
pub fn script(entry: &PlanEntry<'_>) -> String {
    let redactor = entry.redactor();
    let mut text = String::new();
    match entry.outcome {
        PlanOutcome::Refused(assessment) => {
            text.push_str(&comment(&format!("{} cannot run this job", entry.provider)));
            for refusal in &assessment.refusals {
                let message = redactor.text(&refusal.message);
                text.push_str(&comment(&format!("  {}: {message}", refusal.field)));
            }
        }
        PlanOutcome::Planned(plan) => {
            for upload in &plan.uploads {
                let title = format!("{}: {}", upload.volume, upload.request.operation);
                text.push_str(&comment(&title));
                text.push_str(&request(&volume_login, &upload.request, &redactor));
            }
            for template in &plan.requests {
                let title = format!("{}: {}", entry.provider, template.operation);
                text.push_str(&comment(&title));
                let authenticate = |parts: &mut Parts| {
                    sign(entry.backend, entry.scheme, template, parts);
                };
                text.push_str(&request(&authenticate, template, &redactor));
            }
        }
    }
    text
}

/// The commands for one request of a user's own (`api --dry-run=curl`).
///
/// With `signed`, the signature that was made stands in them, good for minutes; tokens and passwords stay variables.
pub fn one(
    provider: &str,
    backend: Backend,
    scheme: Scheme,
    template: &Template,
    signed: Option<&Signed>,
) -> String {
    let redactor = Redactor::new(&BTreeMap::new(), &[]);
    let mut text = comment(&format!(
        "{provider}: {} {}",
        template.method,
        template.target.path()
    ));
    let authenticate = |parts: &mut Parts| match (backend, signed) {
        (Backend::Gongji | Backend::PaiDlc, Some(signed)) => {
            signature::show(backend, signed, parts);
        }
        (_, _) => sign(backend, scheme, template, parts),
    };
    text.push_str(&request(&authenticate, template, &redactor));
    text
}

/// What one request's commands are made of.
struct Parts {
    /// The command that prints the body, where there is one.
    body: Option<String>,
    /// Commands before curl: the signature.
    before: String,
    /// curl's arguments, a line each.
    arguments: Vec<String>,
    /// Variables the reader has to set.
    needs: BTreeSet<String>,
    /// Headers whose values are variables, in order.
    hidden: Vec<(HeaderName, String)>,
}

/// The credentials of a volume, which `gpujob volumes create` showed once (paracloud.md §6.1).
fn volume_login(parts: &mut Parts) {
    let names = ["GPUJOB_VOLUME_USERNAME", "GPUJOB_VOLUME_PASSWORD"];
    parts.needs.extend(names.map(str::to_owned));
    parts
        .arguments
        .push("--user \"$GPUJOB_VOLUME_USERNAME:$GPUJOB_VOLUME_PASSWORD\"".to_owned());
}

/// A backend's credentials, under the names that the vendor's own clients read.
fn sign(backend: Backend, scheme: Scheme, template: &Template, parts: &mut Parts) {
    match scheme {
        Scheme::Bearer => {
            // Microsoft's clients read no token from the environment; the name is like that of the password.
            let token = match backend {
                Backend::Cyclecloud => "CYCLECLOUD_TOKEN",
                Backend::Paracloud | Backend::Gongji | Backend::PaiDlc => "PARA_TOKEN",
            };
            parts.needs.insert(token.to_owned());
            parts
                .arguments
                .push(format!("--header \"authorization: Bearer ${token}\""));
        }
        Scheme::Basic => {
            parts
                .needs
                .extend(["CYCLECLOUD_USERNAME", "CYCLECLOUD_PASSWORD"].map(str::to_owned));
            parts
                .arguments
                .push("--user \"$CYCLECLOUD_USERNAME:$CYCLECLOUD_PASSWORD\"".to_owned());
        }
        Scheme::Token => gongji::identify(template, parts),
        Scheme::SignedToken => gongji::sign(template, parts),
        Scheme::Acs3 => acs3::sign(template, parts),
    }
}

fn request(authenticate: &dyn Fn(&mut Parts), template: &Template, redactor: &Redactor) -> String {
    // With `--request HEAD` curl would wait for a body.
    let method = match template.method {
        Method::HEAD => "--head".to_owned(),
        ref other => format!("--request {other}"),
    };
    let mut parts = Parts {
        body: None,
        before: String::new(),
        arguments: vec![method],
        needs: BTreeSet::new(),
        hidden: Vec::new(),
    };
    if let Some(body) = &template.body {
        let printed = printed(body, redactor);
        parts.needs.extend(printed.variables);
        parts.body = Some(printed.command);
    }
    for (name, value) in &template.headers {
        parts.arguments.push(match value.to_str() {
            Ok(text) if is_harmless(name, value) => {
                let words = Words::new(&format!("{name}: {text}"), redactor);
                parts.needs.extend(words.variables);
                format!("--header {}", words.text)
            }
            // A header nobody vouched for may be a credential: the reader fills it in.
            Ok(_) | Err(_) => {
                let mut variable = variable_name(&name.as_str().to_ascii_uppercase());
                let before = parts.hidden.iter().filter(|(other, _)| other == name);
                let earlier = before.count();
                if earlier > 0 {
                    variable = format!("{variable}_{}", earlier + 1);
                }
                let header = format!("--header \"{name}: ${variable}\"");
                parts.needs.insert(variable.clone());
                parts.hidden.push((name.clone(), variable));
                header
            }
        });
    }
    authenticate(&mut parts);
    if parts.body.is_some() {
        parts.arguments.push("--data-binary @-".to_owned());
    }
    let url = Words::new(&template.base.url(&template.full_target()), redactor);
    parts.needs.extend(url.variables);
    parts.arguments.push(url.text);
    assembled(&parts)
}

fn assembled(parts: &Parts) -> String {
    let needs: Vec<&str> = parts.needs.iter().map(String::as_str).collect();
    let mut text = String::new();
    if !needs.is_empty() {
        text.push_str(&comment(&format!("set first: {}", needs.join(" "))));
    }
    if let Some(body) = &parts.body {
        text.push_str("body() { ");
        text.push_str(body);
        text.push_str("; }\n");
    }
    text.push_str(&parts.before);
    if parts.body.is_some() {
        text.push_str("body | ");
    }
    // The URL stands as it is signed: no globbing, no removal of dot segments.
    text.push_str("curl --globoff --path-as-is --fail-with-body --silent --show-error");
    for argument in &parts.arguments {
        text.push_str(" \\\n  ");
        text.push_str(argument);
    }
    text.push_str("\n\n");
    text
}
