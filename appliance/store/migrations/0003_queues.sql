-- SPDX-FileCopyrightText: 2026 The Scanside authors
-- SPDX-License-Identifier: Apache-2.0

-- The sender asks for what is next again and again: it must not cost more when much has been sent already.
-- The table's own unique index begins with `step`, which is the same in half of all rows.
CREATE INDEX outbox_to_render ON outbox (step, rank, outbox_id) WHERE done = 0;
CREATE INDEX outbox_to_send ON outbox (step, peer, rank, outbox_id) WHERE done = 0;
CREATE INDEX outbox_known ON outbox (path, peer) WHERE step = 'send';
DROP INDEX outbox_waiting;
