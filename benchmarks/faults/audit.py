# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Somebody meddles with the audit trail, in eighteen ways: is it found, and is an untouched one left alone?

Each round takes a fresh copy of a data folder with a trail, and of the medium with its signed anchors.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Final

from appliance.clock import ManualClock
from appliance.device_key import audit_key_of, device_key
from appliance.domain.audit import AuditEvent, AuditKind
from appliance.layout import Layout
from appliance.store.anchors import anchors_beside, anchors_in, append_outside, outside_file
from appliance.store.audit import Trail, note_alone
from appliance.store.audit_check import TrailReport, check_trail
from appliance.store.connection import Database
from benchmarks.faults.figure import Run
from benchmarks.faults.tampering import ROWS_BETWEEN_OUTSIDE_ANCHORS, SEED, Scene, meddle

TAMPERINGS: Final = 1000
ROWS: Final = 120


def make_scene(folder: Path) -> Scene:
    """A trail of ROWS rows; the older copy is of half of them."""
    scene = Scene(data=folder / "data", medium=folder / "medium", older=folder / "older")
    layout = Layout(data=scene.data)
    layout.create()
    scene.medium.mkdir()
    clock, chance = ManualClock(), random.Random(SEED)  # noqa: S311  (the same each time)
    kinds = list(AuditKind)
    with Database.open(layout.database, data=scene.data, clock=clock) as database:
        for number in range(1, ROWS + 1):
            clock.advance(chance.uniform(0.1, 600))
            event = AuditEvent(
                kind=chance.choice(kinds),
                who=chance.choice(("watcher", "worker", "sender", "person at the screen")),
                exam=f"{chance.getrandbits(64):016x}",
                about=(("version", str(number)),),
            )
            note_alone(database, event)
            if number % ROWS_BETWEEN_OUTSIDE_ANCHORS == 0:
                append_outside(scene.medium, device_key(layout.keys), Trail(database).head())
            if number == ROWS // 2:
                database.read("PRAGMA wal_checkpoint(TRUNCATE)")
                shutil.copytree(scene.data, scene.older)
    return scene


def look(scene: Scene) -> TrailReport:
    """What `scanside audit verify` would say."""
    layout = Layout(data=scene.data)
    key = device_key(layout.keys)
    sealing = audit_key_of(key)
    file = outside_file(scene.medium, device_key(Layout(data=scene.older).keys))
    with Database.open_to_read(layout.database, data=scene.data, clock=ManualClock()) as database:
        return check_trail(
            Trail(database),
            key=sealing,
            beside=list(anchors_beside(scene.data, sealing)),
            outside=list(anchors_in(file, key.public_key())),
        )


def run(run: Run) -> None:
    """TAMPERINGS of them, and as many looks at an untouched copy as there are ways."""
    counts = run.counted() or {"tamperings": 0, "found": 0, "by_way": {}, "failures": []}
    rounds = run.rounds(TAMPERINGS)
    shutil.rmtree(run.folder / "scene", ignore_errors=True)
    (run.folder / "scene").mkdir(parents=True)
    scene = make_scene(run.folder / "scene")
    clean = look(scene.copied_to(run.folder / "copy"))
    counts["untouched_trails_called_whole"] = int(not clean.faults)
    counts["failures"] += [f"an untouched trail was called meddled with: {fault}" for fault in clean.faults]
    by_way: Counter[str] = Counter(counts["by_way"])
    for number in range(counts["tamperings"], rounds):
        copy = scene.copied_to(run.folder / "copy")
        way = meddle(copy, number)
        found = bool(look(copy).faults)
        by_way[way] += 1
        counts |= {"tamperings": number + 1, "found": counts["found"] + found, "by_way": dict(by_way)}
        if not found:
            counts["failures"].append(f"tampering {number}, {way}: not found")
        run.note(counts)
        run.progress("tampering", number + 1, rounds)
