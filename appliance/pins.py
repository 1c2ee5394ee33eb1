# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""PINs of the screen's roles: kept as scrypt hashes in one file that its owner alone may read.

A PIN keeps passers-by out of the service page. It is no protection against somebody who has the file: six
digits are few, whatever the hash. There is no PIN until somebody sets one.
"""

from __future__ import annotations

import os
import secrets
import stat
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from appliance.durable import PART_SUFFIX, sync_folder
from appliance.errors import ConfigError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SHORTEST_PIN: Final = 6
LONGEST_PIN: Final = 12
HASH_BYTES: Final = 32
COST_N: Final = 2**14
COST_R: Final = 8
COST_P: Final = 5
"""OWASP's password storage sheet: N=2^14, r=8, p=5, 16 MiB, which the smallest board has."""
LARGEST_FILE_BYTES: Final = 65536
_OTHERS: Final = stat.S_IRWXO | stat.S_IWGRP
"""Who must have no access: everybody, and a group that could write. A group may read: the screen's user."""


class Role(str, Enum):
    """Who has a PIN."""

    SERVICE = "service"
    """Looks after the device."""
    LEAD = "lead"
    """Leads the radiographers: reject figures."""


_Hex = Annotated[str, Field(pattern=r"^([0-9a-f]{2}){16,64}$")]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    salt: _Hex
    hash: _Hex
    n: int = Field(ge=2**10, le=2**20)
    r: int = Field(ge=1, le=32)
    p: int = Field(ge=1, le=32)


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    service: _Entry | None = None
    lead: _Entry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """The hashes."""

    entries: dict[Role, _Entry]

    def has(self, role: Role) -> bool:
        """A PIN has been set for `role`."""
        return role in self.entries

    def verify(self, role: Role, pin: bytes) -> bool:
        """Whether `pin` is that of `role`; False where none was set. Takes a good part of a second."""
        entry = self.entries.get(role)
        if entry is None:
            return False
        from cryptography.exceptions import InvalidKey  # noqa: PLC0415  see _scrypt

        try:
            _scrypt(entry).verify(pin, bytes.fromhex(entry.hash))  # compares in constant time
        except InvalidKey:
            return False
        return True


def load_pins(file: Path) -> Pins:
    """The PINs of `file`; none when there is no such file. Raises ConfigError when it may not be used."""
    try:
        with file.open("rb") as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            if mode & _OTHERS:
                raise ConfigError(
                    f"The PIN file {file} has mode {mode:04o}: more people than its owner may use it.",
                    remedy=f"Run: chmod 600 {file}",
                )
            content = opened.read(LARGEST_FILE_BYTES)  # a cut-off file is no TOML, or lacks a key
    except FileNotFoundError:
        return Pins(entries={})
    except OSError as error:
        raise ConfigError(
            f"The PIN file {file} cannot be read: {error.strerror}.",
            remedy="Its owner, or its group, must be the user that runs the screen.",
        ) from error
    try:
        read = _File(**tomllib.loads(content.decode("utf-8")))
    except (ValidationError, ValueError) as error:  # a TOML error is a ValueError; its text may hold a hash
        raise ConfigError(
            f"The PIN file {file} is damaged.",
            remedy="Delete it and set each PIN anew: scanside pin set ROLE.",
        ) from error
    found = {Role.SERVICE: read.service, Role.LEAD: read.lead}
    return Pins(entries={role: entry for role, entry in found.items() if entry is not None})


def set_pin(file: Path, role: Role, pin: str) -> None:
    """Write the PIN of `role` into `file`, durably; the other role's stays. Raises ConfigError."""
    require_good(pin)
    entries = dict(load_pins(file).entries)
    salt = secrets.token_hex(16)
    blank = _Entry(salt=salt, hash="00" * HASH_BYTES, n=COST_N, r=COST_R, p=COST_P)
    entries[role] = blank.model_copy(update={"hash": _scrypt(blank).derive(pin.encode("ascii")).hex()})
    _save(file, entries)


def take_over(file: Path, other: Path) -> None:
    """Write the PINs of `other` into `file`, durably; a role that has none there keeps its own.

    Raises ConfigError, also when there is none to take over.
    """
    require_some(other)
    _save(file, {**load_pins(file).entries, **load_pins(other).entries})


def require_some(file: Path) -> None:
    """Raises ConfigError when there is no PIN in `file`."""
    if not load_pins(file).entries:
        raise ConfigError(f"There are no PINs in {file}.", remedy="Set each one: sudo scanside pin set ROLE.")


def require_good(pin: str) -> None:
    """Raises ConfigError when it has other than 6 to 12 digits, or is the first that anybody would try."""
    if not (SHORTEST_PIN <= len(pin) <= LONGEST_PIN and pin.isascii() and pin.isdigit()):
        raise ConfigError(
            f"A PIN has {SHORTEST_PIN} to {LONGEST_PIN} digits and nothing else.",
            remedy="Choose another one; the screen has only digits.",
        )
    if len(set(pin)) == 1 or pin in "0123456789012345" or pin in "9876543210987654":
        raise ConfigError("This PIN is the first that anybody would try.", remedy="Choose another one.")


def _save(file: Path, entries: dict[Role, _Entry]) -> None:
    """Raises ConfigError."""
    try:
        _write_privately(file, "\n".join(_section(role, entry) for role, entry in entries.items()))
    except OSError as error:
        raise ConfigError(
            f"The PIN file {file} cannot be written: {error.strerror}.",
            remedy="Run this as the owner of that folder, or change the setting kiosk.pins.",
        ) from error


def _scrypt(entry: _Entry) -> Scrypt:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt  # noqa: PLC0415  the screen starts without it

    return Scrypt(
        salt=bytes.fromhex(entry.salt), length=len(entry.hash) // 2, n=entry.n, r=entry.r, p=entry.p
    )


def _section(role: Role, entry: _Entry) -> str:
    numbers = f"n = {entry.n}\nr = {entry.r}\np = {entry.p}\n"
    return f'[{role.value}]\nsalt = "{entry.salt}"\nhash = "{entry.hash}"\n{numbers}'


def _write_privately(file: Path, text: str) -> None:
    """Write beside, then rename; at no moment may anybody else read it.

    Mode, owner and group of a file that is there stay as somebody has set them.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    before = file.stat() if file.exists() else None
    part = file.with_name(file.name + PART_SUFFIX)
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as opened:
        if before is not None:
            os.fchown(handle, before.st_uid, before.st_gid)
            os.fchmod(handle, stat.S_IMODE(before.st_mode))
        opened.write(text.encode("ascii"))
        opened.flush()
        os.fsync(handle)
    part.replace(file)
    sync_folder(file.parent)
