//! The keys of one run: tokens are fresh, the RSA key is a fixed public test key, since nothing here can make one.

use uuid::Builder;

use super::times;
use crate::model::Timestamp;
use crate::sandbox::auth::gongji::{ApiKey, Mode, PublicKey, PublicKeyError};
use crate::secret::Secret;

/// A public test key: everybody has it, it protects nothing. The files say so too.
const PUBLIC_TEST_KEY: &str = include_str!("data/public-test-key.private.pem");
const PUBLIC_TEST_KEY_PUBLIC_HALF: &str = include_str!("data/public-test-key.public.pem");

/// Where PEM begins behind the explanation.
const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";

/// Names of the tenants.
pub(super) const OWN: &str = "own";
const OTHER: &str = "other";

/// What a client needs.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The token of an RSA key: requests must be signed with [`Self::private_key`].
    pub token: Secret,
    /// The public test key as PKCS#8 PEM.
    pub private_key: Secret,
    /// A simple key of the same account: requests must not be signed.
    pub simple_token: Secret,
    /// A simple key of another account.
    pub other_token: Secret,
}

impl Credentials {
    /// Makes the keys of a run.
    pub(super) fn make(now: Timestamp) -> Self {
        let key = PUBLIC_TEST_KEY
            .split_once(BEGIN)
            .map(|(_, key)| format!("{BEGIN}{key}"))
            .unwrap_or_default();
        Self {
            token: fresh_token(now),
            private_key: Secret::new(key),
            simple_token: fresh_token(now),
            other_token: fresh_token(now),
        }
    }

    /// The same keys as the service keeps them.
    pub(super) fn keys(&self) -> Result<Vec<ApiKey>, PublicKeyError> {
        let public_key = PublicKey::from_pem(PUBLIC_TEST_KEY_PUBLIC_HALF)?;
        let key = |token: &Secret, tenant: &str, mode| ApiKey {
            token: token.clone(),
            tenant: tenant.to_owned(),
            mode,
        };
        Ok(vec![
            key(&self.token, OWN, Mode::Rsa(public_key)),
            key(&self.simple_token, OWN, Mode::Simple),
            key(&self.other_token, OTHER, Mode::Simple),
        ])
    }
}

/// A lower-case UUID, a dash and 14 digits of a time (gongji.md §1.2); never from the seed.
fn fresh_token(now: Timestamp) -> Secret {
    let mut random =
        getrandom::u64().map_or_else(|_| fastrand::Rng::new(), fastrand::Rng::with_seed);
    let uuid = Builder::from_random_bytes(random.u128(..).to_le_bytes()).into_uuid();
    Secret::new(format!(
        "{uuid}-{}",
        times::local(now).strftime("%Y%m%d%H%M%S")
    ))
}
