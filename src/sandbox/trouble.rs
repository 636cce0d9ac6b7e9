//! What befalls one job while it runs, asked for through the control route: `POST /__sandbox/trouble` (cli.md §9).
//!
//! Each service tells it in its own words; what a service does not have is refused with a sentence.

/// A misfortune of one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The machine under a running job dies with its processes.
    NodeFails,
    /// The provider knows the job no more: not found, not listed, and its processes gone.
    Vanishes,
    /// The provider's own time limit is reached now.
    TimesOut,
    /// Its pods are replaced by new ones: new ids, and logs from the start.
    Restarts,
}

impl Trouble {
    const ALL: [Self; 4] = [
        Self::NodeFails,
        Self::Vanishes,
        Self::TimesOut,
        Self::Restarts,
    ];

    /// The word on the control route.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NodeFails => "node-fails",
            Self::Vanishes => "vanishes",
            Self::TimesOut => "times-out",
            Self::Restarts => "restarts",
        }
    }

    /// The trouble of a word; the error lists all.
    pub fn from_word(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|trouble| trouble.word() == word)
            .ok_or_else(|| {
                let words = Self::ALL.map(Self::word).join(", ");
                format!("`{word}` is no trouble; there are {words}")
            })
    }

    /// The refusal of a service that has no such thing, or of a job that is not where it can befall it.
    pub fn cannot(self, job: &str, why: &str) -> String {
        format!("`{}` cannot befall job {job}: {why}", self.word())
    }
}

/// Whether an image can never be pulled: its registry is below `.invalid`, a domain that nobody can have (RFC 2606).
pub fn cannot_be_pulled(image: &str) -> bool {
    let Some((registry, _)) = image.split_once('/') else {
        return false;
    };
    let host = registry.split(':').next().unwrap_or(registry);
    let host = host.to_ascii_lowercase();
    host == "invalid" || host.ends_with(".invalid")
}

/// What a container runtime says of such an image.
pub fn pull_error(image: &str) -> String {
    format!("failed to pull image \"{image}\": lookup of the registry: no such host")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("gpujob.invalid/train:1", true)]
    #[case("a.GPUJOB.Invalid:5000/x/y", true)]
    #[case("invalid/train", true)]
    #[case("gpujob.invalid", false)]
    #[case("registry.example/invalid/x", false)]
    #[case("notinvalid/x", false)]
    #[case("debian:12", false)]
    fn images_of_invalid_registries_cannot_be_pulled(#[case] image: &str, #[case] expected: bool) {
        assert_eq!(cannot_be_pulled(image), expected);
    }

    #[test]
    fn every_trouble_has_its_word() {
        for trouble in Trouble::ALL {
            assert_eq!(Trouble::from_word(trouble.word()), Ok(trouble));
        }
        assert!(
            Trouble::from_word("rain")
                .unwrap_err()
                .contains("node-fails")
        );
    }
}
