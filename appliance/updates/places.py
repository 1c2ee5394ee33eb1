# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Where the slots of this device lie, and what runs: in words for the screen and for commands."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.updates.choice import LAUNCHER, ChoiceError, Slot, alone, read_choice, read_slot, way_back

DEFAULT_ROOT: Final = Path("/var/lib/scanside-software")


def own_root() -> Path | None:
    """The root in one of whose slots this program runs; None: it runs from somewhere else."""
    slot = Path(sys.prefix)
    root = slot.parent.parent
    return root if slot.parent.name == "slots" and (root / LAUNCHER).exists() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Software:
    """What runs on this device, and what could."""

    version: str
    release: int
    since_utc: str
    confirmed: bool
    """It has proved itself."""
    tries: int
    note: str
    """Why it runs."""
    changes: tuple[str, ...]
    """What changed with it, in words."""
    highest: int
    floor: int
    back_to: str | None
    """The version that one tap brings back; None: there is none, and `no_way_back` says why."""
    no_way_back: str
    waiting: str | None
    """Another version that is installed and does not run."""
    runs: bool
    """The launcher is up."""


def read_software(root: Path) -> Software | None:
    """What stands under the root; None: no software was installed there."""
    choice = read_choice(root)
    slot = read_slot(root, choice.serves) if choice is not None else None
    if choice is None or slot is None:
        return None
    back: Slot | None = None
    reason = ""
    try:
        back = way_back(root, choice)
    except ChoiceError as error:
        reason = str(error)
    rest = [
        one for name in ("a", "b") if name != choice.serves and (one := read_slot(root, name)) is not None
    ]
    return Software(
        version=slot.version,
        release=slot.release,
        since_utc=choice.since_utc,
        confirmed=choice.confirmed,
        tries=choice.tries,
        note=choice.note,
        changes=tuple(slot.changes.splitlines()),
        highest=choice.highest,
        floor=choice.floor,
        back_to=None if back is None else back.version,
        no_way_back=reason,
        waiting=rest[0].version if rest else None,
        runs=is_running(root),
    )


def is_running(root: Path) -> bool:
    """Whether a launcher works on this root."""
    try:
        with alone(root, "launcher.lock", wait=False):
            return False
    except BlockingIOError:
        return True
    except OSError:  # somebody else's file: whoever may not write there asks the screen
        return True
