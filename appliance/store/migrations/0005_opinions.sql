-- SPDX-FileCopyrightText: 2026 The Scanside authors
-- SPDX-License-Identifier: Apache-2.0

-- What a person thinks of what a model said, with what it said at that time. Appended, never changed; the
-- newest one counts.
CREATE TABLE opinion (
    opinion_id      INTEGER PRIMARY KEY,
    acquisition_id  TEXT NOT NULL,
    version         INTEGER NOT NULL,
    task            TEXT NOT NULL,
    code_value      TEXT NOT NULL,
    code_scheme     TEXT NOT NULL,
    code_meaning    TEXT NOT NULL,
    model           TEXT,                       -- task@version; NULL: the result does not name it
    probability     REAL NOT NULL,
    decision        TEXT NOT NULL,
    opinion         TEXT NOT NULL CHECK (opinion IN ('agree', 'disagree', 'unsure')),
    first_look      TEXT CHECK (first_look IN ('nothing', 'something')),
                                                -- what they had said before; NULL: the AI was shown at once
    given_at_utc    TEXT NOT NULL
) STRICT;
CREATE INDEX opinion_of_acquisition ON opinion (acquisition_id, version);

-- What a person did with an exam for the first time. The first one counts: nobody looks first twice.
CREATE TABLE deed (
    deed_id         INTEGER PRIMARY KEY,
    acquisition_id  TEXT NOT NULL,
    version         INTEGER NOT NULL,
    deed            TEXT NOT NULL
                    CHECK (deed IN ('seen', 'told', 'escalated', 'first_look', 'ai_asked')),
    first_look      TEXT CHECK (first_look IN ('nothing', 'something')),
    done_at_utc     TEXT NOT NULL,
    CHECK ((deed = 'first_look') = (first_look IS NOT NULL)),
    UNIQUE (acquisition_id, version, deed)
) STRICT;
