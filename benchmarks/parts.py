# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The finished parts of a run, kept in a folder: a run that was interrupted goes on where it was."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final, TypeVar

from appliance.domain.record import from_json, to_json
from appliance.durable import write_whole
from appliance.errors import ConfigError
from benchmarks.machine import Machine, same_machine

BEGUN: Final = "begun.json"
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What all parts of a run have in common."""

    quick: bool
    software: str
    """Version of this software."""
    machine: Machine
    """As it was when the run began."""
    began_at_utc: str


class Parts:
    """The folder of one run. Each part is written when it is finished, whole."""

    def __init__(self, folder: Path, begun: Begun) -> None:
        self._folder = folder
        self.begun = begun

    @classmethod
    def open(cls, folder: Path, begun: Begun) -> Parts:
        """Go on with the run in `folder`, or begin one. Raises ConfigError when it holds another run."""
        file = folder / BEGUN
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(file, to_json(begun).encode("utf-8"))
            return cls(folder, begun)
        try:
            before = from_json(Begun, file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise _other(folder, "by another version of this program") from error
        if before.quick != begun.quick:
            raise _other(folder, "with other sizes: one of the two is a quick run")
        if before.software != begun.software:
            raise _other(folder, f"by version {before.software}, and this is {begun.software}")
        difference = same_machine(before.machine, begun.machine)
        if difference is not None:
            raise _other(folder, f"on another machine ({difference})")
        return cls(folder, before)

    def names(self) -> tuple[str, ...]:
        """Of the parts that are finished."""
        return tuple(sorted(path.stem for path in self._folder.glob("*.json") if path.name != BEGUN))

    def kept(self, name: str, noun: type[T]) -> T | None:
        """A part that is finished, or None. Raises ConfigError when it cannot be read."""
        file = self._folder / f"{name}.json"
        if not file.exists():
            return None
        try:
            return from_json(noun, file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise _other(self._folder, f"by another version of this program: {name}") from error

    def keep(self, name: str, part: object) -> None:
        """It is finished."""
        write_whole(self._folder / f"{name}.json", to_json(part).encode("utf-8"))

    def folder_of(self, name: str) -> Path:
        """Where a part keeps what it goes on from when it is interrupted."""
        folder = self._folder / name
        folder.mkdir(exist_ok=True)
        return folder


def this_software() -> str:
    """The version that is installed."""
    return version("scanside")


def _other(folder: Path, why: str) -> ConfigError:
    return ConfigError(
        f"{folder} holds the parts of a run that was begun {why}.",
        remedy="Finish that one, remove the folder, or name another one with --into.",
    )
