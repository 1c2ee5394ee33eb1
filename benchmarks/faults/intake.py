# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Figure: what is put into a watched folder is taken, whatever happens to the events and to the folder.

One watcher, the real process with the real jail, store and DICOM door, and two folders: the inbox, whose
interpreter is hogged while a burst comes and which is deleted and made again, and a share without events
that goes away and stops answering. Every file is an image of its own; at the end each must be accepted, once.
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from appliance.clock import NS_PER_S
from benchmarks.faults.figure import Run
from benchmarks.faults.intake_site import NOTICED_LIMIT_S, Site
from benchmarks.faults.share import why_no_share

BURST_FILES: Final = 60_000
OTHER_FILES: Final = 2_000
OUTAGE_S: Final = 300.0
SILENCE_S: Final = 45.0
"""How long the share's server does not answer."""
QUEUE_LENGTH: Final = Path("/proc/sys/fs/inotify/max_queued_events")


def may_shorten() -> bool:
    """Whether the kernel's queue may be made shorter here."""
    return os.access(QUEUE_LENGTH, os.W_OK)


@contextmanager
def short_queue(length: int) -> Iterator[None]:
    """Queues of events that are made inside the block hold no more, where that is allowed."""
    if not may_shorten():
        yield
        return
    before = QUEUE_LENGTH.read_text(encoding="ascii")
    QUEUE_LENGTH.write_text(str(length), encoding="ascii")
    try:
        yield
    finally:
        QUEUE_LENGTH.write_text(before, encoding="ascii")


def burst(site: Site, files: int) -> dict[str, Any]:
    """Many files at once while the interpreter is held."""
    before, start_ns = site.overflows(), site.clock.monotonic_ns()
    with site.hogged():
        site.write(site.layout.inbox, files)
        wrote_s = (site.clock.monotonic_ns() - start_ns) / NS_PER_S
    counts = site.after_the_cause(files)
    return counts | {"wrote_s": round(wrote_s, 1), "overflows": site.overflows() - before}


def no_events(site: Site, files: int) -> dict[str, Any]:
    """Another machine writes to the share."""
    site.write(site.share.behind, files)
    return site.after_the_cause(files)


def outage(site: Site, files: int, *, seconds: float) -> dict[str, Any]:
    """The share goes away while files are being taken from it, and more come before it is back."""
    site.write(site.share.behind, files // 2)
    site.share.go_away()
    site.write(site.share.behind, files - files // 2)
    site.pause(seconds)
    site.share.come_back()
    return site.after_the_cause(files) | {"away_s": seconds, "lines_of_log": site.said("cannot be read")}


def silence(site: Site, files: int, *, seconds: float) -> dict[str, Any]:
    """The share's server does not answer for a while: who asks it waits, and nobody else does."""
    site.write(site.share.behind, files // 2)
    site.share.stop_answering()
    start_ns = site.clock.monotonic_ns()
    site.write(site.share.behind, files - files // 2)
    said_s = site.wait(site.silent, NOTICED_LIMIT_S)
    before = site.landed()
    site.write(site.layout.inbox, 1)
    other_s = site.wait(lambda: site.landed() > before, NOTICED_LIMIT_S)
    sent = site.send()
    beat_age_s = site.beat_age_s()
    site.pause(seconds - (site.clock.monotonic_ns() - start_ns) / NS_PER_S)
    site.share.answer_again()
    counts = site.after_the_cause(files)
    site.wait(lambda: not site.silent(), NOTICED_LIMIT_S)
    return counts | {
        "silent_s": seconds,
        "said_s": round(said_s, 1),
        "other_folder_s": round(other_s, 1),
        "sent": sent,
        "beat_age_s": round(beat_age_s, 1),
        "lines_of_log": [site.said("does not answer"), site.said("answers again")],
    }


def root_again(site: Site, files: int) -> dict[str, Any]:
    """The inbox is deleted with all that is in it, and made again with other files."""
    shutil.rmtree(site.layout.inbox)
    site.pause(1.0)
    site.layout.inbox.mkdir()
    site.write(site.layout.inbox, files)
    return site.after_the_cause(files)


def run(run: Run) -> None:
    """The figure."""
    why_not = why_no_share()
    files, others = run.rounds(BURST_FILES), run.rounds(OTHER_FILES)
    phases: dict[str, Callable[[Site], dict[str, Any]]] = {
        "burst": lambda site: burst(site, files),
        "root_again": lambda site: root_again(site, others),
    }
    if why_not is None:
        phases |= {
            "no_events": lambda site: no_events(site, others),
            "outage": lambda site: outage(site, others, seconds=OUTAGE_S * run.amount),
            "silence": lambda site: silence(site, others, seconds=SILENCE_S * run.amount),
        }
    counts = run.counted() or {"phases": {}, "failures": []}
    counts["without_a_share"] = why_not
    for done, (name, phase) in enumerate(phases.items()):
        run.progress(name, done, len(phases))
        if name in counts["phases"]:
            continue
        shutil.rmtree(run.folder / name, ignore_errors=True)  # of a run that was interrupted
        with Site(run.folder / name) as site:
            counted = phase(site)
        counts["phases"][name] = counted
        counts["failures"] += failures(name, counted)
        run.note(counts)
        shutil.rmtree(run.folder / name)
    run.progress("done", len(phases), len(phases))


def failures(name: str, counted: dict[str, Any]) -> list[str]:
    """What a phase did not keep, in words."""
    found = []
    if counted["lost_or_double"]:
        found.append(f"{name}: {counted['lost_or_double']} files lost or taken twice")
    if counted["noticed_s"] > NOTICED_LIMIT_S:
        found.append(f"{name}: noticed after {counted['noticed_s']} s")
    if "said_s" in counted and not math.isfinite(counted["said_s"] + counted["other_folder_s"]):
        found.append(f"{name}: not said, or a file of another folder was not taken meanwhile")
    if not counted.get("sent", True):
        found.append(f"{name}: the DICOM door did not take an image meanwhile")
    return found
