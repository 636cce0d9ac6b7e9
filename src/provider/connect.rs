//! The registry: from a provider's settings to a connected provider. One line per backend.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::ambient::{Clock, Entropy, Reporter};
use crate::config::{AccessKey, Credential, ProviderSettings};
use crate::error::{Error, Kind, Result};
use crate::http::dialect::Dialect;
use crate::http::{BaseUrl, Live, Patience, Session, TrustSettings};
use crate::model::Backend;
use crate::sign::{Acs3, Bearer, SignError, Signer};
use crate::temporary::{Renewing, Source};

use super::{Capabilities, Provider, pai_dlc, paracloud};

/// What every connection of one run shares.
#[derive(Debug, Clone)]
pub struct Kit {
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub reporter: Arc<dyn Reporter>,
    /// `--retries`.
    pub retries: u32,
    /// The end of the whole command.
    pub deadline: Option<Instant>,
    /// `--connect-timeout`.
    pub connect_timeout: Duration,
}

/// The capability rows of all backends that this version speaks to, in the order of the documentation.
pub fn capabilities() -> Vec<(Backend, &'static Capabilities)> {
    vec![
        (Backend::Paracloud, &paracloud::CAPABILITIES),
        (Backend::PaiDlc, &pai_dlc::CAPABILITIES),
    ]
}

/// Builds the provider of some settings. Nothing is opened or read but the credential.
pub fn connect(settings: &ProviderSettings, kit: &Kit) -> Result<Box<dyn Provider>> {
    for warning in settings.warnings() {
        kit.reporter.warning(&warning);
    }
    match settings.backend {
        Backend::Paracloud => connect_paracloud(settings, kit),
        Backend::PaiDlc => connect_pai_dlc(settings, kit),
        Backend::Cyclecloud | Backend::Gongji => Err(Error::new(
            Kind::Config,
            "backend_not_built",
            format!(
                "this version of gpujob does not speak to `{}` yet",
                settings.backend
            ),
        )
        .with_hint("it speaks to `paracloud` and `pai-dlc`")),
    }
}

fn connect_paracloud(settings: &ProviderSettings, kit: &Kit) -> Result<Box<dyn Provider>> {
    let base = base_url(settings, "base-url", paracloud::DEFAULT_BASE_URL)?;
    let token = settings.require_secret("token")?;
    let signer = Bearer::new(&token).map_err(|error| unusable(settings, "token", &error))?;
    let dialect = paracloud::ParacloudDialect::new(vec![crate::sign::bearer::bare(&token)]);
    Ok(Box::new(paracloud::Paracloud::new(paracloud::Connection {
        name: settings.name.clone(),
        session: session(settings, kit, Arc::new(signer), Arc::new(dialect))?,
        base,
        namespace: settings.text("namespace").map(str::to_owned),
    })))
}

fn connect_pai_dlc(settings: &ProviderSettings, kit: &Kit) -> Result<Box<dyn Provider>> {
    let region = settings.require("region")?.to_owned();
    let (dlc, aiworkspace) = pai_dlc::default_endpoints(&region);
    // One `base-url` stands for both products unless the second is given too (cli.md §8).
    let aiworkspace = settings.text("base-url").map_or(aiworkspace, str::to_owned);
    Ok(Box::new(pai_dlc::PaiDlc::new(pai_dlc::Connection {
        name: settings.name.clone(),
        session: session(
            settings,
            kit,
            acs3_signer(settings, kit)?,
            Arc::new(pai_dlc::PaiDlcDialect),
        )?,
        dlc: base_url(settings, "base-url", &dlc)?,
        aiworkspace: base_url(settings, "aiworkspace-base-url", &aiworkspace)?,
        region,
        workspace: settings.text("workspace").map(str::to_owned),
    })))
}

/// A signer with the access key of the first source that has one; says which on `-v`.
fn acs3_signer(settings: &ProviderSettings, kit: &Kit) -> Result<Arc<dyn Signer>> {
    let found = settings.access_key(kit.clock.now())?;
    for note in &found.notes {
        kit.reporter.note(note);
    }
    let from = |source: &str| {
        let text = format!("`{}` takes its access key from {source}", settings.name);
        kit.reporter.detail(1, &text);
    };
    let source = match found.credential {
        Credential::Key(AccessKey {
            id,
            secret,
            token,
            source,
        }) => {
            from(&source);
            let signer = Acs3::new(&crate::sign::AccessKey { id, secret, token })
                .map_err(|error| unusable(settings, "access-key-secret", &error))?;
            return Ok(Arc::new(signer));
        }
        Credential::FromUri { uri, source } => {
            from(&source);
            Source::uri(uri, &source, kit.connect_timeout, trust(settings)?)?
        }
        Credential::EcsMetadata {
            role,
            token_required,
        } => {
            from("the metadata of this instance");
            Source::metadata(role, token_required)
        }
    };
    Ok(Arc::new(Renewing::new(source, Arc::clone(&kit.reporter))))
}

fn base_url(settings: &ProviderSettings, key: &str, default: &str) -> Result<BaseUrl> {
    BaseUrl::parse(settings.text(key).unwrap_or(default))
}

fn session(
    settings: &ProviderSettings,
    kit: &Kit,
    signer: Arc<dyn Signer>,
    dialect: Arc<dyn Dialect>,
) -> Result<Session> {
    let trust = trust(settings)?;
    Ok(Session {
        provider: settings.name.clone(),
        transport: Arc::new(Live::new(
            trust,
            kit.connect_timeout,
            Arc::clone(&kit.reporter),
        )),
        signer,
        dialect,
        clock: Arc::clone(&kit.clock),
        entropy: Arc::clone(&kit.entropy),
        reporter: Arc::clone(&kit.reporter),
        patience: Patience {
            retries: kit.retries,
            deadline: kit.deadline,
            read_limit: crate::http::live::READ_LIMIT,
        },
    })
}

fn trust(settings: &ProviderSettings) -> Result<TrustSettings> {
    Ok(TrustSettings {
        ca_cert: settings.path("ca-cert"),
        verify: settings.flag("verify-certificates")?.unwrap_or(true),
    })
}

fn unusable(settings: &ProviderSettings, key: &str, error: &SignError) -> Error {
    Error::new(
        Kind::Config,
        "unusable_credential",
        format!(
            "`{key}` of the provider `{}` cannot be used: {error}",
            settings.name
        ),
    )
}
