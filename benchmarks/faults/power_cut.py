# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Figure 2, power cuts: whatever was acknowledged is there after the next boot, whole.

The product's line works in a driver on a disk of its own; at a random moment the driver is stopped, the power
fails, and what the disk kept is compared with what was acknowledged. The driver is stopped first: otherwise
an acknowledgement could be written down between the cut and the end of the driver. In the same run two
drivers without a protection have to lose something, or the harness is blind.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time  # noqa: TID251  (the cut comes in real time)
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from appliance.layout import Layout
from benchmarks.faults.accounting import Findings, audit
from benchmarks.faults.figure import Run
from benchmarks.faults.line_driver import Order, new_order
from benchmarks.faults.loop_disk import LoopDisk
from benchmarks.faults.sources import Sources
from benchmarks.faults.zygote import CONTROLS, WELL, Zygote

CUTS: Final = 500
CUTS_PER_CONTROL: Final = 20
CUTS_PER_DISK: Final = 25
"""Then the line runs to its end, everything is compared, and a new disk begins."""
IMAGES_PER_CUT: Final = 60
RENDERS_PER_LIFE: Final = 2
ACKNOWLEDGED_PER_LIFE: Final = (1, 120)
"""The power fails after so many acknowledgements of this life, and a moment more."""
LONGEST_MOMENT_S: Final = 0.06
LONGEST_LIFE_S: Final = 30.0
LOOK_S: Final = 0.004
DISK_MIB: Final = 768
SEED: Final = 2026
LEAST_ACKNOWLEDGED_PER_CUT: Final = 40
"""20,000 acknowledgements in 500 cuts."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What many cuts came to."""

    cuts: int = 0
    acknowledged: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    sentences: list[str] = field(default_factory=list)

    def add(self, findings: Findings) -> None:
        """Note what one comparison found."""
        for kind in ("lost", "torn", "corrupt", "open", "doubled"):
            sentences = getattr(findings, kind)
            self.found[kind] += len(sentences)
        self.sentences += findings.all[:5]

    def counts(self) -> dict[str, Any]:
        """For the report."""
        return {
            "cuts": self.cuts,
            "acknowledged": dict(sorted(self.acknowledged.items())),
            "acknowledgements": sum(self.acknowledged.values()),
            **{kind: self.found[kind] for kind in ("lost", "torn", "corrupt", "open", "doubled")},
        }


def run(run: Run) -> None:
    """See `Run`."""
    rounds = max(2, run.rounds(CUTS // CUTS_PER_DISK))
    counts = run.counted()
    sources = Sources(run.folder / "sources")
    with Zygote(sources.first) as zygote:
        for control in CONTROLS:
            if control not in counts:
                tally = Tally()
                cuts = max(3, run.rounds(CUTS_PER_CONTROL))
                cut_often(zygote, sources, run.folder / control, tally, cuts=cuts, without=control, seed=SEED)
                counts[control] = tally.counts()
                run.note(counts)
        for number in range(counts.get("disks", 0), rounds):
            run.progress("disks that are cut 25 times", number, rounds)
            tally = Tally()
            with_kept = run.folder / f"disk-{number}"
            cut_often(zygote, sources, with_kept, tally, cuts=CUTS_PER_DISK, seed=SEED + number)
            _add(counts, tally)
            run.note(counts)
    counts["failures"] = failures(counts)
    run.note(counts)


def failures(counts: dict[str, Any]) -> list[str]:
    """What must not be, and controls that found nothing."""
    whole = counts["whole"]
    sentences = list(counts["sentences"])
    if whole["acknowledgements"] < LEAST_ACKNOWLEDGED_PER_CUT * whole["cuts"]:
        sentences.append("too little was acknowledged for this to mean anything")
    if not counts["normal"]["lost"]:
        sentences.append("synchronous=NORMAL lost nothing: the cuts are none")
    if not counts["no_fsync"]["torn"]:
        sentences.append("without fsync no file was torn: the cuts are none")
    return sentences


def _add(counts: dict[str, Any], tally: Tally) -> None:
    before = counts.setdefault("whole", {})
    for name, value in tally.counts().items():
        if isinstance(value, dict):
            before[name] = dict(Counter(before.get(name, {})) + Counter(value))
        else:
            before[name] = before.get(name, 0) + value
    counts["sentences"] = counts.get("sentences", []) + tally.sentences
    counts["disks"] = counts.get("disks", 0) + 1


def cut_often(
    zygote: Zygote,
    sources: Sources,
    folder: Path,
    tally: Tally,
    *,
    cuts: int,
    seed: int,
    without: str | None = None,
) -> None:
    """One disk, cut many times; then, with everything protected, the line runs to its end."""
    chance = random.Random(seed)  # noqa: S311  (no secret)
    shutil.rmtree(folder, ignore_errors=True)
    with LoopDisk(folder, size_mib=DISK_MIB) as disk:
        order = replace(new_order(disk.root, [], aside=folder / "aside"), most_renders=RENDERS_PER_LIFE)
        os.sync()
        for _ in range(cuts):
            sources.put(Layout(data=order.data), _wanted(order))
            with _life(zygote, order, without=without) as pid:
                _live(order, chance.randint(*ACKNOWLEDGED_PER_LIFE))
                time.sleep(chance.uniform(0.0, LONGEST_MOMENT_S))
                os.kill(pid, signal.SIGSTOP)
                disk.shut_down()
                os.kill(pid, signal.SIGKILL)
            disk.come_back()
            tally.cuts += 1
            findings = audit(order, finished=False)
            tally.add(findings)
            if findings.all and without is not None:
                break  # what is acknowledged is gone: there is nothing to go on with
        _note_acknowledged(order, tally)
        if without is None:
            _finish(zygote, order, tally)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _life(zygote: Zygote, order: Order, *, without: str | None) -> Iterator[int]:
    pid = zygote.start(order, without=without)
    try:
        yield pid
    finally:
        zygote.wait()


def _live(order: Order, acknowledgements: int) -> None:
    """Let it work until it has acknowledged as much, LONGEST_LIFE_S at most."""
    start = order.acknowledged.stat().st_size if order.acknowledged.exists() else 0
    deadline = time.monotonic() + LONGEST_LIFE_S
    while time.monotonic() < deadline:
        if order.acknowledged.exists():
            with order.acknowledged.open("rb") as file:
                file.seek(start)
                if file.read().count(b"\n") >= acknowledgements:
                    return
        time.sleep(LOOK_S)


def _wanted(order: Order) -> int:
    """So many that the driver has not landed them all before the cut."""
    landed = 0
    if order.acknowledged.exists():
        landed = order.acknowledged.read_text(encoding="ascii").count('"landed"')
    there = sum(1 for _ in Layout(data=order.data).inbox.iterdir())
    return max(0, IMAGES_PER_CUT - (there - landed))


def _note_acknowledged(order: Order, tally: Tally) -> None:
    tally.acknowledged.update(audit(order, finished=False).acknowledged)


def _finish(zygote: Zygote, order: Order, tally: Tally) -> None:
    zygote.start(order)
    if (code := zygote.wait()) != WELL:
        tally.sentences.append(f"after the last boot the line ended with {code}")
        return
    tally.add(audit(order, finished=True))
