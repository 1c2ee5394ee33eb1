-- SPDX-FileCopyrightText: 2026 The Scanside authors
-- SPDX-License-Identifier: Apache-2.0

-- Whether the receiver has the file already and is yet to confirm that it keeps it.
ALTER TABLE outbox ADD COLUMN stored INTEGER NOT NULL DEFAULT 0
    CHECK (stored IN (0, 1, 2));                -- 0: not taken; 1: taken; 2: asked whether it keeps it
DROP INDEX outbox_to_send;
CREATE INDEX outbox_to_send ON outbox (step, peer, stored, rank, outbox_id) WHERE done = 0;
CREATE INDEX outbox_tried ON outbox (peer, attempts) WHERE done = 0 AND step = 'send' AND attempts > 0;

-- What a receiver was asked to confirm (storage commitment). A row ends with the answer, or when none comes.
CREATE TABLE commitment (
    outbox_id        INTEGER PRIMARY KEY REFERENCES outbox (outbox_id),
    transaction_uid  TEXT NOT NULL,
    sop_instance_uid TEXT NOT NULL
) STRICT;
CREATE INDEX commitment_of_transaction ON commitment (transaction_uid);

-- Exams with a flagged finding: what belongs to them leaves before all else, whenever it comes.
CREATE TABLE flagged_study (
    study_instance_uid TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Why a receiver takes nothing, and whether a person has to change something at one of the two ends.
ALTER TABLE peer_standing ADD COLUMN away_reason TEXT;
ALTER TABLE peer_standing ADD COLUMN needs_person INTEGER NOT NULL DEFAULT 0;

CREATE INDEX IF NOT EXISTS acquisition_of_study ON acquisition (study_instance_uid);
CREATE INDEX outbox_of_acquisition ON outbox (acquisition_id) WHERE done = 0 AND acquisition_id IS NOT NULL;
