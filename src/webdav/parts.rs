//! Files that jobs write and this side reads: a log while it grows, and a small file that must be whole (paracloud.md §9.2).

use futures_util::StreamExt as _;

use crate::error::{Error, Result};
use crate::model::FilePath;

use super::client::{Client, after, is_status, short};
use super::reception::PartHead;

/// What one read of a growing file gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Part {
    pub bytes: Vec<u8>,
    /// There is more to be had at once.
    pub more: bool,
}

impl Client {
    /// A file's bytes from `offset` on, at most about `limit` of them; empty when there are no more.
    ///
    /// What came before a connection broke is good, and there is more.
    pub async fn read_part(&self, path: &FilePath, offset: u64, limit: usize) -> Result<Part> {
        match self.fetch(path, offset, limit).await? {
            (part, Some(lost)) if part.bytes.is_empty() => Err(lost),
            (part, lost) => Ok(Part {
                more: part.more || lost.is_some(),
                ..part
            }),
        }
    }

    /// A small file of at most about `limit` bytes, whole: half of a number is another number.
    pub async fn read_small(&self, path: &FilePath, limit: usize) -> Result<Vec<u8>> {
        match self.fetch(path, 0, limit).await? {
            (_, Some(lost)) => Err(lost),
            (part, None) => Ok(part.bytes),
        }
    }

    /// One GET: what came, and why it is less than the answer's head promised.
    async fn fetch(
        &self,
        path: &FilePath,
        offset: u64,
        limit: usize,
    ) -> Result<(Part, Option<Error>)> {
        self.ready().await?;
        let template = self.requests.get_part(path, offset, limit);
        let incoming = match self.session.download(&*self.streaming, &template).await {
            Ok(incoming) => incoming,
            // Nothing beyond what was read already.
            Err(failure) if is_status(&failure, &[416]) => return Ok((Part::default(), None)),
            Err(failure) => return Err(self.about(path, failure.error)),
        };
        let head = PartHead::accept(incoming.status, &incoming.headers, offset)
            .map_err(|unfit| self.unfit(path, unfit))?;
        let mut skip = head.skip;
        let mut bytes = Vec::new();
        let mut lost = None;
        let mut pieces = incoming.pieces;
        while bytes.len() < limit {
            let next = self
                .session
                .before_deadline(template.operation, pieces.next())
                .await?;
            match next {
                None => break,
                Some(Ok(piece)) => bytes.extend_from_slice(after(&piece, &mut skip)),
                Some(Err(failure)) => {
                    lost = Some(failure.error);
                    break;
                }
            }
        }
        let came = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let is_short = bytes.len() < limit && head.length.is_some_and(|length| came < length);
        if lost.is_none() && is_short {
            lost = Some(short(path));
        }
        let more = match head.total {
            Some(total) => offset.saturating_add(came) < total,
            None => bytes.len() >= limit,
        };
        let lost = lost.map(|error| self.about(path, error));
        Ok((Part { bytes, more }, lost))
    }
}
