# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The store on its way back to older software, with kill -9 at each call that changes the disk.

Promised: after a cut the store is the newer one or the older one, whole, and the next try ends with every
image and everything that people said. `python -m benchmarks.faults.update_store DATA` is what is killed.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Final

import apsw

from appliance.clock import SystemClock
from appliance.config import Settings
from appliance.domain.acquisition import Door, Urgency
from appliance.layout import Layout
from appliance.processes.rebuild import Original, take_in
from appliance.processes.trial import settle
from appliance.selftest.phantom_radiograph import Identity, write_chest
from appliance.store.board import Board
from appliance.store.connection import Database
from appliance.store.decisions import Choice, Decisions
from appliance.store.migrating import keep_before, migrations
from benchmarks.faults.figure import Run
from benchmarks.faults.update_cuts import CALLS

BEFORE: Final = 2
"""Images that came before the newer software."""
SINCE: Final = 2
_CALL: Final = re.compile(r"^(\w+)\((.*)$")
_OF_THE_DISK: Final = re.compile(r"O_CREAT|O_TRUNC")


def run(run: Run) -> None:
    """The whole figure."""
    counts = run.counted()
    template = newer_device(run.folder)
    data = run.folder / "data"
    points = points_of(template, data)[:: max(1, round(1 / run.amount))]
    counts["points"] = len(points)
    failures: list[str] = counts.setdefault("failures", [])
    for number in range(counts.get("cuts", 0), len(points)):
        failures += cut(template, data, points[number])
        counts |= {"cuts": number + 1}
        run.note(counts)
        run.progress("cuts", number + 1, len(points))


def newer_device(folder: Path) -> Path:
    """The data folder of a device on which newer software has run; made once."""
    made = folder / "template"
    shutil.rmtree(made, ignore_errors=True)
    layout, clock = Layout(data=made), SystemClock()
    layout.create()
    for first, count in ((0, BEFORE), (BEFORE, SINCE)):
        originals = [_spooled(layout, seed) for seed in range(first, first + count)]
        with Database.open(layout.database, data=made, clock=clock) as database:
            take_in(database, Settings(), layout, clock, originals)
            newest = Board(database).entries()[0].acquisition_id
            Decisions(database).decide(newest, 1, Choice.KEEP, reason=None)
        if first == 0:
            keep_before(layout.database, len(migrations()))
    store = apsw.Connection(str(layout.database))
    store.execute("ALTER TABLE file ADD COLUMN newer TEXT").fetchall()
    store.execute(f"PRAGMA user_version={len(migrations()) + 1}").fetchall()
    store.close()
    return made


def _spooled(layout: Layout, seed: int) -> Original:
    file = layout.data / "image.dcm"
    write_chest(file, identity=Identity(seed=seed), rows=120, columns=100)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    place = layout.spool / sha256[:2] / sha256
    place.parent.mkdir(exist_ok=True)
    file.rename(place)
    return Original(path=place, door=Door.ASSOCIATION, source="CR1", urgency=Urgency.LIVE)


def points_of(template: Path, data: Path) -> list[tuple[str, int]]:
    """The calls of the way back that may change a disk: name, and the how-manieth of its name."""
    _traced(template, data, "-e", f"trace={CALLS}")
    counted: Counter[str] = Counter()
    points = []
    for line in (data / "trace").read_text(encoding="utf-8", errors="replace").splitlines():
        match = _CALL.match(line)
        if match is None:
            continue
        name, rest = match.groups()
        counted[name] += 1
        if not name.startswith("open") or _OF_THE_DISK.search(rest):
            points.append((name, counted[name]))
    return points


def cut(template: Path, data: Path, point: tuple[str, int]) -> list[str]:
    """Cut there, look, and do it again: what is wrong, one sentence each."""
    call, number = point
    _traced(template, data, "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={number}")
    at = f"cut at {call} {number}"
    layout = Layout(data=data)
    store = apsw.Connection(str(layout.database), flags=apsw.SQLITE_OPEN_READWRITE)
    whole = store.execute("PRAGMA integrity_check(1)").fetchall()
    files = store.execute("SELECT count(*) FROM file").fetchall()
    store.close()
    wrong = [] if whole == [("ok",)] else [f"{at}: {whole}"]
    wrong += [] if files == [(BEFORE + SINCE,)] else [f"{at}: {files} images are in the store"]
    settle(Settings(), layout, SystemClock(), why="the figure")
    with Database.open(layout.database, data=data, clock=SystemClock()) as database:
        if len(Board(database).entries()) != BEFORE + SINCE:
            wrong.append(f"{at}: done again, images are missing")
        if len(database.read("SELECT * FROM decision")) != 2:
            wrong.append(f"{at}: done again, decisions are missing or doubled")
    return wrong


def _traced(template: Path, data: Path, *options: str) -> None:
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(template, data)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    strace = ("strace", "-qq", "-s", "0", "-o", str(data / "trace"), *options)
    subprocess.run(
        [*strace, sys.executable, "-m", __spec__.name, str(data)],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )


if __name__ == "__main__":
    settle(Settings(), Layout(data=Path(sys.argv[1])), SystemClock(), why="the figure")
