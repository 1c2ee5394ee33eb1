-- SPDX-FileCopyrightText: 2026 The Scanside authors
-- SPDX-License-Identifier: Apache-2.0

-- What a landing is made of, on the monotonic clock of the row's boot. NULL: nobody took the time.
ALTER TABLE file ADD COLUMN complete_ns INTEGER;    -- it held still, or its writer let go
ALTER TABLE file ADD COLUMN claimed_ns INTEGER;     -- the copy was flushed and read back
