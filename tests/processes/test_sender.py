# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The sender with real receivers: rendered once, in order, tried again for ever, nobody waits for another."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.uid import DigitalXRayImageStorageForPresentation as Radiograph
from structlog.testing import capture_logs

from appliance.clock import ManualClock
from appliance.config import Settings
from appliance.domain.acquisition import Acquisition
from appliance.domain.job import Lane
from appliance.domain.quality import QualityCheck, Verdict
from appliance.domain.result import LaneResult
from appliance.layout import Layout
from appliance.processes.sender import Sender, run_sender
from appliance.receivers import PeerSettings, SenderSettings
from appliance.selftest.phantom_radiograph import Identity, write_chest
from appliance.store.connection import Database
from appliance.store.jobs import Jobs
from appliance.store.results import Results
from tests.receiver import receiver
from tests.running import free_port

Land = Callable[..., Acquisition]
Received = list[tuple[bytes, str]]
NOBODY_LISTENS = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""pynetdicom drops the socket of a refused connection without closing it; Python closes it at once."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 2.0, 5.0


def peer(name: str, port: int, **known: Any) -> PeerSettings:
    return PeerSettings(name=name, host="127.0.0.1", port=port, ae_title="ARCHIVE", **known)


@contextmanager
def sender_to(
    layout: Layout, database: Database, clock: ManualClock, *peers: PeerSettings
) -> Iterator[Sender]:
    settings = Settings(
        sender=SenderSettings(peers=peers, retry_first_s=FIRST_PAUSE_S, retry_longest_s=LONGEST_PAUSE_S)
    )
    with Sender(settings=settings, layout=layout, clock=clock, database=database) as sender:
        yield sender


def work_off(sender: Sender) -> None:
    """Until nothing is to be done and nothing is under way."""
    while sender.step() or sender.wait_for_a_peer():
        pass


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    folder = tmp_path_factory.mktemp("films")
    files = tuple(folder / f"{number}.dcm" for number in range(3))
    for number, file in enumerate(files):
        write_chest(file, identity=Identity(seed=number), rows=360, columns=300)
    return files


def commit_quality(database: Database, acquisition: Acquisition) -> None:
    job = Jobs(database, max_attempts=3).lease(worker="test", lease_s=60)
    assert job is not None
    check = QualityCheck(
        criterion="exposure", verdict=Verdict.OK, value=0.1, unit="1", limit=3.0, advice="As it should be."
    )
    result = LaneResult(
        acquisition_id=acquisition.acquisition_id,
        version=acquisition.version,
        lane=Lane.QUALITY,
        quality=(check,),
    )
    assert Results(database).commit(job, result)


def waiting(database: Database) -> list[tuple[str, int]]:
    return [
        (row[0], row[1])
        for row in database.read("SELECT peer, attempts FROM outbox WHERE done = 0 ORDER BY outbox_id")
    ]


def names(received: Received) -> list[str]:
    return [str(dcmread(io.BytesIO(content), force=True).get("SOPInstanceUID")) for content, _ in received]


def test_a_result_is_rendered_once_and_named_after_its_lane(
    layout: Layout, database: Database, land: Land, films: tuple[Path, ...]
) -> None:
    chest = land(films[:1])
    commit_quality(database, chest)
    with sender_to(layout, database, ManualClock()) as sender:
        work_off(sender)
        folder = layout.results_of(chest.acquisition_id, chest.version)
        written = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
        assert set(written) == {"report-quality.dcm", "summary-quality.dcm"}
        assert not sender.step()
        assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == written
    assert dcmread(folder / "report-quality.dcm").Modality == "SR"


def test_a_result_of_an_older_version_is_not_rendered(
    layout: Layout, database: Database, land: Land, films: tuple[Path, ...]
) -> None:
    commit_quality(database, land(films[:1]))
    database.read("UPDATE acquisition SET version = version + 1")
    with sender_to(layout, database, ManualClock()) as sender:
        work_off(sender)
    assert not list(layout.results.rglob("*.dcm"))
    assert database.read("SELECT reason FROM outbox") == [("superseded before it was rendered",)]


def test_a_result_whose_original_is_gone_is_said_and_the_next_one_goes_on(
    layout: Layout, database: Database, land: Land, films: tuple[Path, ...]
) -> None:
    gone, there = land(films[:1]), land(films[1:2])
    for acquisition in (gone, there):
        commit_quality(database, acquisition)
    gone.first.path.unlink()
    with sender_to(layout, database, ManualClock()) as sender, capture_logs() as logs:
        work_off(sender)
    assert {entry["event"] for entry in logs} == {"not rendered"}
    assert {path.parent.name for path in layout.results.rglob("*.dcm")} == {
        f"{there.acquisition_id}-v{there.version}"
    }


def test_originals_arrive_in_order_before_any_result(
    layout: Layout, database: Database, land: Land, films: tuple[Path, ...]
) -> None:
    landed = [land([film], peers=("pacs",)) for film in films]
    commit_quality(database, landed[0])
    with (
        receiver(takes=Radiograph) as (port, received),
        sender_to(layout, database, ManualClock(), peer("pacs", port, results=False)) as sender,
    ):
        work_off(sender)
    assert names(received) == [acquisition.first.sop_instance_uid for acquisition in landed]
    assert waiting(database) == []


@NOBODY_LISTENS
def test_a_peer_that_is_away_is_tried_again_with_growing_pauses_and_said_once(
    layout: Layout, database: Database, land: Land, films: tuple[Path, ...]
) -> None:
    clock = ManualClock()
    land(films[:1], peers=("pacs",))
    port = free_port()
    tries = []
    with sender_to(layout, database, clock, peer("pacs", port)) as sender, capture_logs() as logs:
        for _ in range(24):
            work_off(sender)
            tries.append(waiting(database)[0][1])
            clock.advance(0.5)
        with receiver(takes=Radiograph, port=port) as (_, received):
            clock.advance(LONGEST_PAUSE_S)
            work_off(sender)
    first_tries = [tries.index(count) for count in sorted(set(tries))]
    assert first_tries == [0, 4, 12, 22], "after 2, 4 and 5 s, in steps of half a second"
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [
        ("peer does not take files", "warning"),
        ("peer takes files again", "info"),
    ]
    assert len(received) == 1
    assert waiting(database) == []


def test_one_refused_file_does_not_hold_up_the_others_and_is_not_forgotten(
    layout: Layout, database: Database, land: Land, films: tuple[Path, ...]
) -> None:
    clock = ManualClock()
    landed = [land([film], peers=("pacs",)) for film in films]
    unwanted = landed[0].first.sop_instance_uid
    takes_all = Event()

    def judge(event: Any) -> int:
        refused = event.request.AffectedSOPInstanceUID == unwanted and not takes_all.is_set()
        return 0xC000 if refused else 0x0000

    with (
        receiver(status=judge, takes=Radiograph) as (port, received),
        sender_to(layout, database, clock, peer("pacs", port)) as sender,
        capture_logs() as logs,
    ):
        for _ in range(4):
            work_off(sender)
            clock.advance(LONGEST_PAUSE_S)
        others = [acquisition.first.sop_instance_uid for acquisition in landed[1:]]
        assert names(received)[:3] == [unwanted, *others]
        assert len(waiting(database)) == 1
        said = [entry for entry in logs if entry["event"] == "peer does not take files"]
        takes_all.set()
        work_off(sender)
    assert said
    assert all("0xC000" in entry["reason"] for entry in said)
    assert waiting(database) == []


def test_a_peer_that_does_not_know_us_is_said_once_and_keeps_its_order(
    layout: Layout, database: Database, land: Land, films: tuple[Path, ...]
) -> None:
    clock = ManualClock()
    for film in films:
        land([film], peers=("pacs",))
    with (
        receiver(takes=Radiograph, require_calling_aet=["SOMEBODY"]) as (port, received),
        sender_to(layout, database, clock, peer("pacs", port)) as sender,
        capture_logs() as logs,
    ):
        for _ in range(3):
            work_off(sender)
            clock.advance(LONGEST_PAUSE_S)
    assert [entry["event"] for entry in logs] == ["peer does not take files"]
    assert "does not know the AE title" in logs[0]["reason"]
    assert received == []
    assert waiting(database) == [("pacs", 3), ("pacs", 0), ("pacs", 0)]


def test_a_peer_that_hangs_delays_nobody(
    layout: Layout, database: Database, land: Land, films: tuple[Path, ...]
) -> None:
    landed = [land([film], peers=("slow", "quick")) for film in films]
    let_go, asked = Event(), Event()

    def hang(_: Any) -> int:
        asked.set()
        assert let_go.wait(30)
        return 0x0000

    with (
        receiver(status=hang, takes=Radiograph) as (slow_port, _),
        receiver(takes=Radiograph) as (quick_port, quick),
        sender_to(
            layout, database, ManualClock(), peer("slow", slow_port), peer("quick", quick_port)
        ) as sender,
    ):
        while len(quick) < len(films):
            sender.step()
            sender.wait_for_a_peer()
        assert asked.wait(10)
        assert {name for name, _ in waiting(database) if name == "slow"}
        let_go.set()
        work_off(sender)
    assert names(quick) == [acquisition.first.sop_instance_uid for acquisition in landed]
    assert waiting(database) == []


def test_results_follow_to_the_peers_that_want_them(
    layout: Layout, database: Database, land: Land, films: tuple[Path, ...]
) -> None:
    commit_quality(database, land(films[:1]))
    with sender_to(layout, database, ManualClock(), peer("pacs", free_port(), results=False)) as sender:
        sender.step()
    assert waiting(database) == []
    commit_quality(database, land(films[1:2]))
    with (
        receiver(status=0xA700) as (port, _),
        sender_to(layout, database, ManualClock(), peer("pacs", port)) as sender,
    ):
        work_off(sender)
    assert [name for name, _ in waiting(database)] == ["pacs", "pacs"]


def test_the_process_says_what_is_in_its_way_until_told_to_stop(layout: Layout) -> None:
    stop = Event()
    stop.set()
    run_sender(Settings(), layout, ManualClock(), stop)
    assert not (layout.run / "sender.beat").exists()


@NOBODY_LISTENS
def test_the_beat_says_which_peer_is_in_trouble(
    layout: Layout, database: Database, land: Land, films: tuple[Path, ...]
) -> None:
    land(films[:1], peers=("pacs",))
    stop = Event()

    class StoppedByTrouble(ManualClock):
        """Time is asked for a last time when the trouble is there."""

        def boot_id(self) -> str:
            if database.read("SELECT 1 FROM outbox WHERE attempts > 0"):
                stop.set()
            return super().boot_id()

    with sender_to(layout, database, StoppedByTrouble(), peer("pacs", free_port())) as sender:
        sender.run(stop)
    assert "pacs (ARCHIVE at 127.0.0.1:" in json.loads((layout.run / "sender.beat").read_bytes())["state"]
