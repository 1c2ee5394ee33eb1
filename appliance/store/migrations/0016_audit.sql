-- SPDX-FileCopyrightText: 2026 The Scanside authors
-- SPDX-License-Identifier: Apache-2.0

-- Who did what when. Appended, never changed: each row's hash holds the hash of the row before it.
CREATE TABLE audit (
    number          INTEGER PRIMARY KEY,        -- 1, 2, 3 ... without a gap
    record          TEXT NOT NULL,              -- JSON, see store.audit
    hash            TEXT NOT NULL,              -- SHA-256 of the hash before, the number and the record
    seal            TEXT NOT NULL               -- HMAC of the hash with this device's key
) STRICT;

-- What became of a file's bytes after it was taken. A row of `file` stays for ever; its bytes need not.
ALTER TABLE file ADD COLUMN removed_at_utc TEXT;    -- not in the spool any more, on purpose
ALTER TABLE file ADD COLUMN damaged_at_utc TEXT;    -- the spool holds other bytes, or none
ALTER TABLE file ADD COLUMN proofs INTEGER NOT NULL DEFAULT 0;  -- how often its bytes were read and compared
CREATE INDEX file_to_prove ON file (proofs) WHERE removed_at_utc IS NULL;
CREATE INDEX file_removed ON file (acquisition_id) WHERE removed_at_utc IS NOT NULL;
CREATE INDEX file_damaged ON file (damaged_at_utc) WHERE damaged_at_utc IS NOT NULL;
