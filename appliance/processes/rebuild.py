# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Is the store whole; and where it is not, making it anew from the originals. The old one is never deleted.

SQLite says "malformed" of a file on a disk that has just gone, too. So the disk is tried first, and the file
is opened a second time, before anybody believes it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import apsw

from appliance.clock import Clock
from appliance.config import Settings
from appliance.domain.acquisition import Door, Urgency
from appliance.domain.audit import AuditEvent, AuditKind
from appliance.errors import StoreError
from appliance.intake.claim import CHUNK_BYTES, Spool
from appliance.intake.jail import Jail
from appliance.layout import Layout
from appliance.processes.gathering import Gathering
from appliance.processes.lander import Arrival, Fate, Lander
from appliance.store.aside import move_aside
from appliance.store.audit import note_alone
from appliance.store.connection import Database
from appliance.store.landing import Landings
from appliance.store.performed import PerformedSteps
from appliance.store.proofs import Proofs

LEDGERS: Final = (
    "audit",
    "decision",
    "opinion",
    "deed",
    "outcome",
    "threshold_change",
    "call_back",
    "courier_bundle",
    "courier_item",
    "courier_receipt",
)
"""What people said and what happened: kept as far as the other file can be read."""
PROBE: Final = b"scanside probe\n" * 4096
LOOKS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreState:
    """What was found."""

    whole: bool
    disk_trouble: str | None
    """Why nothing can be said of the store: its disk does not work. None: it does."""
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A file of the spool, and how it came."""

    path: Path
    door: Door
    source: str
    urgency: Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What came of it."""

    old_store: str
    """Where the old one lies now, relative to the data folder."""
    files: int
    """Originals that were taken in again."""
    damaged_files: int
    """Originals that are not what their names say: left where they are, not taken in."""
    ledger_rows: int
    """Rows that could still be read from the old store."""


def look_at_store(layout: Layout) -> StoreState:
    """Changes nothing but a probe file beside the store."""
    trouble = _disk_trouble(layout.database.parent)
    if trouble is not None:
        return StoreState(whole=False, disk_trouble=trouble, faults=())
    faults: tuple[str, ...] = ()
    for _ in range(LOOKS):
        faults = tuple(_integrity(layout.database))
        if not faults:
            break
    return StoreState(whole=not faults, disk_trouble=None, faults=faults)


def rebuild(settings: Settings, layout: Layout, clock: Clock) -> Rebuilt:
    """Move the store aside and make a new one from the spool. Nothing may run meanwhile. Raises StoreError.

    Everything waits for its receivers again: what a receiver has already it recognises by its UIDs.
    """
    aside = move_aside(layout)
    with Database.open(layout.database, data=layout.data, clock=clock) as database:
        with database.transaction():
            rows = sum(salvage(database, aside / layout.database.name, table) for table in LEDGERS)
        files, damaged = take_in(database, settings, layout, clock, map(_original, _in_spool(layout.spool)))
        what = (("files", str(files)), ("damaged", str(damaged)), ("ledger rows", str(rows)))
        note_alone(database, AuditEvent(kind=AuditKind.STORE_REBUILT, who="store", about=what))
    old = str(aside.relative_to(layout.data))
    return Rebuilt(old_store=old, files=files, damaged_files=damaged, ledger_rows=rows)


def take_in(
    database: Database, settings: Settings, layout: Layout, clock: Clock, originals: Iterable[Original]
) -> tuple[int, int]:
    """Take originals of the spool in as if they came now: how many were taken, how many are damaged.

    Nothing may run meanwhile. Raises StoreError, EngineError.
    """
    peers = tuple(peer.name for peer in settings.everybody if peer.wants_originals)
    files = damaged = 0
    with Jail(settings.reading, clock=clock) as jail:
        landings, spool = Landings(database, peers_for_originals=peers), Spool(layout)
        gathering = Gathering(
            landings, PerformedSteps(database), clock=clock, series_quiet_s=settings.intake.series_quiet_s
        )
        lander = Lander(
            landings=landings,
            proofs=Proofs(database),
            spool=spool,
            describes=jail,
            gathering=gathering,
            layout=layout,
            clock=clock,
        )
        for original in originals:
            arrival = _again(original, spool, clock)
            if arrival.part.sha256 != original.path.name:
                spool.discard(arrival.part)
                damaged += 1
                continue
            (outcome,) = lander.take([arrival])
            files += outcome.fate in (Fate.ACCEPTED, Fate.IGNORED)
    return files, damaged


def _disk_trouble(folder: Path) -> str | None:
    """Write, flush, read back and remove a small file."""
    probe = folder / "probe.part"
    try:
        handle = os.open(probe, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, PROBE)
            os.fsync(handle)
            with suppress(OSError):
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            same = os.pread(handle, len(PROBE) + 1, 0) == PROBE
        finally:
            os.close(handle)
        probe.unlink()
    except OSError as error:
        return f"{folder} cannot be written and read ({error.strerror})"
    return None if same else f"{folder} gives back other bytes than were written"


def _integrity(file: Path) -> Iterator[str]:
    if not file.exists():
        raise StoreError(f"There is no store at {file}.", remedy="Name the data folder with --data.")
    try:
        connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            for (line,) in connection.execute("PRAGMA integrity_check(20)"):
                if line != "ok":
                    yield str(line)
        finally:
            connection.close()
    except apsw.Error as error:
        yield str(error)


def salvage(database: Database, old: Path, table: str) -> int:
    """Row by row, as far as the other file lets itself be read; the columns that both stores have."""
    saved = 0
    with suppress(apsw.Error):
        connection = apsw.Connection(str(old), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            shared = shared_columns(database, connection, table)
            names, marks = ", ".join(shared), ", ".join("?" * len(shared))
            for row in connection.execute(f'SELECT {names} FROM "{table}"'):  # noqa: S608  (our own table)
                database.read(f'INSERT OR IGNORE INTO "{table}" ({names}) VALUES ({marks})', tuple(row))  # noqa: S608
                saved += 1
        finally:
            connection.close()
    return saved


def shared_columns(database: Database, other: apsw.Connection, table: str) -> list[str]:
    """The columns that a table has in both stores, quoted."""
    theirs = {row[1] for row in other.execute(f'PRAGMA table_info("{table}")')}
    ours = [row[1] for row in database.read(f'PRAGMA table_info("{table}")')]
    return [f'"{name}"' for name in ours if name in theirs]


def _in_spool(spool: Path) -> list[Path]:
    """In the order in which they came."""
    found = [path for path in spool.glob("??/*") if path.is_file()]
    return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))


def _original(path: Path) -> Original:
    """One of which nobody knows how it came."""
    return Original(path=path, door=Door.FOLDER, source=f"spool/{path.name}", urgency=Urgency.BACKFILL)


def _again(original: Original, spool: Spool, clock: Clock) -> Arrival:
    with original.path.open("rb") as source, spool.receive() as incoming:
        while chunk := source.read(CHUNK_BYTES):
            incoming.write(chunk)
        part = incoming.finish()
    return Arrival(
        part=part,
        door=original.door,
        source=original.source,
        urgency=original.urgency,
        noticed_ns=clock.monotonic_ns(),
        final=True,
    )
