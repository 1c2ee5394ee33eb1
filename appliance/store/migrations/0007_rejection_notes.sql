-- SPDX-FileCopyrightText: 2026 The Scanside authors
-- SPDX-License-Identifier: Apache-2.0

-- A person's decision to repeat leaves, too, as a note that the archive acts upon: it can be held back while
-- it waits, when the decision is taken back, and let go again.
ALTER TABLE outbox ADD COLUMN decision_id INTEGER;
ALTER TABLE outbox ADD COLUMN held_back INTEGER NOT NULL DEFAULT 0;
CREATE INDEX outbox_of_decision ON outbox (decision_id) WHERE decision_id IS NOT NULL;
