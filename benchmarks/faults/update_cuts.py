# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Each step of an update, with kill -9 at each call that changes the disk (strace injects it).

`python -m benchmarks.faults.update_cuts WHAT FOLDER` is the process that is killed. What boots afterwards is
asked through the launcher itself.
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

from appliance.clock import SystemClock
from appliance.errors import ScansideError
from appliance.updates import steps
from appliance.updates.choice import LAUNCHER, confirm, python_of, read_choice
from appliance.updates.install import install
from appliance.updates.launcher import begin, step_back
from benchmarks.faults.update_bundles import tiny, trust, version_of

CALLS: Final = (
    "mkdir,open,openat,write,pwrite64,fsync,fdatasync,sync,rename,renameat,link,symlink,unlink,unlinkat,rmdir,"
    "ftruncate,chmod,fchmod,utimensat,copy_file_range,sendfile"
)
"""What may change a disk. `openat` counts where it makes or empties a file."""
_CALL: Final = re.compile(r"^(\d+) +(\w+)\((.*)$")
_MAKES: Final = re.compile(r"O_CREAT|O_TRUNC")
OLD: Final = 2
NEW: Final = 3
LIMIT_S: Final = 60.0


def _install(root: Path, made: Path) -> None:
    install(tiny(NEW, made), root=root, trust=trust(), clock=SystemClock(), progress=lambda _: None)


def _switch(root: Path, made: Path) -> None:
    del made
    steps.switch(root, limit_s=LIMIT_S, clock=SystemClock())


def _begin(root: Path, made: Path) -> None:
    """The count of a start on trial."""
    del made
    begin(root)


def _confirm(root: Path, made: Path) -> None:
    del made
    choice = read_choice(root)
    assert choice is not None
    confirm(root, choice)


def _go_back(root: Path, made: Path) -> None:
    del made
    steps.go_back(root, clock=SystemClock())


def _fall_back(root: Path, made: Path) -> None:
    """What the launcher does by itself when the judge says no."""
    del made
    choice = read_choice(root)
    assert choice is not None
    step_back(root, choice, "the figure says so")


CUTS: Final[MappingProxyType[str, Callable[[Path, Path], None]]] = MappingProxyType(
    {
        "switch": _switch,
        "begin": _begin,
        "fall_back": _fall_back,
        "confirm": _confirm,
        "go_back": _go_back,
        "install": _install,
    }
)
AFTER: Final = MappingProxyType(
    {
        "switch": "install",
        "begin": "switch",
        "fall_back": "begin",
        "confirm": "begin",
        "go_back": "confirm",
    }
)
"""The step that was done last on a device when one is cut; none before an installation."""
BOOTS: Final = MappingProxyType(
    {
        "install": {OLD},
        "switch": {OLD, NEW},
        "begin": {NEW},
        "fall_back": {OLD, NEW},
        "confirm": {NEW},
        "go_back": {OLD, NEW},
    }
)
"""What may boot after a cut."""


def prepare(folder: Path, what: str, made: Path) -> Path:
    """The device up to the step that will be cut; made once, then copied. Returns its root.

    Environments do not move, so that every device of a folder lies at the same place.
    """
    root, kept = folder / "root", folder / f"before-{what}"
    shutil.rmtree(root, ignore_errors=True)
    if kept.exists():
        shutil.copytree(kept, root, symlinks=True)
        return root
    if what in AFTER:
        CUTS[AFTER[what]](prepare(folder, AFTER[what], made), made)
    else:
        install(tiny(OLD, made), root=root, trust=trust(), clock=SystemClock(), progress=lambda _: None)
    shutil.copytree(root, kept, symlinks=True)
    return root


def boots(root: Path) -> str:
    """The version that the launcher starts, as that software says it; "" when nothing starts."""
    done = subprocess.run(
        [sys.executable, "-I", str(root / LAUNCHER), "exec", "--version"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else ""


def waits(root: Path) -> str:
    """The version in the slot that does not run, as it says it; "" when it cannot."""
    done = subprocess.run(
        [str(python_of(root, "b")), "-I", "-m", "appliance", "--version"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else ""


def _run(folder: Path, what: str, made: Path, *options: str) -> int:
    strace = ["strace", "-f", "-qq", "-s", "0", "-o", str(folder / "trace"), *options]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(
        [*strace, sys.executable, "-m", __spec__.name, what, str(folder), str(made)],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    ).returncode


def points_of(folder: Path, what: str, made: Path) -> list[tuple[str, int]]:
    """The calls of the step that may change a disk: name, and the how-manieth of its name in its process.

    strace counts for each process; whichever comes to that number first dies of it: ours, or pip.
    """
    prepare(folder, what, made)
    if _run(folder, what, made, "-e", f"trace={CALLS}") != 0:
        return []
    counted: Counter[tuple[str, str]] = Counter()
    points: dict[tuple[str, int], bool] = {}
    for line in (folder / "trace").read_text(encoding="utf-8", errors="replace").splitlines():
        match = _CALL.match(line)
        if match is None:
            continue
        process, name, rest = match.groups()
        counted[process, name] += 1
        changes = not name.startswith("open") or _MAKES.search(rest) is not None
        points.setdefault((name, counted[process, name]), changes)
    return [point for point, changes in points.items() if changes]


def cut_everywhere(folder: Path, what: str, made: Path, *, every: int) -> tuple[int, list[str]]:
    """Cut at every call (`every` 2: at every other). How many cuts, and what went wrong."""
    points = points_of(folder, what, made)[::every]
    wrong = [] if points else [f"{what} does not run"]
    for point in points:
        wrong += cut(folder, what, made, point)
    return len(points), wrong


def cut(folder: Path, what: str, made: Path, point: tuple[str, int]) -> list[str]:
    """Cut there, boot, do it again: what went wrong, one sentence each."""
    (call, number), root = point, prepare(folder, what, made)
    may = {version_of(release) for release in BOOTS[what]}
    _run(folder, what, made, "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={number}")
    at = f"{what} cut at {call} {number}"
    if (version := boots(root)) not in may:
        return [f"{at}: {version or 'nothing'} boots"]
    try:
        again(root, what, made)
    except (ScansideError, OSError) as error:
        return [f"{at}: it cannot be done again: {error}"]
    if (version := boots(root)) not in may:
        return [f"{at}, done again: {version or 'nothing'} boots"]
    if what == "install" and (version := waits(root)) != version_of(NEW):
        return [f"{at}, done again: {version or 'nothing that runs'} is installed"]
    return []


def again(root: Path, what: str, made: Path) -> None:
    """The same step once more, as a person or the launcher would; one that was done already stays done."""
    choice = read_choice(root)
    assert choice is not None  # it boots
    new = choice.serves == "b"
    if (what == "switch" and new) or (what in {"go_back", "fall_back"} and not new):
        return
    CUTS[what](root, made)


if __name__ == "__main__":
    if not python_of(Path(sys.argv[2]) / "root", "a").exists():
        raise SystemExit("no device")
    CUTS[sys.argv[1]](Path(sys.argv[2]) / "root", Path(sys.argv[3]))
