# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Figure 3, every system call of one acquisition's way that touches its data, made to fail in each way.

`strace` first writes down what the driver of the line asks of the kernel, then the same work is done once for
each call and fault: the process dies there and the power with it, or the call says EIO, ENOSPC or EINTR, or
a write claims to be done and is not. After each the next boot has to find everything that was acknowledged,
the source as it was, and the work has to come to its end, once.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from appliance.layout import Layout
from benchmarks.faults.accounting import audit
from benchmarks.faults.figure import Run
from benchmarks.faults.line_driver import Order, new_order
from benchmarks.faults.loop_disk import LoopDisk
from benchmarks.faults.sources import Sources
from benchmarks.faults.zygote import GO, SAID_SO, WELL, Zygote

TRACED: Final = "%file,%desc"
"""Everything that takes a name or an open file."""
HARMLESS: Final = frozenset({"close", "dup", "epoll_ctl", "poll", "ioctl", "lseek", "getcwd", "chdir"})
"""Cannot fail on a data path in a way that means anything: nothing is asked of the disk."""
WRITES: Final = frozenset({"write", "pwrite64"})
FAULTS: Final = ("cut", "EIO", "ENOSPC", "EINTR")
LIES: Final = ("one byte", "all of it")
KEPT: Final = ("store", "keys", "audit")
"""What a device has that has been switched on once."""
DISK_MIB: Final = 256
SEED: Final = 2026
MOST_STARTS: Final = 3
"""Boots until everything must be done."""
_CALL: Final = re.compile(r"^(?:\[pid +\d+\] +|\d+ +)?(?P<name>\w+)\((?P<rest>.*)$")
_RETURNED: Final = re.compile(r"= (-?\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One system call of the acquisition."""

    name: str
    number: int
    """The how-manieth of its name, from 1."""
    returned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A call and what becomes of it."""

    call: Call
    fault: str

    @property
    def words(self) -> str:
        """For the report."""
        return f"{self.call.name} {self.call.number}: {self.fault}"

    @property
    def injection(self) -> str:
        """For strace(1)."""
        call = self.call
        if self.fault == "cut":
            what = "signal=KILL"
        elif self.fault in LIES:
            what = f"retval={1 if self.fault == LIES[0] else call.returned}"
        else:
            what = f"error={self.fault}"
        return f"inject={call.name}:{what}:when={call.number}"


class Bench:
    """A disk, a zygote and one image, for as many faults as wanted."""

    def __init__(self, folder: Path, disk: LoopDisk, zygote: Zygote, source: Path) -> None:
        self._folder = folder
        self._disk = disk
        self._zygote = zygote
        self._source = source
        self._source_sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
        self._log = folder / "strace"
        self.ends: Counter[str] = Counter()

    def calls(self) -> list[Call]:
        """What one acquisition asks of the kernel about its data, in order."""
        order = self._fresh()
        self._traced(order, ["-y", "-e", f"trace={TRACED}"])
        numbers: Counter[str] = Counter()
        found = []
        for line in self._log.read_text(encoding="utf-8", errors="replace").splitlines():
            matched = _CALL.match(line)
            if matched is None:
                continue
            name = matched["name"]
            numbers[name] += 1
            if str(order.data) in line and name not in HARMLESS:
                returned = _RETURNED.search(line.rsplit(")", 1)[-1])
                found.append(
                    Call(name=name, number=numbers[name], returned=int(returned[1]) if returned else 0)
                )
        return found

    def points(self, calls: Sequence[Call]) -> list[Point]:
        """Every call with every fault."""
        honest = [Point(call=call, fault=fault) for call in calls for fault in FAULTS]
        lying = [Point(call=call, fault=lie) for call in calls if call.name in WRITES for lie in LIES]
        return honest + lying

    def try_one(self, point: Point) -> list[str]:
        """What is wrong afterwards, one sentence each."""
        order = self._fresh()
        code = self._traced(order, ["-e", f"trace={point.call.name}", "-e", point.injection])
        self.ends[{WELL: "went on", SAID_SO: "said so", -signal.SIGKILL: "killed"}.get(code, "other")] += 1
        if code not in (WELL, SAID_SO, -signal.SIGKILL):
            return [f"{point.words}: the driver ended with {code}"]
        lies = point.fault in LIES
        if point.fault == "cut" or lies:
            self._disk.shut_down()  # a lie is in the cache as little as on the disk, but the rest is
            self._disk.come_back()
        wrong = [f"acknowledged, {words}" for words in audit(order, finished=False).all]
        source = next(Layout(data=order.data).inbox.iterdir())
        if hashlib.sha256(source.read_bytes()).hexdigest() != self._source_sha256:
            wrong.append("its source is not as it was")
        for _ in range(MOST_STARTS):
            self._zygote.start(order)
            if (code := self._zygote.wait()) == WELL:
                break
        else:
            wrong.append(f"the line did not come to its end ({code})")
            return [f"{point.words}: {words}" for words in wrong]
        wrong += audit(order, finished=True).all
        return [f"{point.words}: {words}" for words in wrong]

    def _fresh(self) -> Order:
        """The data folder of a device that has been switched on once, and one image that waits."""
        shutil.rmtree(self._disk.root / "case", ignore_errors=True)
        aside = self._folder / "aside"
        shutil.rmtree(aside, ignore_errors=True)
        order = new_order(self._disk.root / "case", [], aside=aside)
        template = self._folder / "template"
        if not template.exists():
            self._zygote.start(order)
            assert self._zygote.wait() == WELL
            for folder in KEPT:
                shutil.copytree(order.data / folder, template / folder)
        shutil.copytree(template, order.data, dirs_exist_ok=True)
        shutil.copyfile(self._source, order.data / "inbox" / "image.dcm")
        os.sync()
        return order

    def _traced(self, order: Order, arguments: Sequence[str]) -> int:
        pid = self._zygote.start(order, waits=True)
        command = ["strace", "-f", "-o", str(self._log), "-p", str(pid), *arguments]
        tracer = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        assert tracer.stderr is not None
        with tracer.stderr as said:
            for line in said:
                if "attached" in line:
                    break
            os.kill(pid, GO)
            code = self._zygote.wait()
            tracer.wait(120)
        return code


def run(run: Run) -> None:
    """See `Run`."""
    counts = run.counted()
    sources = Sources(run.folder / "sources")
    image = run.folder / "image.dcm"
    image.write_bytes(next(iter(sources)))
    with (
        Zygote(sources.first) as zygote,
        LoopDisk(run.folder / "disk", size_mib=DISK_MIB) as disk,
    ):
        bench = Bench(run.folder, disk, zygote, image)
        calls = bench.calls()
        if calls != bench.calls():
            counts["failures"] = ["the same work made other system calls: nothing can be counted"]
            run.note(counts)
            return
        points = bench.points(calls)
        random.Random(SEED).shuffle(points)  # noqa: S311  (so that a part of them is a fair part)
        chosen = points[: run.rounds(len(points))]
        wrong = list(counts.get("failures", []))
        for number in range(counts.get("points", 0), len(chosen)):
            wrong += bench.try_one(chosen[number])
            counts |= _counts(calls, chosen[: number + 1], wrong)
            counts["ends"] = dict(Counter(counts.get("ends", {})) + bench.ends)
            bench.ends.clear()
            counts["of"] = len(points)
            if number % 20 == 0:
                run.note(counts)
                run.progress("calls and faults", number, len(chosen))
    run.note(counts)


def _counts(calls: Sequence[Call], tried: Sequence[Point], wrong: list[str]) -> dict[str, Any]:
    return {
        "calls": len(calls),
        "calls_by_name": dict(Counter(call.name for call in calls)),
        "points": len(tried),
        "points_by_fault": dict(Counter(point.fault for point in tried)),
        "failures": wrong,
    }
