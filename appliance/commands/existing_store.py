# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The store of a data folder that is there already: a command makes no new one by a misspelt name."""

from __future__ import annotations

from pathlib import Path

from appliance.clock import SystemClock
from appliance.errors import StoreError
from appliance.layout import Layout
from appliance.store.connection import Database


def existing_store(data: Path, *, change: bool) -> Database:
    """Open it; `change`: for writing, too. Raises StoreError where there is none."""
    layout = Layout(data=data.resolve())
    clock = SystemClock()
    if not change:
        return Database.open_to_read(layout.database, data=layout.data, clock=clock)
    if not layout.database.exists():
        raise StoreError(
            f"There is no store at {layout.database}.",
            remedy="Start the appliance there: scanside run --data DIR.",
        )
    return Database.open(layout.database, data=layout.data, clock=clock)
