# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What one device says about itself to those who look after many: counts and our own words, signed.

What goes in is made of numbers, our own words, names on model cards and the name of the site: no patient, no
address, no name that somebody gave a receiver. One file per device:

    one line of JSON
    key <fingerprint>
    signature <Ed25519 over a context and that line>
"""

from __future__ import annotations

import importlib.metadata
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import Field

from appliance.clock import NS_PER_S, Clock
from appliance.config import Settings
from appliance.courier.signing import sign
from appliance.device_key import device_key
from appliance.domain.audit import AuditHead
from appliance.domain.drift import DriftState
from appliance.domain.record import to_json
from appliance.durable import write_durably
from appliance.layout import Layout
from appliance.models.keys import fingerprint_of
from appliance.monitor.boots import BootCounter, Level
from appliance.monitor.fault import SETTINGS, read_fault
from appliance.monitor.heartbeat import read_beat
from appliance.monitor.power import read_battery
from appliance.monitor.proof import read_proof
from appliance.monitor.thermal import read_temperature
from appliance.store.audit import Trail
from appliance.store.board import Board, Counts
from appliance.store.connection import Database
from appliance.store.drift import DriftStore
from appliance.store.proofs import Proofs
from appliance.store.tallies import Tallies
from appliance.store.waiting import Waiting

CONTEXT: Final = b"scanside fleet beat 1\n"
PROCESSES: Final = ("watcher", "worker", "sender", "monitor")
SILENT_S: Final = 60.0
"""A process that said nothing for this long does not run, for somebody who is far away."""
NEARLY_FULL: Final = 0.9
"""Used share of the disk; from 0.85 on the device removes what it may (retention.act_percent)."""
DIGITS: Final = 16
Words = Annotated[str, Field(max_length=200)]
Name = Annotated[str, Field(max_length=64)]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, le=2**53)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetModel:
    """Who answers for a task."""

    task: Name
    model: Words
    engine: Words
    falls_back: bool
    """The engine is not the one that was wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetBeat:
    """The line."""

    format: Literal["scanside fleet beat 1"]
    device: Hash
    """Fingerprint of the key that signs it."""
    name: Name
    """The setting `site_name`."""
    made_at_utc: datetime
    software: Name
    troubles: tuple[Words, ...]
    """What needs somebody, worst first, in our own words; empty: the device says that all is well."""
    is_down: bool
    """Images are not received, or not answered."""
    models: tuple[FleetModel, ...]
    queued: Count
    failed: Count
    set_aside_files: Count
    unsent: Count
    receivers_away: Count
    last_result_at_utc: datetime | None
    stored_files: Count
    disk_free_bytes: Count | None
    disk_used_fraction: Annotated[float, Field(ge=0, le=1)] | None
    last_proof_at_utc: datetime | None
    """The newest test that passed, whenever that was."""
    battery_fraction: Annotated[float, Field(ge=0, le=1)] | None
    temperature_celsius: float | None
    audit_rows: Count
    """Where the audit trail ended: it only grows, so it orders beats where clocks are wrong."""
    audit_hash: Hash


def beat_into(folder: Path, settings: Settings, layout: Layout, clock: Clock) -> tuple[Path, FleetBeat]:
    """Take a beat and put it there, signed. Raises as `take_beat`, ConfigError for a damaged key, OSError."""
    key = device_key(layout.keys)
    beat = take_beat(settings, layout, clock, device=fingerprint_of(key.public_key()))
    return write_beat(folder, beat, key), beat


def take_beat(settings: Settings, layout: Layout, clock: Clock, *, device: str) -> FleetBeat:
    """Look at what everybody may read. `device`: the fingerprint of its key.

    Raises StoreError when there is no store to be read.
    """
    with Database.open_to_read(layout.database, data=layout.data, clock=clock) as database:
        return _beat(settings, layout, clock, database, device=device)


def write_beat(folder: Path, beat: FleetBeat, key: Ed25519PrivateKey) -> Path:
    """Sign it and put it into a folder that is there; earlier ones of this device go. Raises OSError."""
    line = to_json(beat).encode("utf-8") + b"\n"
    stem = f"scanside-beat-{beat.device[:DIGITS]}-"
    file = folder / f"{stem}{beat.audit_rows}.json"
    write_durably(file, line + sign(line, key, context=CONTEXT))
    mine = re.compile(rf"{stem}[0-9]+\.json")
    for earlier in folder.glob(f"{stem}*.json"):
        if earlier != file and mine.fullmatch(earlier.name):
            with suppress(OSError):  # another one of ours more does no harm
                earlier.unlink()
    return file


def _beat(settings: Settings, layout: Layout, clock: Clock, database: Database, *, device: str) -> FleetBeat:
    counts = Board(database).counts()
    engines = Tallies(database).engines().values()
    away = sum(since is not None for _, since in Waiting(database).away())
    head: AuditHead = Trail(database).head()
    free, used = _disk(layout)
    proof = read_proof(layout.run, clock)
    battery, heat = read_battery(), read_temperature()
    down = tuple(_down(layout, clock))
    troubles = (*down, *_troubles(layout, clock, database, counts, used=used, away=away))
    return FleetBeat(
        format="scanside fleet beat 1",
        device=device,
        name=settings.site_name,
        made_at_utc=clock.now_utc(),
        software=importlib.metadata.version("scanside"),
        troubles=troubles,
        is_down=bool(down),
        models=tuple(
            FleetModel(
                task=use.task,
                model=use.model,
                engine=engine_words(use.engine),
                falls_back=use.fallback_reason is not None,
            )
            for use in engines
        ),
        queued=counts.queued,
        failed=counts.failed,
        set_aside_files=counts.quarantined_files,
        unsent=counts.unsent,
        receivers_away=away,
        last_result_at_utc=counts.last_result_at_utc,
        stored_files=Proofs(database).stored()[0],
        disk_free_bytes=free,
        disk_used_fraction=used,
        last_proof_at_utc=None if proof is None else proof.last_passed_at_utc,
        battery_fraction=None if battery is None else battery.fraction,
        temperature_celsius=None if heat is None else heat.celsius,
        audit_rows=head.count,
        audit_hash=head.hash,
    )


def engine_words(engine: str) -> str:
    """Engine and precision, without the device: that of a shared server is its address."""
    return " ".join(engine.split()[:2])


def _down(layout: Layout, clock: Clock) -> Iterator[str]:
    """What keeps images from being received or answered."""
    says = {"watcher": "no images are received", "worker": "no image is checked"}
    for process, meaning in says.items():
        if not _runs(layout, process, clock):
            yield f"{meaning}: {process} does not run"
    proof = read_proof(layout.run, clock)
    if proof is not None and proof.made_ns is not None and not proof.passed:
        yield "AI OFF: the last test of the device failed"


def _troubles(
    layout: Layout, clock: Clock, database: Database, counts: Counts, *, used: float | None, away: int
) -> Iterator[str]:
    """What somebody should see to."""
    yield from (f"{process} does not run" for process in PROCESSES[2:] if not _runs(layout, process, clock))
    level = BootCounter(layout.boots).read().level
    if level is not Level.NORMAL:
        yield {Level.WITHOUT_AI: "safe mode: no AI", Level.SAFE: "safe mode: it only receives and shows"}[
            level
        ]
    if read_fault(layout.run, SETTINGS) is not None:
        yield "its settings have a fault: the last good ones serve"
    proof = read_proof(layout.run, clock)
    if proof is None or proof.made_ns is None or proof.age_s > proof.too_old_s:
        yield "it has not tested itself lately"
    if used is not None and used >= NEARLY_FULL:
        yield f"its disk is {used:.0%} full"
    heat = read_temperature()
    if heat is not None and heat.is_hot:
        yield "it is too hot"
    if counts.failed:
        yield f"without an answer: {counts.failed}"
    if away:
        yield f"receivers that take nothing: {away}"
    damaged = sum(damage.files for damage in Proofs(database).damages())
    if damaged:
        yield f"damaged images: {damaged}"
    drifting = sum(one.state is DriftState.DRIFT for one in DriftStore(database).latest_reports())
    if drifting:
        yield f"scanners that drift: {drifting}"


def _runs(layout: Layout, process: str, clock: Clock) -> bool:
    beat = read_beat(layout.run, process, clock)
    return beat is not None and beat.age_s < SILENT_S


def _disk(layout: Layout) -> tuple[int | None, float | None]:
    try:
        disk = shutil.disk_usage(layout.data)
    except OSError:
        return None, None
    return disk.free, (disk.total - disk.free) / disk.total if disk.total else None


class BeatTimer:
    """When the next one is due. Pure: times come in."""

    def __init__(self, interval_min: float) -> None:
        self._interval_ns = round(interval_min * 60 * NS_PER_S)
        self._last_ns: int | None = None

    def is_due(self, now_ns: int) -> bool:
        """Never made in this life of the process, or long enough ago."""
        return self._last_ns is None or now_ns - self._last_ns >= self._interval_ns

    def made(self, now_ns: int) -> None:
        """It was."""
        self._last_ns = now_ns
