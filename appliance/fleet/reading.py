# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Beats that came home by whatever way: whose they are, which is the newest, and what is not believed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Final

from appliance.courier.signing import SIGNATURE_BYTES, check
from appliance.courier.words import CourierRefusedError
from appliance.domain.record import from_json
from appliance.fleet.beat import CONTEXT, FleetBeat
from appliance.models.keys import Trust

MAX_BYTES: Final = 64 * 1024
"""A beat takes 2 KiB; the rest is room for many models."""
MOST_FILES: Final = 100_000
CLOCK_SLACK: Final = timedelta(minutes=10)
"""A beat from further ahead was made by a clock that is wrong."""


class Standing(str, Enum):
    """How a box is doing, as far as anybody here can know."""

    DOWN = "down"
    """It said itself that images are not received or not answered."""
    TROUBLE = "needs somebody"
    LATE = "late"
    """Nothing heard for longer than is usual there. That says nothing of how it is doing."""
    NEVER = "never heard"
    WELL = "well"


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One device that is known here."""

    name: str
    """As its key is called here."""
    fingerprint: str
    standing: Standing
    beat: FleetBeat | None
    heard: timedelta | None
    """How long ago, by its own clock; None: never, or its clock is ahead of ours."""
    notes: tuple[str, ...]
    """In words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A file that is not believed."""

    file: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Everything that is in the folder, and everybody who should be."""

    boxes: tuple[Box, ...]
    """Who needs somebody first."""
    refused: tuple[Refused, ...]
    files: int


def read_fleet(folder: Path, trust: Trust, *, now_utc: datetime, late_after: timedelta) -> Fleet:
    """All beats below `folder`, and every trusted key without one. Raises OSError where it is none."""
    newest: dict[str, FleetBeat] = {}
    refused: list[Refused] = []
    files = 0
    if not folder.is_dir():
        raise NotADirectoryError(20, "Not a directory", str(folder))
    for file in sorted(folder.rglob("*.json"))[:MOST_FILES]:
        if not file.is_file():
            continue
        files += 1
        try:
            beat = read_beat_file(file, trust)
        except CourierRefusedError as error:
            refused.append(Refused(file=file.name, why=error.what))
            continue
        known = newest.get(beat.device)
        if known is None or _order(known) < _order(beat):
            newest[beat.device] = beat
    boxes = [
        _box(trusted.signer.name, digits, newest.get(digits), now_utc=now_utc, late_after=late_after)
        for digits, trusted in trust.keys.items()
    ]
    ranks = {standing: rank for rank, standing in enumerate(Standing)}
    boxes.sort(key=lambda box: (ranks[box.standing], box.name))
    return Fleet(boxes=tuple(boxes), refused=tuple(refused), files=files)


def read_beat_file(file: Path, trust: Trust) -> FleetBeat:
    """The beat, if a device that is trusted here signed it. Raises CourierRefusedError."""
    what = f"The file {file.name}"
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise CourierRefusedError(
            f"{what} cannot be read ({error.strerror}).", remedy="Copy it again."
        ) from error
    if len(content) > MAX_BYTES:
        raise CourierRefusedError(f"{what} is larger than a beat can be.", remedy="Remove it.")
    line, signature = content[:-SIGNATURE_BYTES], content[-SIGNATURE_BYTES:]
    signer = check(line, signature, trust, context=CONTEXT, what=what)
    try:
        beat = from_json(FleetBeat, line.decode("utf-8"))
    except ValueError as error:
        raise CourierRefusedError(
            f"{what} is of a form that this version does not know.", remedy="Bring this software up to date."
        ) from error
    if beat.device != signer.fingerprint:
        raise CourierRefusedError(
            f"{what} names another device than the one that signed it.", remedy="Ask the site what it sent."
        )
    return beat


def _order(beat: FleetBeat) -> tuple[int, datetime]:
    return beat.audit_rows, beat.made_at_utc


def _box(name: str, digits: str, beat: FleetBeat | None, *, now_utc: datetime, late_after: timedelta) -> Box:
    if beat is None:
        return Box(name=name, fingerprint=digits, standing=Standing.NEVER, beat=None, heard=None, notes=())
    heard: timedelta | None = now_utc - beat.made_at_utc
    notes = list(beat.troubles)
    assert heard is not None
    if heard < -CLOCK_SLACK:
        notes.append(
            f"its clock is {in_words(-heard)} ahead of the one here, so nobody knows how old this is"
        )
        heard = None
    late = heard is not None and heard > late_after
    if beat.is_down:
        standing = Standing.DOWN
    elif beat.troubles or heard is None:
        standing = Standing.TROUBLE
    else:
        standing = Standing.WELL
    if late:  # what it said then may long be otherwise
        notes.insert(0, f"when it was last heard it was {standing.value}")
        standing = Standing.LATE
    return Box(name=name, fingerprint=digits, standing=standing, beat=beat, heard=heard, notes=tuple(notes))


def in_words(age: timedelta) -> str:
    """How long that is: "3 days", "5 hours", "12 minutes"."""
    minutes = max(0, int(age.total_seconds() // 60))
    for unit, size in (("day", 24 * 60), ("hour", 60)):
        if minutes >= 2 * size:
            return f"{minutes // size} {unit}s"
    return f"{minutes} minute{'' if minutes == 1 else 's'}"
