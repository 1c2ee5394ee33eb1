# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Gathering and landing against the real store, with a clock that only the test moves."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread, uid
from pydicom.dataset import FileDataset, FileMetaDataset

from appliance.clock import ManualClock
from appliance.domain.acquisition import Completeness
from appliance.errors import StoreError
from appliance.intake.assembly import LATE_QUIET_S, MOST_COMPARED
from appliance.layout import Layout
from appliance.processes import gathering as gathering_module
from appliance.processes.lander import Fate
from appliance.store.board import BoardEntry
from appliance.store.connection import Database
from appliance.store.landing import Landings
from benchmarks.faults.landing_place import LandingPlace

QUIET_S = 60.0


class Bench(LandingPlace):
    """Everything behind the doors, and what these tests ask of it."""

    def only(self) -> BoardEntry:
        (entry,) = self.board.entries()
        return entry

    def repeats(self) -> list[int]:
        return [row[0] for row in self.database.read("SELECT repeats FROM file ORDER BY rowid")]

    def spooled(self) -> set[str]:
        """All that lies in the spool, by name, which is its content."""
        return {path.name for path in self.layout.spool.rglob("*") if path.is_file()}

    def compared(self) -> int:
        return self.no_jail.compared

    def settled_after(self, seconds: float) -> bool:
        self.clock.advance(seconds)
        self.gathering.settle_quiet()
        return self.only().completeness is not Completeness.RECEIVING


@pytest.fixture
def bench(layout: Layout) -> Iterator[Bench]:
    clock = ManualClock()
    with Database.open(layout.database, data=layout.data, clock=clock) as database:
        yield Bench(layout, database, clock, series_quiet_s=QUIET_S)


@pytest.fixture
def slices(tmp_path: Path) -> list[bytes]:
    """Ten CT slices, 2.5 mm apart."""
    contents = []
    for index in range(10):
        path = tmp_path / f"{index}.dcm"
        dataset = FileDataset(path, {}, preamble=bytes(128), file_meta=FileMetaDataset())
        dataset.SOPClassUID, dataset.SOPInstanceUID = uid.CTImageStorage, f"1.2.3.4.{index}"
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", "1.2.3.4"
        dataset.Modality, dataset.PatientID, dataset.InstanceNumber = "CT", "P1", index + 1
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        dataset.ImagePositionPatient = [0, 0, 2.5 * index]
        dataset.Rows, dataset.Columns = 8, 8
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
        dataset.SamplesPerPixel, dataset.PixelRepresentation = 1, 0
        dataset.PhotometricInterpretation = "MONOCHROME2"
        dataset.PixelData = np.full(64, index, dtype="<u2").tobytes()
        dataset.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
        dataset.save_as(path, enforce_file_format=True)
        contents.append(path.read_bytes())
    return contents


def test_quiet_time_runs_from_the_last_slice(bench: Bench, slices: list[bytes]) -> None:
    for content in slices[:4]:
        bench.take(content)
        assert not bench.settled_after(QUIET_S - 1)
    assert bench.settled_after(2)
    assert bench.only().completeness is Completeness.QUIET
    assert bench.gathering.next_due_ns() is None


def test_a_restart_goes_on_counting(bench: Bench, slices: list[bytes]) -> None:
    bench.take(*slices[:4])
    bench.clock.advance(40)
    bench.gathering.write_down()
    bench.restart()
    assert not bench.settled_after(15)
    assert bench.settled_after(10)


def test_after_a_power_cut_it_waits_at_most_as_long_again(bench: Bench, slices: list[bytes]) -> None:
    bench.take(*slices[:4])
    bench.clock.advance(1)
    bench.restart()  # nothing was written down
    assert not bench.settled_after(QUIET_S - 1)
    assert bench.settled_after(2)


# Trace: REQ-009
def test_setting_the_wall_clock_settles_nothing(bench: Bench, slices: list[bytes]) -> None:
    bench.take(*slices[:4])
    bench.clock.set_utc(bench.clock.now_utc().replace(year=2036))
    assert not bench.settled_after(1)


def test_a_late_slice_waits_for_others_only_shortly(bench: Bench, slices: list[bytes]) -> None:
    bench.take(*slices[:4])
    assert bench.settled_after(QUIET_S + 1)
    bench.take(slices[4])
    assert bench.only().version == 2
    assert not bench.settled_after(LATE_QUIET_S - 1)
    assert bench.settled_after(2)


def test_an_association_counts_what_was_here_already(bench: Bench, slices: list[bytes]) -> None:
    bench.take(*slices[:4])
    for outcome in bench.take(*slices[:4]):
        assert outcome.fate is Fate.REPEATED
        assert outcome.acquisition_id is not None
        bench.gathering.carried(7, outcome.acquisition_id)
    bench.gathering.association_ended(8, released=True)
    assert not bench.settled_after(0)
    bench.gathering.association_ended(7, released=True)
    assert bench.only().completeness is Completeness.COMPLETE


def test_an_association_that_was_cut_off_is_no_evidence(bench: Bench, slices: list[bytes]) -> None:
    for outcome in bench.take(*slices[:4]):
        assert outcome.acquisition_id is not None
        bench.gathering.carried(7, outcome.acquisition_id)
    bench.gathering.association_ended(7, released=False)
    assert not bench.settled_after(QUIET_S - 1)
    assert bench.settled_after(2)
    assert bench.only().completeness is Completeness.QUIET


def test_the_same_content_twice_in_one_batch_counts_once(bench: Bench, slices: list[bytes]) -> None:
    outcomes = bench.take(slices[0], slices[1], slices[0])
    assert [outcome.fate for outcome in outcomes] == [Fate.ACCEPTED, Fate.ACCEPTED, Fate.REPEATED]
    assert bench.only().instance_count == 2


def test_a_batch_that_fails_leaves_nothing_and_can_be_taken_again(bench: Bench, slices: list[bytes]) -> None:
    bench.take(*slices[:2])

    class Broken(Landings):
        """A store whose disk fails at the third file."""

        def land(self, *arguments: object, **keywords: object) -> None:
            self.landed = getattr(self, "landed", 0) + 1
            if self.landed == 3:
                raise StoreError("The disk is full.", remedy="Free some space.")
            super().land(*arguments, **keywords)  # type: ignore[arg-type]

    good = bench.lander._landings
    bench.lander._landings = Broken(bench.database)
    with pytest.raises(StoreError):
        bench.take(*slices[2:6])
    assert bench.only().instance_count == 2
    bench.lander._landings = good
    bench.take(*slices[2:6])
    assert bench.only().instance_count == 6
    assert bench.settled_after(QUIET_S + 1)
    assert bench.only().slice_count == 6


def test_what_is_unfinished_leaves_no_trace_until_it_is_final(
    bench: Bench, layout: Layout, slices: list[bytes]
) -> None:
    (outcome,) = bench.take(slices[0][:-20])
    assert outcome.fate is Fate.UNFINISHED
    assert not list(layout.spool.rglob("*.part"))
    (outcome,) = bench.take(slices[0][:-20], final=True)
    assert outcome.fate is Fate.QUARANTINED
    assert outcome.words.startswith("truncated: 108 of 128 bytes")


def test_memory_is_bounded(bench: Bench, slices: list[bytes]) -> None:
    many = gathering_module.INSTANCES_AT_HAND // 10
    bench.take(*slices)
    (held,) = bench.gathering._at_hand.values()
    for number in range(many + 20):
        bench.gathering._hold(
            type(held)(
                acquisition_id=str(number),
                version=1,
                kind=held.kind,
                completeness=held.completeness,
                evidence="",
                urgency=held.urgency,
                instances=held.instances,
                slices=(),
            )
        )
    assert len(bench.gathering._at_hand) == many
    assert bench.only().instance_count == 10
    bench.take(slices[0] + b"")  # the acquisition that was let go is read from the store again
    assert bench.settled_after(QUIET_S + 1)
    assert bench.only().slice_count == 10


def test_the_same_image_written_anew_is_a_repeat(bench: Bench, slices: list[bytes], tmp_path: Path) -> None:
    bench.take(*slices[:2])
    (outcome,) = bench.take(written_anew(slices[0], tmp_path))
    assert outcome.fate is Fate.REPEATED
    assert outcome.acquisition_id == bench.only().acquisition_id
    assert (bench.only().instance_count, bench.only().version) == (2, 1)
    assert bench.repeats() == [1, 0]
    assert bench.spooled() == {hashlib.sha256(content).hexdigest() for content in slices[:2]}


def test_both_ways_of_writing_in_one_batch_count_once(
    bench: Bench, slices: list[bytes], tmp_path: Path
) -> None:
    outcomes = bench.take(slices[0], written_anew(slices[0], tmp_path), slices[1], slices[0])
    assert [outcome.fate.value for outcome in outcomes] == ["accepted", "repeated", "accepted", "repeated"]
    assert bench.only().instance_count == 2
    assert bench.repeats() == [2, 0]
    assert bench.spooled() == {hashlib.sha256(content).hexdigest() for content in slices[:2]}


# Trace: REQ-008
def test_an_edited_image_is_a_conflict_and_its_own_repeat_is_none(
    bench: Bench, slices: list[bytes], tmp_path: Path
) -> None:
    bench.take(*slices[:2])
    edited = written_anew(slices[0], tmp_path, PatientComments="edited")
    (outcome,) = bench.take(edited)
    assert outcome.fate is Fate.ACCEPTED
    assert bench.settled_after(QUIET_S + 1)
    assert bench.only().completeness is Completeness.CONFLICT
    assert bench.only().instance_count == 3
    (outcome,) = bench.take(written_anew(edited, tmp_path, trailing_padding=True))
    assert outcome.fate is Fate.REPEATED
    assert bench.only().instance_count == 3
    assert bench.repeats() == [0, 0, 1]


def test_a_sender_of_ever_new_versions_is_compared_with_few(bench: Bench, slices: list[bytes]) -> None:
    bench.take(*(slices[0][:-2] + number.to_bytes(2, "little") for number in range(20)))
    assert bench.only().instance_count == 20
    assert bench.compared() <= 20 * MOST_COMPARED


def written_anew(content: bytes, folder: Path, *, trailing_padding: bool = False, **elements: str) -> bytes:
    """The same, or as edited, as another program would write it: implicit VR."""
    dataset = dcmread(io.BytesIO(content))
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    if trailing_padding:
        dataset.add_new(0xFFFCFFFC, "OB", bytes(64))
    dataset.file_meta.TransferSyntaxUID = uid.ImplicitVRLittleEndian
    dataset.save_as(folder / "anew.dcm", implicit_vr=True, little_endian=True, enforce_file_format=True)
    return (folder / "anew.dcm").read_bytes()
