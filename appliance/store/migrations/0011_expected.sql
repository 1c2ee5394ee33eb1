-- SPDX-FileCopyrightText: 2026 The Scanside authors
-- SPDX-License-Identifier: Apache-2.0

-- What the worklist said. A step that is not listed any more stays for a while: many servers take it off as
-- soon as its first image is there.
CREATE TABLE expected (
    step_key            TEXT PRIMARY KEY,       -- digest of what names the step
    record              TEXT NOT NULL,          -- JSON of domain.expected.ExpectedStep
    study_instance_uid  TEXT,
    accession_number    TEXT,
    patient_key         TEXT NOT NULL,          -- patient ID as it compares; '' for none
    listed              INTEGER NOT NULL,       -- 1: in the last good answer
    last_listed_at_utc  TEXT NOT NULL
) STRICT;
CREATE INDEX expected_of_study ON expected (study_instance_uid);
CREATE INDEX expected_of_accession ON expected (accession_number);
CREATE INDEX expected_of_patient ON expected (patient_key);

-- How the last questions went: one row.
CREATE TABLE worklist_standing (
    only_one         INTEGER PRIMARY KEY CHECK (only_one = 1),
    answers          INTEGER NOT NULL,          -- rises with every good answer
    answered_at_utc  TEXT,                      -- of the last good answer
    answered_ns      INTEGER,
    boot_id          TEXT,
    unread           INTEGER NOT NULL,
    whole            INTEGER NOT NULL,
    trouble          TEXT,                      -- why the last question failed; NULL when it did not
    remedy           TEXT,
    trouble_since_utc TEXT
) STRICT;

-- Steps as modalities report them (MPPS), and the images that each produced.
CREATE TABLE performed_step (
    sop_instance_uid TEXT PRIMARY KEY,
    record           TEXT NOT NULL,             -- JSON of domain.expected.PerformedStep
    ended            INTEGER NOT NULL,
    changed_at_utc   TEXT NOT NULL
) STRICT;
CREATE TABLE performed_study (
    sop_instance_uid   TEXT NOT NULL REFERENCES performed_step (sop_instance_uid)
                        ON DELETE CASCADE,
    study_instance_uid TEXT NOT NULL,
    PRIMARY KEY (study_instance_uid, sop_instance_uid)
) STRICT;
CREATE TABLE performed_image (
    sop_instance_uid    TEXT NOT NULL REFERENCES performed_step (sop_instance_uid)
                        ON DELETE CASCADE,
    series_instance_uid TEXT NOT NULL,
    image_uid           TEXT NOT NULL,
    PRIMARY KEY (series_instance_uid, image_uid, sop_instance_uid)
) STRICT;
CREATE INDEX performed_image_of_step ON performed_image (sop_instance_uid);
