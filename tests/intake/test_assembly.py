# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Assembly against an oracle that only knows what was sent, whatever the order in which it came."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.domain.acquisition import (
    Acquisition,
    Completeness,
    Equipment,
    Exposure,
    Geometry,
    Instance,
    Kind,
    Patient,
    PixelFormat,
    SeriesCounts,
    Urgency,
)
from appliance.domain.record import from_json, to_json
from appliance.intake.assembly import (
    LATE_QUIET_S,
    Change,
    arrive,
    association_ended,
    quiet_needed_s,
    stands_alone,
    urgency_of,
    went_quiet,
)

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
STEP_MM = 2.5
QUIET_S = 60.0


def image(
    uid: str,
    *,
    content: str = "",
    modality: str = "CT",
    number: int | None = 1,
    place_mm: float | None = None,
    direction: tuple[float, ...] | None = AXIAL,
    patient: str | None = "P1",
    series: str = "1.2.3",
    acquisition_number: int | None = 1,
    announced: int | None = None,
    phases: int | None = None,
    frames: int = 1,
    rows: int = 512,
    priority: str | None = None,
    sop_class: str = "1.2.840.10008.5.1.4.1.1.2",
) -> Instance:
    place = (0.0, 0.0, place_mm) if direction == AXIAL else (0.0, place_mm, 0.0)
    return Instance(
        path=Path("spool") / uid,
        sha256=hashlib.sha256(f"{uid} {content}".encode()).hexdigest(),
        study_instance_uid="1.2",
        series_instance_uid=series,
        sop_instance_uid=uid,
        sop_class_uid=sop_class,
        modality=modality,
        body_part=None,
        view_position=None,
        laterality=None,
        image_type=("ORIGINAL", "PRIMARY"),
        series_description=None,
        study_description=None,
        series_number=None,
        acquired_at=None,
        requested_priority=priority,
        burned_in_annotation=None,
        pixels=PixelFormat(
            transfer_syntax_uid="1.2.840.10008.1.2.1",
            rows=rows,
            columns=512,
            number_of_frames=frames,
            samples_per_pixel=1,
            photometric_interpretation="MONOCHROME2",
            bits_allocated=16,
            bits_stored=12,
            pixel_representation=0,
        ),
        patient=Patient(
            patient_id=patient, patient_name=None, patient_sex=None, patient_birth_date=None, age_years=None
        ),
        exposure=Exposure(
            exposure_index=None,
            target_exposure_index=None,
            deviation_index=None,
            kvp=None,
            exposure_mas=None,
            exposure_time_ms=None,
        ),
        geometry=Geometry(
            pixel_spacing_mm=None,
            pixel_spacing_source=None,
            image_orientation_patient=direction,  # type: ignore[arg-type]  # lists of six, by the constants
            frame_positions_mm=() if place_mm is None else (place,) * frames,  # type: ignore[arg-type]
            slice_thickness_mm=None,
            spacing_between_slices_mm=None,
            patient_orientation=None,
        ),
        equipment=Equipment(
            manufacturer=None,
            manufacturer_model_name=None,
            station_name=None,
            device_serial_number=None,
            detector_id=None,
            protocol_name=None,
            convolution_kernel=None,
        ),
        counts=SeriesCounts(
            instance_number=number,
            acquisition_number=acquisition_number,
            images_in_acquisition=announced,
            number_of_temporal_positions=phases,
            number_of_slices=None,
            number_of_time_slices=None,
            temporal_position_identifier=None,
        ),
    )


def ct_slice(index: int, *, content: str = "", patient: str = "P1", announced: int | None = None) -> Instance:
    return image(
        f"1.9.{patient[-1]}.{index}",
        content=content,
        number=index + 1,
        place_mm=index * STEP_MM,
        patient=patient,
        announced=announced,
    )


@dataclass
class World:
    """What a store would hold, and what it was told to queue."""

    held: dict[str, Acquisition] = field(default_factory=dict)
    queued: list[tuple[str, int]] = field(default_factory=list)

    def arrive(self, instance: Instance, urgency: Urgency = Urgency.LIVE) -> None:
        siblings = tuple(
            acquisition
            for acquisition in self.held.values()
            if any(
                instance.series_instance_uid == there.series_instance_uid
                or instance.sop_instance_uid == there.sop_instance_uid
                for there in acquisition.instances
            )
        )
        for change in arrive(instance, urgency=urgency, siblings=siblings):
            self.take(change)

    def association_ended(self, carried: int = 2) -> None:
        for acquisition in list(self.held.values()):
            self.take(association_ended(acquisition, carried=carried, siblings=self.others(acquisition)))

    def go_quiet(self) -> None:
        for acquisition in list(self.held.values()):
            self.take(went_quiet(acquisition, quiet_s=QUIET_S, siblings=self.others(acquisition)))

    def restart(self) -> None:
        self.held = {key: from_json(Acquisition, to_json(value)) for key, value in self.held.items()}

    def others(self, acquisition: Acquisition) -> tuple[Acquisition, ...]:
        return tuple(other for other in self.held.values() if other is not acquisition)

    def take(self, change: Change | None) -> None:
        if change is None:
            return
        new = change.acquisition
        old = self.held.get(new.acquisition_id)
        if old is not None:
            assert new.version >= old.version
            assert new.instances[: len(old.instances)] == old.instances  # nothing is ever lost
        self.held[new.acquisition_id] = new
        if change.queue:
            assert new.completeness is not Completeness.RECEIVING
            self.queued.append((new.acquisition_id, new.version))

    def only(self) -> Acquisition:
        (acquisition,) = self.held.values()
        return acquisition


def stacked(acquisition: Acquisition) -> list[str]:
    return [acquisition.instances[entry.instance].sop_instance_uid for entry in acquisition.slices]


# ---------------------------------------------------------------------- schedules against an oracle


@dataclass(frozen=True)
class Schedule:
    """Slices of up to two patients in one series, in any order, with everything that can go wrong."""

    announced: int | None
    events: tuple[tuple[str, Instance | None], ...]


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    count = draw(st.integers(7, 10))
    announced = draw(st.sampled_from([None, count]))
    missing = draw(st.sets(st.integers(0, count - 1), max_size=2))
    first = [ct_slice(i, announced=announced) for i in range(count) if i not in missing]
    images = list(first)
    if draw(st.booleans()):
        images += [ct_slice(i, patient="P2", announced=announced) for i in range(draw(st.integers(1, 4)))]
    images += [
        ct_slice(i, content="other bytes", announced=announced)
        for i in draw(st.sets(st.integers(0, count - 1), max_size=2))
    ]
    images += draw(st.lists(st.sampled_from(first), max_size=4))  # sent again
    events: list[tuple[str, Instance | None]] = [("image", one) for one in draw(st.permutations(images))]
    for kind in draw(st.lists(st.sampled_from(["association", "quiet", "restart"]), max_size=5)):
        events.insert(draw(st.integers(0, len(events))), (kind, None))
    return Schedule(announced=announced, events=(*events, ("quiet", None)))


def run(schedule: Schedule) -> World:
    world = World()
    for kind, instance in schedule.events:
        if instance is not None:
            world.arrive(instance)
        elif kind == "association":
            world.association_ended()
        elif kind == "quiet":
            world.go_quiet()
        else:
            world.restart()
    return world


def expected(schedule: Schedule, patient: str) -> tuple[Completeness, list[str]]:
    """What must stand at the end for one patient, from what was sent and nothing else."""
    mine: dict[str, Instance] = {}
    conflict, last_news = False, 0
    for at, (_, instance) in enumerate(schedule.events):
        if instance is None or instance.patient.patient_id != patient:
            continue
        if instance.sop_instance_uid not in mine:
            last_news = at
        first = mine.setdefault(instance.sop_instance_uid, instance)
        conflict |= first.sha256 != instance.sha256
    people = {instance.patient.patient_id for _, instance in schedule.events if instance is not None}
    numbers = sorted(one.counts.instance_number or 0 for one in mine.values())
    order = [mine[f"1.9.{patient[-1]}.{number - 1}"].sha256 for number in numbers]
    if conflict or len(people) > 1:
        return Completeness.CONFLICT, order
    if numbers != list(range(numbers[0], numbers[-1] + 1)) and len(numbers) > 2:
        return Completeness.INCOMPLETE, order
    if schedule.announced is not None:
        all_here = len(numbers) == schedule.announced
        return (Completeness.COMPLETE if all_here else Completeness.INCOMPLETE), order
    after = [kind for kind, _ in schedule.events[last_news:] if kind in ("association", "quiet")]
    return (Completeness.COMPLETE if after[0] == "association" else Completeness.QUIET), order


@settings(max_examples=300, deadline=None)
@given(schedules())
def test_any_order_gives_what_was_sent(schedule: Schedule) -> None:
    world = run(schedule)
    people = {one.patient.patient_id for _, one in schedule.events if one is not None}
    assert len(world.held) == len(people)
    for acquisition in world.held.values():
        patient = acquisition.instances[0].patient.patient_id
        assert patient is not None
        assert {one.patient.patient_id for one in acquisition.instances} == {patient}
        completeness, order = expected(schedule, patient)
        assert acquisition.completeness is completeness, acquisition.evidence
        assert [acquisition.instances[entry.instance].sha256 for entry in acquisition.slices] == order
        sent = {
            one.sha256 for _, one in schedule.events if one is not None and one.patient.patient_id == patient
        }
        assert [one.sha256 for one in acquisition.instances] == list(
            dict.fromkeys(one.sha256 for one in acquisition.instances)
        )
        assert {one.sha256 for one in acquisition.instances} == sent
        assert (acquisition.acquisition_id, acquisition.version) in world.queued
    assert len(world.queued) == len(set(world.queued))  # one version's lanes are queued once


@settings(max_examples=100, deadline=None)
@given(st.permutations([ct_slice(i) for i in range(9)]), st.integers(0, 9))
def test_an_acquisition_has_one_name_whatever_came_first(order: list[Instance], restart_at: int) -> None:
    world = World()
    for at, instance in enumerate(order):
        if at == restart_at:
            world.restart()
        world.arrive(instance)
    in_order = World()
    for index in range(9):
        in_order.arrive(ct_slice(index))
    assert world.only().acquisition_id == in_order.only().acquisition_id
    assert world.only().completeness is Completeness.RECEIVING


# ---------------------------------------------------------------------- one thing at a time


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
