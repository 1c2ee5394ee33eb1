# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A store in a data folder, files that have landed in it, and proofs of models that are made once."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.clock import SystemClock
from appliance.config import ReadingSettings
from appliance.domain.acquisition import Acquisition, Door, LandedFile, Urgency
from appliance.intake.assembly import all_given, arrive
from appliance.intake.jail import Jail
from appliance.layout import Layout
from appliance.selftest.phantom_ct import CtPlan, write_ct
from appliance.selftest.phantom_radiograph import Identity, write_chest
from appliance.store.connection import Database
from appliance.store.landing import FileStatus, Landings

Land = Callable[..., Acquisition]


@pytest.fixture(scope="session")
def proofs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Proofs of models, shared by all appliances of a test run."""
    return tmp_path_factory.mktemp("engines")


@pytest.fixture
def layout(tmp_path: Path, proofs: Path) -> Layout:
    """A data folder whose models were proven before."""
    made = Layout(data=tmp_path / "data")
    made.data.mkdir()
    made.engine_cache.symlink_to(proofs)
    made.create()
    return made


@pytest.fixture(scope="session")
def jail() -> Iterator[Jail]:
    with Jail(ReadingSettings(), SystemClock()) as opened:
        yield opened


@pytest.fixture(scope="session")
def chest_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("chest") / "chest.dcm"
    write_chest(file, identity=Identity(patient_name="CANARY^JANE"), rows=360, columns=300)
    return file


@pytest.fixture(scope="session")
def ct_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    return write_ct(tmp_path_factory.mktemp("ct"), CtPlan(slices=5)).paths


@pytest.fixture
def database(layout: Layout) -> Iterator[Database]:
    with Database.open(layout.database, data=layout.data, clock=SystemClock()) as opened:
        yield opened


@pytest.fixture
def land(layout: Layout, database: Database, jail: Jail) -> Land:
    """Copy files into the spool and land them as one acquisition, its lanes queued."""

    def land_files(
        files: Iterable[Path], *, urgency: Urgency = Urgency.LIVE, peers: tuple[str, ...] = ()
    ) -> Acquisition:
        landings = Landings(database, peers_for_originals=peers)
        clock = database.clock
        acquisition: Acquisition | None = None
        for file in files:
            sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
            path = layout.spool / sha256
            shutil.copyfile(file, path)
            instance = jail.describe(path).instance
            assert instance is not None
            instance = replace(instance, sha256=sha256)
            siblings = () if acquisition is None else (acquisition,)
            acquisition = arrive(instance, urgency=urgency, siblings=siblings)[0].acquisition
            landed = LandedFile(
                path=path,
                sha256=sha256,
                size_bytes=path.stat().st_size,
                door=Door.FOLDER,
                source=file.name,
                urgency=urgency,
                landed_at_utc=clock.now_utc(),
                noticed_ns=clock.monotonic_ns(),
                landed_ns=clock.monotonic_ns(),
            )
            landings.land(landed, status=FileStatus.ACCEPTED, instance=instance, acquisition=acquisition)
        assert acquisition is not None
        settled = all_given(acquisition, siblings=(acquisition,))
        landings.amend(settled, queue=True)
        return settled

    return land_files
