//! Looking things up in the journal.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use crate::error::Result;
use crate::model::{Backend, Marker, Money, ResourceRef, State, Timestamp};

use super::Journal;
use super::record::{Entry, Memory, Phase, Subject};

/// Shortest prefix of an id that is taken (cli.md §1).
const SHORTEST_PREFIX: usize = 6;

const COLUMNS: &str = "
    s.subject, s.marker, s.key, s.attempt, coalesce(s.provider, j.provider) AS provider, s.backend, s.scope, s.spec_hash,
    s.name, s.labels, coalesce(s.created_at, j.first_seen_at) AS created_at, s.phase, s.sends,
    coalesce(s.job_ref, j.job_ref) AS job_ref, j.provider_id, s.error, s.time_limit_s, s.secret_names, j.last_state, j.last_state_at,
    j.last_seen_at, j.finished, j.reading,
    (SELECT micros FROM prices WHERE prices.job_ref = coalesce(s.job_ref, j.job_ref)) AS price_micros,
    (SELECT currency FROM prices WHERE prices.job_ref = coalesce(s.job_ref, j.job_ref)) AS price_currency,
    (SELECT min(requested_at) FROM cancels WHERE cancels.job_ref = coalesce(s.job_ref, j.job_ref)) AS cancel_requested_at";

/// Submissions, with what was seen of their jobs.
const OF_SUBMISSIONS: &str = "FROM submissions s LEFT JOIN seen j ON j.job_ref = s.job_ref";

/// Jobs that have a ref, with their submissions.
const OF_JOBS: &str = "FROM seen j LEFT JOIN submissions s ON s.job_ref = j.job_ref";

impl Journal {
    /// Everything on record about a job; of a job with nothing but a cancel, that.
    pub fn entry(&self, job_ref: &ResourceRef) -> Result<Option<Entry>> {
        let text = job_ref.to_string();
        self.read(|connection| {
            one(
                connection,
                OF_JOBS,
                "WHERE j.job_ref = ?1 ORDER BY s.created_at DESC LIMIT 1",
                [&text],
            )
        })
    }

    /// What a provider may need to know about a job; `None` if nothing at all is on record.
    pub fn memory(&self, job_ref: &ResourceRef) -> Result<Option<Memory>> {
        if let Some(entry) = self.entry(job_ref)? {
            return Ok(Some(entry.into()));
        }
        let cancelled_at: Option<i64> = self.read(|connection| {
            connection.query_row(
                "SELECT min(requested_at) FROM cancels WHERE job_ref = ?1",
                [job_ref.to_string()],
                |row| row.get(0),
            )
        })?;
        let cancel_requested_at = cancelled_at.and_then(instant);
        Ok(cancel_requested_at.map(|at| Memory {
            cancel_requested_at: Some(at),
            ..Memory::default()
        }))
    }

    /// Jobs whose id begins with `prefix`, if that is long enough to be meant.
    pub fn find_by_id_prefix(&self, prefix: &str) -> Result<Vec<Entry>> {
        if prefix.chars().count() < SHORTEST_PREFIX {
            return Ok(Vec::new());
        }
        let beyond = format!("{prefix}{}", char::MAX);
        self.read(|connection| {
            many(
                connection,
                OF_JOBS,
                "WHERE j.provider_id >= ?1 AND j.provider_id < ?2 AND coalesce(s.subject, 'job') = 'job' \
                 ORDER BY created_at DESC",
                params![prefix, beyond],
            )
        })
    }

    /// Submissions of jobs the user called so, newest first.
    pub fn find_by_name(&self, name: &str) -> Result<Vec<Entry>> {
        self.read(|connection| {
            many(
                connection,
                OF_SUBMISSIONS,
                "WHERE s.name = ?1 AND s.subject = 'job' ORDER BY s.created_at DESC",
                [name],
            )
        })
    }

    /// Submissions of anything under an idempotency key, on all providers, the newest attempt first.
    pub fn find_by_key(&self, key: &str) -> Result<Vec<Entry>> {
        self.read(|connection| {
            many(
                connection,
                OF_SUBMISSIONS,
                "WHERE s.key = ?1 ORDER BY s.attempt DESC, s.created_at DESC",
                [key],
            )
        })
    }

    /// Submissions whose key begins with this text, newest first: the jobs of an array, or arrays of one spec.
    pub fn find_by_key_start(&self, start: &str) -> Result<Vec<Entry>> {
        self.read(|connection| {
            many(
                connection,
                OF_SUBMISSIONS,
                "WHERE substr(s.key, 1, length(?1)) = ?1 ORDER BY s.created_at DESC, s.attempt DESC",
                [start],
            )
        })
    }

    /// The submission with this marker's identity, whatever its spec.
    pub fn find_by_identity(&self, marker: &Marker) -> Result<Option<Entry>> {
        self.read(|connection| by_identity(connection, marker.identity()))
    }

    /// Jobs not known to be over, newest first.
    pub fn unfinished(&self) -> Result<Vec<Entry>> {
        self.read(|connection| {
            many(
                connection,
                OF_JOBS,
                "WHERE NOT j.finished AND coalesce(s.subject, 'job') = 'job' ORDER BY created_at DESC",
                [],
            )
        })
    }

    /// Submissions of which nobody knows whether they took, oldest first.
    pub fn unsettled(&self) -> Result<Vec<Entry>> {
        self.read(|connection| {
            many(
                connection,
                OF_SUBMISSIONS,
                "WHERE s.phase IN ('sending', 'unknown', 'resubmitted') ORDER BY s.created_at",
                [],
            )
        })
    }

    /// The newest submissions, at most `limit`.
    pub fn list(&self, limit: usize) -> Result<Vec<Entry>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|connection| {
            many(
                connection,
                OF_SUBMISSIONS,
                "ORDER BY s.created_at DESC, s.marker LIMIT ?1",
                [limit],
            )
        })
    }
}

/// The submission of an identity.
pub(super) fn by_identity(
    connection: &Connection,
    identity: &str,
) -> rusqlite::Result<Option<Entry>> {
    one(
        connection,
        OF_SUBMISSIONS,
        "WHERE s.identity = ?1",
        [identity],
    )
}

fn one(
    connection: &Connection,
    tables: &str,
    rest: &str,
    values: impl Params,
) -> rusqlite::Result<Option<Entry>> {
    connection
        .query_row(&format!("SELECT {COLUMNS} {tables} {rest}"), values, entry)
        .optional()
}

fn many(
    connection: &Connection,
    tables: &str,
    rest: &str,
    values: impl Params,
) -> rusqlite::Result<Vec<Entry>> {
    connection
        .prepare(&format!("SELECT {COLUMNS} {tables} {rest}"))?
        .query_map(values, entry)?
        .collect()
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let subject: Option<String> = row.get("subject")?;
    let labels: Option<String> = row.get("labels")?;
    let secret_names: Option<String> = row.get("secret_names")?;
    Ok(Entry {
        subject: parsed(subject, "subject", Subject::from_word)?.unwrap_or(Subject::Job),
        marker: parsed(row.get("marker")?, "marker", Marker::parse)?,
        key: row.get("key")?,
        attempt: row.get::<_, Option<u32>>("attempt")?.unwrap_or(1),
        provider: row.get("provider")?,
        backend: parsed(row.get("backend")?, "backend", |word| {
            word.parse::<Backend>().ok()
        })?,
        scope: row.get("scope")?,
        spec_hash: row.get("spec_hash")?,
        name: row.get("name")?,
        labels: parsed(labels, "labels", |text| serde_json::from_str(text).ok())?
            .unwrap_or_default(),
        created_at: row.get::<_, Option<i64>>("created_at")?.and_then(instant),
        phase: parsed(row.get("phase")?, "phase", Phase::from_word)?,
        sends: row.get::<_, Option<u32>>("sends")?.unwrap_or(0),
        job_ref: parsed(row.get("job_ref")?, "job_ref", |text| {
            text.parse::<ResourceRef>().ok()
        })?,
        provider_id: row.get("provider_id")?,
        error: row.get("error")?,
        time_limit_s: row
            .get::<_, Option<i64>>("time_limit_s")?
            .and_then(|limit| u64::try_from(limit).ok()),
        secret_names: parsed(secret_names, "secret_names", |text| {
            serde_json::from_str(text).ok()
        })?
        .unwrap_or_default(),
        last_state: parsed(row.get("last_state")?, "last_state", State::from_word)?,
        last_state_at: row
            .get::<_, Option<i64>>("last_state_at")?
            .and_then(instant),
        last_seen_at: row.get::<_, Option<i64>>("last_seen_at")?.and_then(instant),
        finished: row.get::<_, Option<bool>>("finished")?.unwrap_or(false),
        cancel_requested_at: row
            .get::<_, Option<i64>>("cancel_requested_at")?
            .and_then(instant),
        reading: parsed(row.get("reading")?, "reading", |text| {
            serde_json::from_str(text).ok()
        })?,
        price_per_hour: row
            .get::<_, Option<i64>>("price_micros")?
            .zip(row.get::<_, Option<String>>("price_currency")?)
            .map(|(micros, currency)| Money::from_micros(i128::from(micros), currency)),
    })
}

/// A text as what it stands for; anything else was not written by gpujob.
fn parsed<T>(
    text: Option<String>,
    column: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> rusqlite::Result<Option<T>> {
    let Some(text) = text else {
        return Ok(None);
    };
    match parse(&text) {
        Some(value) => Ok(Some(value)),
        None => Err(rusqlite::Error::FromSqlConversionFailure(
            0,
            Type::Text,
            format!("`{text}` is no {column}").into(),
        )),
    }
}

fn instant(microseconds: i64) -> Option<Timestamp> {
    Timestamp::from_microsecond(microseconds).ok()
}
