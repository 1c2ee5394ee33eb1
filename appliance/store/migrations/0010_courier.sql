-- SPDX-FileCopyrightText: 2026 The Scanside authors
-- SPDX-License-Identifier: Apache-2.0

-- Bundles that this device handed to a courier. A number is never used twice: a stick with it may exist.
CREATE TABLE courier_bundle (
    bundle          INTEGER PRIMARY KEY,
    bundle_id       TEXT NOT NULL UNIQUE,       -- random: only who opened the bundle can name it
    file_name       TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('packing', 'packed', 'handed', 'abandoned', 'closed')),
    sha256          TEXT,                       -- of the bundle on the stick, once it was read back
    size_bytes      INTEGER,
    packed_at_utc   TEXT NOT NULL
) STRICT;

CREATE TABLE courier_item (
    bundle          INTEGER NOT NULL REFERENCES courier_bundle (bundle),
    item            INTEGER NOT NULL,
    path            TEXT NOT NULL,              -- as in the outbox; of a model: the name of its file
    kind            TEXT NOT NULL CHECK (kind IN ('original', 'result', 'model')),
    acquisition_id  TEXT,
    sha256          TEXT NOT NULL,
    size_bytes      INTEGER NOT NULL,
    outcome         TEXT CHECK (outcome IN ('accepted', 'refused')),    -- NULL: no receipt yet
    reason          TEXT,
    PRIMARY KEY (bundle, item)
) STRICT, WITHOUT ROWID;
CREATE INDEX courier_item_of_path ON courier_item (path);

-- Receipts that came home, so that one that comes again changes nothing.
CREATE TABLE courier_receipt (
    receipt_id      TEXT PRIMARY KEY,           -- SHA-256 of its bytes
    bundle          INTEGER NOT NULL REFERENCES courier_bundle (bundle),
    signer          TEXT NOT NULL,              -- fingerprint of its key
    taken_at_utc    TEXT NOT NULL
) STRICT;

-- Bundles of others that were opened here.
CREATE TABLE courier_opened (
    device          TEXT NOT NULL,              -- fingerprint of the key that signed it
    bundle          INTEGER NOT NULL,
    bundle_id       TEXT NOT NULL,
    manifest_sha256 TEXT NOT NULL,
    site_name       TEXT NOT NULL,
    opened_at_utc   TEXT NOT NULL,
    PRIMARY KEY (device, bundle)
) STRICT;

CREATE TABLE courier_opened_file (
    device          TEXT NOT NULL,
    bundle          INTEGER NOT NULL,
    item            INTEGER NOT NULL,
    sha256          TEXT NOT NULL,
    size_bytes      INTEGER NOT NULL,
    outcome         TEXT CHECK (outcome IN ('accepted', 'refused')),
    reason          TEXT,
    PRIMARY KEY (device, bundle, item)
) STRICT, WITHOUT ROWID;

-- Receipts of ours that their devices say they have: these need not be written again.
CREATE TABLE courier_confirmed (
    device          TEXT NOT NULL,
    receipt_id      TEXT NOT NULL,
    PRIMARY KEY (device, receipt_id)
) STRICT, WITHOUT ROWID;
