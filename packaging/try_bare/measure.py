# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Within a bare root, by its own Python: what waits in the inbox, and what a boot makes of it.

    measure.py draw           the bundled studies into /var/tmp/studies
    measure.py waiting NAME   one of them into the inbox, before a boot of that name
    measure.py look           while it boots: times, memory, the screen, what systemd says; into /srv/try/out
"""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DATA = Path("/var/lib/scanside")
STUDIES = Path("/var/tmp/studies")
TRY = Path("/srv/try")
OUT = TRY / "out"
WAITING = {"first": "2-chest-bases-cut-off", "second": "5-hand-dead-line", "readonly": "3-chest-underexposed"}
"""Boot to the bundled study that waits for it in the inbox."""
PATIENCE_S = 300.0
LOOK_S = 0.05
SETTLED_S = 10.0
"""After the answer, so that what a start needs for a moment is given back."""
UNITS = ("watcher", "worker", "sender", "monitor", "keeper", "kiosk")


def draw() -> None:
    """The studies of `scanside demo`."""
    from appliance.selftest.demo_studies import write_demo_studies

    write_demo_studies(STUDIES)


def waiting(name: str) -> None:
    """Put one study into the inbox, as the appliance's own user."""
    study = WAITING[name]
    target = DATA / "inbox" / study
    shutil.copytree(STUDIES / study, target)
    owner = pwd.getpwnam("scanside")
    for path in (DATA / "inbox", target, *target.rglob("*")):
        os.chown(path, owner.pw_uid, owner.pw_gid)
    (TRY / "name").write_text(name, encoding="utf-8")


def look() -> None:
    """Wait for board and answer, then look around."""
    OUT.mkdir(exist_ok=True)
    name = (TRY / "name").read_text(encoding="utf-8")
    before = set(_results())
    answered = _wait(lambda: set(_results()) - before)
    board = _wait(lambda: _property("scanside-kiosk", "ActiveState") == "active")
    _wait(lambda: not _queued())
    time.sleep(SETTLED_S)
    started_s = _at("scanside-watcher", "InactiveExitTimestampMonotonic")
    found: dict[str, Any] = {
        "boot": name,
        "first_result_s": round(answered - started_s, 2) if answered else None,
        "board_s": _since(started_s, _at("scanside-kiosk", "ActiveEnterTimestampMonotonic")) if board else None,
        "boot_to_board_s": _since(_booted_s(), _at("scanside-kiosk", "ActiveEnterTimestampMonotonic")),
        "units": {unit: _property(f"scanside-{unit}", "ActiveState") for unit in UNITS},
        "memory_mib": dict(_memory()),
        "restarts": {unit: int(_property(f"scanside-{unit}", "NRestarts") or 0) for unit in UNITS},
        "exposure": {unit: _exposure(unit) for unit in UNITS},
    }
    _say(f"{name}-doctor.txt", ["scanside", "doctor"])
    _say(f"{name}-results.txt", ["scanside", "results"])
    _say(f"{name}-verify.txt", ["systemd-analyze", "verify", "--man=no", *_unit_files()])
    _say(f"{name}-journal.txt", ["journalctl", "--boot", "--no-pager", "--unit=scanside*"])
    _say(f"{name}-failed.txt", ["systemctl", "--failed", "--no-pager", "--plain", "--no-legend"])
    _picture(OUT / f"{name}-board.png")
    (OUT / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _wait(arrived: Any) -> float | None:
    """Monotonic time at which it was so; None when patience ran out."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if arrived():
            return time.monotonic()
        time.sleep(LOOK_S)
    return None


def _results() -> list[Path]:
    return list((DATA / "results").glob("*/*.dcm"))


def _queued() -> bool:
    """Whether a lane still works on the study."""
    said = subprocess.run(["scanside", "results", "--json"], capture_output=True, text=True, check=False)
    return any('"status": "done"' not in line for line in said.stdout.splitlines())


def _property(unit: str, name: str) -> str:
    command = ["systemctl", "show", "--value", f"--property={name}", unit]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _at(unit: str, name: str) -> float:
    return int(_property(f"{unit}.service", name) or 0) / 1e6


def _booted_s() -> float:
    """When this systemd began, on the monotonic clock."""
    command = ["systemctl", "show", "--value", "--property=UserspaceTimestampMonotonic"]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) / 1e6


def _since(start_s: float, end_s: float) -> float:
    return round(end_s - start_s, 2)


def _memory() -> Iterator[tuple[str, float]]:
    """Proportional set size of each unit's processes, their pages shared with others divided up; MiB."""
    by_unit: dict[str, int] = defaultdict(int)
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            unit = re.search(r"([\w@.-]+)\.service", (folder / "cgroup").read_text(encoding="utf-8"))
            pss = re.search(r"^Pss:\s+(\d+)", (folder / "smaps_rollup").read_text(encoding="utf-8"), re.MULTILINE)
        except OSError:
            continue
        if pss is not None:
            by_unit[unit[1] if unit else "systemd"] += int(pss[1])
    by_unit.pop("scanside-try", None)
    for name, kib in sorted(by_unit.items(), key=lambda item: -item[1]):
        yield name, round(kib / 1024, 1)
    yield "everything", round(sum(by_unit.values()) / 1024, 1)


def _exposure(unit: str) -> float | None:
    command = ["systemd-analyze", "security", "--no-pager", f"scanside-{unit}.service"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    score = re.search(r"exposure level for \S+: ([0-9.]+)", said)
    return float(score[1]) if score else None


def _unit_files() -> list[str]:
    return [
        str(path)
        for pattern in ("scanside*.service", "scanside.target")
        for path in Path("/usr/lib/systemd/system").glob(pattern)
    ]


def _say(name: str, command: list[str]) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "120"}
    )
    ending = f"exit code {done.returncode}\n"
    (OUT / name).write_text(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}{ending}", encoding="utf-8")


def _picture(file: Path) -> None:
    """What the compositor shows: the panel's own picture, not the program's."""
    environment = {**os.environ, "XDG_RUNTIME_DIR": "/run/scanside-kiosk", "WAYLAND_DISPLAY": "wayland-0"}
    subprocess.run(["grim", str(file)], env=environment, check=False)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["draw"]:
            draw()
        case ["waiting", name]:
            waiting(name)
        case ["look"]:
            look()
        case _:
            sys.exit(__doc__)
