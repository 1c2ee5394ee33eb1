# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""From a checked update to a whole slot, beside the one that runs. It is complete, or it is not there.

The wheels are copied from the stick and compared meanwhile, the slot is emptied, an environment is made in it
without a network, what lies on the disk is read back against the lists of the wheels, the new software has to
say its version, and last of all COMPLETE is written.
"""

from __future__ import annotations

import json
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final

from appliance.clock import Clock
from appliance.durable import make_folder
from appliance.errors import UpdateError
from appliance.models.keys import Trust
from appliance.updates.bundle import Accepted, Checked, Target, check_update, files_of
from appliance.updates.choice import (
    CHOICE,
    COMPLETE,
    FORMAT,
    LAUNCHER,
    SLOTS,
    Choice,
    Slot,
    alone,
    other,
    read_choice,
    read_slot,
    slot_folder,
    sync_folder,
    write_choice,
    write_durably,
)
from appliance.updates.opened import Opened, open_update
from appliance.updates.slot_build import build_slot, launcher_file, prove_slot

INCOMING: Final = "incoming"
SPARE_BYTES: Final = 256 * 1024**2
"""Left free: the store and its log go on growing meanwhile."""
Progress = Callable[[str], None]


def this_target() -> Target:
    """The machine that this runs on."""
    return Target(machine=platform.machine(), python=f"{sys.version_info.major}.{sys.version_info.minor}")


def accepted_here(choice: Choice | None) -> Accepted:
    """What was seen so far under this root."""
    if choice is None:
        return Accepted(highest=0, floor=0)
    return Accepted(highest=choice.highest, floor=choice.floor)


def check(path: Path, *, root: Path, trust: Trust) -> Checked:
    """The whole update, every byte of it, changing nothing. Raises UpdateError."""
    with open_update(path) as opened:
        checked = check_update(
            opened, trust=trust, target=this_target(), accepted=accepted_here(read_choice(root))
        )
        files_of(opened, checked, keep=lambda _name, _piece: None)
    return checked


def install(path: Path, *, root: Path, trust: Trust, clock: Clock, progress: Progress) -> tuple[Slot, bool]:
    """Fill the slot that does not run. Returns it, and whether anything was done.

    Raises UpdateError: refused, no room, or it could not be installed; OSError. What runs goes on.
    """
    make_folder(root / "slots")
    with _only_one_installs(root):
        choice = _known_choice(root)
        with open_update(path) as opened:
            checked = check_update(opened, trust=trust, target=this_target(), accepted=accepted_here(choice))
            name = _slot_for(choice, checked)
            there = read_slot(root, name)
            if there is not None and there.bundle == checked.bundle:
                return there, False
            _require_room(root, name, checked)
            incoming = root / INCOMING
            shutil.rmtree(incoming, ignore_errors=True)
            try:
                incoming.mkdir()
                progress("comparing every file")
                _copy(opened, checked, incoming)
                slot = _fill(root, name, checked, incoming, clock=clock, progress=progress)
            finally:
                shutil.rmtree(incoming, ignore_errors=True)
        if choice is None:
            _choose_first(root, slot)
        return slot, True


def _known_choice(root: Path) -> Choice | None:
    """The choice; one that only the slots know is written down: a first installation was cut at its end."""
    with alone(root):
        choice = read_choice(root)
        if choice is not None and not (root / CHOICE).exists():
            write_choice(root, choice)
        return choice


@contextmanager
def _only_one_installs(root: Path) -> Iterator[None]:
    try:
        with alone(root, "install.lock", wait=False):
            yield
    except BlockingIOError as error:
        raise UpdateError("Another installation is under way.", remedy="Wait until it has ended.") from error


def _slot_for(choice: Choice | None, checked: Checked) -> str:
    if choice is None:
        return SLOTS[0]
    if not choice.confirmed:
        raise UpdateError(
            "What runs now has not proved itself yet, so the other slot is the way back and stays as it is.",
            remedy="Wait until `scanside update status` calls it proved, or go back first.",
        )
    if choice.bundle == checked.bundle:
        raise UpdateError(
            f"Version {checked.manifest.version} of this very update runs already.", remedy="Nothing to do."
        )
    return other(choice.serves)


def _require_room(root: Path, name: str, checked: Checked) -> None:
    """For the copies first, then for what is installed, once the old content of the slot is gone."""
    free_bytes = shutil.disk_usage(root).free
    wheels_bytes = sum(file.size_bytes for file in checked.manifest.files)
    old_bytes = _size_of(slot_folder(root, name))
    missing_bytes = max(
        wheels_bytes + SPARE_BYTES - free_bytes,
        wheels_bytes + checked.manifest.installed_bytes + SPARE_BYTES - free_bytes - old_bytes,
    )
    if missing_bytes > 0:
        raise UpdateError(
            f"There is no room for the update: {missing_bytes // 1024**2 + 1} MiB are missing on the disk of"
            f" {root}.",
            remedy="Free some space there; nothing was changed.",
        )


def _size_of(folder: Path) -> int:
    return sum(file.lstat().st_blocks * 512 for file in folder.rglob("*")) if folder.is_dir() else 0


def _copy(opened: Opened, checked: Checked, incoming: Path) -> None:
    def keep(name: str, piece: bytes) -> None:
        with (incoming / name).open("ab") as file:
            file.write(piece)

    files_of(opened, checked, keep=keep)


def _fill(
    root: Path, name: str, checked: Checked, incoming: Path, *, clock: Clock, progress: Progress
) -> Slot:
    _empty(root, name)
    if not (root / LAUNCHER).exists():
        write_durably(root / LAUNCHER, launcher_file())
    progress("installing")
    build_slot(root, name, sorted(incoming.iterdir()))
    progress("reading back what was written")
    manifest = checked.manifest
    prove_slot(root, name, version=manifest.version)
    slot = Slot(
        name=name,
        bundle=checked.bundle,
        version=manifest.version,
        release=manifest.release,
        security_floor=manifest.security_floor,
        changes="\n".join(manifest.changes),
        installed_at_utc=clock.now_utc().isoformat(timespec="seconds"),
    )
    write_durably(slot_folder(root, name) / COMPLETE, (json.dumps(asdict(slot), indent=1) + "\n").encode())
    return slot


def _empty(root: Path, name: str) -> None:
    """First it is called not whole, durably; then its content goes."""
    folder = slot_folder(root, name)
    with alone(root):
        choice = read_choice(root)
        if choice is not None and (choice.serves == name or not choice.confirmed):
            raise UpdateError("The choice of the software has changed meanwhile.", remedy="Try again.")
        if folder.is_dir():
            (folder / COMPLETE).unlink(missing_ok=True)
            sync_folder(folder)
    shutil.rmtree(folder, ignore_errors=True)
    make_folder(folder)


def _choose_first(root: Path, slot: Slot) -> None:
    """The first software of a device has nothing to go back to."""
    first = Choice(
        format=FORMAT,
        number=1,
        serves=slot.name,
        bundle=slot.bundle,
        before=None,
        before_bundle=None,
        confirmed=True,
        tries=0,
        settled=False,
        limit_s=0.0,
        highest=slot.release,
        floor=slot.security_floor,
        since_utc=slot.installed_at_utc,
        note=f"The first software on this device: {slot.version}.",
    )
    with alone(root):
        write_choice(root, first)
