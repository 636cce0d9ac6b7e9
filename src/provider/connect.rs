//! The registry: from a provider's settings to a connected provider. One line per backend.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::ambient::{Clock, Entropy, Reporter};
use crate::config::{AccessKey, Credential, ProviderSettings};
use crate::error::{Error, Kind, Result};
use crate::http::dialect::Dialect;
use crate::http::{BaseUrl, Live, Patience, Session, Transport, TrustSettings};
use crate::model::Backend;
use crate::sign::{Acs3, Basic, Bearer, GongjiSigner, SignError, Signer};
use crate::temporary::{Renewing, Source};

use super::{Capabilities, KeptCredentials, Provider, cyclecloud, gongji, pai_dlc, paracloud};

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
    /// Transfer credentials of volumes.
    pub kept: Arc<dyn KeptCredentials>,
}

/// The capability rows of all backends that this version speaks to, in the order of the documentation.
pub fn capabilities() -> Vec<(Backend, &'static Capabilities)> {
    vec![
        (Backend::Paracloud, &paracloud::CAPABILITIES),
        (Backend::Cyclecloud, &cyclecloud::CAPABILITIES),
        (Backend::Gongji, &gongji::CAPABILITIES),
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
        Backend::Cyclecloud => connect_cyclecloud(settings, kit),
        Backend::Gongji => connect_gongji(settings, kit),
    }
}

fn connect_paracloud(settings: &ProviderSettings, kit: &Kit) -> Result<Box<dyn Provider>> {
    let base = base_url(settings, "base-url", paracloud::DEFAULT_BASE_URL)?;
    let token = settings.require_secret("token")?;
    let signer = Bearer::new(&token).map_err(|error| unusable(settings, "token", &error))?;
    let dialect = paracloud::ParacloudDialect::new(vec![crate::sign::bearer::bare(&token)]);
    let live = live(settings, kit)?;
    Ok(Box::new(paracloud::Paracloud::new(paracloud::Connection {
        name: settings.name.clone(),
        session: session_over(
            settings,
            kit,
            Arc::<Live>::clone(&live),
            Arc::new(signer),
            Arc::new(dialect),
        ),
        base,
        namespace: settings.text("namespace").map(str::to_owned),
        transfer: paracloud::Transfer {
            streaming: live,
            kept: Arc::clone(&kit.kept),
        },
    })))
}

fn connect_cyclecloud(settings: &ProviderSettings, kit: &Kit) -> Result<Box<dyn Provider>> {
    let base = BaseUrl::parse(settings.require("base-url")?)?;
    let signer = cyclecloud_signer(settings)?;
    let mode = match settings.text("mode") {
        Some(word) => word.parse().map_err(|()| unknown_mode(settings, word))?,
        None => cyclecloud::Mode::default(),
    };
    let dialect = Arc::new(cyclecloud::CyclecloudDialect);
    Ok(Box::new(cyclecloud::Cyclecloud::new(
        cyclecloud::Connection {
            name: settings.name.clone(),
            session: session(settings, kit, signer, dialect)?,
            base,
            cluster: settings.text("cluster").map(str::to_owned),
            nodearray: settings.text("nodearray").map(str::to_owned),
            result_dir: settings.text("result-dir").map(str::to_owned),
            mode,
            results: Arc::new(cyclecloud::MountedResults),
        },
    )))
}

/// A ready-made bearer token, else user name and password (cyclecloud.md §2).
fn cyclecloud_signer(settings: &ProviderSettings) -> Result<Arc<dyn Signer>> {
    if let Some(token) = settings.secret("token")? {
        let signer = Bearer::new(&token).map_err(|error| unusable(settings, "token", &error))?;
        return Ok(Arc::new(signer));
    }
    let username = settings.require_secret("username")?;
    let password = settings.require_secret("password")?;
    let signer = Basic::new(username.expose(), &password)
        .map_err(|error| unusable(settings, "password", &error))?;
    Ok(Arc::new(signer))
}

fn unknown_mode(settings: &ProviderSettings, word: &str) -> Error {
    let words: Vec<&str> = cyclecloud::Mode::ALL
        .iter()
        .map(|mode| mode.as_str())
        .collect();
    Error::new(
        Kind::Config,
        "bad_value",
        format!("`mode` of the provider `{}` is `{word}`", settings.name),
    )
    .with_hint(format!("write one of {}", words.join(", ")))
}

fn connect_gongji(settings: &ProviderSettings, kit: &Kit) -> Result<Box<dyn Provider>> {
    let base = base_url(settings, "base-url", gongji::DEFAULT_BASE_URL)?;
    let token = settings.require_secret("token")?;
    let key = settings.secret("private-key")?;
    let signer = GongjiSigner::new(&token, key.as_ref()).map_err(|error| {
        unusable(
            settings,
            if key.is_some() {
                "private-key"
            } else {
                "token"
            },
            &error,
        )
    })?;
    let dialect = gongji::GongjiDialect::new(vec![token], signer.signs(), Arc::clone(&kit.clock));
    let mut session = session(settings, kit, Arc::new(signer), Arc::new(dialect))?;
    session.patience.read_limit = gongji::READ_LIMIT;
    Ok(Box::new(gongji::Gongji::new(gongji::Connection {
        name: settings.name.clone(),
        session,
        base,
        region: settings.text("region").map(str::to_owned),
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
    let live = live(settings, kit)?;
    Ok(session_over(settings, kit, live, signer, dialect))
}

fn live(settings: &ProviderSettings, kit: &Kit) -> Result<Arc<Live>> {
    Ok(Arc::new(Live::new(
        trust(settings)?,
        kit.connect_timeout,
        Arc::clone(&kit.reporter),
    )))
}

fn session_over(
    settings: &ProviderSettings,
    kit: &Kit,
    transport: Arc<dyn Transport>,
    signer: Arc<dyn Signer>,
    dialect: Arc<dyn Dialect>,
) -> Session {
    Session {
        provider: settings.name.clone(),
        transport,
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
    }
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
