# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""After the storm: was anything lost, done twice, or left lying, in the store and at the receiver?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydicom import Dataset, dcmread

from appliance.clock import SystemClock
from appliance.domain.job import Lane
from appliance.layout import Layout
from appliance.store.connection import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A study that was put into the inbox."""

    study_instance_uid: str
    sop_instance_uids: tuple[str, ...]


def failures_of(layout: Layout, received: Path, given: list[Given]) -> list[str]:
    """A sentence for everything that is not as if nothing had happened."""
    with Database.open_to_read(layout.database, data=layout.data, clock=SystemClock()) as store:
        of_store = [*_intake(store, given), *_results(store), *_left_over(store)]
    return [*of_store, *_on_the_disk(layout), *_at_the_receiver(layout, received, given)]


def _intake(store: Database, given: list[Given]) -> Iterator[str]:
    landed = Counter(
        row[0]
        for row in store.read(
            "SELECT json_extract(instance, '$.sop_instance_uid') FROM file WHERE status = 'accepted'"
        )
    )
    for status, reason, source in store.read(
        "SELECT status, reason, source FROM file WHERE status != 'accepted'"
    ):
        yield f"{Path(source).name} is {status}: {reason}"
    for study in given:
        for name in study.sop_instance_uids:
            if landed[name] != 1:
                yield f"image {name} is in the store {landed[name]} times"
    of_study = Counter(row[0] for row in store.read("SELECT study_instance_uid FROM acquisition"))
    for study in given:
        if of_study[study.study_instance_uid] != 1:
            yield f"study {study.study_instance_uid} makes {of_study[study.study_instance_uid]} acquisitions"


def _results(store: Database) -> Iterator[str]:
    done = Counter(store.read("SELECT acquisition_id, version, lane FROM result"))
    for acquisition_id, version in store.read("SELECT acquisition_id, version FROM acquisition"):
        for lane in Lane:
            count = done[acquisition_id, version, lane.value]
            if count != 1:
                yield f"acquisition {acquisition_id} has {count} results of the {lane.value} lane"


def _left_over(store: Database) -> Iterator[str]:
    for state, count in store.read(
        "SELECT state, count(*) FROM job WHERE state NOT IN ('done', 'superseded') GROUP BY state"
    ):
        yield f"{count} jobs are {state}"
    (waiting,) = store.read("SELECT count(*) FROM outbox WHERE done = 0")[0]
    if waiting:
        yield f"{waiting} rows of the outbox wait"
    for (words,) in store.read("PRAGMA integrity_check"):
        if words != "ok":
            yield f"the store is damaged: {words}"


def _on_the_disk(layout: Layout) -> Iterator[str]:
    for folder in (layout.spool, layout.results):
        for part in folder.rglob("*.part"):
            yield f"{part.relative_to(layout.data)} was left behind"


def _at_the_receiver(layout: Layout, received: Path, given: list[Given]) -> Iterator[str]:
    """What it has is what the device made, and for like studies the same number of each kind of object."""
    there: dict[str, list[Dataset]] = defaultdict(list)
    for path in received.iterdir():
        image = dcmread(path, stop_before_pixels=True)
        there[image.StudyInstanceUID].append(image)
    made = {dcmread(path, stop_before_pixels=True).SOPInstanceUID for path in layout.results.rglob("*.dcm")}
    originals = {name for study in given for name in study.sop_instance_uids}
    names = {image.SOPInstanceUID for images in there.values() for image in images}
    for name in sorted((made | originals) - names):
        yield f"the receiver has no object {name}"
    for name in sorted(names - made - originals):
        yield f"the receiver has the object {name}, which is not on the device"
    kinds: dict[int, Counter[tuple[tuple[str, int], ...]]] = defaultdict(Counter)
    for study in given:
        kinds[len(study.sop_instance_uids)][_kinds(there[study.study_instance_uid])] += 1
    for images, sorts in kinds.items():
        if len(sorts) != 1:
            yield f"studies of {images} images have come to the receiver in {len(sorts)} ways: {dict(sorts)}"


def _kinds(images: list[Dataset]) -> tuple[tuple[str, int], ...]:
    """How many there are of each kind of object."""
    count = Counter(f"{image.SOPClassUID.name} {image.get('SeriesNumber')}" for image in images)
    return tuple(sorted(count.items()))
