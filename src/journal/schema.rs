//! The journal's tables and how an older file becomes a current one.
//!
//! A step that has been released is never changed; a new one is added. `user_version` counts the steps taken.

use rusqlite::{Connection, TransactionBehavior};

/// All steps, in order.
pub(super) const STEPS: &[&str] = &[
    // 1: submissions, what was seen of jobs, and cancels. Times are microseconds since the epoch.
    "
    CREATE TABLE submissions (
        marker       TEXT PRIMARY KEY NOT NULL,
        identity     TEXT NOT NULL UNIQUE,
        subject      TEXT NOT NULL,
        key          TEXT,
        attempt      INTEGER NOT NULL,
        provider     TEXT NOT NULL,
        backend      TEXT NOT NULL,
        scope        TEXT NOT NULL,
        spec_hash    BLOB NOT NULL,
        name         TEXT,
        labels       TEXT NOT NULL,
        created_at   INTEGER NOT NULL,
        time_limit_s INTEGER,
        phase        TEXT NOT NULL,
        sends        INTEGER NOT NULL,
        job_ref      TEXT,
        error        TEXT
    ) STRICT;
    CREATE INDEX submissions_key ON submissions (key) WHERE key IS NOT NULL;
    CREATE INDEX submissions_name ON submissions (name) WHERE name IS NOT NULL;
    CREATE INDEX submissions_job ON submissions (job_ref) WHERE job_ref IS NOT NULL;
    CREATE INDEX submissions_time ON submissions (created_at);

    CREATE TABLE seen (
        job_ref       TEXT PRIMARY KEY NOT NULL,
        provider      TEXT NOT NULL,
        provider_id   TEXT NOT NULL,
        first_seen_at INTEGER,
        last_state    TEXT,
        last_state_at INTEGER,
        last_seen_at  INTEGER,
        finished      INTEGER NOT NULL,
        reading       TEXT
    ) STRICT;
    CREATE INDEX seen_id ON seen (provider_id);

    CREATE TABLE cancels (
        job_ref      TEXT NOT NULL,
        requested_at INTEGER NOT NULL,
        PRIMARY KEY (job_ref, requested_at)
    ) STRICT;
    ",
    // 2: the names, never the values, of secret variables: providers repeat their values in later answers.
    "
    ALTER TABLE submissions ADD COLUMN secret_names TEXT NOT NULL DEFAULT '[]';
    ",
    // 3: what a job costs per hour, in millionths of the currency's unit, where only the submit knew it.
    "
    CREATE TABLE prices (
        job_ref  TEXT PRIMARY KEY NOT NULL,
        micros   INTEGER NOT NULL,
        currency TEXT NOT NULL
    ) STRICT;
    ",
];

/// How many steps a file has behind it.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<usize> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    // A negative number is no version of ours: too new, like any other we do not know.
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

/// Takes the steps a file lacks, all or none; another process may do so at the same time.
pub(super) fn migrate(connection: &mut Connection, steps: &[&str]) -> rusqlite::Result<()> {
    if version(connection)? >= steps.len() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Only now nobody else can be at it.
    let done = version(&transaction)?;
    for step in steps.iter().skip(done) {
        transaction.execute_batch(step)?;
    }
    if done < steps.len() {
        let count = i64::try_from(steps.len()).unwrap_or(i64::MAX);
        transaction.pragma_update(None, "user_version", count)?;
    }
    transaction.commit()
}
