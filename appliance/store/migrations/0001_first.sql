-- SPDX-FileCopyrightText: 2026 The Scanside authors
-- SPDX-License-Identifier: Apache-2.0

-- Everything that ever came through a door, by content. A row is written only after its copy is durable.
CREATE TABLE file (
    sha256          TEXT PRIMARY KEY,
    path            TEXT NOT NULL,              -- relative to the data folder
    size_bytes      INTEGER NOT NULL,
    door            TEXT NOT NULL,
    source          TEXT NOT NULL,
    urgency         INTEGER NOT NULL,
    landed_at_utc   TEXT NOT NULL,
    boot_id         TEXT NOT NULL,
    noticed_ns      INTEGER NOT NULL,
    landed_ns       INTEGER NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('accepted', 'quarantined', 'ignored')),
    reason          TEXT,
    repeats         INTEGER NOT NULL DEFAULT 0, -- how often the same bytes came again
    acquisition_id  TEXT,
    arrival         INTEGER,                    -- order within the acquisition
    instance        TEXT                        -- JSON of domain.acquisition.Instance
) STRICT;
CREATE INDEX file_of_acquisition ON file (acquisition_id, arrival);
CREATE INDEX file_by_status ON file (status, landed_at_utc);

CREATE TABLE acquisition (
    sequence            INTEGER PRIMARY KEY,    -- order of arrival: never the wall clock
    acquisition_id      TEXT NOT NULL UNIQUE,
    version             INTEGER NOT NULL,
    kind                TEXT NOT NULL,
    completeness        TEXT NOT NULL,
    evidence            TEXT NOT NULL,
    urgency             INTEGER NOT NULL,
    study_instance_uid  TEXT NOT NULL,
    series_instance_uid TEXT NOT NULL,
    slices              TEXT NOT NULL,          -- JSON: [[instance, frame, position_mm], ...]
    quiet_left_s        REAL                    -- seconds of quiet still to pass; NULL when not waiting
) STRICT;
CREATE INDEX acquisition_of_series ON acquisition (series_instance_uid);
CREATE INDEX acquisition_receiving ON acquisition (completeness) WHERE completeness = 'RECEIVING';

CREATE TABLE job (
    job_id          INTEGER PRIMARY KEY,
    acquisition_id  TEXT NOT NULL REFERENCES acquisition (acquisition_id),
    version         INTEGER NOT NULL,
    lane            TEXT NOT NULL,
    state           TEXT NOT NULL,
    rank            INTEGER NOT NULL,           -- smaller is sooner; see jobs.rank
    failures        INTEGER NOT NULL DEFAULT 0, -- times that it raised an error
    deaths          INTEGER NOT NULL DEFAULT 0, -- times that its worker died under it
    reason          TEXT,
    worker          TEXT,
    lease_token     TEXT,
    lease_until_ns  INTEGER,
    boot_id         TEXT NOT NULL,
    queued_ns       INTEGER NOT NULL,
    UNIQUE (acquisition_id, version, lane)
) STRICT;
CREATE INDEX job_queue ON job (rank, job_id) WHERE state = 'queued';
CREATE INDEX job_leased ON job (lease_until_ns) WHERE state = 'leased';

CREATE TABLE result (
    acquisition_id   TEXT NOT NULL,
    version          INTEGER NOT NULL,
    lane             TEXT NOT NULL,
    record           TEXT NOT NULL,             -- JSON of domain.result.LaneResult
    committed_at_utc TEXT NOT NULL,
    committed_ns     INTEGER NOT NULL,
    boot_id          TEXT NOT NULL,
    PRIMARY KEY (acquisition_id, version, lane)
) STRICT;

-- What has to leave: written in the transaction that makes it true, gone only when a receiver has it.
CREATE TABLE outbox (
    outbox_id       INTEGER PRIMARY KEY,
    step            TEXT NOT NULL CHECK (step IN ('render', 'send')),
    acquisition_id  TEXT,
    version         INTEGER,
    lane            TEXT,
    path            TEXT,                       -- of the file to send, relative to the data folder
    peer            TEXT NOT NULL DEFAULT '',
    rank            INTEGER NOT NULL,           -- originals before results
    done            INTEGER NOT NULL DEFAULT 0,
    attempts        INTEGER NOT NULL DEFAULT 0,
    reason          TEXT,
    UNIQUE (step, acquisition_id, version, lane, path, peer)
) STRICT;
CREATE INDEX outbox_waiting ON outbox (rank, outbox_id) WHERE done = 0;

-- What a person decided, appended and never changed.
CREATE TABLE decision (
    decision_id     INTEGER PRIMARY KEY,
    acquisition_id  TEXT NOT NULL,
    version         INTEGER NOT NULL,
    decision        TEXT NOT NULL,
    reason          TEXT,
    decided_at_utc  TEXT NOT NULL
) STRICT;
CREATE INDEX decision_of_acquisition ON decision (acquisition_id);
