//! The keys of one run, fresh and worth nothing outside of it.

use jiff::SignedDuration;

use crate::model::Timestamp;
use crate::sandbox::auth::acs3::{AccessKey, KeyStore, Token};
use crate::secret::Secret;

use super::catalogue::User;

/// The longest life of a temporary key, so that a sandbox left running keeps working.
const TEMPORARY_LIFE: SignedDuration = SignedDuration::from_hours(12);

/// An access key and its secret.
#[derive(Debug, Clone)]
pub struct KeyPair {
    pub id: String,
    pub secret: Secret,
}

/// A temporary access key, which goes with a token.
#[derive(Debug, Clone)]
pub struct TemporaryKey {
    pub id: String,
    pub secret: Secret,
    pub token: Secret,
    pub expires: Timestamp,
}

/// All keys that the service knows.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The key to use.
    pub own: KeyPair,
    /// A key of another user of the same account.
    pub colleague: KeyPair,
    /// A key that was switched off.
    pub disabled: KeyPair,
    /// A temporary key of the own user.
    pub temporary: TemporaryKey,
    /// A temporary key whose time is over.
    pub expired: TemporaryKey,
}

impl Credentials {
    /// Makes the keys of a run.
    pub(super) fn make(now: Timestamp) -> Self {
        let random =
            &mut getrandom::u64().map_or_else(|_| fastrand::Rng::new(), fastrand::Rng::with_seed);
        let mut pair = |before: &str| KeyPair {
            id: format!("{before}{}", alphanumeric(random, 18)),
            secret: Secret::new(alphanumeric(random, 30)),
        };
        let (own, colleague, disabled) = (pair("LTAI5t"), pair("LTAI5t"), pair("LTAI5t"));
        let (first, second) = (pair("STS.NU"), pair("STS.NU"));
        let mut token = || alphanumeric(random, 60);
        let mut temporary = |pair: KeyPair, expires| TemporaryKey {
            id: pair.id,
            secret: pair.secret,
            // Such tokens hold characters that a query or a header might spoil.
            token: Secret::new(format!("CAIS{}+/==", token())),
            expires,
        };
        Self {
            own,
            colleague,
            disabled,
            temporary: temporary(first, now.saturating_add(TEMPORARY_LIFE).unwrap_or(now)),
            expired: temporary(second, now),
        }
    }

    /// The same keys as the gateway keeps them.
    pub(super) fn store(&self, own: &User, colleague: &User) -> KeyStore {
        let permanent = |pair: &KeyPair, user: &User, enabled| AccessKey {
            id: pair.id.clone(),
            secret: pair.secret.clone(),
            user_id: user.id.clone(),
            enabled,
            token: None,
        };
        let temporary = |key: &TemporaryKey| AccessKey {
            id: key.id.clone(),
            secret: key.secret.clone(),
            user_id: own.id.clone(),
            enabled: true,
            token: Some(Token {
                text: key.token.clone(),
                expires: key.expires,
            }),
        };
        KeyStore::new(vec![
            permanent(&self.own, own, true),
            permanent(&self.colleague, colleague, true),
            permanent(&self.disabled, own, false),
            temporary(&self.temporary),
            temporary(&self.expired),
        ])
    }
}

fn alphanumeric(random: &mut fastrand::Rng, length: usize) -> String {
    std::iter::repeat_with(|| random.alphanumeric())
        .take(length)
        .collect()
}
