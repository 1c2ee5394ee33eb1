# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Rounds of fuzzing, each in a process of its own that may die, counted until the promise is kept."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.faults.figure import Counts

CHILD: Final = "benchmarks.faults.fuzz_child"
ROUND_RUNS: Final = 20_000
"""Executions of one child: long enough that its start does not count, short enough that little is repeated
after the plug was pulled."""
DIED_IN_JAIL: Final = frozenset({"image", "comparison", "volume"})
"""Targets that run inside the jail: their process may die, their keeper may not."""
LONGEST_ROUND_S: Final = 1800


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What became of one child."""

    target: str
    executions: int
    exit_code: int
    peak_rss_bytes: int


def fuzz(folder: Path, target: str, *, runs: int, seed: int, guided: bool) -> Round:
    """One child, to its end."""
    work = folder / f"work-{target}"
    work.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", CHILD, target, str(work), str(runs), str(seed)]
    environment = {**os.environ, "PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with (work / "log").open("ab") as log:
        child = subprocess.Popen(
            command + ["guided"] * guided,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
        )
        _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    count = work / "count"
    executions = struct.unpack("<Q", count.read_bytes())[0] if count.exists() else 0
    return Round(
        target=target,
        executions=executions,
        exit_code=child.returncode,
        peak_rss_bytes=1024 * usage.ru_maxrss,
    )


def found_in(folder: Path) -> dict[str, str]:
    """Every input that did what none should, by the name of its file; what it did."""
    found = {}
    for words in sorted(folder.glob("work-*/found/*.txt")):
        found[words.with_suffix("").name] = words.read_text(encoding="utf-8")
    return found


def deaths_in(folder: Path) -> list[Path]:
    """Inputs that ended their process."""
    return sorted(path for path in folder.glob("work-*/found/*") if path.suffix not in {".txt", ".bin"})


def fuzz_all(
    folder: Path,
    wanted: dict[str, int],
    counts: Counts,
    *,
    guided: bool,
    note: Callable[[], None],
    progress: Callable[[str, int, int], None],
    at_once: int,
) -> None:
    """Until every target has had its executions. `counts["executions"]` goes on where it stands."""
    done: dict[str, Any] = counts.setdefault("executions", {})
    total = sum(wanted.values())

    def one(target: str) -> Round:
        left = wanted[target] - done.get(target, 0)
        seed = 1 + done.get(target, 0)
        return fuzz(folder, target, runs=min(ROUND_RUNS, left), seed=seed, guided=guided)

    with ThreadPoolExecutor(max_workers=at_once) as pool:
        while True:
            open_ones = [target for target, runs in wanted.items() if done.get(target, 0) < runs]
            if not open_ones:
                return
            for ended in pool.map(one, open_ones):
                if ended.executions == 0:
                    log = folder / f"work-{ended.target}" / "log"
                    raise RuntimeError(f"{ended.target} cannot be fuzzed: {log.read_text()[-2000:]}")
                done[ended.target] = done.get(ended.target, 0) + ended.executions
                peaks = counts.setdefault("peak_rss_bytes", {})
                peaks[ended.target] = max(peaks.get(ended.target, 0), ended.peak_rss_bytes)
                if ended.exit_code != 0:
                    deaths = counts.setdefault("processes_that_died", {})
                    deaths[ended.target] = deaths.get(ended.target, 0) + 1
                note()
                progress(f"fuzzing {ended.target}", sum(done.values()), total)
