# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Films that wait on a device."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.layout import Layout
from appliance.selftest.phantom_radiograph import Identity, write_chest
from tests.waiting_films import FILMS, Device


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    folder = tmp_path_factory.mktemp("films")
    for number in range(FILMS):
        write_chest(folder / f"{number}.dcm", identity=Identity(seed=number), rows=360, columns=300)
    return tuple(sorted(folder.iterdir()))


@pytest.fixture
def device(layout: Layout, films: tuple[Path, ...]) -> Iterator[Device]:
    made = Device(layout, films)
    yield made
    made.database.close()
    gc.collect()  # what pynetdicom dropped is seen here, and not in a test of somebody else
