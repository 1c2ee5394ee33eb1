-- SPDX-FileCopyrightText: 2026 The Scanside authors
-- SPDX-License-Identifier: Apache-2.0

-- What turned out later: a laboratory's or a radiologist's word on one finding of one examination. Appended,
-- never changed; the same word twice is one row, and two words that differ are both kept.
CREATE TABLE outcome (
    outcome_id      INTEGER PRIMARY KEY,
    key_kind        TEXT NOT NULL CHECK (key_kind IN ('accession_number', 'study_instance_uid', 'patient_id')),
    key_value       TEXT NOT NULL,
    code_value      TEXT NOT NULL,
    code_scheme     TEXT NOT NULL,
    truth           TEXT NOT NULL CHECK (truth IN ('positive', 'negative', 'unknown')),
    observed_on     TEXT NOT NULL,              -- YYYY-MM-DD; '': not said
    sent_home       TEXT NOT NULL CHECK (sent_home IN ('yes', 'no', '')),
    is_correction   INTEGER NOT NULL CHECK (is_correction IN (0, 1)),
                                                -- 1: takes the place of what was said before
    source          TEXT NOT NULL CHECK (source IN ('csv', 'hl7')),
    imported_at_utc TEXT NOT NULL,
    UNIQUE (key_kind, key_value, code_scheme, code_value, observed_on, truth, sent_home, is_correction)
) STRICT;

-- Operating points that a site has moved within the signed range. Appended, never changed; the newest counts.
CREATE TABLE threshold_change (
    change_id           INTEGER PRIMARY KEY,
    task                TEXT NOT NULL,
    code_value          TEXT NOT NULL,
    code_scheme         TEXT NOT NULL,
    name                TEXT NOT NULL,          -- of the model, with version and release: whose range it was
    version             TEXT NOT NULL,
    release             INTEGER NOT NULL,
    sensitive_threshold REAL NOT NULL,          -- the signed range
    specific_threshold  REAL NOT NULL,
    old_threshold       REAL NOT NULL,
    new_threshold       REAL NOT NULL,
    decided_by          TEXT NOT NULL,          -- a name; the role is the one whose PIN was given
    role                TEXT NOT NULL,          -- 'appliance': taken back because another release serves
    why                 TEXT NOT NULL,
    record              TEXT NOT NULL,          -- JSON: the description, the protocol and the impact
    decided_at_utc      TEXT NOT NULL,
    CHECK (new_threshold BETWEEN sensitive_threshold AND specific_threshold)
) STRICT;
CREATE INDEX threshold_of_label ON threshold_change (task, code_value, code_scheme);

-- Who was called back because people, AI and outcome disagree. Appended, never changed; the newest counts.
CREATE TABLE call_back (
    call_id     INTEGER PRIMARY KEY,
    study_instance_uid TEXT NOT NULL,
    code_value  TEXT NOT NULL,
    code_scheme TEXT NOT NULL,
    kind        TEXT NOT NULL,                  -- of the disagreement, as it was then
    status      TEXT NOT NULL CHECK (status IN ('called', 'closed')),
    by_name     TEXT NOT NULL,
    note        TEXT NOT NULL,
    at_utc      TEXT NOT NULL
) STRICT;
CREATE INDEX call_back_of_study ON call_back (study_instance_uid);
