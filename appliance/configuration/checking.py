# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Every fault of a settings file and of the environment at once: where, what, why, and what to do."""

from __future__ import annotations

import copy
import difflib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError

from appliance.config import Settings, contradictions
from appliance.configuration.secrets import shown
from appliance.configuration.settings_tree import ENV_PREFIX, children_of, environment_name, leaves_of
from appliance.configuration.toml_lines import TomlText, read_toml
from appliance.errors import ConfigError
from appliance.settings_form import Change, bring_up_to_date

PAGE: Final = "docs/settings.md lists every setting with its unit and range."
LONGEST_VALUE: Final = 80
MOST_ROUNDS: Final = 20
"""How often faulty values are taken out to look at the rest; each round takes at least one."""
_FILES: Final = re.compile(r"(_file$|^template$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingFault:
    """One thing that is wrong with the settings."""

    where: str
    """File and line, or the variable of the environment."""
    key: str
    """Dotted; empty where no key can be read."""
    what: str
    remedy: str
    only_here: bool = False
    """It may be right on the device and wrong only on this machine: a file that is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What came of it."""

    faults: tuple[SettingFault, ...]
    changes: tuple[Change, ...]
    """What the file has in an older form: it is understood, and `scanside config migrate` writes it anew."""

    @property
    def holds(self) -> bool:
        """The appliance would start with these settings."""
        return all(fault.only_here for fault in self.faults)


def check_settings(file: Path | None) -> Checked:
    """Look at all of it, with this process's environment on top. Never raises for a fault."""
    if file is None:
        return Checked(faults=tuple(_Checker("", TomlText()).faults()), changes=())
    try:
        text = file.read_bytes().decode("utf-8")
    except OSError as error:
        return _unreadable(
            file, f"cannot be read: {error.strerror}", "Name an existing file that may be read."
        )
    except UnicodeDecodeError as error:
        return _unreadable(file, f"is no UTF-8 text at byte {error.start}", "Save it as UTF-8.")
    found = read_toml(text)
    try:
        changes = bring_up_to_date(found.content)
    except ConfigError as error:
        fault = SettingFault(where=str(file), key="", what=error.what, remedy=error.remedy)
        return Checked(faults=(*_toml_faults(str(file), found), fault), changes=())
    return Checked(faults=tuple(_Checker(str(file), found).faults()), changes=changes)


def _unreadable(file: Path, why: str, remedy: str) -> Checked:
    fault = SettingFault(where=str(file), key="", what=f"The settings file {why}.", remedy=remedy)
    return Checked(faults=(fault,), changes=())


def _toml_faults(file: str, found: TomlText) -> Iterator[SettingFault]:
    for fault in found.faults:
        yield SettingFault(
            where=f"{file}, line {fault.line}",
            key="",
            what=f"This is no TOML: {fault.why}.",
            remedy="Mend that line; docs/settings.md shows a complete file.",
        )


class _Checker:
    """One file with one environment on top."""

    def __init__(self, file: str, found: TomlText) -> None:
        self._file = file
        self._found = found
        self._variables = frozenset(name.upper() for name in os.environ)

    def faults(self) -> Iterator[SettingFault]:
        yield from _toml_faults(self._file, self._found)
        yield from self._unknown_variables()
        content = copy.deepcopy(self._found.content)
        said: set[tuple[str | int, ...]] = set()
        for _ in range(MOST_ROUNDS):
            try:
                settings = Settings(**content)
            except SettingsError as error:
                yield self._unparsed_variable(error)
                return
            except ValidationError as error:
                faults = error.errors()
                yield from (self._fault(one) for one in faults if one["loc"] not in said)
                said.update(one["loc"] for one in faults)
                taken = [_take_out(content, one["loc"]) for one in faults]
                if not all(taken):
                    return  # the environment's: what depends on it cannot be judged
            else:
                receivers_read = content.get("sender") == self._found.content.get("sender")
                yield from self._together(settings, receivers_read=receivers_read)
                return

    def _together(self, settings: Settings, *, receivers_read: bool) -> Iterator[SettingFault]:
        """What is wrong only together. Names are compared only where all receivers could be read."""
        for key, what, remedy in contradictions(settings):
            if key.startswith("courier.") and not receivers_read:
                continue
            yield SettingFault(where=self._where(tuple(key.split("."))), key=key, what=what, remedy=remedy)
        for path, value in leaves_of(settings):
            if value and _FILES.search(str(path[-1])) and not Path(str(value)).is_file():
                key = dotted(path)
                yield SettingFault(
                    where=self._where(path),
                    key=key,
                    what=f"{key} names {value}, and no such file is on this machine.",
                    remedy="Put the file there, or correct the path, before the appliance starts.",
                    only_here=True,
                )

    def _fault(self, error: ErrorDetails) -> SettingFault:
        path = error["loc"]
        key = dotted(path)
        kind = error["type"]
        if kind == "extra_forbidden":
            return SettingFault(
                where=self._where(path),
                key=key,
                what=f"There is no setting {key}.",
                remedy=_nearest(path) or f"Remove the line. {PAGE}",
            )
        if kind == "missing":
            return SettingFault(
                where=self._where(path), key=key, what=f"{key} is missing.", remedy=f"Add it. {PAGE}"
            )
        message = error["msg"].removeprefix("Value error, ")
        value = (
            "" if isinstance(error.get("input"), dict | list | tuple) else f" = {_short(error.get('input'))}"
        )
        return SettingFault(
            where=self._where(path),
            key=key,
            what=f"{key or 'The file'}{value} is not allowed: {message}.",
            remedy=f"Correct it. {PAGE}",
        )

    def _where(self, path: tuple[str | int, ...]) -> str:
        for length in range(len(path), 0, -1):
            name = environment_name(path[:length])
            if name in self._variables:
                return f"environment variable {name}"
        line = self._found.line_of(path)
        if not self._file:
            return "defaults"
        return self._file if line is None else f"{self._file}, line {line}"

    def _unparsed_variable(self, error: SettingsError) -> SettingFault:
        """A list or table in the environment that is no JSON."""
        return SettingFault(
            where="environment",
            key="",
            what=f"A variable {ENV_PREFIX}... cannot be understood: {error}.",
            remedy="Write lists as JSON: SCANSIDE__WORKER__ENGINES='[\"ort\"]'.",
        )

    def _unknown_variables(self) -> Iterator[SettingFault]:
        """A misspelt section in the environment would be passed over in silence."""
        sections = set(Settings.model_fields)
        for name in sorted(self._variables):
            section = name.removeprefix(ENV_PREFIX).split("__")[0].lower()
            if name.startswith(ENV_PREFIX) and section not in sections:
                near = difflib.get_close_matches(section, sections, n=1)
                yield SettingFault(
                    where=f"environment variable {name}",
                    key=section,
                    what=f"There is no setting or section {section}: the variable has no effect.",
                    remedy=f"Did you mean {ENV_PREFIX}{near[0].upper()}?" if near else f"Remove it. {PAGE}",
                )


def dotted(path: tuple[str | int, ...]) -> str:
    """As people write it: `sender.peers.0.port`."""
    return ".".join(str(part) for part in path)


def _short(value: object) -> str:
    text = repr(shown(value))
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


def _nearest(path: tuple[str | int, ...]) -> str | None:
    """What a name that is none may stand for: a neighbour of nearly that name, or a namesake elsewhere."""
    names = children_of(Settings, path[:-1])
    near = difflib.get_close_matches(str(path[-1]), names, n=1)
    if near:
        return f"Did you mean {near[0]}?"
    elsewhere = [
        f"{section}.{path[-1]}"
        for section, field in Settings.model_fields.items()
        if isinstance(field.annotation, type)
        and issubclass(field.annotation, BaseModel)
        and path[-1] in field.annotation.model_fields
    ]
    return f"There is {elsewhere[0]}: was that meant?" if elsewhere else None


def _take_out(content: dict[str, Any], path: tuple[str | int, ...]) -> bool:
    """Remove the faulty value, or the list's entry or section that lacks one; False: it is not in there."""
    inside: list[Any] = [content]
    for part in path:
        above = inside[-1]
        there = (
            part in above if isinstance(above, dict) else isinstance(above, list) and isinstance(part, int)
        )
        if not there or (isinstance(above, list) and not part < len(above)):  # type: ignore[operator]
            break
        inside.append(above[part])
    for depth in range(len(inside) - 1, 0, -1):
        above, part = inside[depth - 1], path[depth - 1]
        if isinstance(above, dict):
            del above[part]
            return True
    return False
