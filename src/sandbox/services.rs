//! The one list of emulated services: what each is made from and what a client must know to use it.
//!
//! A new service is one line in [`all`] and one function that says its credentials and settings.

use std::sync::Arc;

use crate::secret::Secret;

use super::api::cyclecloud::CycleCloud;
use super::api::gongji::Gongji;
use super::api::pai_dlc::PaiDlc;
use super::api::paracloud::Paracloud;
use super::service::{Service, Setup};

/// A service with what is printed for its users.
#[derive(Debug)]
pub struct Registration {
    pub service: Arc<dyn Service>,
    /// Credentials under the names that the vendor's own clients read (cli.md §9).
    pub environment: Vec<(&'static str, Secret)>,
    /// Keys of the provider's table in gpujob's configuration, beside `base-url`.
    pub settings: Vec<(&'static str, Setting)>,
}

/// A value in the configuration.
#[derive(Debug, Clone)]
pub enum Setting {
    Text(String),
    /// Written to a file of its own and referred to.
    Secret(Secret),
}

/// All services, in the order of the documentation.
pub fn all(setup: &Setup) -> Vec<Registration> {
    vec![
        paracloud(setup.clone()),
        cyclecloud(setup.clone()),
        gongji(setup.clone()),
        pai_dlc(setup.clone()),
    ]
}

fn paracloud(setup: Setup) -> Registration {
    let service = Paracloud::new(setup);
    let credentials = service.credentials();
    Registration {
        environment: vec![("PARA_TOKEN", credentials.token.clone())],
        settings: vec![
            ("namespace", Setting::Text(credentials.namespace)),
            ("token", Setting::Secret(credentials.token)),
        ],
        service,
    }
}

fn cyclecloud(setup: Setup) -> Registration {
    let service = CycleCloud::new(setup);
    let credentials = service.credentials();
    let mut settings = vec![
        ("username", Setting::Text(credentials.username.clone())),
        ("password", Setting::Secret(credentials.password.clone())),
        ("cluster", Setting::Text(CycleCloud::CLUSTER.to_owned())),
        ("nodearray", Setting::Text(CycleCloud::NODEARRAY.to_owned())),
    ];
    match service.results_directory() {
        Ok(directory) => {
            let path = directory.to_string_lossy().into_owned();
            settings.push(("result-dir", Setting::Text(path)));
        }
        Err(error) => log::warn!("the sandbox has no directory for results: {error}"),
    }
    Registration {
        environment: vec![
            ("CYCLECLOUD_USERNAME", Secret::new(credentials.username)),
            ("CYCLECLOUD_PASSWORD", credentials.password),
        ],
        settings,
        service,
    }
}

fn gongji(setup: Setup) -> Registration {
    let service = Gongji::new(setup);
    let credentials = service.credentials().clone();
    Registration {
        environment: vec![
            ("SUANLI_TOKEN", credentials.token.clone()),
            ("SUANLI_RSA_PRIVATE_KEY", credentials.private_key.clone()),
        ],
        settings: vec![
            ("token", Setting::Secret(credentials.token)),
            ("private-key", Setting::Secret(credentials.private_key)),
        ],
        service,
    }
}

fn pai_dlc(setup: Setup) -> Registration {
    let service = PaiDlc::new(setup);
    let key = service.credentials().own.clone();
    Registration {
        environment: vec![
            ("ALIBABA_CLOUD_ACCESS_KEY_ID", Secret::new(key.id.clone())),
            ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", key.secret.clone()),
        ],
        settings: vec![
            ("region", Setting::Text(PaiDlc::REGION.to_owned())),
            ("workspace", Setting::Text(service.default_workspace())),
            ("access-key-id", Setting::Text(key.id)),
            ("access-key-secret", Setting::Secret(key.secret)),
        ],
        service,
    }
}
