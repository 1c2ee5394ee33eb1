# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A bench with small networks, and phantoms that were read once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from appliance.clock import ManualClock, SystemClock
from appliance.config import ReadingSettings
from appliance.domain.acquisition import Acquisition
from appliance.domain.image import PixelImage
from appliance.intake.frames import open_frames
from appliance.intake.jail import Jail
from appliance.layout import Layout
from appliance.pipeline.bench import Bench
from appliance.selftest.phantom_ct import CtPlan, write_ct
from appliance.selftest.phantom_radiograph import write_chest
from tests.line_parts import Shelf, gathered

SLICES = 8
STREAKED = 6
MakeBench = Callable[..., Bench]


@pytest.fixture(scope="session")
def jail() -> Iterator[Jail]:
    with Jail(ReadingSettings(), SystemClock()) as opened:
        yield opened


@pytest.fixture(scope="session")
def ct(jail: Jail, tmp_path_factory: pytest.TempPathFactory) -> tuple[Acquisition, tuple[PixelImage, ...]]:
    """A series of SLICES, with strong streaks in the slice with index STREAKED."""
    plan = CtPlan(slices=SLICES, streaked=(STREAKED,), streak_hu=80.0)
    files = write_ct(tmp_path_factory.mktemp("ct"), plan).paths
    acquisition = gathered(files, jail)
    return acquisition, tuple(open_frames(acquisition, jail))


@pytest.fixture(scope="session")
def chest(jail: Jail, tmp_path_factory: pytest.TempPathFactory) -> tuple[Acquisition, PixelImage]:
    file = tmp_path_factory.mktemp("chest") / "chest.dcm"
    write_chest(file, rows=900, columns=750)
    acquisition = gathered([file], jail)
    return acquisition, open_frames(acquisition, jail).frame(0)


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    """No models yet."""
    made = Shelf()
    yield made
    made.close()


@pytest.fixture
def bench(layout: Layout, shelf: Shelf) -> Bench:
    return Bench(models=shelf, clock=ManualClock(), layout=layout, between=lambda: None)
