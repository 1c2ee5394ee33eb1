# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Is everything here that the appliance needs? Each answer with what to do about it."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Final

import apsw

from appliance.clock import Clock
from appliance.config import GIB, Settings
from appliance.engines.catalogue import engine_version, unusable
from appliance.errors import ScansideError
from appliance.layout import Layout
from appliance.models.registry import Registry
from appliance.models.slots import SlotFolder
from appliance.monitor.diagnosis import Diagnosis, Health
from appliance.monitor.heartbeat import read_beat
from appliance.monitor.neighbours import peers, port, worklist
from appliance.monitor.proof import read_proof
from appliance.monitor.silent_folder import silent_folders
from appliance.monitor.timekeeping import BUILD_YEAR
from appliance.monitor.turned_away import repeatedly_turned_away
from appliance.monitor.unit_filter import closed_filters
from appliance.store.connection import OLDEST_SQLITE, Database

DISK_FAIL_BYTES: Final = 1 * GIB
DISK_CHECK_BYTES: Final = 20 * GIB
"""About a week of a busy X-ray room: 150 radiographs of 15 MB a day, each with its view."""
BEAT_FRESH_S: Final = 10.0
QT_IMPORT: Final = "import PyQt6.QtWidgets"


def examine(settings: Settings, layout: Layout, registry: Registry, clock: Clock) -> Iterator[Diagnosis]:
    """Look at everything, one after the other. Changes nothing."""
    yield _python()
    yield from _engines(settings, registry)
    yield from _models(settings, registry)
    yield from _slots(layout)
    yield _disk(layout)
    yield _sqlite()
    yield _store(layout, clock)
    yield _clock(clock)
    yield from _processes(settings, layout, clock)
    yield from _turned_away(layout, clock)
    yield from peers(settings)
    yield worklist(settings, clock)
    yield from closed_filters(settings, layout.data)
    yield _kiosk()


def _python() -> Diagnosis:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Diagnosis(subject="python", health=Health.OK, found=f"Python {version}")


def _engines(settings: Settings, registry: Registry) -> Iterator[Diagnosis]:
    plan = registry.selection.plan
    broken = {engine: reason for engine in plan.engines if (reason := unusable(engine)) is not None}
    for engine in plan.engines:
        subject = f"engine {engine}"
        if engine not in broken:
            yield Diagnosis(subject=subject, health=Health.OK, found=f"version {engine_version(engine)}")
            continue
        yield Diagnosis(
            subject=subject,
            health=Health.FAIL if len(broken) == len(plan.engines) else Health.CHECK,
            found=broken[engine],
            remedy=f"Install what is missing, or leave {engine} out of worker.engines.",
        )
    for engine, reason in plan.skipped.items():
        yield Diagnosis(subject=f"engine {engine}", health=Health.OK, found=f"not used: {reason}")
    if not plan.engines:
        yield Diagnosis(
            subject="engines",
            health=Health.FAIL,
            found=f"none of {', '.join(settings.worker.engines)} can be used here: no model serves",
            remedy="Install onnxruntime, which runs on every machine.",
        )


def _models(settings: Settings, registry: Registry) -> Iterator[Diagnosis]:
    for problem in registry.problems:
        yield Diagnosis(subject="model bundle", health=Health.FAIL, found=problem.what, remedy=problem.remedy)
    if not registry.tasks():
        yield Diagnosis(
            subject="models",
            health=Health.FAIL,
            found="no model bundle is installed: nothing is triaged or denoised",
            remedy="Install the appliance again, or name a folder of bundles in the setting `models`.",
        )
    for task in registry.tasks():
        try:
            served = registry.served(task)
        except ScansideError as error:
            yield Diagnosis(
                subject=f"model {task}", health=Health.FAIL, found=error.what, remedy=error.remedy
            )
            continue
        words = f"{served.card.identity} on {served.description.words}"
        if served.fallback_reason:
            yield Diagnosis(
                subject=f"model {task}",
                health=Health.CHECK,
                found=f"{words}, because {served.fallback_reason}",
                remedy=f"`scanside models passport --task {task}` shows what each engine does here. Mend "
                f"it, or leave it out of worker.engines ({', '.join(settings.worker.engines)}).",
            )
        else:
            yield Diagnosis(subject=f"model {task}", health=Health.OK, found=words)


def _slots(layout: Layout) -> Iterator[Diagnosis]:
    """What the appliance did to the choice of models by itself."""
    folder = SlotFolder(layout.models)
    for task in folder.tasks():
        try:
            note = folder.read(task).note
        except ScansideError as error:
            yield Diagnosis(subject=f"slot {task}", health=Health.FAIL, found=error.what, remedy=error.remedy)
            continue
        if note:
            yield Diagnosis(
                subject=f"slot {task}",
                health=Health.CHECK,
                found=note,
                remedy=f"Choose again with `scanside models activate {task}@VERSION`.",
            )


def _disk(layout: Layout) -> Diagnosis:
    folder = next(path for path in (layout.data, *layout.data.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    found = f"{free / GIB:.0f} GiB free at {folder}"
    if free < DISK_FAIL_BYTES:
        health = Health.FAIL
    elif free < DISK_CHECK_BYTES:
        health = Health.CHECK
    else:
        return Diagnosis(subject="disk", health=Health.OK, found=found)
    return Diagnosis(
        subject="disk", health=health, found=found, remedy="Free some space, or move the data folder."
    )


def _sqlite() -> Diagnosis:
    version = apsw.sqlite_lib_version()
    good = tuple(int(part) for part in version.split(".")) >= OLDEST_SQLITE
    return Diagnosis(
        subject="sqlite",
        health=Health.OK if good else Health.FAIL,
        found=f"SQLite {version} (inside apsw)",
        remedy="" if good else "Install apsw 3.51.3 or newer: older ones can damage the store.",
    )


def _store(layout: Layout, clock: Clock) -> Diagnosis:
    if not layout.database.exists():
        return Diagnosis(
            subject="store", health=Health.OK, found=f"none yet at {layout.data}; the first run makes it"
        )
    try:
        with Database.open_to_read(layout.database, data=layout.data, clock=clock) as database:
            answer = str(database.read("PRAGMA quick_check(1)")[0][0])
    except ScansideError as error:
        return Diagnosis(subject="store", health=Health.FAIL, found=error.what, remedy=error.remedy)
    if answer != "ok":
        return Diagnosis(
            subject="store",
            health=Health.FAIL,
            found=f"damaged: {answer}",
            remedy="Check the disk, then restore a backup. The originals are in the spool folder.",
        )
    return Diagnosis(subject="store", health=Health.OK, found=str(layout.database))


def _clock(clock: Clock) -> Diagnosis:
    now = clock.now_utc()
    if now < datetime(BUILD_YEAR, 1, 1, tzinfo=timezone.utc):
        return Diagnosis(
            subject="clock",
            health=Health.CHECK,
            found=f"it shows {now:%Y-%m-%d %H:%M} UTC, before this software was made",
            remedy="Set the clock. Results are in the right order all the same, but bear the wrong date.",
        )
    return Diagnosis(subject="clock", health=Health.OK, found=f"{now:%Y-%m-%d %H:%M} UTC")


def _processes(settings: Settings, layout: Layout, clock: Clock) -> Iterator[Diagnosis]:
    beats = {name: read_beat(layout.run, name, clock) for name in ("watcher", "worker", "sender")}
    fresh = [beat for beat in beats.values() if beat and beat.age_s < BEAT_FRESH_S]
    if fresh:
        for silent in (folder for beat in fresh for folder in silent_folders(beat.state)):
            yield Diagnosis(
                subject="watched folder",
                health=Health.CHECK,
                found=silent.words,
                remedy="Look at its server and the network. All else arrives, and so will its files then.",
            )
        for name, beat in beats.items():
            alive = beat is not None and beat.age_s < BEAT_FRESH_S
            yield Diagnosis(
                subject=name,
                health=Health.OK if alive else Health.FAIL,
                found=beat.state if alive and beat else "no sign of life",
                remedy="" if alive else "`scanside run` restarts it by itself; see its log if it does not.",
            )
        yield _proof(layout, clock)
        return
    yield Diagnosis(subject="appliance", health=Health.OK, found=f"not running on {layout.data}")
    if settings.listener.enabled:
        yield port(settings)


def _turned_away(layout: Layout, clock: Clock) -> Iterator[Diagnosis]:
    for one in repeatedly_turned_away(layout.run, clock):
        yield Diagnosis(subject="DICOM door", health=Health.CHECK, found=one.words, remedy=one.bar.remedy)


def _proof(layout: Layout, clock: Clock) -> Diagnosis:
    """The running worker's own test: a drawn image and every model's known question."""
    proof = read_proof(layout.run, clock)
    health, remedy = Health.CHECK, "See the log of the worker: it should prove itself again and again."
    if proof is None or proof.made_ns is None:
        found = "the worker has not proved itself since this start"
        remedy = (
            "Ask again in a minute, after a first start in two; if it is the same, see the log of the worker."
        )
    elif not proof.passed:
        health, found = Health.FAIL, "; ".join(proof.failures)
        remedy = "Read without AI. It is tried again every 30 s; see the log of the worker."
    else:
        found = f"passed {proof.age_s / 60:.0f} min ago, in {proof.took_ms / 1000:.1f} s"
        if proof.age_s <= proof.too_old_s:
            health, remedy = Health.OK, ""
    return Diagnosis(subject="proof", health=health, found=found, remedy=remedy)


def _kiosk() -> Diagnosis:
    if importlib.util.find_spec("PyQt6") is None:
        return Diagnosis(
            subject="kiosk",
            health=Health.CHECK,
            found="PyQt6 is not installed: no screen on this machine",
            remedy="pip install 'scanside[kiosk]', if this machine is to have one.",
        )
    probe = subprocess.run([sys.executable, "-c", QT_IMPORT], capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        last = (probe.stderr.strip().splitlines() or ["no reason given"])[-1]
        return Diagnosis(
            subject="kiosk",
            health=Health.CHECK,
            found=f"Qt cannot start: {last}",
            remedy="If this machine is to have a screen, install the system libraries that README.md lists.",
        )
    return Diagnosis(subject="kiosk", health=Health.OK, found="Qt is ready")
