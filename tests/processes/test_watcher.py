# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The watcher as a whole: real files through both doors, the real jail, the real store."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread, uid
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset

from appliance.clock import SystemClock
from appliance.config import GIB, IntakeSettings, ListenerSettings, Settings
from appliance.domain.acquisition import Completeness, Kind
from appliance.errors import StoreError
from appliance.intake.claim import Part, Spool
from appliance.intake.jail import Jail
from appliance.layout import Layout
from appliance.monitor.heartbeat import read_beat
from appliance.processes.lander import Describes, Pending
from appliance.processes.watcher import NAME, Watcher, run_watcher
from appliance.store.board import Board, BoardEntry
from appliance.store.connection import Database
from tests.running import free_port

PATIENCE_S = 40.0
CLOCK = SystemClock()


def settings(*, port: int | None = None, **intake: Any) -> Settings:
    listener = ListenerSettings(enabled=False) if port is None else ListenerSettings(port=port)
    quick = {"rescan_interval_s": 0.3, "series_quiet_s": 30.0, "truncated_after_s": 30.0}
    return Settings(intake=IntakeSettings(**{**quick, **intake}), listener=listener)


def image(path: Path, *, modality: str = "DX", rows: int = 16, **elements: Any) -> Path:
    """A small valid image. Elements by keyword."""
    ct = modality == "CT"
    sop_class = uid.CTImageStorage if ct else uid.DigitalXRayImageStorageForPresentation
    dataset = FileDataset(path, {}, preamble=bytes(128), file_meta=FileMetaDataset())
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, uid.generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", uid.generate_uid()
    dataset.Modality, dataset.PatientID = modality, "P1"
    dataset.Rows, dataset.Columns = rows, 16
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.SamplesPerPixel, dataset.PixelRepresentation = 1, 0
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelData = np.arange(rows * 16, dtype="<u2").tobytes()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = sop_class
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.save_as(path, enforce_file_format=True)
    return path


def ct_slice(path: Path, index: int, *, series: str = "1.2.3.4", **elements: Any) -> Path:
    return image(
        path,
        modality="CT",
        SeriesInstanceUID=series,
        SOPInstanceUID=f"{series}.{index}",
        InstanceNumber=index + 1,
        ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
        ImagePositionPatient=[0, 0, 2.5 * index],
        PixelSpacing=[1, 1],
        **elements,
    )


class Running:
    """A watcher in a thread, and the store as a reader sees it."""

    def __init__(self, layout: Layout, database: Database) -> None:
        self.layout = layout
        self.database = database
        self.board = Board(database)

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for it; a failure shows what there is instead."""
        waiter = threading.Event()
        for _ in range(round(PATIENCE_S / 0.02)):
            if condition():
                return
            waiter.wait(0.02)
        pytest.fail(f"not within {PATIENCE_S} s: {self.entries()} {self.board.set_aside()}")

    def files(self) -> int:
        return int(self.database.read("SELECT count(*) FROM file")[0][0])

    def repeats(self) -> int:
        return int(self.database.read("SELECT coalesce(sum(repeats), 0) FROM file")[0][0])

    def entries(self) -> tuple[BoardEntry, ...]:
        return self.board.entries(limit=10_000)

    def only(self) -> BoardEntry:
        (entry,) = self.entries()
        return entry

    def settled(self) -> int:
        return sum(entry.completeness is not Completeness.RECEIVING for entry in self.entries())


@contextmanager
def running(
    layout: Layout, chosen: Settings, run: Callable[[threading.Event], None] | None = None
) -> Iterator[Running]:
    stop = threading.Event()
    faults: list[BaseException] = []

    def work() -> None:
        try:
            (run or (lambda stopped: run_watcher(chosen, layout, CLOCK, stopped)))(stop)
        except BaseException as error:  # noqa: BLE001 - shown by the test's own thread
            faults.append(error)

    with Database.open(layout.database, data=layout.data, clock=CLOCK) as database:
        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield Running(layout, database)
        finally:
            stop.set()
            thread.join(timeout=30)
    assert not faults, faults


def storescu(port: int, *files: Path, calling: str = "CT1") -> str:
    found = shutil.which("storescu")
    if found is None:
        pytest.skip("storescu is not installed (package dcmtk)")
    command = (found, "-v", "-aet", calling, "-aec", "SCANSIDE", "localhost", str(port), *map(str, files))
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    return done.stdout + done.stderr


def listens(port: int) -> bool:
    found = shutil.which("echoscu")
    if found is None:
        pytest.skip("echoscu is not installed (package dcmtk)")
    command = (found, "-aec", "SCANSIDE", "localhost", str(port))
    return subprocess.run(command, capture_output=True, timeout=100, check=False).returncode == 0


# ---------------------------------------------------------------------- the folder


def test_a_radiograph_and_a_series_from_the_folder(layout: Layout) -> None:
    with running(layout, settings()) as watcher:
        image(layout.inbox / "chest.dcm")
        for index in (2, 0, 3, 1):
            ct_slice(layout.inbox / f"{index}.dcm", index, ImagesInAcquisition=4)
        watcher.until(lambda: watcher.files() == 5 and watcher.settled() == 2)
        kinds = {entry.kind: entry for entry in watcher.entries()}
        assert kinds[Kind.PROJECTION].completeness is Completeness.COMPLETE
        assert kinds[Kind.VOLUME].evidence == "all 4 images that the header announces"
        assert kinds[Kind.VOLUME].slice_count == 4
        assert len(kinds[Kind.VOLUME].lanes) == 3
        marks = watcher.database.read(
            "SELECT count(*) FROM file WHERE noticed_ns < complete_ns AND complete_ns < claimed_ns"
            " AND claimed_ns <= landed_ns"
        )
        assert marks == [(5,)]
        for path, sha256 in watcher.database.read("SELECT path, sha256 FROM file"):
            assert (layout.data / path).name == sha256
            assert kinds[Kind.PROJECTION].first.path.is_file()
        assert sorted(path.name for path in layout.inbox.iterdir()) == [
            "0.dcm",
            "1.dcm",
            "2.dcm",
            "3.dcm",
            "chest.dcm",
        ]
        beat = read_beat(layout.run, NAME, CLOCK)
        assert beat is not None


def test_writers_that_are_slow_pause_and_come_back(layout: Layout, tmp_path: Path) -> None:
    content = image(tmp_path / "a.dcm", rows=4000).read_bytes()
    thirds = [
        content[start : start + len(content) // 3 + 1]
        for start in range(0, len(content), len(content) // 3 + 1)
    ]
    waiter = threading.Event()
    with running(layout, settings()) as watcher:
        with (layout.inbox / "held.dcm").open("wb") as held:
            held.write(content)  # whole, but its writer may not be done with it
            held.flush()
            for piece in thirds:
                with (layout.inbox / "reopened.dcm").open("ab") as reopened:
                    reopened.write(piece)
                with (layout.inbox / "renamed.dcm.part").open("ab") as renamed:
                    renamed.write(piece)
                waiter.wait(0.5)
                if piece is not thirds[-1]:
                    assert watcher.files() == 0
            watcher.until(lambda: watcher.files() == 1)
            assert watcher.board.sources(watcher.only().acquisition_id)[0].endswith("reopened.dcm")
        (layout.inbox / "renamed.dcm.part").rename(layout.inbox / "renamed.dcm")
        watcher.until(lambda: watcher.repeats() == 2)  # the same content under three names
        assert len(watcher.entries()) == 1
        assert watcher.board.set_aside() == ()


def test_a_truncated_file_is_set_aside_and_taken_when_its_rest_comes(layout: Layout, tmp_path: Path) -> None:
    content = image(tmp_path / "a.dcm").read_bytes()
    path = layout.inbox / "a.dcm"
    with running(layout, settings(truncated_after_s=0.5)) as watcher:
        path.write_bytes(content[:-100])
        watcher.until(lambda: len(watcher.board.set_aside()) == 1)
        (aside,) = watcher.board.set_aside()
        assert aside.reason.startswith("truncated: 412 of 512 bytes")
        assert (layout.data / aside.path).read_bytes() == content[:-100]
        assert watcher.entries() == ()
        path.write_bytes(content)
        watcher.until(lambda: len(watcher.entries()) == 1)
        assert path.exists()


def test_what_is_no_image_has_a_row_with_the_reason(layout: Layout, tmp_path: Path) -> None:
    (layout.inbox / "letter.txt").write_text("Dear colleague, " * 100, encoding="utf-8")
    os.mkfifo(layout.inbox / "pipe.dcm")
    (layout.inbox / "link.dcm").symlink_to(image(tmp_path / "elsewhere.dcm"))
    with (layout.inbox / "huge.dcm").open("wb") as huge:
        huge.truncate(1024 * GIB)
    image(layout.inbox / "programme.dcm")
    with (layout.inbox / "programme.dcm").open("r+b") as polyglot:
        polyglot.write(b"MZ")
    bad_name = layout.inbox / os.fsdecode(b"Gr\xfc\xdfe.dcm")
    image(tmp_path / "good.dcm").rename(bad_name)
    with running(layout, settings()) as watcher:
        watcher.until(lambda: watcher.files() == 6)
        aside = {Path(one.source).name: one.reason for one in watcher.board.set_aside()}
        assert "not a DICOM file" in aside["letter.txt"]
        assert "named pipe" in aside["pipe.dcm"]
        assert "links are not followed" in aside["link.dcm"]
        assert "1,099,511,627,776 bytes" in aside["huge.dcm"]
        assert "programme.dcm" in aside
        (source,) = watcher.board.sources(watcher.only().acquisition_id)
        assert source.endswith(r"Gr\xfc\xdfe.dcm")


def test_a_burst_is_taken_whole(layout: Layout, tmp_path: Path) -> None:
    count = 300
    template = ct_slice(tmp_path / "a.dcm", 0, series="1.2.3.9999").read_bytes()
    with running(layout, settings(series_quiet_s=1.0)) as watcher:
        for number in range(count):  # three series of ten images, each sent in ten different contents
            series, index = b"1.2.3.%d" % (number % 3 + 1000), number // 3 % 10
            content = template.replace(b"1.2.3.9999.0", b"%s.%d" % (series, index))
            content = content.replace(b"1.2.3.9999", series)[:-2] + (number // 30).to_bytes(2, "little")
            (layout.inbox / f"{number}.dcm").write_bytes(content)
        watcher.until(lambda: watcher.files() == count and watcher.settled() == 3)
        assert watcher.repeats() == 0
        assert [entry.instance_count for entry in watcher.entries()] == [100, 100, 100]
        assert {entry.completeness for entry in watcher.entries()} == {Completeness.CONFLICT}


def test_a_landed_file_is_deleted_only_when_the_settings_say_so(layout: Layout) -> None:
    with running(layout, settings(delete_after_landing=True)) as watcher:
        path = image(layout.inbox / "a.dcm")
        content = path.read_bytes()
        os.mkfifo(layout.inbox / "pipe.dcm")
        watcher.until(lambda: watcher.files() == 2 and not path.exists())
        assert watcher.only().first.path.read_bytes() == content
        assert (layout.inbox / "pipe.dcm").exists()


def test_a_restart_goes_on_with_the_series_and_reads_nothing_twice(layout: Layout) -> None:
    chosen = settings(series_quiet_s=3.0)
    with running(layout, chosen) as watcher:
        for index in range(5):
            ct_slice(layout.inbox / f"{index}.dcm", index)
        watcher.until(lambda: watcher.files() == 5)
    with running(layout, chosen) as watcher:
        for index in range(5, 8):
            ct_slice(layout.inbox / f"{index}.dcm", index)
        watcher.until(lambda: watcher.settled() == 1)
        assert watcher.only().completeness is Completeness.QUIET
        assert watcher.only().slice_count == 8
        assert watcher.only().version == 1
        assert watcher.repeats() == 0
        ct_slice(layout.inbox / "late.dcm", 9)
        watcher.until(lambda: watcher.only().version == 2 and watcher.settled() == 1)
        assert watcher.only().completeness is Completeness.INCOMPLETE
        states = Counter(watcher.database.read("SELECT version, state FROM job"))
        assert states == {(1, "superseded"): 3, (2, "queued"): 3}


def test_a_series_is_not_quiet_while_a_file_waits_unread(layout: Layout) -> None:
    with running(layout, settings(look_interval_s=1.5, series_quiet_s=1.0)) as watcher:
        for index in range(4):
            ct_slice(layout.inbox / f"{index}.dcm", index)
        watcher.until(lambda: watcher.files() == 4)
        for index in range(4, 8):
            ct_slice(layout.inbox / f"{index}.dcm", index)
        watcher.until(lambda: watcher.settled() == 1)
        assert watcher.only().slice_count == 8
        assert watcher.only().version == 1


def test_a_fault_of_ours_sets_one_file_aside_and_the_others_flow(layout: Layout) -> None:
    class Faulty:
        """Looks into files as the jail does, but cannot cope with wide ones."""

        def __init__(self, jail: Jail) -> None:
            self.jail = jail

        def begin_describe(self, path: Path, *, sha256: str) -> Pending:
            if b"FAULTY" in path.read_bytes():
                raise ZeroDivisionError
            return self.jail.begin_describe(path, sha256=sha256)

        def same_content(self, one: Path, other: Path) -> bool:
            return self.jail.same_content(one, other)

    for name in ("a", "b", "c"):
        image(layout.inbox / f"{name}.dcm", PatientID="FAULTY" if name == "b" else "P")
    chosen = settings()

    def run(stop: threading.Event) -> None:
        with Jail(chosen.reading, clock=CLOCK) as jail:
            own_watcher(layout, chosen, Faulty(jail), Spool(layout)).run(stop)

    with running(layout, chosen, run) as watcher:
        watcher.until(lambda: watcher.files() == 3)
        (aside,) = watcher.board.set_aside()
        assert aside.source.endswith("b.dcm")
        assert aside.reason == "A fault of the software ended the reading of this file. Please report it."
        assert len(watcher.entries()) == 2


def own_watcher(layout: Layout, chosen: Settings, describes: Describes, spool: Spool) -> Watcher:
    return Watcher(
        settings=chosen,
        layout=layout,
        clock=CLOCK,
        database=Database.open(layout.database, data=layout.data, clock=CLOCK),
        describes=describes,
        spool=spool,
    )


def test_real_series_with_real_faults(layout: Layout, real_data: Path) -> None:
    """Six slices each: one missing, one name twice, two patients under one series, one of another size."""
    names = ("set-missing-slice", "set-duplicate-sop", "set-same-series-two-patients", "set-mixed-size")
    with running(layout, settings(series_quiet_s=2.0)) as watcher:
        for name in names:
            shutil.copytree(real_data / "ct" / "dicom-hostile" / name, layout.inbox / name)
        watcher.until(lambda: watcher.files() == 23 and watcher.settled() == len(watcher.entries()))
        found: dict[str, list[tuple[str, int]]] = {name: [] for name in names}
        for entry in watcher.entries():
            folder = Path(watcher.board.sources(entry.acquisition_id)[0]).parent.name
            found[folder].append((entry.completeness.value, entry.instance_count))
        assert found["set-missing-slice"] == [("INCOMPLETE", 5)]
        assert found["set-duplicate-sop"] == [("CONFLICT", 6)]
        assert found["set-same-series-two-patients"] == [("CONFLICT", 3), ("CONFLICT", 3)]
        assert sorted(found["set-mixed-size"]) == [("INCOMPLETE", 5), ("QUIET", 1)]


# ---------------------------------------------------------------------- the DICOM door


def test_a_series_that_was_sent_is_complete_when_its_association_ends(layout: Layout, tmp_path: Path) -> None:
    port = free_port()
    slices = [ct_slice(tmp_path / f"{index}.dcm", index) for index in range(6)]
    with running(layout, settings(port=port)) as watcher:
        watcher.until(lambda: listens(port))
        said = storescu(port, *slices)
        assert said.count("Received Store Response (Success)") == 6
        assert watcher.files() == 6  # durable before the sender was told
        watcher.until(lambda: watcher.settled() == 1)
        assert watcher.only().completeness is Completeness.COMPLETE
        assert watcher.only().evidence == "6 images without a gap when the sender released the association"
        storescu(port, *slices)
        watcher.until(lambda: watcher.repeats() == 6)
        assert watcher.only().version == 1
        assert "CannotUnderstand" in storescu(port, image(tmp_path / "empty.dcm", Rows=0))
        (aside,) = watcher.board.set_aside()
        assert "Rows is 0" in aside.reason


def test_the_same_image_through_both_doors_counts_once(layout: Layout, tmp_path: Path) -> None:
    """Copied into the inbox, then sent by DCMTK, which writes another file header and other lengths."""
    port = free_port()
    file = odd_writing(image(tmp_path / "chest.dcm", PatientName="Doe^Jane"))
    with running(layout, settings(port=port)) as watcher:
        watcher.until(lambda: listens(port))
        shutil.copyfile(file, layout.inbox / "chest.dcm")
        watcher.until(lambda: watcher.files() == 1)
        content = watcher.only().first.path.read_bytes()
        for count in (1, 2):
            assert "Received Store Response (Success)" in storescu(port, file)
            assert (watcher.files(), watcher.repeats()) == (1, count)
        assert watcher.only().completeness is Completeness.COMPLETE
        assert watcher.only().version == 1
        assert watcher.only().first.path.read_bytes() == content
        assert [path.name for path in layout.spool.rglob("*") if path.is_file()] == [
            watcher.only().first.sha256
        ]
        pixels = dcmread(file).PixelData
        edits = {"PixelData": pixels[:-1] + b"\x07", "PatientName": "Doe^John", "PatientID": "P2"}
        for count, (keyword, value) in enumerate(edits.items(), start=2):
            dataset = dcmread(file)
            setattr(dataset, keyword, value)
            dataset.save_as(tmp_path / keyword)
            assert "Success" in storescu(port, tmp_path / keyword)
            assert (watcher.files(), watcher.repeats()) == (count, 2)
        assert {entry.completeness for entry in watcher.entries()} == {Completeness.CONFLICT}


def odd_writing(path: Path) -> Path:
    """As some modalities write: implicit VR, a sequence without a length, a private element."""
    dataset = dcmread(path)
    item = Dataset()
    item.CodeValue, item.CodeMeaning = "R-10206", "anterior"
    dataset.ViewCodeSequence = [item]
    dataset["ViewCodeSequence"].is_undefined_length = True
    dataset.private_block(0x0019, "MAKER", create=True).add_new(0x01, "LO", "odd")
    dataset.file_meta.TransferSyntaxUID = uid.ImplicitVRLittleEndian
    dataset.save_as(path, implicit_vr=True, little_endian=True)
    return path


# Trace: REQ-010
def test_a_full_disk_acknowledges_nothing_and_work_resumes_by_itself(layout: Layout, tmp_path: Path) -> None:
    port = free_port()
    chosen = settings(port=port)
    spool = Spool(layout, reserve_bytes=1_000_000 * GIB)
    file = image(tmp_path / "sent.dcm")

    def run(stop: threading.Event) -> None:
        with Jail(chosen.reading, clock=CLOCK) as jail:
            own_watcher(layout, chosen, jail, spool).run(stop)

    with running(layout, chosen, run) as watcher:
        watcher.until(lambda: listens(port))
        image(layout.inbox / "copied.dcm")
        assert "OutOfResources" in storescu(port, file)

        def said() -> bool:
            beat = read_beat(layout.run, NAME, CLOCK)
            return beat is not None and "is full" in beat.state

        watcher.until(said)
        assert watcher.files() == 0
        assert (layout.inbox / "copied.dcm").exists()
        spool.reserve_bytes = 0  # somebody made room
        watcher.until(lambda: watcher.files() == 1)
        assert "Success" in storescu(port, file)
        assert watcher.files() == 2
        watcher.until(lambda: not said())


def test_a_disk_that_fails_amid_a_burst_loses_and_leaves_nothing(layout: Layout) -> None:
    class Failing(Spool):
        """A spool whose disk fails at every third copy."""

        copies = 0

        def copy(self, *arguments: Any, **keywords: Any) -> Part | None:
            self.copies += 1
            if self.copies % 3 == 0:
                raise StoreError("The disk does not answer.", remedy="Wait.")
            return super().copy(*arguments, **keywords)

    for number in range(7):
        image(layout.inbox / f"{number}.dcm")
    chosen = settings()

    def run(stop: threading.Event) -> None:
        with Jail(chosen.reading, clock=CLOCK) as jail:
            own_watcher(layout, chosen, jail, Failing(layout)).run(stop)

    with running(layout, chosen, run) as watcher:
        watcher.until(lambda: watcher.files() == 7)
        assert watcher.repeats() == 0
        assert not list(layout.spool.glob("*.part"))


def test_an_urgent_sender_is_urgent(layout: Layout, tmp_path: Path) -> None:
    port = free_port()
    chosen = settings(port=port)
    listener = chosen.listener.model_copy(update={"stat_ae_titles": ("TRAUMA",)})
    with running(layout, chosen.model_copy(update={"listener": listener})) as watcher:
        watcher.until(lambda: listens(port))
        storescu(port, image(tmp_path / "a.dcm"), calling="TRAUMA")
        assert watcher.only().urgency == 0
