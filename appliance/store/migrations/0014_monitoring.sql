-- SPDX-FileCopyrightText: 2026 The Scanside authors
-- SPDX-License-Identifier: Apache-2.0

-- What has been counted so far: asked for every few seconds, so it must not cost more when much is stored.
CREATE TABLE tally (
    name    TEXT NOT NULL,
    labels  TEXT NOT NULL,                      -- JSON list of label values, in the order of monitor.metric_table
    value   REAL NOT NULL,
    PRIMARY KEY (name, labels)
) STRICT, WITHOUT ROWID;

-- Up to which row of a table the tally has come.
CREATE TABLE tally_position (
    source     TEXT PRIMARY KEY,                -- result, file
    last_rowid INTEGER NOT NULL
) STRICT;

-- Which model answered last for a task, and on what.
CREATE TABLE engine_in_use (
    task            TEXT PRIMARY KEY,
    model           TEXT NOT NULL,
    engine          TEXT NOT NULL,
    fallback_reason TEXT
) STRICT;

-- Jobs that are not done: few, however many are.
CREATE INDEX job_not_done ON job (lane, state, queued_ns) WHERE state != 'done';

-- What drift is looked for in: one row per exam, without a name. Only the newest of each scanner are kept.
CREATE TABLE drift_exam (
    exam_id         INTEGER PRIMARY KEY,
    scanner         TEXT NOT NULL,
    detector        TEXT NOT NULL,
    acquisition_id  TEXT NOT NULL UNIQUE,
    numbers         TEXT NOT NULL,              -- JSON: feature to number
    words           TEXT NOT NULL,              -- JSON: feature to word
    answered_at_utc TEXT NOT NULL
) STRICT;
CREATE INDEX drift_exam_of_scanner ON drift_exam (scanner, exam_id);

-- The exams that a scanner is compared with: its first ones, or those that a person named.
CREATE TABLE drift_baseline (
    scanner       TEXT PRIMARY KEY,
    first_exam_id INTEGER NOT NULL,
    last_exam_id  INTEGER NOT NULL,
    fixed_at_utc  TEXT NOT NULL,
    by_person     INTEGER NOT NULL
) STRICT;

-- What came out, appended.
CREATE TABLE drift_report (
    report_id    INTEGER PRIMARY KEY,
    scanner      TEXT NOT NULL,
    last_exam_id INTEGER NOT NULL,
    record       TEXT NOT NULL,                 -- JSON of domain.drift.DriftReport
    made_at_utc  TEXT NOT NULL
) STRICT;
CREATE INDEX drift_report_of_scanner ON drift_report (scanner, report_id);

-- How a model in the shadow differed, night by night, from the one that answered.
CREATE TABLE shadow_night (
    night       TEXT NOT NULL,                  -- the date on which it was counted
    task        TEXT NOT NULL,
    release     TEXT NOT NULL,
    record      TEXT NOT NULL,                  -- JSON of domain.shadow.ShadowNight
    last_rowid  INTEGER NOT NULL,               -- of shadow_answer: the next night begins behind it
    PRIMARY KEY (night, task, release)
) STRICT;
