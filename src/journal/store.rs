//! Opening and writing the journal. Every call is one transaction of its own, durable when it returns.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior, params};
use serde_json::Value;

use crate::config::create_private_directory;
use crate::error::{Error, Kind, Result};
use crate::model::{Marker, Money, ResourceRef, State, Timestamp};

use super::query;
use super::record::{Entry, Intent, Observation, Phase, Prepared};
use super::schema;

/// The file's name in the state directory.
const FILE: &str = "journal.sqlite3";

/// How often one process asks for the lock before it gives up: with the pauses below, for about half a minute.
const PATIENCE: i32 = 6000;

/// The journal of one state directory.
///
/// Opened for reading, an absent file is an empty journal and none is created.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    connection: Option<Mutex<Connection>>,
}

impl Journal {
    /// Where the journal of a state directory lies.
    pub fn path_in(directory: &Path) -> PathBuf {
        directory.join(FILE)
    }

    /// Opens the journal of a state directory for writing; creates folder (0700) and file (0600). 85 if that fails.
    pub fn open(directory: &Path) -> Result<Self> {
        let path = Self::path_in(directory);
        create_private_directory(directory)
            .and_then(|()| create_private_file(&path))
            .map_err(|error| unwritable(&path, error))?;
        let mut connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        schema::migrate(&mut connection, schema::STEPS)
            // Taking the write lock shows that the file can be written, before anything depends on it.
            .and_then(|()| {
                connection
                    .transaction_with_behavior(TransactionBehavior::Immediate)?
                    .rollback()
            })
            .map_err(|error| unwritable(&path, error))?;
        Ok(Self {
            path,
            connection: Some(Mutex::new(connection)),
        })
    }

    /// A journal that remembers nothing and touches no file: what is left when the file cannot be read.
    pub fn empty(directory: &Path) -> Self {
        Self {
            path: Self::path_in(directory),
            connection: None,
        }
    }

    /// Opens the journal for looking things up; absent, it is empty, and nothing is created.
    pub fn open_for_reading(directory: &Path) -> Result<Self> {
        let path = Self::path_in(directory);
        // An empty file is one whose first user is still at work, or was killed at it.
        let absent = std::fs::metadata(&path).map_or_else(
            |error| error.kind() == io::ErrorKind::NotFound,
            |metadata| metadata.len() == 0,
        );
        if absent {
            return Ok(Self::empty(directory));
        }
        // A journal left behind by a crash is rolled back by whoever reads first, which takes the right to write.
        let mut connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)
            .or_else(|_| connect(&path, OpenFlags::SQLITE_OPEN_READ_ONLY))?;
        schema::migrate(&mut connection, schema::STEPS)
            .map_err(|error| unreadable(&path, error))?;
        Ok(Self {
            path,
            connection: Some(Mutex::new(connection)),
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes an intent down, before anything is sent.
    ///
    /// An identity that is on record stays as it is and is handed back. Two kinds of records give way, since no create
    /// of theirs can have taken: one that was refused, and one of another spec that was never sent.
    pub fn prepare(&self, intent: &Intent) -> Result<Prepared> {
        self.write(|transaction| {
            if let Some(existing) = query::by_identity(transaction, intent.marker.identity())? {
                let gives_way = match existing.phase {
                    Some(Phase::Rejected) => true,
                    Some(Phase::Prepared) => existing.marker.as_ref() != Some(&intent.marker),
                    Some(
                        Phase::Sending | Phase::Submitted | Phase::Unknown | Phase::Resubmitted,
                    )
                    | None => false,
                };
                if !gives_way {
                    return Ok(Prepared::Existing(Box::new(existing)));
                }
                transaction.execute(
                    "DELETE FROM submissions WHERE identity = ?1",
                    [intent.marker.identity()],
                )?;
            }
            insert(transaction, intent)?;
            Ok(Prepared::New)
        })
    }

    /// Moves from `prepared` to `sending`, just before the first byte.
    ///
    /// False means that another process was faster, or that the record has given way: whoever is told so must not
    /// send, only look up.
    pub fn mark_sending(&self, marker: &Marker) -> Result<bool> {
        self.write(|transaction| {
            let changed = transaction.execute(
                "UPDATE submissions SET phase = 'sending', sends = sends + 1 \
                 WHERE marker = ?1 AND phase = 'prepared'",
                [marker.as_str()],
            )?;
            Ok(changed == 1)
        })
    }

    /// Moves a submission in doubt to `resubmitted`, just before it is sent again because the user said so.
    ///
    /// False means that somebody else has moved it since `entry` was read.
    pub fn mark_resubmitted(&self, entry: &Entry) -> Result<bool> {
        let Some(marker) = &entry.marker else {
            return Ok(false);
        };
        self.write(|transaction| {
            let changed = transaction.execute(
                "UPDATE submissions SET phase = 'resubmitted', sends = sends + 1 \
                 WHERE marker = ?1 AND sends = ?2 AND phase IN ('sending', 'unknown', 'resubmitted')",
                params![marker.as_str(), entry.sends],
            )?;
            Ok(changed == 1)
        })
    }

    /// Records the job that a create made, or that was found and adopted.
    pub fn mark_submitted(
        &self,
        marker: &Marker,
        job_ref: &ResourceRef,
        provider_id: &str,
    ) -> Result<()> {
        self.write(|transaction| {
            transaction.execute(
                "UPDATE submissions SET phase = 'submitted', job_ref = ?2, error = NULL WHERE marker = ?1",
                params![marker.as_str(), job_ref.to_string()],
            )?;
            transaction.execute(
                "INSERT INTO seen (job_ref, provider, provider_id, finished) VALUES (?1, ?2, ?3, 0) \
                 ON CONFLICT (job_ref) DO UPDATE SET provider_id = excluded.provider_id",
                params![job_ref.to_string(), job_ref.provider, provider_id],
            )?;
            Ok(())
        })
    }

    /// Records a definite refusal; `text` is shown again later and must hold no secret.
    pub fn mark_rejected(&self, marker: &Marker, text: &str) -> Result<()> {
        self.mark(marker, Phase::Rejected, Some(text))
    }

    /// Records that nobody can tell whether the create took.
    pub fn mark_unknown(&self, marker: &Marker) -> Result<()> {
        self.mark(marker, Phase::Unknown, None)
    }

    /// Records a cancel, before it is sent (job-model.md §6.2).
    pub fn record_cancel(&self, job_ref: &ResourceRef, at: Timestamp) -> Result<()> {
        self.write(|transaction| {
            transaction.execute(
                "INSERT OR IGNORE INTO cancels (job_ref, requested_at) VALUES (?1, ?2)",
                params![job_ref.to_string(), at.as_microsecond()],
            )?;
            Ok(())
        })
    }

    /// Takes back the record of a cancel that was definitely refused or never left.
    pub fn withdraw_cancel(&self, job_ref: &ResourceRef, at: Timestamp) -> Result<()> {
        self.write(|transaction| {
            transaction.execute(
                "DELETE FROM cancels WHERE job_ref = ?1 AND requested_at = ?2",
                params![job_ref.to_string(), at.as_microsecond()],
            )?;
            Ok(())
        })
    }

    /// Records the state a job was seen in.
    ///
    /// A job that was not submitted from here gets a light record: "seen once" is a fact that `status` needs when the
    /// job is gone (cli.md §10).
    pub fn record_state(&self, job_ref: &ResourceRef, state: State, at: Timestamp) -> Result<()> {
        let observation = Observation {
            job_ref: job_ref.clone(),
            state,
            terminal: state.is_terminal(),
        };
        self.record_observations(&[observation], at)
    }

    /// Records many looks at once, in one transaction. A look older than the last one changes nothing.
    pub fn record_observations(&self, observations: &[Observation], at: Timestamp) -> Result<()> {
        if observations.is_empty() {
            return Ok(());
        }
        self.write(|transaction| {
            // `unknown` does not undo an end that was seen before; every other state does: it is what the provider says.
            let mut statement = transaction.prepare(
                "INSERT INTO seen (job_ref, provider, provider_id, first_seen_at, last_state, last_state_at, last_seen_at, finished) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?4, ?4, ?6) \
                 ON CONFLICT (job_ref) DO UPDATE SET \
                     first_seen_at = coalesce(first_seen_at, excluded.first_seen_at), \
                     last_state_at = CASE WHEN last_state = excluded.last_state THEN last_state_at ELSE excluded.last_state_at END, \
                     finished = CASE WHEN excluded.finished THEN 1 WHEN excluded.last_state = 'unknown' THEN finished ELSE 0 END, \
                     last_state = excluded.last_state, \
                     last_seen_at = excluded.last_seen_at \
                 WHERE last_seen_at IS NULL OR last_seen_at <= excluded.last_seen_at",
            )?;
            for observation in observations {
                statement.execute(params![
                    observation.job_ref.to_string(),
                    observation.job_ref.provider,
                    observation.job_ref.id(),
                    at.as_microsecond(),
                    observation.state.as_str(),
                    observation.terminal,
                ])?;
            }
            Ok(())
        })
    }

    /// Keeps what a provider wants to remember until its next look at a job, such as the last poll of CycleCloud.
    pub fn record_reading(&self, job_ref: &ResourceRef, reading: &Value) -> Result<()> {
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO seen (job_ref, provider, provider_id, finished, reading) VALUES (?1, ?2, ?3, 0, ?4) \
                 ON CONFLICT (job_ref) DO UPDATE SET reading = excluded.reading",
                params![
                    job_ref.to_string(),
                    job_ref.provider,
                    job_ref.id(),
                    reading.to_string()
                ],
            )?;
            Ok(())
        })
    }

    /// Keeps what a job costs per hour, for those whose provider tells no cost; one beyond all reason is not kept.
    pub fn record_price(&self, job_ref: &ResourceRef, per_hour: &Money) -> Result<()> {
        let Ok(micros) = i64::try_from(per_hour.micros) else {
            return Ok(());
        };
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO prices (job_ref, micros, currency) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (job_ref) DO UPDATE SET micros = excluded.micros, currency = excluded.currency",
                params![job_ref.to_string(), micros, per_hour.currency],
            )?;
            Ok(())
        })
    }

    /// Removes what has rested since before `before`, and says how many records went. What is in doubt stays.
    pub fn prune(&self, before: Timestamp) -> Result<usize> {
        if self.connection.is_none() {
            return Ok(0);
        }
        self.write(|transaction| {
            let limit = [before.as_microsecond()];
            let submissions = transaction.execute(
                "DELETE FROM submissions WHERE created_at < ?1 \
                 AND phase IN ('prepared', 'submitted', 'rejected') \
                 AND NOT EXISTS (SELECT 1 FROM seen WHERE seen.job_ref = submissions.job_ref AND last_seen_at >= ?1)",
                limit,
            )?;
            let seen = transaction.execute(
                "DELETE FROM seen WHERE coalesce(last_seen_at, 0) < ?1 \
                 AND NOT EXISTS (SELECT 1 FROM submissions WHERE submissions.job_ref = seen.job_ref)",
                limit,
            )?;
            transaction.execute(
                "DELETE FROM cancels WHERE requested_at < ?1 \
                 AND NOT EXISTS (SELECT 1 FROM seen WHERE seen.job_ref = cancels.job_ref)",
                limit,
            )?;
            transaction.execute(
                "DELETE FROM prices \
                 WHERE NOT EXISTS (SELECT 1 FROM submissions WHERE submissions.job_ref = prices.job_ref)",
                [],
            )?;
            // A submission and what was seen of its job are one record to the user.
            Ok(submissions.max(seen))
        })
    }

    fn mark(&self, marker: &Marker, phase: Phase, error: Option<&str>) -> Result<()> {
        self.write(|transaction| {
            // A job that is known stays known, whatever a slower process found out.
            transaction.execute(
                "UPDATE submissions SET phase = ?2, error = ?3 WHERE marker = ?1 AND phase <> 'submitted'",
                params![marker.as_str(), phase.as_str(), error],
            )?;
            Ok(())
        })
    }

    /// Runs one reading; an absent journal is empty.
    pub(super) fn read<T: Default>(
        &self,
        look: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        match &self.connection {
            None => Ok(T::default()),
            Some(connection) => {
                look(&lock(connection)).map_err(|error| unreadable(&self.path, error))
            }
        }
    }

    /// Runs one change; takes the write lock at once, so that two processes never wait for each other.
    fn write<T>(&self, change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T> {
        let connection = self.connection.as_ref().ok_or_else(|| {
            Error::internal("the journal was opened for reading where it is to be written")
        })?;
        let mut connection = lock(connection);
        connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|transaction| {
                let result = change(&transaction)?;
                transaction.commit()?;
                Ok(result)
            })
            .map_err(|error| unwritable(&self.path, error))
    }
}

fn insert(transaction: &Transaction<'_>, intent: &Intent) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO submissions (marker, identity, subject, key, attempt, provider, backend, scope, spec_hash, name, \
         labels, created_at, time_limit_s, secret_names, phase, sends) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 'prepared', 0)",
        params![
            intent.marker.as_str(),
            intent.marker.identity(),
            intent.subject.as_str(),
            intent.key,
            intent.attempt,
            intent.provider,
            intent.backend.as_str(),
            intent.scope,
            intent.spec_hash.as_slice(),
            intent.name,
            labels_text(intent),
            intent.created_at.as_microsecond(),
            intent.time_limit_s.map(|limit| i64::try_from(limit).unwrap_or(i64::MAX)),
            Value::from(intent.secret_names.clone()).to_string(),
        ],
    )?;
    Ok(())
}

fn labels_text(intent: &Intent) -> String {
    let labels = intent
        .labels
        .iter()
        .map(|(name, value)| (name.clone(), Value::from(value.as_str())));
    Value::Object(labels.collect()).to_string()
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection> {
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .and_then(|mut connection| {
            connection.busy_handler(Some(wait_for_others))?;
            // Home directories of GPU users often lie on NFS, where a write-ahead log does not work (design.md §2.7).
            connection.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
            // EXTRA is FULL, and the removal of the rollback journal is durable too: without that, a power failure
            // could undo an intent after its create has left.
            connection.pragma_update(None, "synchronous", "EXTRA")?;
            Ok(connection)
        })
        .map_err(|error| unreadable(path, error))?;
    let version = schema::version(&connection).map_err(|error| unreadable(path, error))?;
    if version > schema::STEPS.len() {
        return Err(Error::new(
            Kind::Config,
            "journal_too_new",
            format!(
                "the journal {} was written by a newer gpujob",
                path.display()
            ),
        )
        .with_hint("use that version, or another `XDG_STATE_HOME`"));
    }
    Ok(connection)
}

/// A short random pause. The database's own waiting grows to a tenth of a second, and whoever has waited long then
/// hardly ever gets a lock that others hold for milliseconds (measured: seconds, with four busy writers).
fn wait_for_others(asked: i32) -> bool {
    std::thread::sleep(Duration::from_micros(fastrand::u64(500..10_000)));
    asked < PATIENCE
}

/// Creates the file for its owner alone; `SQLite` gives its rollback journal the same mode.
fn create_private_file(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path).map(drop)
}

/// A panic elsewhere cannot leave a half-done transaction: it is rolled back when it is dropped.
fn lock(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unwritable(path: &Path, error: impl std::fmt::Display) -> Error {
    Error::new(
        Kind::Config,
        "journal_unwritable",
        format!(
            "the journal {} cannot be written: {error}",
            path.display()
        ),
    )
    .with_hint("nothing is created without a durable record; name a writable directory by `XDG_STATE_HOME`")
}

fn unreadable(path: &Path, error: impl std::fmt::Display) -> Error {
    Error::new(
        Kind::Config,
        "journal_unreadable",
        format!("the journal {} cannot be read: {error}", path.display()),
    )
    .with_hint("moved away, it is begun anew; jobs are still found by their refs")
}
