//! The keys that a gateway knows.

use crate::model::Timestamp;
use crate::secret::Secret;

/// One access key, permanent or temporary.
#[derive(Debug, Clone)]
pub struct AccessKey {
    pub id: String,
    pub secret: Secret,
    /// Whose key it is: the id of a user.
    pub user_id: String,
    pub enabled: bool,
    /// Set for a temporary key of STS: it is of use only together with this token.
    pub token: Option<Token>,
}

/// The security token that goes with a temporary key.
#[derive(Debug, Clone)]
pub struct Token {
    pub text: Secret,
    pub expires: Timestamp,
}

/// All keys of one gateway.
#[derive(Debug, Clone, Default)]
pub struct KeyStore {
    keys: Vec<AccessKey>,
}

impl KeyStore {
    /// A store of these keys.
    pub fn new(keys: Vec<AccessKey>) -> Self {
        Self { keys }
    }

    /// The key of an id.
    pub fn find(&self, id: &str) -> Option<&AccessKey> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// Whether some key has this token.
    pub fn knows_token(&self, text: &str) -> bool {
        self.keys
            .iter()
            .filter_map(|key| key.token.as_ref())
            .any(|token| token.text.expose() == text)
    }
}
