//! What every provider offered when it was last asked, for `types --max-age`.
//!
//! One 0600 file per provider in a 0700 folder below the cache directory, written whole or not at all. Nothing that
//! creates reads it: a create needs a fresh look. What cannot be read, or belongs to another account, is as good as
//! nothing.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::config::{ProviderSettings, create_private_directory, write_private_file};
use crate::http::encode;
use crate::model::{Offer, Timestamp};
use crate::sign::hex;

const SCHEMA: &str = "gpujob/types-cache/v1";

/// Whose offers: the same name may stand for another account tomorrow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The configured name.
    pub provider: String,
    pub backend: String,
    /// SHA-256 in hex of every setting that may be shown and of where each came from; of secrets only the latter.
    pub scope: String,
}

impl Account {
    /// The account that these settings lead to; fetches nothing.
    pub fn of(settings: &ProviderSettings, now: Timestamp) -> Self {
        let mut digest = Sha256::new();
        for row in settings.rows(now) {
            let origin = row.origin.to_string();
            for part in [
                row.key.as_str(),
                &row.value,
                &origin,
                row.source.as_deref().unwrap_or_default(),
            ] {
                digest.update(part);
                digest.update([0]);
            }
        }
        Self {
            provider: settings.name.clone(),
            backend: settings.backend.to_string(),
            scope: hex::encode(&digest.finalize()),
        }
    }
}

/// An answer of a provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// When it was asked.
    pub looked_at: Timestamp,
    /// As the provider told them, before filters and without the user's own prices.
    pub offers: Vec<Offer>,
}

#[derive(Debug, Serialize)]
struct WrittenV1<'a> {
    schema: &'a str,
    provider: &'a str,
    backend: &'a str,
    scope: &'a str,
    looked_at: Timestamp,
    offers: &'a [Offer],
}

#[derive(Debug, Deserialize)]
struct StoredV1 {
    schema: String,
    provider: String,
    backend: String,
    scope: String,
    looked_at: Timestamp,
    offers: Vec<Offer>,
}

/// How old an answer is, if that is at most `max_age`; one from the future has no age that could be trusted.
pub fn age_within(looked_at: Timestamp, now: Timestamp, max_age: Duration) -> Option<Duration> {
    let age = Duration::try_from(now.duration_since(looked_at)).ok()?;
    (age <= max_age).then_some(age)
}

/// The stored answers of one cache directory.
#[derive(Debug, Clone)]
pub struct OfferCache {
    folder: PathBuf,
}

impl OfferCache {
    /// The answers in a cache directory; touches nothing.
    pub fn new(cache_directory: &Path) -> Self {
        Self {
            folder: cache_directory.join("types"),
        }
    }

    /// The last answer of an account; `None` if there is none, and the reason if there is one that is no use.
    pub fn load(&self, account: &Account) -> Result<Option<Look>, String> {
        let path = self.path_of(account);
        let useless = |why: &str| format!("{} is not used: {why}", path.display());
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(useless(&error.to_string())),
        };
        let stored: StoredV1 =
            serde_json::from_slice(&text).map_err(|error| useless(&error.to_string()))?;
        if stored.schema != SCHEMA {
            return Err(useless(&format!("its schema is not `{SCHEMA}`")));
        }
        let owner = Account {
            provider: stored.provider,
            backend: stored.backend,
            scope: stored.scope,
        };
        if owner != *account {
            return Err(useless("it was written under other settings"));
        }
        Ok(Some(Look {
            looked_at: stored.looked_at,
            offers: stored.offers,
        }))
    }

    /// Keeps an answer in place of the last one. It need not outlast a power failure.
    pub fn save(&self, account: &Account, look: &Look) -> io::Result<()> {
        let text = serde_json::to_vec(&WrittenV1 {
            schema: SCHEMA,
            provider: &account.provider,
            backend: &account.backend,
            scope: &account.scope,
            looked_at: look.looked_at,
            offers: &look.offers,
        })?;
        if let Some(cache_directory) = self.folder.parent() {
            create_private_directory(cache_directory)?;
        }
        create_private_directory(&self.folder)?;
        write_private_file(&self.folder, &text)?
            .persist(self.path_of(account))
            .map_err(|error| error.error)?;
        Ok(())
    }

    /// One file per provider's name, which may hold anything.
    fn path_of(&self, account: &Account) -> PathBuf {
        let name = encode::component(&account.provider);
        self.folder.join(format!("{name}.json"))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;
    use tempfile::TempDir;

    use super::*;
    use crate::model::{Gpu, Money, SpotOffer};
    use crate::testing;

    fn account(provider: &str) -> Account {
        Account {
            provider: provider.to_owned(),
            backend: "gongji".to_owned(),
            scope: "a1b2".to_owned(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    fn full() -> Offer {
        let text = |text: &str| Some(text.to_owned());
        Offer {
            id: "a100-8".to_owned(),
            name: "八卡 \"A100\"".to_owned(),
            cluster: text("NC-N30"),
            region: text("hebeif-1"),
            queue: text("gpu"),
            gpu: Some(Gpu {
                model: text("A100"),
                count: 0.5,
                memory_bytes: Some(80 << 30),
                form_factor: text("SXM"),
            }),
            gpu_text: text("NVIDIA A100"),
            cpu_cores: Some(7.5),
            memory_bytes: Some(u64::MAX),
            arch: text("amd64"),
            price_per_hour: Some(Money::from_micros(i128::MAX, "CNY")),
            price_source: text("provider"),
            spot: Some(SpotOffer {
                discount: Some(0.31),
                available: Some(false),
            }),
            stock: Some(3),
            available: Some(true),
            infiniband: Some(false),
            note: text("slow"),
            as_of: Some("2026-11-29T04:05:06.123456789Z".parse().unwrap()),
            raw: json!({"z": 1, "a": [null, 1.5, "x"]}),
        }
    }

    fn bare() -> Offer {
        testing::offer("bare")
    }

    fn look() -> Look {
        Look {
            looked_at: at(0),
            offers: vec![full(), bare()],
        }
    }

    #[rstest]
    #[case("gongji")]
    #[case("../a b/九")]
    fn every_field_comes_back_and_no_name_leaves_the_folder(#[case] provider: &str) {
        let directory = TempDir::new().unwrap();
        let cache = OfferCache::new(&directory.path().join("gpujob"));
        let account = account(provider);
        assert_eq!(cache.load(&account), Ok(None));
        cache.save(&account, &look()).unwrap();
        cache.save(&account, &look()).unwrap();
        assert_eq!(cache.load(&account), Ok(Some(look())));
        assert_eq!(std::fs::read_dir(&cache.folder).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = TempDir::new().unwrap();
        let cache = OfferCache::new(&directory.path().join("gpujob"));
        cache.save(&account("p"), &look()).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&cache.path_of(&account("p"))), 0o600);
        assert_eq!(mode(&cache.folder), 0o700);
        assert_eq!(mode(cache.folder.parent().unwrap()), 0o700);
    }

    #[rstest]
    #[case::just_now(0, 60, Some(0))]
    #[case::younger(59, 60, Some(59))]
    #[case::as_old_as_allowed(60, 60, Some(60))]
    #[case::older(61, 60, None)]
    #[case::nothing_allowed(1, 0, None)]
    #[case::from_the_future(-1, 60, None)]
    fn an_age_is_told_only_within_the_limit(
        #[case] seconds_ago: i64,
        #[case] max_age: u64,
        #[case] expected: Option<u64>,
    ) {
        let age = age_within(at(0), at(seconds_ago), Duration::from_secs(max_age));
        assert_eq!(age, expected.map(Duration::from_secs));
    }

    #[rstest]
    #[case::no_json("\"looked_at\"", "", "line 1")]
    #[case::other_schema("types-cache/v1", "types-cache/v2", "schema")]
    #[case::other_name("\"provider\":\"p\"", "\"provider\":\"q\"", "other settings")]
    #[case::other_backend("\"gongji\"", "\"paracloud\"", "other settings")]
    #[case::other_scope("a1b2", "a1b3", "other settings")]
    fn a_file_that_is_no_use_is_told_and_not_used(
        #[case] from: &str,
        #[case] to: &str,
        #[case] why: &str,
    ) {
        let directory = TempDir::new().unwrap();
        let cache = OfferCache::new(directory.path());
        let account = account("p");
        cache.save(&account, &look()).unwrap();
        let path = cache.path_of(&account);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(&path, text.replace(from, to)).unwrap();
        let told = cache.load(&account).unwrap_err();
        assert!(told.contains(why) && told.contains("is not used"), "{told}");
    }
}
