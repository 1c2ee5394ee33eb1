# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Proof of life: the worker's last answer to a question whose answer is known, as a file under `run/`.

A heartbeat shows that work goes on; this shows that the work is right. The file is written whole, so that a
reader never sees half of a proof.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from appliance.clock import NS_PER_S, Clock
from appliance.domain.record import from_json, to_json
from appliance.durable import write_whole

PROOF_FILE: Final = "proof.json"
WORKER: Final = "worker"
PATH: Final = "path"
PROOFS: Final = {WORKER: PROOF_FILE, PATH: "proof-path.json"}
"""The worker's own proof, and that of the whole way: from a door through all processes to a receiver."""
WISH: Final = "proof.wish"
"""Is there from when somebody at the screen asks for the test exam until it is sent."""
TOO_OLD_INTERVALS: Final = 3
"""A proof that is older than this many intervals says nothing about now."""
RETRY_S: Final = 30.0
"""A proof that failed is tried again this soon: whoever mended something sees it."""
RETRY_SHARE: Final = 5
"""A proof that fails slowly (an engine that hangs while it loads) waits this many times its own length, so
that most of the time is left for the patients' images."""
OVERDUE_INTERVALS: Final = 2
"""Work goes first; but when a proof is this late, it goes between two jobs."""


_Time = TypeVar("_Time", datetime, int)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A time for people and for programs."""

    at_utc: datetime
    at_ns: int
    """Monotonic; compare only within `boot_id`."""
    boot_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofFile:
    """What stands in the file."""

    made: Moment
    took_ms: float
    passed: bool
    failures: tuple[str, ...]
    """In words, what came out wrong; empty when it passed."""
    image_passed: bool
    """The planted fault was found: quality control works, whatever the models do."""
    last_passed: Moment | None
    """The newest proof that passed; None: never on this data folder."""
    interval_s: float
    """How often it is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The last proof, seen from now."""

    made_at_utc: datetime
    age_s: float
    """On the monotonic clock; infinite when it is of another boot."""
    made_ns: int | None
    """Monotonic; None: of another boot."""
    took_ms: float
    passed: bool
    failures: tuple[str, ...]
    image_passed: bool
    last_passed_at_utc: datetime | None
    last_passed_ns: int | None
    """Monotonic; None: not in this boot."""
    interval_s: float

    @property
    def too_old_s(self) -> float:
        """From this age on it says nothing about now."""
        return TOO_OLD_INTERVALS * self.interval_s


def moment(clock: Clock) -> Moment:
    """Now."""
    return Moment(at_utc=clock.now_utc(), at_ns=clock.monotonic_ns(), boot_id=clock.boot_id())


def write_proof(run: Path, proof: ProofFile, name: str = WORKER) -> None:
    """Put it in the place of the last one. Raises OSError with the last one unchanged."""
    write_whole(run / PROOFS[name], to_json(proof).encode("utf-8"))


def ask_for_exam(run: Path) -> None:
    """Have the test exam sent now, out of its turn. Raises OSError."""
    (run / WISH).touch()


def take_wish(run: Path) -> bool:
    """Whether somebody has asked for it; asked once."""
    try:
        (run / WISH).unlink()
    except OSError:
        return False
    return True


def read_proof_file(run: Path, name: str = WORKER) -> ProofFile | None:
    """What stands there; None when there is none, or it is not whole."""
    try:
        return from_json(ProofFile, (run / PROOFS[name]).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def read_proof(run: Path, clock: Clock) -> Proof | None:
    """What the last proofs say together; None when the worker never made one, or its file is not whole.

    The worker's counts, unless the whole way has failed in this boot: then both have to pass again.
    """
    worker, path = read_proof_of(run, WORKER, clock), read_proof_of(run, PATH, clock)
    if path is None or path.made_ns is None:
        return worker
    if path.passed:  # one that has grown old proves nothing; whoever makes it may be dead
        old = worker is not None and path.age_s > max(path.too_old_s, worker.age_s)
        return replace(worker, age_s=path.age_s) if worker is not None and old else worker
    if worker is None or worker.passed or worker.made_ns is None:
        return path
    return replace(
        path,
        failures=(*worker.failures, *path.failures),
        image_passed=worker.image_passed and path.image_passed,
        last_passed_at_utc=_earlier(worker.last_passed_at_utc, path.last_passed_at_utc),
        last_passed_ns=_earlier(worker.last_passed_ns, path.last_passed_ns),
    )


def _earlier(one: _Time | None, other: _Time | None) -> _Time | None:
    """From when on both are in doubt; None, which is never, comes before everything."""
    return None if one is None or other is None else min(one, other)


def read_proof_of(run: Path, name: str, clock: Clock) -> Proof | None:
    """One of PROOFS, seen from now; None when there never was one, or its file is not whole."""
    found = read_proof_file(run, name)
    if found is None:
        return None
    boot_id = clock.boot_id()
    same_boot = found.made.boot_id == boot_id
    good = found.last_passed
    return Proof(
        made_at_utc=found.made.at_utc,
        age_s=(clock.monotonic_ns() - found.made.at_ns) / NS_PER_S if same_boot else math.inf,
        made_ns=found.made.at_ns if same_boot else None,
        took_ms=found.took_ms,
        passed=found.passed,
        failures=found.failures,
        image_passed=found.image_passed,
        last_passed_at_utc=None if good is None else good.at_utc,
        last_passed_ns=good.at_ns if good is not None and good.boot_id == boot_id else None,
        interval_s=found.interval_s,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When the next proof is made. Pure: times come in."""

    interval_s: float

    def is_due(self, *, last_ns: int | None, passed: bool, took_s: float, now_ns: int) -> bool:
        """For a worker that has nothing else to do. `last_ns`: of the last proof of this worker."""
        wait_s = self.interval_s if passed else self._retry_s(took_s)
        return last_ns is None or now_ns - last_ns >= wait_s * NS_PER_S

    def _retry_s(self, took_s: float) -> float:
        return min(max(RETRY_S, RETRY_SHARE * took_s), max(self.interval_s, RETRY_S))

    def is_overdue(self, *, last_ns: int, passed: bool, took_s: float, now_ns: int) -> bool:
        """For a worker between two jobs. `last_ns`: of the last proof, or of the worker's start.

        After a failed proof the work waits for no idle time: answers that cannot be trusted help nobody.
        """
        wait_s = OVERDUE_INTERVALS * self.interval_s if passed else self._retry_s(took_s)
        return now_ns - last_ns >= wait_s * NS_PER_S
