//! `PROVIDER/PATH`: refs of jobs and volumes (cli.md §1 and §10).

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::http::encode;

/// A ref that needs no local state: the provider's name and the parts of its path.
///
/// In text each part is percent-encoded where it holds a `/`, a space or another unsafe character.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceRef {
    pub provider: String,
    pub path: Vec<String>,
}

/// Why a text is no ref.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RefError {
    #[error("`{0}` is no ref; one looks like `PROVIDER/PATH`")]
    NoPath(String),
    #[error("`{0}` has an empty part")]
    EmptyPart(String),
    #[error("`{0}` holds a percent sign that is not followed by two hex digits of UTF-8 text")]
    BadEscape(String),
}

impl ResourceRef {
    /// A ref from its parts, unencoded.
    pub fn new<I, S>(provider: impl Into<String>, path: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        Self {
            provider: provider.into(),
            path: path.into_iter().map(Into::into).collect(),
        }
    }

    /// The last part: the provider's own id.
    pub fn id(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    /// The parts as text slices, for matching by shape.
    pub fn parts(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }
}

impl fmt::Display for ResourceRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.provider)?;
        for part in &self.path {
            write!(formatter, "/{}", encode::component(part))?;
        }
        Ok(())
    }
}

impl FromStr for ResourceRef {
    type Err = RefError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (provider, path) = text
            .split_once('/')
            .filter(|(provider, path)| !provider.is_empty() && !path.is_empty())
            .ok_or_else(|| RefError::NoPath(text.to_owned()))?;
        let path = path
            .split('/')
            .map(|part| match encode::decode(part) {
                Some(part) if !part.is_empty() => Ok(part),
                Some(_) => Err(RefError::EmptyPart(text.to_owned())),
                None => Err(RefError::BadEscape(text.to_owned())),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            provider: provider.to_owned(),
            path,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_with_unsafe_characters_survive_the_text_form() {
        let reference = ResourceRef::new("cyclecloud", ["my lab", "gpu/a", "-"]);
        let text = reference.to_string();
        assert_eq!(text, "cyclecloud/my%20lab/gpu%2Fa/-");
        assert_eq!(text.parse(), Ok(reference));
    }

    #[test]
    fn what_is_no_ref_is_named() {
        assert!(matches!(
            "p6vd2hcn".parse::<ResourceRef>(),
            Err(RefError::NoPath(_))
        ));
        assert!(matches!(
            "a//b".parse::<ResourceRef>(),
            Err(RefError::EmptyPart(_))
        ));
        assert!(matches!(
            "a/%zz".parse::<ResourceRef>(),
            Err(RefError::BadEscape(_))
        ));
    }
}
