//! Requests that a user writes (cli.md §10, `api`): each goes to its product's host, under its operation's name.

use http::HeaderValue;

use crate::error::{Error, Kind, Result};
use crate::provider::raw::Manner;
use crate::provider::{RawCall, RawRequest};

use super::PaiDlc;
use super::actions::{self, Product};
use super::api::{AIWORKSPACE_VERSION, CONTENT_TYPE, DLC_VERSION};

const VERSION: &str = "x-acs-version";

const MANNER: Manner = Manner {
    content_type: CONTENT_TYPE,
    // Without a body none is sent (pai-dlc.md §2.1).
    types_every_write: false,
    enveloped: None,
    // The version is the user's to change: the service may have newer ones.
    signed: &[
        "authorization",
        "x-acs-action",
        "x-acs-date",
        "x-acs-signature-nonce",
        "x-acs-content-sha256",
        "x-acs-security-token",
        "x-acs-accesskey-id",
    ],
    fixed: &[],
    takes_action: true,
    is_canonical: true,
};

impl PaiDlc {
    /// The request on its product's host.
    pub(super) fn raw_call(&self, request: RawRequest) -> Result<RawCall> {
        refuse_repeated(&request)?;
        let (product, action) = actions::of(
            &request.method,
            request.path.segments(),
            request.action.as_deref(),
        )?;
        let action = HeaderValue::from_str(action).map_err(|_unsendable| {
            Error::new(
                Kind::Usage,
                "bad_action",
                format!("--action: `{action}` cannot be the name of an operation"),
            )
        })?;
        // The two products' paths look alike, their versions do not: one that the user gives chooses the host too (§1.1).
        let told = request.headers.iter().find(|(name, _)| name == VERSION);
        let product = told
            .and_then(|(_, version)| Product::of_version(version.to_str().ok()?))
            .unwrap_or(product);
        let (base, version) = match product {
            Product::Dlc => (&self.home.dlc, DLC_VERSION),
            Product::AiWorkspace => (&self.home.aiworkspace, AIWORKSPACE_VERSION),
        };
        let mut call = RawCall::new(&self.session, base, request, MANNER)?;
        let headers = &mut call.template.headers;
        headers.insert("x-acs-action", action);
        if !headers.contains_key(VERSION) {
            headers.insert(VERSION, HeaderValue::from_static(version));
        }
        Ok(call)
    }
}

/// A name given twice has no canonical form, so it cannot be signed (pai-dlc.md §2.4).
fn refuse_repeated(request: &RawRequest) -> Result<()> {
    let mut names: Vec<&str> = request
        .path
        .query
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    names.sort_unstable();
    let repeated = names.windows(2).find_map(|pair| match pair {
        [one, other] if one == other => Some(*one),
        _ => None,
    });
    match repeated {
        None => Ok(()),
        Some(name) => Err(Error::new(
            Kind::Usage,
            "repeated_parameter",
            format!(
                "the query parameter `{name}` is given twice, which this signature does not allow"
            ),
        )
        .with_hint("several values go into one, with commas between them")),
    }
}
