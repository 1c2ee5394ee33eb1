# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Assembly, one thing at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.domain.acquisition import (
    Completeness,
    Kind,
    Urgency,
)
from appliance.intake.assembly import (
    LATE_QUIET_S,
    quiet_needed_s,
    stands_alone,
    urgency_of,
)
from tests.intake.arrivals import CORONAL, QUIET_S, STEP_MM, World, ct_slice, image, stacked


@pytest.mark.parametrize("modality", ["CR", "DX", "MG", "PX", "RG", "IO", "XA", "RF", "US", "NM", "OT"])
def test_a_single_image_is_an_acquisition_at_once(modality: str) -> None:
    world = World()
    world.arrive(image("1.1", modality=modality))
    assert world.only().kind is Kind.PROJECTION
    assert world.only().completeness is Completeness.COMPLETE
    assert world.queued == [(world.only().acquisition_id, 1)]


def test_a_file_with_all_its_frames_is_complete_by_itself() -> None:
    world = World()
    world.arrive(image("1.1", modality="MR", frames=24, place_mm=0.0))
    assert world.only().kind is Kind.VOLUME
    assert world.only().completeness is Completeness.COMPLETE
    assert [entry.frame for entry in world.only().slices] == list(range(24))


def test_a_dose_table_in_a_ct_series_is_no_slice() -> None:
    assert stands_alone(image("1.1", sop_class="1.2.840.10008.5.1.4.1.1.7"))
    assert not stands_alone(image("1.1"))


def test_the_announced_count_settles_at_once() -> None:
    world = World()
    for index in (2, 0, 3, 1):
        assert not world.queued
        world.arrive(ct_slice(index, announced=4))
    assert world.only().completeness is Completeness.COMPLETE
    assert world.only().evidence == "all 4 images that the header announces"
    assert stacked(world.only()) == ["1.9.1.0", "1.9.1.1", "1.9.1.2", "1.9.1.3"]


def test_an_announced_count_times_the_phases() -> None:
    world = World()
    for phase in range(2):
        for index in range(3):
            assert not world.queued
            uid = f"1.9.{phase}.{index}"
            world.arrive(image(uid, number=3 * phase + index, place_mm=index * 5.0, announced=3, phases=2))
    assert world.only().completeness is Completeness.COMPLETE
    assert len(world.only().slices) == 6


def test_a_count_of_one_in_every_slice_is_not_believed() -> None:
    world = World()
    for index in range(4):
        world.arrive(ct_slice(index, announced=1))
    assert world.only().completeness is Completeness.RECEIVING
    assert world.only().version == 1


def test_the_end_of_an_association_with_a_gap_settles_nothing() -> None:
    world = World()
    for index in (0, 1, 2, 4, 5):
        world.arrive(ct_slice(index))
    world.association_ended()
    assert world.only().completeness is Completeness.RECEIVING
    world.go_quiet()
    assert world.only().completeness is Completeness.INCOMPLETE
    assert world.only().evidence == ("about 1 missing between slices 3 and 4 (5.0 mm apart, usually 2.5 mm)")


def test_an_association_for_each_image_is_no_evidence() -> None:
    world = World()
    for index in range(5):
        world.arrive(ct_slice(index))
        world.association_ended(carried=1)
    assert world.only().completeness is Completeness.RECEIVING


# Trace: REQ-007
def test_a_late_slice_fills_the_gap_as_a_new_version() -> None:
    world = World()
    for index in (0, 1, 3, 4):
        world.arrive(ct_slice(index, announced=5))
    world.go_quiet()
    assert world.only().completeness is Completeness.INCOMPLETE
    world.arrive(ct_slice(2, announced=5))
    assert world.only().completeness is Completeness.COMPLETE
    assert world.only().version == 2
    assert [version for _, version in world.queued] == [1, 2]


def test_late_slices_without_a_count_are_gathered_for_a_short_time() -> None:
    world = World()
    for index in range(5):
        world.arrive(ct_slice(index))
    assert quiet_needed_s(world.only(), series_quiet_s=QUIET_S) == QUIET_S
    world.go_quiet()
    world.arrive(ct_slice(5))
    world.arrive(ct_slice(6))
    assert world.only().version == 2
    assert world.only().completeness is Completeness.RECEIVING
    assert quiet_needed_s(world.only(), series_quiet_s=QUIET_S) == LATE_QUIET_S
    world.association_ended(carried=1)
    assert world.only().completeness is Completeness.COMPLETE
    assert len(world.only().slices) == 7


# Trace: REQ-008
def test_two_radiographs_of_one_name_both_say_conflict() -> None:
    world = World()
    world.arrive(image("1.1", modality="DX"))
    world.arrive(image("1.1", modality="DX", content="edited"))
    one, other = world.held.values()
    assert one.completeness is other.completeness is Completeness.CONFLICT
    assert (one.version, other.version) == (2, 1)
    assert len(world.queued) == 3
    assert "different contents" in one.evidence
    assert "different contents" in other.evidence


# Trace: REQ-050
def test_the_same_name_in_another_series_is_said() -> None:
    world = World()
    world.arrive(image("1.1", modality="DX"))
    world.arrive(image("1.1", modality="DX", content="other", series="9.9"))
    assert {one.completeness for one in world.held.values()} == {Completeness.CONFLICT}


def test_a_second_content_of_a_settled_slice_is_kept_out_of_the_stack() -> None:
    world = World()
    for index in range(4):
        world.arrive(ct_slice(index))
    world.go_quiet()
    before = world.only()
    world.arrive(ct_slice(1, content="edited"))
    after = world.only()
    assert after.completeness is Completeness.CONFLICT
    assert after.version == before.version + 1
    assert len(after.instances) == 5
    assert [after.instances[s.instance] for s in after.slices] == [
        before.instances[s.instance] for s in before.slices
    ]


def test_localizers_and_other_stacks_of_a_series_are_acquisitions_of_their_own() -> None:
    world = World()
    for index in range(3):
        world.arrive(ct_slice(index))
    world.arrive(image("1.7", place_mm=3.0, direction=CORONAL))
    world.arrive(image("1.8", place_mm=3.0, rows=256))
    world.arrive(image("1.9", place_mm=3.0, acquisition_number=2))
    assert len(world.held) == 4
    assert not any(one.completeness is Completeness.CONFLICT for one in world.held.values())


def test_axes_that_tremble_are_one_stack() -> None:
    world = World()
    for index, tremble in enumerate((0.00501, 0.00499, 0.00500)):  # around a rounding border
        world.arrive(
            image(f"1.{index}", place_mm=index * 5.0, direction=(1.0, tremble, 0.0, -tremble, 1.0, 0.0))
        )
    assert len(world.held) == 1


@pytest.mark.parametrize("rising", [True, False])
def test_the_stack_runs_as_the_scanner_counts(rising: bool) -> None:
    world = World()
    for number in (3, 1, 5, 2):
        place = STEP_MM * (number if rising else -number)
        world.arrive(image(f"1.{number}", number=number, place_mm=place))
    world.go_quiet()
    assert stacked(world.only()) == ["1.1", "1.2", "1.3", "1.5"]
    assert "between slices 3 and 4" in world.only().evidence


# Trace: REQ-006
def test_without_positions_the_instance_numbers_order_and_tell_gaps() -> None:
    world = World()
    for number in (5, 1, 2):
        world.arrive(image(f"1.{number}", number=number, direction=None))
    world.go_quiet()
    assert stacked(world.only()) == ["1.1", "1.2", "1.5"]
    assert world.only().completeness is Completeness.INCOMPLETE
    assert "images 3 to 4" in world.only().evidence


def test_without_positions_and_numbers_nobody_can_tell() -> None:
    world = World()
    for index in range(4):
        world.arrive(image(f"1.{index}", number=None, direction=None))
    world.association_ended()
    assert world.only().completeness is Completeness.RECEIVING
    world.go_quiet()
    assert world.only().completeness is Completeness.QUIET


# Trace: REQ-006
def test_a_phase_with_fewer_images_is_a_gap() -> None:
    world = World()
    for phase in range(2):
        for index in range(4):
            if (phase, index) != (1, 2):
                world.arrive(image(f"1.{phase}.{index}", number=index, place_mm=index * 5.0))
    world.go_quiet()
    assert world.only().completeness is Completeness.INCOMPLETE
    assert "has 1 of 2 images" in world.only().evidence


def test_the_most_urgent_image_speaks_for_all() -> None:
    world = World()
    world.arrive(ct_slice(0), Urgency.BACKFILL)
    world.arrive(ct_slice(1), Urgency.LIVE)
    assert world.only().urgency is Urgency.LIVE
    assert urgency_of(image("1.1", priority="STAT"), Urgency.BACKFILL) is Urgency.STAT
    assert urgency_of(image("1.1", priority="ROUTINE"), Urgency.BACKFILL) is Urgency.BACKFILL


def test_a_gap_in_a_stack_that_is_tilted_is_measured_along_its_normal() -> None:
    world = World()
    tilted = (1.0, 0.0, 0.0, 0.0, 0.6, -0.8)
    normal = (0.0, 0.8, 0.6)
    for index in (0, 1, 2, 4):
        flat = image(f"1.{index}", number=index, place_mm=0.0, direction=tilted)
        place = tuple(10.0 * index * part for part in normal)
        world.arrive(replace(flat, geometry=replace(flat.geometry, frame_positions_mm=(place,))))
    world.go_quiet()
    assert [entry.position_mm for entry in world.only().slices] == pytest.approx([0.0, 10.0, 20.0, 40.0])
    assert "20.0 mm apart, usually 10.0 mm" in world.only().evidence
