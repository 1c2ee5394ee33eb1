-- SPDX-FileCopyrightText: 2026 The Scanside authors
-- SPDX-License-Identifier: Apache-2.0

-- Which files claim to be the same image.
CREATE INDEX file_of_sop_instance ON file (json_extract(instance, '$.sop_instance_uid'))
    WHERE instance IS NOT NULL;

-- What in the watched folders was dealt with, so that a restart does not read an inbox of thousands again.
-- Losing rows is harmless: the file is read once more and recognised by its content.
CREATE TABLE settled (
    path       BLOB PRIMARY KEY,                -- as the file system has it: names need not be UTF-8
    size_bytes INTEGER NOT NULL,
    mtime_ns   INTEGER NOT NULL,
    inode      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
