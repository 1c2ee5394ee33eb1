# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A clinic and a hospital, each with a data folder of its own, that know each other's keys; and a stick."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from appliance.clock import ManualClock
from appliance.domain.acquisition import Instance
from appliance.layout import Layout
from appliance.store.connection import Database
from tests.courier_site import FILES, Site, bundles_on

MakeSite = Callable[[str], Site]


@pytest.fixture
def make_site(tmp_path: Path, make_instance: Callable[..., Instance]) -> Iterator[MakeSite]:
    with ExitStack() as open_until_the_end:

        def build(name: str) -> Site:
            layout = Layout(data=tmp_path / name / "data")
            layout.create()
            clock = ManualClock()
            database = open_until_the_end.enter_context(
                Database.open(layout.database, data=layout.data, clock=clock)
            )
            return Site(
                layout=layout,
                database=database,
                clock=clock,
                partners=tmp_path / name / "partners",
                make_instance=make_instance,
                name=name,
            )

        yield build


@pytest.fixture
def hospital(make_site: MakeSite) -> Site:
    return make_site("hospital")


@pytest.fixture
def clinic(make_site: MakeSite, hospital: Site) -> Site:
    made = make_site("clinic")
    made.recipients = (hospital.recipient,)
    made.believe(hospital)
    hospital.believe(made)
    return made


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


@pytest.fixture
def bundle(clinic: Site, stick: Path) -> Path:
    """An honest one, with files of several sizes."""
    for number, size in enumerate((0, 1, 511, 512, 513, 200_000)):
        clinic.land(random.Random(number).randbytes(size), study=f"1.{number}")
    assert clinic.pack(stick).trouble is None
    return bundles_on(stick)[0]


@pytest.fixture
def clinic_on_disk(clinic: Site) -> Site:
    """Files for three bundles; its store is closed, so that each trial opens its own copy."""
    for number in range(FILES):
        clinic.land(random.Random(number).randbytes(280_000), study=f"1.{number}")
    clinic.recipient  # noqa: B018  (the keys are made once, before anything is killed)
    assert clinic.device
    clinic.database.close()
    return clinic
