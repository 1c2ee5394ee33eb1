# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A store that two processes have open, on a clock that a test moves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.clock import ManualClock
from appliance.layout import Layout
from appliance.selftest.phantom_radiograph import Identity, write_chest
from appliance.store.connection import Database
from tests.processes.signals.watched import Device


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def database(layout: Layout, clock: ManualClock) -> Iterator[Database]:
    with Database.open(layout.database, data=layout.data, clock=clock) as opened:
        yield opened


@pytest.fixture
def watching(layout: Layout, clock: ManualClock, database: Database) -> Iterator[Database]:
    """The store as another process sees it."""
    with Database.open(layout.database, data=layout.data, clock=clock) as opened:
        yield opened


@pytest.fixture
def film(tmp_path: Path) -> Path:
    file = tmp_path / "film.dcm"
    write_chest(file, identity=Identity(patient_name="CANARY^JANE"), rows=360, columns=300)
    return file


@pytest.fixture
def device(layout: Layout, clock: ManualClock) -> Device:
    """All is well with it."""
    made = Device(layout, clock)
    made.lives()
    made.proves()
    return made
