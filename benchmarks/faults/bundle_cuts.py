# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Installing, choosing and going back, with kill -9 at each call that changes the disk (strace injects it).

`python -m benchmarks.faults.bundle_cuts WHAT FOLDER` is the process that is killed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Final

from appliance.errors import ScansideError
from appliance.models.bundle import read_bundle
from appliance.models.folders import read_folders
from appliance.models.placing import Placing
from appliance.models.releases import Releases
from appliance.models.slots import SlotFolder, key_of
from benchmarks.faults.bundle_changes import SERVED, TASK, put, release_of, trust

CALLS: Final = "mkdir,write,fsync,rename,unlink,unlinkat,rmdir,flock,ftruncate,fdatasync"
_CALL: Final = re.compile(r"^\d+ +(\w+)\(")
NEW: Final = SERVED + 1


def _install(slots: SlotFolder, folder: Path) -> None:
    slots.install(read_bundle(folder / "new", trust=trust()))


def _activate(slots: SlotFolder, folder: Path) -> None:
    slots.activate(TASK, key_of(read_bundle(folder / "new", trust=trust())))


def _roll_back(slots: SlotFolder, folder: Path) -> None:
    del folder
    slots.roll_back(TASK, left_release=NEW)


CUTS: Final[MappingProxyType[str, Callable[[SlotFolder, Path], None]]] = MappingProxyType(
    {"install": _install, "activate": _activate, "roll_back": _roll_back}
)


def prepare(folder: Path, what: str) -> Path:
    """A device on which release SERVED serves from a folder, up to the step that will be cut."""
    shutil.rmtree(folder, ignore_errors=True)
    put(release_of(SERVED), folder / "bundles" / "old")
    put(release_of(NEW), folder / "new")
    slots = SlotFolder(folder / "models", trust=trust())
    for step, act in CUTS.items():
        if step == what:
            break
        act(slots, folder)
    return folder


def serving(folder: Path) -> int | None:
    """The release that the device would serve now; None: none."""
    releases = Releases(folder / "releases", read_only=True)
    found = read_folders(
        (folder / "bundles",), unpack_into=folder / "unpacked", trust=trust(), releases=releases, problems=[]
    )
    slots = SlotFolder(folder / "models", trust=trust())
    placed = Placing(found, slots, releases=releases, mends=False, problems=[]).of(TASK)
    return None if placed is None else placed.bundle.card.release


def _run(folder: Path, what: str, *options: str) -> int:
    strace = ["strace", "-f", "-qq", "-o", str(folder / "trace"), *options] if options else []
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(
        [*strace, sys.executable, "-m", __spec__.name, what, str(folder)],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    ).returncode


def cut_everywhere(
    folder: Path, what: str, *, every: int, progress: Callable[[int, int], None]
) -> tuple[int, list[str]]:
    """Cut at every call (`every` 2: at every other; 0: at none). How many cuts, and what went wrong."""
    prepare(folder, what)
    if _run(folder, what, "-e", f"trace={CALLS}") != 0:
        return 0, [f"{what} does not run"]
    after = {SERVED, NEW}
    wrong = [] if serving(folder) in after else [f"{what}: nothing serves"]
    counted: Counter[str] = Counter()
    points = []
    for line in (folder / "trace").read_text(encoding="utf-8", errors="replace").splitlines():
        match = _CALL.match(line)
        if match is not None:
            counted[match[1]] += 1
            points.append((match[1], counted[match[1]]))
    chosen = points[::every] if every else []
    for done, (call, number) in enumerate(chosen):
        prepare(folder, what)
        _run(folder, what, "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={number}")
        if serving(folder) not in after:
            wrong.append(f"{what} cut at {call} {number}: nothing serves")
        try:
            again(folder, what)
        except ScansideError as error:
            wrong.append(f"{what} cut at {call} {number}: it cannot be done again: {error}")
        progress(done + 1, len(chosen))
    return len(chosen), wrong


def again(folder: Path, what: str) -> None:
    """The same step once more, as a person would. Going back happens once: it may be done already."""
    slots = SlotFolder(folder / "models", trust=trust())
    if what == "roll_back" and not slots.read(TASK).may_roll_back:
        return
    CUTS[what](slots, folder)


if __name__ == "__main__":
    CUTS[sys.argv[1]](SlotFolder(Path(sys.argv[2]) / "models", trust=trust()), Path(sys.argv[2]))
