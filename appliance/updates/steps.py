# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Changing what runs: to the software that was installed beside it, and back. One rename each."""

from __future__ import annotations

from pathlib import Path

from appliance.clock import Clock
from appliance.errors import UpdateError
from appliance.updates.choice import (
    Choice,
    ChoiceError,
    Slot,
    alone,
    gone_back,
    other,
    read_choice,
    read_slot,
    switched,
    way_back,
    write_choice,
)


def what_may_run(root: Path) -> Slot:
    """The software that `switch` would change to. Raises UpdateError with what stands in the way."""
    choice = _choice(root)
    slot = read_slot(root, other(choice.serves))
    if slot is None:
        raise UpdateError(
            "No other software is installed.", remedy="Install it first: `scanside update install`."
        )
    try:
        switched(choice, slot, limit_s=0.0, now_utc="", note="")
    except ChoiceError as error:
        raise UpdateError(str(error), remedy="`scanside update status` shows what runs.") from error
    return slot


def what_ran_before(root: Path) -> Slot:
    """The software that `go_back` would bring back. Raises UpdateError where there is none."""
    try:
        return way_back(root, _choice(root))
    except ChoiceError as error:
        raise UpdateError(str(error), remedy="Install another release: `scanside update install`.") from error


def switch(root: Path, *, limit_s: float, clock: Clock) -> Slot:
    """Let the other slot run from the launcher's next look on; it has `limit_s` to prove itself.

    Raises UpdateError with what stands in the way, OSError.
    """
    with alone(root):
        slot, choice = what_may_run(root), _choice(root)
        note = f"A person chose {slot.version}."
        write_choice(root, switched(choice, slot, limit_s=limit_s, now_utc=_now(clock), note=note))
        return slot


def go_back(root: Path, *, clock: Clock) -> Slot:
    """Let the software run again that ran before. Raises UpdateError where there is none, OSError."""
    with alone(root):
        slot, choice = what_ran_before(root), _choice(root)
        note = f"Back to {slot.version}: a person wanted it."
        write_choice(root, gone_back(choice, slot, now_utc=_now(clock), note=note))
        return slot


def _choice(root: Path) -> Choice:
    choice = read_choice(root)
    if choice is None:
        raise UpdateError(
            f"No software is installed in slots under {root}.",
            remedy="Name the folder with --root, or install there first: `scanside update install`.",
        )
    return choice


def _now(clock: Clock) -> str:
    return clock.now_utc().isoformat(timespec="seconds")
