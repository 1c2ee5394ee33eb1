# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Which rows of the outbox a courier carries. Apart, so that who only counts them loads no keys."""

from __future__ import annotations

from typing import Final

CARRIED_SQL: Final = (
    "SELECT 1 FROM courier_item i JOIN courier_bundle b USING (bundle)"
    " WHERE i.path = outbox.path AND i.kind != 'model' AND i.outcome IS NULL AND b.state = 'handed'"
)
"""Inside `EXISTS (...)`, beside the table `outbox`."""
