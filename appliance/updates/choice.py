# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Which of the two slots runs: one small file, replaced in one rename, and the steps that may change it.

    ROOT/choice.json        what runs, what ran before, whether it has proved itself, how often it was tried
    ROOT/slots/a, slots/b   a virtual environment each; COMPLETE, written last, says that it is whole

The standard library only, and nothing of the appliance: a copy of this file lies beside the launcher, outside
both slots, and decides which of them starts. Every step leaves the file as it was or as it should be; a file
that is lost is made anew from what the slots say of themselves.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

FORMAT = 1
SLOTS = ("a", "b")
CHOICE = "choice.json"
LAUNCHER = "launcher.pyz"
COMPLETE = "COMPLETE"
"""In a slot: the last file of an installation. Without it the slot is not there."""
CONFIRMED = "CONFIRMED"
"""In a slot: it has proved itself once on this device."""
MOST_TRIES = 3
"""Starts that a slot gets to prove itself; one more, and the other slot runs again."""
LONGEST_NOTE = 400


class ChoiceError(Exception):
    """This step cannot be taken; the words say why, for a person."""


@dataclass(frozen=True)
class Slot:
    """What a whole slot says of itself, in its file COMPLETE."""

    name: str
    bundle: str
    """SHA-256 of the manifest that it was installed from: names it down to the last byte."""
    version: str
    release: int
    security_floor: int
    changes: str
    """What changed, in words."""
    installed_at_utc: str


@dataclass(frozen=True)
class Choice:
    """What stands in the file."""

    format: int
    number: int
    """Of the steps so far: two readings with one number speak of the same step."""
    serves: str
    bundle: str
    before: str | None
    """The slot that ran before; None: there is no way back."""
    before_bundle: str | None
    confirmed: bool
    tries: int
    """Starts since it was chosen, while it has not proved itself."""
    settled: bool
    """The store was brought to what this software reads."""
    limit_s: float
    """It has so long after a start to prove itself."""
    highest: int
    """The highest release that has proved itself here: nothing below it is installed."""
    floor: int
    """Nothing below this release runs here any more, whoever asks."""
    since_utc: str
    note: str
    """Why it runs, in words: for the screen and for the audit trail."""


def slot_folder(root: Path, name: str) -> Path:
    """Where a slot lies."""
    return root / "slots" / name


def python_of(root: Path, name: str) -> Path:
    """The interpreter of a slot."""
    return slot_folder(root, name) / "bin" / "python"


def other(name: str) -> str:
    """The slot beside it."""
    return SLOTS[1 - SLOTS.index(name)]


def read_slot(root: Path, name: str) -> Slot | None:
    """What a slot says of itself; None: it is not whole."""
    try:
        content = json.loads((slot_folder(root, name) / COMPLETE).read_text(encoding="utf-8"))
        slot = Slot(**content)
    except (OSError, ValueError, TypeError):
        return None
    return slot if slot.name == name else None


def read_choice(root: Path) -> Choice | None:
    """What is chosen. A lost or damaged file: what the slots say; None: no slot is whole."""
    try:
        content = json.loads((root / CHOICE).read_text(encoding="utf-8"))
        choice = Choice(**content)
    except (OSError, ValueError, TypeError):
        return _from_slots(root)
    if choice.format != FORMAT or choice.serves not in SLOTS or read_slot(root, choice.serves) is None:
        return _from_slots(root)
    return choice


def _from_slots(root: Path) -> Choice | None:
    """Whoever has proved itself comes first, then whoever is newer."""
    whole = [slot for name in SLOTS if (slot := read_slot(root, name)) is not None]
    if not whole:
        return None
    proved = [slot for slot in whole if (slot_folder(root, slot.name) / CONFIRMED).exists()]
    best = max(proved or whole, key=lambda slot: slot.release)
    return Choice(
        format=FORMAT,
        number=0,
        serves=best.name,
        bundle=best.bundle,
        before=None,
        before_bundle=None,
        confirmed=True,
        tries=0,
        settled=False,
        limit_s=0.0,
        highest=max((slot.release for slot in proved), default=best.release),
        floor=max((slot.security_floor for slot in proved), default=best.security_floor),
        since_utc="",
        note="The record of the choice was lost; the newest software that has proved itself runs.",
    )


def way_back(root: Path, choice: Choice) -> Slot:
    """The slot that ran before. Raises ChoiceError with the reason why there is none."""
    slot = read_slot(root, choice.before) if choice.before is not None else None
    if slot is None or slot.bundle != choice.before_bundle:
        raise ChoiceError("There is nothing to go back to: no other software that ran here is whole.")
    if slot.release < choice.floor:
        raise ChoiceError(
            f"Version {slot.version} (release {slot.release}) is below the security floor {choice.floor}"
            " of this device: its known holes must not come back."
        )
    return slot


def switched(choice: Choice, to: Slot, *, limit_s: float, now_utc: str, note: str) -> Choice:
    """The choice after changing to a slot that has to prove itself. Raises ChoiceError."""
    if not choice.confirmed:
        raise ChoiceError("What runs now has not proved itself yet: wait for that, or go back first.")
    if to.name == choice.serves:
        raise ChoiceError(f"Version {to.version} runs already.")
    if to.release < choice.floor:
        raise ChoiceError(
            f"Version {to.version} (release {to.release}) is below the security floor {choice.floor} of this"
            " device: its known holes must not come back."
        )
    return replace(
        choice,
        number=choice.number + 1,
        serves=to.name,
        bundle=to.bundle,
        before=choice.serves,
        before_bundle=choice.bundle,
        confirmed=False,
        tries=0,
        settled=False,
        limit_s=limit_s,
        since_utc=now_utc,
        note=note,
    )


def gone_back(choice: Choice, to: Slot, *, now_utc: str, note: str) -> Choice:
    """The choice after going back to a slot that ran before."""
    return replace(
        choice,
        number=choice.number + 1,
        serves=to.name,
        bundle=to.bundle,
        before=None,
        before_bundle=None,
        confirmed=True,
        tries=0,
        settled=False,
        since_utc=now_utc,
        note=note[:LONGEST_NOTE],
    )


def confirm(root: Path, choice: Choice) -> Choice:
    """It has proved itself: keep that, and let neither release nor floor fall behind it. Raises OSError."""
    slot = read_slot(root, choice.serves)
    assert slot is not None  # it runs
    write_durably(slot_folder(root, choice.serves) / CONFIRMED, b"")
    good = replace(
        choice,
        confirmed=True,
        tries=0,
        highest=max(choice.highest, slot.release),
        floor=max(choice.floor, slot.security_floor),
    )
    write_choice(root, good)
    return good


def write_choice(root: Path, choice: Choice) -> None:
    """Replace the file, in one rename that outlives a power cut. Raises OSError."""
    write_durably(root / CHOICE, (json.dumps(asdict(choice), indent=1) + "\n").encode())


def write_durably(path: Path, content: bytes) -> None:
    """Beside, flushed, read back from the disk, renamed, folder flushed. Raises OSError."""
    part = path.with_name(path.name + ".part")
    fd = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        os.write(fd, content)
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        if os.pread(fd, len(content) + 1, 0) != content:
            raise OSError(5, "The disk gave back other bytes than were written", str(path))
    finally:
        os.close(fd)
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make names in this folder durable. Raises OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def alone(root: Path, name: str = "choice.lock", *, wait: bool = True) -> Iterator[None]:
    """Nobody else has this lock meanwhile. Raises BlockingIOError where somebody has it and `wait` is off."""
    fd = os.open(root / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(fd)
