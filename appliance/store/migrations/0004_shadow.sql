-- SPDX-FileCopyrightText: 2026 The Scanside authors
-- SPDX-License-Identifier: Apache-2.0

-- What a model in the shadow said about images that another one answered for. Never a result: nothing that
-- shows, renders or sends results reads this table.
CREATE TABLE shadow_answer (
    task            TEXT NOT NULL,
    release         TEXT NOT NULL,              -- key of the release folder in the shadow slot
    acquisition_id  TEXT NOT NULL,
    version         INTEGER NOT NULL,
    record          TEXT NOT NULL,              -- JSON of store.shadows.ShadowAnswer
    PRIMARY KEY (task, release, acquisition_id, version)
) STRICT;

-- Up to which row of `result` a model in the shadow has looked.
CREATE TABLE shadow_position (
    task            TEXT NOT NULL,
    release         TEXT NOT NULL,
    result_rowid    INTEGER NOT NULL,
    PRIMARY KEY (task, release)
) STRICT;
