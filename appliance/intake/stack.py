# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Where the slices of a series lie: which belong to one stack, in what order, and what is missing.

Positions are ImagePositionPatient projected on the normal of the slices (PS3.3 C.7.6.2.1.1), in millimetres.
Everything here is pure.
"""

from __future__ import annotations

import itertools
import math
import statistics
from dataclasses import dataclass
from typing import Final

from appliance.domain.acquisition import Instance, SliceRef

GAP_FACTOR: Final = 1.5
"""A step longer than this many usual steps has room for a missing slice; table jitter stays far below."""
SAME_PLACE_MM: Final = 0.01
"""Slices closer than this lie in one place: header positions are rounded to 0.001 mm or better."""
SAME_DIRECTION: Final = 0.999
"""Cosine between slice axes of one stack (2.6 degrees): below, it is another stack (localizers)."""
FEWEST_FOR_STEPS: Final = 3
"""Two slices have one step, and nothing to compare it with."""

Orientation = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something is missing in a stack, and where."""

    words: str


def stack_of(instance: Instance) -> tuple[object, ...]:
    """What all slices of one stack have in common, beside their orientation."""
    pixels = instance.pixels
    assert pixels is not None  # only images are assembled
    return (
        instance.study_instance_uid,
        instance.series_instance_uid,
        person_of(instance),
        instance.counts.acquisition_number,
        pixels.rows,
        pixels.columns,
    )


def person_of(instance: Instance) -> str:
    """Whom the header names: the PatientID, else the name; empty when it names nobody."""
    return instance.patient.patient_id or instance.patient.patient_name or ""


def same_direction(one: Instance, other: Instance) -> bool:
    """Whether two slices are parallel and turned alike. True when neither says."""
    a, b = one.geometry.image_orientation_patient, other.geometry.image_orientation_patient
    if a is None or b is None:
        return a is b
    return _cosine(a[:3], b[:3]) > SAME_DIRECTION and _cosine(a[3:], b[3:]) > SAME_DIRECTION


def spatial_order(instances: tuple[Instance, ...], members: tuple[int, ...]) -> tuple[SliceRef, ...]:
    """The frames of `members` (indices into `instances`) along the stack.

    By position, in the direction in which the instance numbers rise, so that "slice 8" is slice 8 on the
    scanner's own screen too; ties by instance number, then frame, then SOPInstanceUID. Where any position
    is unknown there is no spatial order, and the instance numbers stand alone.
    """
    entries: list[tuple[float | None, float, int, str, int]] = []
    axis = instances[members[0]].geometry.image_orientation_patient if members else None
    for index in members:
        instance = instances[index]
        number = instance.counts.instance_number
        assert instance.pixels is not None  # only images are assembled
        positions = instance.geometry.frame_positions_mm
        for frame in range(max(1, instance.pixels.number_of_frames)):
            position = _along(axis, positions[frame]) if frame < len(positions) else None
            entries.append(
                (position, math.inf if number is None else number, frame, instance.sop_instance_uid, index)
            )
    if any(entry[0] is None for entry in entries):
        entries.sort(key=lambda entry: entry[1:])
    else:
        entries.sort(key=lambda entry: (round((entry[0] or 0.0) / SAME_PLACE_MM), *entry[1:]))
        if entries and math.inf > entries[0][1] > entries[-1][1]:
            entries.sort(key=lambda entry: (round(-(entry[0] or 0.0) / SAME_PLACE_MM), *entry[1:]))
    return tuple(
        SliceRef(instance=index, frame=frame, position_mm=position)
        for position, _, frame, _, index in entries
    )


def find_gap(instances: tuple[Instance, ...], slices: tuple[SliceRef, ...]) -> Gap | None:
    """What is missing between the first and the last slice; None when nothing is, or nobody can tell.

    See `can_tell`. By steps between positions; where positions are unknown, by instance numbers.
    """
    places = _places(slices)
    if places is None:
        return _gap_in_numbers(instances, slices)
    uneven = _uneven(places)
    if uneven is not None:
        return uneven
    if len(places) < FEWEST_FOR_STEPS:
        return None
    steps = [abs(after[0] - before[0]) for before, after in itertools.pairwise(places)]
    usual_mm = statistics.median_low(steps)
    for number, step_mm in enumerate(steps, start=1):
        if step_mm > GAP_FACTOR * usual_mm:
            missing = max(1, round(step_mm / usual_mm) - 1)
            return Gap(
                words=f"about {missing} missing between slices {number} and {number + 1}"
                f" ({step_mm:.1f} mm apart, usually {usual_mm:.1f} mm)"
            )
    return None


def can_tell(instances: tuple[Instance, ...], slices: tuple[SliceRef, ...]) -> bool:
    """Whether positions or instance numbers are good enough for `find_gap` to mean anything."""
    places = _places(slices)
    if places is not None:
        return len(places) >= FEWEST_FOR_STEPS
    numbers = _numbers(instances, slices)
    return numbers is not None and len(numbers) >= FEWEST_FOR_STEPS


def _places(slices: tuple[SliceRef, ...]) -> list[tuple[float, int]] | None:
    """Each place of the stack in mm, with how many slices lie there; None when positions are unknown."""
    places: list[tuple[float, int]] = []
    for entry in slices:
        if entry.position_mm is None:
            return None
        if places and abs(entry.position_mm - places[-1][0]) < SAME_PLACE_MM:
            places[-1] = (places[-1][0], places[-1][1] + 1)
        else:
            places.append((entry.position_mm, 1))
    return places


def _uneven(places: list[tuple[float, int]]) -> Gap | None:
    """Several phases or echoes lie in each place; a place with fewer lacks some."""
    most = max((count for _, count in places), default=0)
    for number, (position_mm, count) in enumerate(places, start=1):
        if count < most:
            return Gap(words=f"place {number} at {position_mm:.1f} mm has {count} of {most} images")
    return None


def _numbers(instances: tuple[Instance, ...], slices: tuple[SliceRef, ...]) -> list[int] | None:
    numbers = [instances[entry.instance].counts.instance_number for entry in slices]
    known = sorted({number for number in numbers if number is not None})
    return known if len(known) == len({entry.instance for entry in slices}) and None not in numbers else None


def _gap_in_numbers(instances: tuple[Instance, ...], slices: tuple[SliceRef, ...]) -> Gap | None:
    numbers = _numbers(instances, slices) or []
    for before, after in itertools.pairwise(numbers):
        if after > before + 1:
            return Gap(words=f"images {before + 1} to {after - 1} are missing (instance numbers)")
    return None


def _along(axis: Orientation | None, position_mm: tuple[float, float, float]) -> float | None:
    if axis is None:
        return None
    (rx, ry, rz), (cx, cy, cz) = axis[:3], axis[3:]
    normal = (ry * cz - rz * cy, rz * cx - rx * cz, rx * cy - ry * cx)
    length = math.sqrt(sum(part * part for part in normal))
    if length == 0.0:
        return None
    return sum(part * place for part, place in zip(normal, position_mm, strict=True)) / length


def _cosine(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    product = sum(x * y for x, y in zip(a, b, strict=True))
    lengths = math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))
    return product / lengths if lengths else 0.0
