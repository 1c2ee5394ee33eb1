# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks.delivery`: how fast a real Orthanc gets what waits, and how soon a fresh result.

Orthanc runs on the same machine and takes its share of the processor: a PACS would not.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from appliance.clock import NS_PER_S, Clock, SystemClock
from appliance.config import Settings
from appliance.domain.job import Lane
from appliance.layout import Layout
from appliance.processes.sender import Sender
from appliance.receivers import PeerSettings, SenderSettings
from appliance.store.connection import Database
from appliance.store.outbox import queue_originals
from benchmarks.appliance_run import Appliance, MeasuringError, running_appliance
from benchmarks.archive import AE_TITLE, Archive, running_archive
from benchmarks.arrival import rename_in
from benchmarks.guard import judge, read_budgets
from benchmarks.machine import plain_machine
from benchmarks.spread import Spread, spread_of
from benchmarks.studies import RAW, new_arrival, write_radiographs, write_series

SERIES: Final = 10
SLICES: Final = 200
"""Two thousand objects: some minutes, so that what is measured is sustained."""
EXAMS: Final = 15
S_PER_MIN: Final = 60
FAILED_AFTER_S: Final = 600.0
LOOK_S: Final = 0.02
QUIET_S: Final = 2.0
"""Nothing more has come for this long: that was everything of one exam."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """What was measured."""

    objects: int
    objects_per_min: float
    objects_of_an_exam: int
    """Its original, and what was made of its results."""
    result_to_archive_s: Spread
    """From the commit of the last result to all of them in the archive."""


def measure_delivery(
    folder: Path, clock: Clock, *, series: int = SERIES, slices: int = SLICES, exams: int = EXAMS
) -> DeliveryReport:
    """Both. `folder` is empty. Raises MeasuringError."""
    with running_archive(folder / "orthanc", clock) as archive:
        objects, seconds = _send_what_waits(folder, archive, clock, series=series, slices=slices)
    with running_archive(folder / "orthanc-of-results", clock) as archive:
        per_exam, waits = _follow_results(folder, archive, clock, exams=exams)
    return DeliveryReport(
        objects=objects,
        objects_per_min=round(objects / seconds * S_PER_MIN, 1),
        objects_of_an_exam=per_exam,
        result_to_archive_s=spread_of(waits),
    )


def _send_what_waits(
    folder: Path, archive: Archive, clock: Clock, *, series: int, slices: int
) -> tuple[int, float]:
    layout = Layout(data=folder / "waiting")
    layout.create()
    template = write_series(folder / "template", slices=slices)
    peer = PeerSettings(name="orthanc", host="127.0.0.1", port=archive.dicom_port, ae_title=AE_TITLE)
    with Database.open(layout.database, data=layout.data, clock=clock) as database:
        for _ in range(series):
            for path in new_arrival(template, folder / "arrivals").files:
                place = Path(shutil.move(path, layout.spool / path.name))
                with database.transaction() as write:
                    queue_originals(write, path=place.relative_to(layout.data), peers=(peer.name,))
        objects = series * len(template)
        settings = Settings(sender=SenderSettings(peers=(peer,)))
        start_ns = clock.monotonic_ns()
        with Sender(settings=settings, layout=layout, clock=clock, database=database) as sender:
            while sender.step() or sender.wait_for_a_peer():
                pass
            if sender.troubles:
                raise MeasuringError(f"Not sent: {sender.troubles[0]}")
        seconds = (clock.monotonic_ns() - start_ns) / NS_PER_S
    if archive.count() != objects:
        raise MeasuringError(f"Orthanc has {archive.count()} of {objects} objects.")
    return objects, seconds


def _follow_results(folder: Path, archive: Archive, clock: Clock, *, exams: int) -> tuple[int, list[float]]:
    template = write_radiographs(folder / "radiograph", names=(RAW,))[RAW]
    peer = {"name": "orthanc", "host": "127.0.0.1", "port": archive.dicom_port, "ae_title": AE_TITLE}
    settings = {"SCANSIDE__SENDER__PEERS": json.dumps([peer])}
    with running_appliance(folder / "appliance", clock, settings=settings) as appliance:
        appliance.wait_until_ready()
        _give(appliance, template, folder, clock)
        per_exam = _all_of_it(appliance, archive, clock)
        made = archive.modalities()
        if not {"SR", "OT"} <= made.keys():
            raise MeasuringError(f"Orthanc has no report or no capture of the first exam: {made}.")
        waits = []
        for number in range(exams):
            committed_ns = _give(appliance, template, folder, clock)
            _wait_for_objects(appliance, archive, per_exam * (number + 2))
            waits.append((clock.monotonic_ns() - committed_ns) / NS_PER_S)
    return per_exam, waits


def _give(appliance: Appliance, template: Path, folder: Path, clock: Clock) -> int:
    """One exam, answered: when its last result was committed, monotonic ns."""
    study = new_arrival((template,), folder / "arrivals")
    closed_ns = rename_in(study, appliance.layout.inbox, clock)
    answered = appliance.wait_for_study(
        study.study_instance_uid, closed_ns=closed_ns, timeout_s=FAILED_AFTER_S
    )
    return max(answered.committed_ns(Lane.QUALITY), answered.committed_ns(Lane.TRIAGE))


def _all_of_it(appliance: Appliance, archive: Archive, clock: Clock) -> int:
    """How many objects one exam makes: once nothing waits to be sent, and no more come."""
    appliance.wait_for(lambda: not _unsent(appliance), timeout_s=FAILED_AFTER_S, what="send one exam")
    count, since_ns = archive.count(), clock.monotonic_ns()
    while clock.monotonic_ns() - since_ns < QUIET_S * NS_PER_S:
        clock.sleep(LOOK_S)
        if (now := archive.count()) != count:
            count, since_ns = now, clock.monotonic_ns()
    return count


def _unsent(appliance: Appliance) -> int:
    with appliance.store() as store:
        return int(store.read("SELECT count(*) FROM outbox WHERE done = 0")[0][0])


def _wait_for_objects(appliance: Appliance, archive: Archive, count: int) -> None:
    appliance.wait_for(
        lambda: archive.count() >= count, timeout_s=FAILED_AFTER_S, what=f"send {count} objects"
    )


def report_of(measured: DeliveryReport, machine: dict[str, Any], load_after: float) -> dict[str, Any]:
    """As the other runs have it; `delivery` holds the numbers."""
    return {
        "format": 1,
        "quick": False,
        "machine": machine,
        "load_after_1min": load_after,
        "engines": [],
        "delivery": asdict(measured),
    }


def main(
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write everything that was measured into this file.")
    ] = None,
) -> None:
    """Measure. Exit code 1: a promise of budgets.toml was not kept."""
    machine = plain_machine()
    with tempfile.TemporaryDirectory(prefix="scanside-bench-") as temporary:
        measured = measure_delivery(Path(temporary), SystemClock())
    report = report_of(measured, machine, round(os.getloadavg()[0], 2))
    if json_file is not None:
        json_file.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    judged = [one for one in judge(report, read_budgets()) if one.value is not None]
    for one in judged:
        kept = "kept" if one.kept else "NOT KEPT"
        typer.echo(f"{one.budget.name}: {one.value:g} of {one.budget.limit:g} {one.budget.unit}: {kept}")
    if not all(one.kept for one in judged):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
