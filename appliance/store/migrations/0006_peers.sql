-- SPDX-FileCopyrightText: 2026 The Scanside authors
-- SPDX-License-Identifier: Apache-2.0

-- When a receiver last took a file, and since when it takes none: for people, so on the wall clock.
CREATE TABLE IF NOT EXISTS peer_standing (
    peer             TEXT PRIMARY KEY,
    last_sent_at_utc TEXT,
    away_since_utc   TEXT                        -- first of the failures in a row; NULL while it takes files
) STRICT;
