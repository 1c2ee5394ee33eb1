# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The worklist process over DCMTK's server: what is kept, how old it is, what images are compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from appliance.clock import ManualClock
from appliance.config import Settings
from appliance.domain.acquisition import Acquisition, Door, LandedFile, Urgency
from appliance.domain.expected import ListState
from appliance.layout import Layout
from appliance.processes.orders import StoredOrders
from appliance.processes.worklist import WorklistPoller
from appliance.store.connection import Database
from appliance.store.decisions import Choice, Decisions
from appliance.store.expected import Expected, list_state
from appliance.store.landing import FileStatus, Landings
from appliance.worklist import WorklistSettings
from tests.running import free_port
from tests.worklist_server import RunningWlmscpfs, worklist_item, write_items

TODAY = datetime(2026, 3, 2, 8, 0, tzinfo=timezone.utc)
WRIST = worklist_item()
CHEST = worklist_item(
    AccessionNumber="A2",
    PatientID="P2",
    PatientName="OTIENO^Paul",
    StudyInstanceUID="1.2.4",
    ScheduledProcedureStepDescription="Chest PA",
    ScheduledProcedureStepStartTime="0730",
)


class Site:
    """A device, its worklist and its store."""

    def __init__(self, layout: Layout, port: int, database: Database, clock: ManualClock) -> None:
        self.clock, self.database = clock, database
        self.settings = Settings(
            worklist=WorklistSettings(host="127.0.0.1", port=port, ae_title="RIS", timeout_s=2.0)
        )
        self.expected = Expected(database)
        self.poller = WorklistPoller(self.settings, layout, clock, database=database, stop=Event())
        self.orders = StoredOrders(self.settings.worklist, database, clock)

    def ask(self) -> None:
        self.clock.advance(self.settings.worklist.poll_interval_s)
        assert self.poller.step()

    def state(self) -> ListState:
        return list_state(self.expected.standing(), self.settings.worklist)

    def land(self, acquisition: Acquisition) -> None:
        (instance,) = acquisition.instances
        file = LandedFile(
            path=self.database.data / "spool" / instance.sha256,
            sha256=instance.sha256,
            size_bytes=1,
            door=Door.FOLDER,
            source="a.dcm",
            urgency=Urgency.LIVE,
            landed_at_utc=self.clock.now_utc(),
            noticed_ns=0,
            landed_ns=0,
        )
        Landings(self.database).land(
            file, status=FileStatus.ACCEPTED, instance=instance, acquisition=acquisition
        )


class AfterReboot(ManualClock):
    def boot_id(self) -> str:
        return "another boot"


@contextmanager
def site(layout: Layout, port: int, kind: type[ManualClock] = ManualClock) -> Iterator[Site]:
    clock = kind(start_utc=TODAY)
    with Database.open(layout.database, data=layout.data, clock=clock) as database:
        yield Site(layout, port, database, clock)


@pytest.fixture
def taken(make_acquisition: Callable[..., Acquisition]) -> Callable[..., Acquisition]:
    def build(name: str, **change: Any) -> Acquisition:
        header = {
            "sha256": name.ljust(64, "0"),
            "study_instance_uid": "1.2.3",
            "series_instance_uid": f"1.2.3.{name}",
            "sop_instance_uid": f"1.2.3.{name}.1",
            "body_part": "WRIST",
            "laterality": "R",
            "view_position": "PA",
            "acquired_at": "20260302073000",
            "patient": {"patient_id": "P1", "patient_name": "MWANGI^Grace"},
        }
        return replace(make_acquisition(**{**header, **change}), acquisition_id=name)

    return build


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a socket of pynetdicom's
def test_the_list_is_kept_with_its_age_while_the_server_is_away(layout: Layout, tmp_path: Path) -> None:
    with RunningWlmscpfs(tmp_path / "wl") as server:
        write_items(server.files, WRIST, CHEST)
        port = server.port
        with site(layout, port) as here:
            assert here.state() is ListState.UNHEARD
            here.ask()
            assert here.state() is ListState.CURRENT
            assert [step.patient_id for step in here.expected.listed()] == ["P1", "P2"]
            write_items(server.files, CHEST)
            here.ask()
            assert [step.patient_id for step in here.expected.listed()] == ["P2"]
            assert here.expected.knows_patient("p1"), "taken off the list with the first image, as many do"
    with site(layout, port, AfterReboot) as later:
        assert later.state() is ListState.UNHEARD, "another start: its age is not known"
        later.ask()
        standing = later.expected.standing()
        assert standing is not None
        assert standing.trouble is not None
        assert "does not answer" in standing.trouble
        assert [step.patient_id for step in later.expected.listed()] == ["P2"]


def test_an_image_is_compared_with_its_order(
    layout: Layout, tmp_path: Path, taken: Callable[..., Acquisition]
) -> None:
    with RunningWlmscpfs(tmp_path / "wl") as server, site(layout, server.port) as here:
        write_items(server.files, WRIST, CHEST)
        here.ask()
        pa, again, lateral = taken("a"), taken("b"), taken("c", view_position="LAT")
        for each in (pa, again, lateral):
            here.land(each)
        found = here.orders.expectation(pa)
        assert (found.state, found.covers, found.whole) == (ListState.CURRENT, True, True)
        assert found.step is not None
        assert (found.step.patient_id, found.step.laterality) == ("P1", "R")
        assert found.earlier == ()
        assert [each.view_position for each in here.orders.expectation(again).earlier] == ["PA"]
        Decisions(here.database).decide("a", 1, Choice.REPEAT, reason="motion")
        assert here.orders.expectation(again).earlier == (), "it was repeated on purpose"
        stranger = taken("d", study_instance_uid="9", patient={"patient_id": "P7"})
        assert here.orders.expectation(stranger).step is None
        assert here.orders.expectation(taken("e", acquired_at="20200101")).covers is False
        here.clock.advance(60 * 20)
        assert here.orders.expectation(stranger).state is ListState.OLD
        assert [step.patient_id for step in here.expected.without_images(here.expected.listed())] == ["P2"]


def test_without_a_worklist_nothing_is_expected(layout: Layout, taken: Callable[..., Acquisition]) -> None:
    with site(layout, free_port()) as here:
        nobody = StoredOrders(Settings().worklist, here.database, here.clock)
        assert nobody.expectation(taken("a")).state is ListState.NONE


def test_trouble_is_written_once_and_ends(layout: Layout, tmp_path: Path) -> None:
    with RunningWlmscpfs(tmp_path / "wl") as server, site(layout, server.port) as here:
        for _ in range(2):
            here.expected.failed("away", "look")
            here.clock.advance(30)
        standing = here.expected.standing()
        assert standing is not None
        assert standing.trouble_since_utc == TODAY, "since the first failure"
        here.ask()
        standing = here.expected.standing()
        assert standing is not None
        assert (standing.trouble, standing.answers) == (None, 1)
