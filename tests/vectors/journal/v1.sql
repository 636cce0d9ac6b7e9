-- A journal as version 1 wrote it.
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
INSERT INTO submissions VALUES
    ('bcdfghjklmnpqr', 'bcdfghjklm', 'job', 'nightly-7', 1, 'pai-dlc', 'pai-dlc', 'cn-hangzhou/310042',
     x'0101010101010101010101010101010101010101010101010101010101010101', 'bert finetune', '{"team":"vision"}',
     1775000000000000, 5400, 'submitted', 1, 'pai-dlc/cn-hangzhou/dlc1abcdefgh2345', NULL),
    ('zzzzzzzzzzzzzz', 'zzzzzzzzzz', 'volume', NULL, 1, 'paracloud', 'paracloud', 'k8r2wq',
     x'0202020202020202020202020202020202020202020202020202020202020202', NULL, '{}',
     1775000001000000, NULL, 'unknown', 1, NULL, NULL);
INSERT INTO seen VALUES
    ('pai-dlc/cn-hangzhou/dlc1abcdefgh2345', 'pai-dlc', 'dlc1abcdefgh2345', 1775000002000000, 'running',
     1775000002000000, 1775000003000000, 0, NULL);
INSERT INTO cancels VALUES ('pai-dlc/cn-hangzhou/dlc1abcdefgh2345', 1775000004000000);
PRAGMA user_version = 1;
