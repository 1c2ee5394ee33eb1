# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Hostile input: a million executions of all that understands strangers' bytes, every bomb, every name.

Promised: no main process dies, nothing is written outside the data folder, memory stays within its limits,
and whatever is set aside says why in words that a person understands.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from appliance.clock import NS_PER_S, SystemClock
from appliance.config import GIB, MIB, ReadingSettings
from appliance.errors import InputError
from appliance.intake.description import FileState
from appliance.intake.jail import Jail
from benchmarks.faults.bombs import (
    QUARANTINED,
    Hostile,
    bombs,
    hostile_names,
    hostile_values,
    no_files,
    volume_bombs,
)
from benchmarks.faults.figure import Counts, Run
from benchmarks.faults.fuzz_targets import TARGETS
from benchmarks.faults.fuzzing import DIED_IN_JAIL, deaths_in, found_in, fuzz_all
from benchmarks.faults.plain_words import faults_of
from benchmarks.faults.watched_watcher import Watched, watched_watcher

EXECUTIONS: Final = 1_000_000
SLOWEST_BOMB_S: Final = 60.0
"""A bomb may cost its jail's time twice, and a loaded machine's patience."""
WATCHER_MOST_BYTES: Final = 1 * GIB
"""The watcher copies in pieces and reads nothing itself; the libraries that it loads are most of this."""
LIMIT_S: Final = 300.0
CORPUS_FILES: Final = 2000
"""Inputs that the fuzzer kept, which the real watcher gets, too."""


def run(run: Run) -> None:
    """The whole figure; it goes on where it was interrupted."""
    counts = run.counted()
    counts["promised_executions"] = run.rounds(EXECUTIONS)
    wanted = {name: max(1, round(run.rounds(EXECUTIONS) * aim.share)) for name, aim in TARGETS.items()}
    fuzz_all(
        run.folder,
        wanted,
        counts,
        guided=True,
        note=lambda: run.note(counts),
        progress=run.progress,
        at_once=max(1, os.cpu_count() or 1),
    )
    judge(run, counts)


def judge(run: Run, counts: Counts) -> None:
    """Everything but the fuzzing, and what both have found."""
    failures = [f"{name}: {words}" for name, words in found_in(run.folder).items()]
    with Jail(ReadingSettings(), SystemClock()) as jail:
        failures += deaths(run.folder, jail, counts)
        failures += decoding(run.folder / "bombs", jail, counts)
    corpus = kept_inputs(run.folder)
    failures += watching(run.folder / "watched", counts, run, corpus=corpus)
    counts["failures"] = failures
    run.note(counts)


def kept_inputs(folder: Path) -> list[Path]:
    """What the fuzzer kept of images, spread over all that it kept."""
    kept = sorted((folder / "work-image" / "corpus" / "image").glob("*"))
    step = max(1, len(kept) // CORPUS_FILES)
    return kept[::step]


def deaths(folder: Path, jail: Jail, counts: Counts) -> list[str]:
    """Inputs that ended a fuzzed process: outside the jail a failure; inside, the real jail judges."""
    failures = []
    for path in deaths_in(folder):
        if path.name.partition("-")[0] not in DIED_IN_JAIL:
            failures.append(f"{path.name} ended a process outside the jail")
            continue
        counts["deaths_in_jail"] = counts.get("deaths_in_jail", 0) + 1
        failures += survived(jail, path)
    return failures


def survived(jail: Jail, path: Path) -> list[str]:
    """The keeper lives on, and says something that a person understands."""
    found = jail.describe(path)
    words = [(found.reason, found.remedy)]
    if found.state is FileState.WHOLE and found.instance is not None and found.instance.pixels is not None:
        try:
            jail.frame(path, 0)
        except InputError as error:
            words = [(error.what, error.remedy)]
        else:
            return []
    return [f"{path.name}: {fault} ({what})" for what, remedy in words for fault in faults_of(what, remedy)]


def decoding(folder: Path, jail: Jail, counts: Counts, *, inflated_bytes: int = 700 * MIB) -> list[str]:
    """Bombs that go off only when frames are decoded, and volumes: in the jail, with its keeper watched."""
    folder.mkdir(parents=True, exist_ok=True)
    clock = SystemClock()
    failures = []
    hostile = [*bombs(folder, inflated_bytes=inflated_bytes), *volume_bombs(inflated_bytes=inflated_bytes)]
    slowest_s = 0.0
    for each in hostile:
        path = folder / os.fsdecode(each.name)
        path.write_bytes(each.content)
        started_ns = clock.monotonic_ns()
        failures += survived(jail, path)
        if each.fate == QUARANTINED and jail.describe(path).state is FileState.WHOLE:
            failures.append(f"{path.name} was taken for an image")
        slowest_s = max(slowest_s, (clock.monotonic_ns() - started_ns) / NS_PER_S)
        if each.frames_refused:
            failures += _frame_refused(jail, path)
        path.unlink()
    counts["bombs"] = len(hostile)
    counts["slowest_bomb_s"] = round(slowest_s, 2)
    if slowest_s > SLOWEST_BOMB_S:
        failures.append(f"a bomb took {slowest_s:.1f} s")
    return failures


def _frame_refused(jail: Jail, path: Path) -> list[str]:
    try:
        jail.frame(path, 0)
    except InputError:
        return []
    return [f"{path.name}: its frame was decoded"]


def watching(
    folder: Path,
    counts: Counts,
    run: Run,
    *,
    corpus: Iterable[Path] = (),
    inflated_bytes: int | None = 700 * MIB,
    traced: bool = True,
) -> list[str]:
    """All of it, and what the fuzzer kept, through the inbox of the real watcher."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    made = folder / "made"
    made.mkdir(exist_ok=True)
    files = [
        *bombs(made, inflated_bytes=inflated_bytes),
        *hostile_values(made),
        *hostile_names(made),
    ]
    kept = [
        Hostile(name=f"fuzzed-{index}.dcm".encode(), content=path.read_bytes(), fate="")
        for index, path in enumerate(corpus)
    ]
    before = listing(folder, besides=folder / "data")
    failures: list[str] = []
    with watched_watcher(folder / "data", traced=traced) as watched:
        strange = no_files(watched.layout.inbox)
        for each in (*files, *kept):
            path = watched.layout.inbox / os.fsdecode(each.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(each.content)
        contents = len({hashlib.sha256(each.content).digest() for each in (*files, *kept)})
        expected = len(files) + len(kept) + strange
        settled = watched.wait_until_settled(
            expected, limit_s=LIMIT_S, progress=lambda done: run.progress("watching", done, expected)
        )
        failures += _fates(watched, files, settled=settled)
    failures += [f"written outside: {path}" for path in watched.written_outside()]
    failures += [
        f"appeared outside: {path}" for path in listing(folder, besides=folder / "data") - before - _OURS
    ]
    counts["watched"] = {
        "files": len(files) + len(kept),
        "contents": contents,
        "no_files": strange,
        "jails": len(watched.jails),
        "peak_rss_bytes": watched.peaks_bytes,
        "traced": watched.trace is not None,
    }
    if watched.peaks_bytes["watcher"] > WATCHER_MOST_BYTES:
        failures.append(f"the watcher took {watched.peaks_bytes['watcher']:,} bytes")
    if watched.peaks_bytes["jail"] > ReadingSettings().memory_bytes:
        failures.append(f"the jail took {watched.peaks_bytes['jail']:,} bytes")
    return failures


_OURS: Final = frozenset({"trace", "watcher.log"})


def listing(folder: Path, *, besides: Path) -> set[str]:
    """Every path below a folder but one, relative to it."""
    return {
        str(path.relative_to(folder)) for path in folder.rglob("*") if besides not in (path, *path.parents)
    }


def _fates(watched: Watched, files: list[Hostile], *, settled: bool) -> list[str]:
    failures = []
    if not watched.is_alive():
        failures.append("the watcher died")
    if not settled:
        failures.append(f"only {watched.settled()} files were settled")
    inbox = f"{watched.layout.inbox}/"
    fates: dict[str, str] = {}
    for source, status, reason in watched.rows():
        fates[source.removeprefix(inbox)] = status
        if status != QUARANTINED:  # what is left alone, as no image, needs nobody to do anything
            continue
        what, _, remedy = reason.partition(". ")
        failures += [f"{source}: {fault} ({reason})" for fault in faults_of(what, remedy)]
    for each in files:
        name = each.name.decode("utf-8", "backslashreplace")
        if each.fate and fates.get(name, each.fate) != each.fate:
            failures.append(f"{name[:80]!r} was {fates[name]}, not {each.fate}")
    return failures
