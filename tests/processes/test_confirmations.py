# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A file counts as sent when its receiver said that it keeps it: scripted archives, and a real Orthanc."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import DigitalXRayImageStorageForPresentation as Radiograph
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, build_role
from pynetdicom.sop_class import StorageCommitmentPushModel, StorageCommitmentPushModelInstance

from appliance.clock import ManualClock, SystemClock
from appliance.config import ListenerSettings, Settings
from appliance.domain.acquisition import Acquisition
from appliance.intake.claim import Spool
from appliance.intake.listener import CommitmentReports, Listener
from appliance.layout import Layout
from appliance.processes.sender import Sender
from appliance.receivers import PeerSettings, SenderSettings
from appliance.selftest.phantom_radiograph import Identity, write_chest
from appliance.store.commitments import Commitments
from appliance.store.connection import Database
from appliance.store.peers import Peers
from tests.committing import archive
from tests.orthanc import RunningOrthanc
from tests.running import free_port

Land = Callable[..., Acquisition]
WAIT_MIN = 30.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 2.0, 8.0
LIMIT_S = 30.0


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    folder = tmp_path_factory.mktemp("films")
    files = tuple(folder / f"{number}.dcm" for number in range(3))
    for number, file in enumerate(files):
        write_chest(file, identity=Identity(seed=number), rows=360, columns=300)
    return files


@contextmanager
def sender_to(layout: Layout, database: Database, clock: Any, port: int, **known: Any) -> Iterator[Sender]:
    peer = PeerSettings(
        **{"name": "pacs", "host": "127.0.0.1", "port": port, "ae_title": "ARCHIVE", "commitment": True}
        | {"commitment_wait_min": WAIT_MIN, "answer_timeout_s": 10.0}
        | known
    )
    settings = Settings(
        sender=SenderSettings(peers=(peer,), retry_first_s=FIRST_PAUSE_S, retry_longest_s=LONGEST_PAUSE_S)
    )
    with Sender(settings=settings, layout=layout, clock=clock, database=database) as sender:
        yield sender


@contextmanager
def listener(layout: Layout, database: Database, **known: Any) -> Iterator[int]:
    """The door of the appliance, which takes reports."""
    port = free_port()
    settings = ListenerSettings(port=port, **known)
    reports = CommitmentReports(
        ae_titles=frozenset({"ARCHIVE", "ORTHANC"}), take=Commitments(database).report
    )
    with Listener(
        settings,
        max_bytes=1 << 24,
        spool=Spool(layout, reserve_bytes=0),
        deliver=lambda _: None,
        clock=SystemClock(),
        reports=reports,
    ):
        yield port


def until(sender: Sender, condition: Callable[[], bool], *, limit_s: float = LIMIT_S) -> None:
    clock = SystemClock()
    deadline_ns = clock.monotonic_ns() + round(limit_s * 1e9)
    while not condition():
        assert clock.monotonic_ns() < deadline_ns, "it did not come about"
        if not sender.step() and not sender.wait_for_a_peer():
            clock.sleep(0.01)


def rows(database: Database) -> list[tuple[int, int, int]]:
    return [
        (row[0], row[1], row[2])
        for row in database.read(
            "SELECT done, stored, attempts FROM outbox WHERE step = 'send' ORDER BY outbox_id"
        )
    ]


def all_done(database: Database) -> Callable[[], bool]:
    return lambda: all(done for done, _, _ in rows(database))


@pytest.mark.parametrize("calls_back", [False, True])
def test_a_row_ends_with_the_word_of_its_receiver(
    layout: Layout, database: Database, land: Land, films: tuple[Path, ...], calls_back: bool
) -> None:
    landed = [land([film], peers=("pacs",)) for film in films]
    names = [acquisition.first.sop_instance_uid for acquisition in landed]
    with (
        listener(layout, database) as door,
        archive(takes=Radiograph, call_back=("127.0.0.1", door) if calls_back else None) as pacs,
        sender_to(layout, database, ManualClock(), pacs.port) as sender,
    ):
        until(sender, all_done(database))
    assert pacs.took == names
    assert [name for question in pacs.asked for name in question] == names
    assert len(pacs.asked) == 1, "one question for all of them"
    assert Peers(database).of("pacs").unconfirmed == 0


def test_a_receiver_that_takes_and_drops_is_found_and_gets_it_again(
    layout: Layout, database: Database, land: Land, films: tuple[Path, ...]
) -> None:
    clock = ManualClock()
    landed = [land([film], peers=("pacs",)) for film in films]
    dropped = landed[1].first.sop_instance_uid
    with (
        archive(takes=Radiograph) as pacs,
        sender_to(layout, database, clock, pacs.port) as sender,
    ):
        pacs.drops.add(dropped)
        until(
            sender,
            lambda: sorted(rows(database)) == [(0, 0, 1), (1, 1, 0), (1, 1, 0)] or _kept(database) == 2,
        )
        until(sender, lambda: bool(sender.troubles))
        assert sender.troubles == ("pacs takes files and does not keep them (1 of the last).",)
        standing = Peers(database).of("pacs")
        assert standing.attempts == 1
        assert "does not keep it: it does not have it." in (standing.reason or "")
        for _ in range(5):
            sender.step()
        assert len(pacs.took) == 3, "it is not sent again before the pause is over"
        pacs.drops.clear()
        clock.advance(LONGEST_PAUSE_S)
        until(sender, all_done(database))
        until(sender, lambda: not sender.troubles)
    assert pacs.took[3:] == [dropped], "the same object, and only that one"


def _kept(database: Database) -> int:
    return sum(done for done, _, _ in rows(database))


def test_a_receiver_that_never_answers_gets_the_files_again(
    layout: Layout, database: Database, land: Land, films: tuple[Path, ...]
) -> None:
    clock = ManualClock()
    land(films[:1], peers=("pacs",))
    with (
        archive(takes=Radiograph) as pacs,
        sender_to(layout, database, clock, pacs.port) as sender,
    ):
        pacs.silent = True
        until(sender, lambda: len(pacs.asked) == 1 and not sender.wait_for_a_peer())
        sender.step()
        assert rows(database) == [(0, 2, 0)]
        assert Peers(database).of("pacs").unconfirmed == 1
        clock.advance(WAIT_MIN * 60 + 1)
        until(sender, lambda: rows(database) == [(0, 0, 1)])
        assert "did not say within 30 min" in (Peers(database).of("pacs").reason or "")
        pacs.silent = False
        clock.advance(LONGEST_PAUSE_S)
        until(sender, all_done(database))
    assert len(pacs.took) == 2


def test_a_question_of_an_earlier_run_is_still_answered(
    layout: Layout, database: Database, land: Land, films: tuple[Path, ...]
) -> None:
    clock = ManualClock()
    land(films[:1], peers=("pacs",))
    with archive(takes=Radiograph) as pacs:
        pacs.silent = True
        with sender_to(layout, database, clock, pacs.port) as sender:
            until(sender, lambda: rows(database) == [(0, 2, 0)] and bool(pacs.asked))
        with sender_to(layout, database, clock, pacs.port) as sender:
            for _ in range(3):
                sender.step()
            assert len(pacs.asked) == 1, "it has the whole time once more"
            pacs.silent = False
            clock.advance(WAIT_MIN * 60 + 1)
            until(sender, lambda: len(pacs.asked) == 2 or bool(sender.troubles))
            clock.advance(LONGEST_PAUSE_S)
            until(sender, all_done(database))


def test_a_receiver_that_does_no_commitment_is_said_with_what_to_do(
    layout: Layout, database: Database, land: Land, films: tuple[Path, ...]
) -> None:
    clock = ManualClock()
    land(films[:1], peers=("pacs",))
    with (
        archive(takes=Radiograph, action_status=0x0122) as pacs,
        sender_to(layout, database, clock, pacs.port) as sender,
    ):
        until(sender, lambda: bool(sender.troubles))
        assert "does not say whether it keeps them (status 0x0122)" in sender.troubles[0]
        assert rows(database) == [(0, 1, 1)]
        assert "commitment = false" in (Peers(database).of("pacs").reason or "")
        assert len(pacs.took) == 1


def report_to(door: int, told: Dataset) -> int:
    """Call the door as a receiver does that reports; what it is answered."""
    entity = AE(ae_title="ARCHIVE")
    entity.add_requested_context(StorageCommitmentPushModel)
    role = build_role(StorageCommitmentPushModel, scp_role=True)
    association = entity.associate("127.0.0.1", door, ae_title="SCANSIDE", ext_neg=[role])
    status, _ = association.send_n_event_report(
        told, 1, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
    )
    association.release()
    return int(status.Status)


def test_a_forged_report_changes_nothing_and_one_that_is_none_is_refused(
    layout: Layout, database: Database, land: Land, films: tuple[Path, ...]
) -> None:
    acquisition = land(films[:1], peers=("pacs",))
    with (
        listener(layout, database) as door,
        archive(takes=Radiograph) as pacs,
        sender_to(layout, database, ManualClock(), pacs.port) as sender,
    ):
        pacs.silent = True
        until(sender, lambda: bool(pacs.asked))
        told, item = Dataset(), Dataset()
        item.ReferencedSOPClassUID = Radiograph
        item.ReferencedSOPInstanceUID = acquisition.first.sop_instance_uid
        told.TransactionUID, told.ReferencedSOPSequence = "2.25.1", [item]
        assert report_to(door, told) == 0
        assert rows(database) == [(0, 2, 0)]
        (told.TransactionUID,) = Commitments(database).transactions("pacs")
        assert report_to(door, told) == 0
        assert rows(database) == [(1, 2, 0)]
        del told.TransactionUID
        assert report_to(door, told) == 0x0115


def test_who_may_report_may_not_send(layout: Layout, database: Database, films: tuple[Path, ...]) -> None:
    with listener(layout, database, calling_ae_titles=("SCANNER",)) as door:
        entity = AE(ae_title="ARCHIVE")
        entity.add_requested_context(StorageCommitmentPushModel)
        entity.add_requested_context(Radiograph, ExplicitVRLittleEndian)
        association = entity.associate("127.0.0.1", door, ae_title="SCANSIDE")
        assert association.is_established
        assert association.send_c_store(films[0]).Status == 0x0124
        association.release()


def test_orthanc_confirms_over_an_association_of_its_own(
    layout: Layout, database: Database, land: Land, films: tuple[Path, ...], tmp_path: Path
) -> None:
    landed = [land([film], peers=("pacs",)) for film in films]
    with (
        listener(layout, database, calling_ae_titles=("SCANNER",)) as door,
        RunningOrthanc(
            tmp_path / "orthanc", DicomModalities={"scanside": ["SCANSIDE", "127.0.0.1", door]}
        ) as orthanc,
        sender_to(layout, database, SystemClock(), orthanc.dicom_port, ae_title="ORTHANC") as sender,
    ):
        until(sender, all_done(database))
        held = {orthanc.tags(instance)["SOPInstanceUID"] for instance in orthanc.instances()}
        assert held == {acquisition.first.sop_instance_uid for acquisition in landed}
        assert rows(database) == [(1, 2, 0)] * 3


def test_orthanc_that_lost_a_file_says_so_and_gets_it_again(
    layout: Layout, database: Database, land: Land, films: tuple[Path, ...], tmp_path: Path
) -> None:
    land(films[:1], peers=("pacs",))
    with (
        listener(layout, database) as door,
        RunningOrthanc(
            tmp_path / "orthanc", DicomModalities={"scanside": ["SCANSIDE", "127.0.0.1", door]}
        ) as orthanc,
        sender_to(layout, database, SystemClock(), orthanc.dicom_port, ae_title="ORTHANC") as sender,
    ):
        sender.step()
        sender.wait_for_a_peer()
        until(sender, lambda: bool(orthanc.instances()))
        orthanc.delete(orthanc.instances()[0])  # before the sender's next step asks
        until(sender, all_done(database))
        assert rows(database) == [(1, 2, 1)]
        assert len(orthanc.instances()) == 1
