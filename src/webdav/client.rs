//! The files of one volume over the wire (paracloud.md §6.2).

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use jiff::SignedDuration;
use tokio::sync::OnceCell;

use crate::error::{Error, Kind, Result};
use crate::http::{Answer, BaseUrl, BodySource, Failure, Incoming, Session, Streaming, Template};
use crate::model::{FileEntry, FilePath, Timestamp};
use crate::provider::FileSink;
use crate::secret::Secret;
use crate::sign::Basic;

use super::dialect::{WebdavDialect, not_webdav};
use super::multistatus;
use super::reception::{Reception, Unfit};
use super::requests::{Depth, Place, READ_PROPERTIES, Requests};

/// A file has this at the end of its name until it is whole.
const PART: &str = ".gpujob-part";
/// After a volume's creation its service may not know the login yet, for about so long.
const BECOMING_READY: SignedDuration = SignedDuration::from_secs(60);
/// Between two looks whether it does.
const READY_PAUSE: Duration = Duration::from_secs(2);
/// A pause before a broken download is taken up, once it brought nothing new.
const RESUME_PAUSE: Duration = Duration::from_millis(500);

/// How to get at a volume's files.
#[derive(Debug, Clone)]
pub struct Access {
    pub base: BaseUrl,
    pub username: String,
    pub password: Secret,
    /// What people call the volume.
    pub label: String,
    /// When the volume was created, if that may be just now.
    pub created_at: Option<Timestamp>,
}

/// One volume's files.
#[derive(Debug)]
pub struct Client {
    pub(super) session: Session,
    pub(super) streaming: Arc<dyn Streaming>,
    pub(super) requests: Requests,
    label: String,
    created_at: Option<Timestamp>,
    ready: OnceCell<()>,
}

/// How a piece of a download ended.
enum Drained {
    Whole,
    /// Nobody wants more.
    Unwanted,
    Broken(Error),
}

impl Client {
    /// A client over an account's connection, with the volume's own credentials; nothing is sent.
    pub fn new(account: &Session, streaming: Arc<dyn Streaming>, access: Access) -> Result<Self> {
        let signer = Basic::new(&access.username, &access.password)?;
        Ok(Self {
            session: Session {
                signer: Arc::new(signer),
                dialect: Arc::new(WebdavDialect {
                    password: access.password,
                }),
                ..account.clone()
            },
            streaming,
            requests: Requests::new(access.base),
            label: access.label,
            created_at: access.created_at,
            ready: OnceCell::new(),
        })
    }

    /// The file or folder at a path.
    pub async fn stat(&self, path: &FilePath) -> Result<FileEntry> {
        self.ready().await?;
        self.itself(path).await
    }

    /// What lies in a folder, by name; of a file, the file itself.
    pub async fn list(&self, path: &FilePath) -> Result<Vec<FileEntry>> {
        self.ready().await?;
        let mut found = self.properties(path, Depth::Children).await?;
        if let Some(file) = found
            .iter()
            .find(|entry| entry.path == *path && !entry.is_folder)
        {
            return Ok(vec![file.clone()]);
        }
        found.retain(|entry| entry.path.parent().as_ref() == Some(path));
        found.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(found)
    }

    /// Puts a file in place of what is there, whole or not at all.
    pub async fn put(&self, path: &FilePath, source: &dyn BodySource) -> Result<FileEntry> {
        self.ready().await?;
        self.refuse_folder(path).await?;
        let folder = path.parent().unwrap_or_default();
        let part = folder.join(&format!("{}{PART}", path.name()));
        let placed = async {
            self.put_part(path, &part, source).await?;
            self.check_length(&part, source.length()).await?;
            self.rename(&part, path).await
        };
        match placed.await {
            Ok(()) => self.itself(path).await,
            Err(error) => {
                let left = self.session.send(&self.requests.delete(&part, false)).await;
                if let Err(failure) = left
                    && !is_status(&failure, &[404])
                {
                    self.session
                        .reporter
                        .detail(1, &format!("`{part}` may be left over: {}", failure.error));
                }
                Err(error)
            }
        }
    }

    /// Hands a file's bytes on as they come: as many as the folder says it has.
    pub async fn get(&self, path: &FilePath, sink: &mut dyn FileSink) -> Result<FileEntry> {
        self.ready().await?;
        let mut entry = self.itself(path).await?;
        if entry.is_folder {
            return Err(self.folder_error(path, "`gpujob volumes ls` lists what is in it"));
        }
        let mut reception = Reception::of(entry.size_bytes);
        let mut fruitless = 0;
        loop {
            let before = reception.offset;
            let ended = self.continue_get(path, &mut reception, sink).await?;
            let error = match ended {
                Drained::Whole if reception.is_whole() => break,
                Drained::Unwanted => break,
                Drained::Whole => short(path),
                Drained::Broken(error) => error,
            };
            fruitless = if reception.offset > before {
                0
            } else {
                fruitless + 1
            };
            if error.kind() != Kind::Temporary || fruitless > self.session.patience.retries {
                return Err(self.about(path, error));
            }
            self.session.reporter.note(&format!(
                "`{}`: the connection broke after {} bytes of `{path}` ({error}); going on from there",
                self.session.provider, reception.offset
            ));
            if fruitless > 0 {
                self.pause(RESUME_PAUSE * fruitless).await?;
            }
        }
        entry.size_bytes = Some(reception.offset);
        Ok(entry)
    }

    /// Removes a file; a folder only with `recursive`.
    pub async fn remove(&self, path: &FilePath, recursive: bool) -> Result<()> {
        if path.is_root() {
            return Err(self.about(
                path,
                Error::new(
                    Kind::Usage,
                    "is_root",
                    "the root of a volume cannot be removed",
                )
                .with_hint("`gpujob volumes delete` deletes the volume"),
            ));
        }
        self.ready().await?;
        let entry = self.itself(path).await?;
        if entry.is_folder && !recursive {
            return Err(self.folder_error(path, "`-r` removes it with all that is in it"));
        }
        self.delete(path, entry.is_folder).await
    }

    /// Sends one planned request, such as the upload of a job's script.
    pub async fn send_planned(&self, template: &Template) -> Result<()> {
        self.ready().await?;
        match self.session.send(template).await {
            Ok(_) => Ok(()),
            Err(failure) if is_existing_folder(template, &failure) => Ok(()),
            Err(failure) => Err(failure.error),
        }
    }

    /// Removes a file or folder without a look before; that it is gone already is a success.
    pub async fn delete(&self, path: &FilePath, is_folder: bool) -> Result<()> {
        let template = self.requests.delete(path, is_folder);
        match self.session.send(&template).await {
            Ok(_) => Ok(()),
            Err(failure) if is_status(&failure, &[404]) => Ok(()),
            Err(failure) => {
                let left = failure
                    .answer
                    .as_deref()
                    .map(|answer| self.left_over(answer));
                let error = self.about(path, failure.error);
                Err(match left {
                    Some(left) if !left.is_empty() => error.with_candidates(left),
                    Some(_) | None => error,
                })
            }
        }
    }

    /// Waits until the service knows a volume that was created within the last minute (§6.2, last points).
    pub(super) async fn ready(&self) -> Result<()> {
        self.ready.get_or_try_init(|| self.become_ready()).await?;
        Ok(())
    }

    async fn become_ready(&self) -> Result<()> {
        let Some(created_at) = self.created_at else {
            return Ok(());
        };
        let template = self
            .requests
            .properties(&FilePath::default(), Depth::Itself, true);
        let is_fresh = || self.session.clock.now().duration_since(created_at) < BECOMING_READY;
        while is_fresh() {
            let Err(failure) = self.session.send(&template).await else {
                return Ok(());
            };
            let may_pass = failure.answer.as_ref().is_some_and(|answer| {
                matches!(answer.status.as_u16(), 401 | 403 | 404 | 500..=599)
            });
            if !may_pass || !is_fresh() {
                return Err(failure.error);
            }
            self.session.reporter.note(&format!(
                "the transfer service does not know {} yet; trying again",
                self.label
            ));
            self.pause(READY_PAUSE).await?;
        }
        Ok(())
    }

    async fn itself(&self, path: &FilePath) -> Result<FileEntry> {
        let found = self.properties(path, Depth::Itself).await?;
        found
            .into_iter()
            .find(|entry| entry.path == *path)
            .ok_or_else(|| {
                let error = Error::new(
                    Kind::Protocol,
                    "not_webdav",
                    "the answer tells of other files than it was asked for",
                );
                self.about(path, error)
            })
    }

    async fn properties(&self, path: &FilePath, depth: Depth) -> Result<Vec<FileEntry>> {
        let template = self.requests.properties(path, depth, false);
        let answer = match self.session.send(&template).await {
            Err(failure) if self.wants_slash(path, &failure) => {
                let template = self.requests.properties(path, depth, true);
                self.session.send(&template).await
            }
            sent => sent,
        };
        let answer = answer.map_err(|failure| self.about(path, failure.error))?;
        let entries = multistatus::entries(&answer.body).map_err(|why| {
            let error = not_webdav(READ_PROPERTIES, &answer);
            let message = format!("the answer to `{READ_PROPERTIES}` {why}");
            self.about(path, error.with_message(message))
        })?;
        let mut unspeakable = 0;
        let mut outside = 0;
        let mut found = Vec::new();
        for entry in entries {
            match self.requests.place(&entry.href) {
                Place::Inside(path) => found.push(FileEntry {
                    path,
                    is_folder: entry.is_folder,
                    size_bytes: entry.length.filter(|_| !entry.is_folder),
                    modified_at: entry.modified,
                }),
                Place::Outside => outside += 1,
                Place::Unspeakable => unspeakable += 1,
            }
        }
        if found.is_empty() && outside > 0 {
            let error = not_webdav(READ_PROPERTIES, &answer).with_message(
                "the answer tells of other files than it was asked for; is a part of the path missing in the volume's \
                 WebDAV address, or changed by a proxy?",
            );
            return Err(self.about(path, error));
        }
        if unspeakable > 0 {
            self.session.reporter.warning(&format!(
                "{unspeakable} entries of `{path}` have names that gpujob cannot address, and are not shown"
            ));
        }
        Ok(found)
    }

    fn wants_slash(&self, path: &FilePath, failure: &Failure) -> bool {
        failure.answer.as_ref().is_some_and(|answer| {
            answer.status.is_redirection()
                && answer
                    .header("location")
                    .is_some_and(|location| self.requests.is_same_with_slash(path, location))
        })
    }

    /// A MOVE onto a folder would remove it with all that is in it (RFC 4918 §9.9.3).
    async fn refuse_folder(&self, path: &FilePath) -> Result<()> {
        let is_folder = if path.is_root() {
            true
        } else {
            match self.itself(path).await {
                Ok(entry) => entry.is_folder,
                Err(error) if error.kind() == Kind::NotFound => false,
                Err(error) => return Err(error),
            }
        };
        if is_folder {
            return Err(self.folder_error(path, "name the file in it, or end the path with `/`"));
        }
        Ok(())
    }

    /// Sends the bytes under the name of a part; folders are made when the server misses them.
    async fn put_part(
        &self,
        path: &FilePath,
        part: &FilePath,
        source: &dyn BodySource,
    ) -> Result<()> {
        let template = self.requests.put(part);
        let upload = || self.session.upload(&*self.streaming, &template, source);
        let sent = match upload().await {
            // Which of the two says that the folder is missing depends on the server.
            Err(failure) if is_status(&failure, &[404, 409]) && !path.folders().is_empty() => {
                for folder in path.folders() {
                    let made = self.requests.make_folder(&folder);
                    match self.session.send(&made).await {
                        Ok(_) => {}
                        Err(failure) if is_existing_folder(&made, &failure) => {}
                        Err(failure) => return Err(self.about(&folder, failure.error)),
                    }
                }
                upload().await
            }
            sent => sent,
        };
        sent.map(drop)
            .map_err(|failure| self.about(path, failure.error))
    }

    async fn check_length(&self, part: &FilePath, length: u64) -> Result<()> {
        let arrived = self.itself(part).await?.size_bytes;
        match arrived {
            Some(arrived) if arrived != length => Err(self.about(
                part,
                Error::new(
                    Kind::Temporary,
                    "incomplete_upload",
                    format!("{arrived} bytes arrived of {length}"),
                ),
            )),
            Some(_) | None => Ok(()),
        }
    }

    async fn rename(&self, part: &FilePath, path: &FilePath) -> Result<()> {
        let template = self.requests.rename(part, path)?;
        match self.session.send(&template).await {
            Ok(_) => Ok(()),
            // The answer to a MOVE that took was lost: the part is gone because it has its name.
            Err(failure) if failure.attempts > 1 && is_status(&failure, &[404]) => Ok(()),
            Err(failure) => Err(self.about(path, failure.error)),
        }
    }

    /// One GET, from where the last one broke.
    async fn continue_get(
        &self,
        path: &FilePath,
        reception: &mut Reception,
        sink: &mut dyn FileSink,
    ) -> Result<Drained> {
        let template = self
            .requests
            .get(path, reception.offset, reception.validator());
        let incoming = match self.session.download(&*self.streaming, &template).await {
            Ok(incoming) => incoming,
            Err(failure) if is_status(&failure, &[416]) => {
                return Err(self.unfit(path, Unfit::Changed));
            }
            Err(failure) => return Err(self.about(path, failure.error)),
        };
        let skip = match reception.accept(incoming.status, &incoming.headers) {
            // It may have grown since its size was told.
            Err(Unfit::OtherLength) => {
                reception.grown(self.itself(path).await?.size_bytes);
                reception.accept(incoming.status, &incoming.headers)
            }
            accepted => accepted,
        };
        let skip = skip.map_err(|unfit| self.unfit(path, unfit))?;
        if reception.offset == 0 {
            sink.begin(reception.length());
        }
        self.drain(incoming, skip, reception, sink).await
    }

    async fn drain(
        &self,
        mut incoming: Incoming,
        mut skip: u64,
        reception: &mut Reception,
        sink: &mut dyn FileSink,
    ) -> Result<Drained> {
        loop {
            let next = self
                .session
                .before_deadline("GetFile", incoming.pieces.next())
                .await?;
            let piece = match next {
                None => return Ok(Drained::Whole),
                Some(Err(lost)) => return Ok(Drained::Broken(lost.error)),
                Some(Ok(piece)) => piece,
            };
            let fresh = after(&piece, &mut skip);
            if fresh.is_empty() {
                continue;
            }
            reception.offset += u64::try_from(fresh.len()).unwrap_or_default();
            if !sink.write(fresh)? {
                return Ok(Drained::Unwanted);
            }
        }
    }

    /// What a partial delete left, for people.
    fn left_over(&self, answer: &Answer) -> Vec<String> {
        multistatus::failures(&answer.body)
            .unwrap_or_default()
            .into_iter()
            .map(|(href, status)| match self.requests.place(&href) {
                Place::Inside(path) => format!("{path} (HTTP {status})"),
                Place::Outside | Place::Unspeakable => format!("{href} (HTTP {status})"),
            })
            .collect()
    }

    /// Waits, unless the deadline of the whole command comes first.
    async fn pause(&self, pause: Duration) -> Result<()> {
        self.session
            .before_deadline("WebDAV", tokio::time::sleep(pause))
            .await
    }

    pub(super) fn unfit(&self, path: &FilePath, unfit: Unfit) -> Error {
        let (kind, code) = match unfit {
            Unfit::Changed | Unfit::OtherLength => (Kind::Temporary, "file_changed"),
            Unfit::OtherPart => (Kind::Protocol, "other_part"),
            Unfit::Page | Unfit::NoFile => (Kind::Protocol, "not_webdav"),
        };
        let error = Error::new(kind, code, unfit.to_string());
        let error = if kind == Kind::Protocol {
            error.with_hint("check the proxy, and the volume's WebDAV address")
        } else {
            error
        };
        self.about(path, error)
    }

    fn folder_error(&self, path: &FilePath, hint: &str) -> Error {
        let error = Error::new(Kind::Rejected, "is_folder", "it is a folder").with_hint(hint);
        self.about(path, error)
    }

    /// Names the file in an error.
    pub(super) fn about(&self, path: &FilePath, error: Error) -> Error {
        let place = format!("{}:{path}", self.label);
        let error = if error.kind() == Kind::NotFound {
            error
                .with_message(format!("there is no `{place}`"))
                .with_hint("`gpujob volumes ls` lists what there is")
        } else {
            let message = format!("`{place}`: {error}");
            error.with_message(message)
        };
        error.with_provider(&self.session.provider)
    }
}

pub(super) fn short(path: &FilePath) -> Error {
    Error::new(
        Kind::Temporary,
        "connection_lost",
        format!("`{path}` ended before its length"),
    )
}

pub(super) fn is_status(failure: &Failure, statuses: &[u16]) -> bool {
    failure
        .answer
        .as_ref()
        .is_some_and(|answer| statuses.contains(&answer.status.as_u16()))
}

/// MKCOL of what is there already answers 405 (§9.3.1).
fn is_existing_folder(template: &Template, failure: &Failure) -> bool {
    template.operation == super::requests::MAKE_FOLDER && is_status(failure, &[405])
}

/// The bytes of a piece behind the `skip` first, which shrinks by those that were passed over.
pub(super) fn after<'a>(piece: &'a [u8], skip: &mut u64) -> &'a [u8] {
    let passed = usize::try_from(*skip)
        .unwrap_or(usize::MAX)
        .min(piece.len());
    *skip -= u64::try_from(passed).unwrap_or_default();
    piece.get(passed..).unwrap_or_default()
}
