# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Assembly against an oracle that only knows what was sent, whatever the order in which it came."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.domain.acquisition import Completeness, Instance
from tests.intake.arrivals import World, ct_slice


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
