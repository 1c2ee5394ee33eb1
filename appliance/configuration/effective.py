# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Every setting as it is in force, and where its value comes from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.config import load_settings
from appliance.configuration.checking import dotted
from appliance.configuration.secrets import shown
from appliance.configuration.settings_tree import environment_name, leaves_of
from appliance.configuration.toml_lines import TomlText, read_toml


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveSetting:
    """One setting."""

    key: str
    value: Any
    """As JSON has it; what is secret is masked."""
    source: str
    """"default", "line 12" of the file, or "environment variable X"."""


def effective_settings(file: Path | None) -> Iterator[EffectiveSetting]:
    """All of them, in the order of the page of settings. Raises ConfigError."""
    settings = load_settings(file)
    found = read_toml(file.read_text(encoding="utf-8")) if file is not None else TomlText()
    variables = frozenset(name.upper() for name in os.environ)
    for path, value in leaves_of(settings):
        yield EffectiveSetting(
            key=dotted(path), value=_plain(value, str(path[-1])), source=_source(path, found, variables)
        )


def _source(path: tuple[str | int, ...], found: TomlText, variables: frozenset[str]) -> str:
    for length in range(len(path), 0, -1):
        name = environment_name(path[:length])
        if name in variables:
            return f"environment variable {name}"
    return f"line {found.lines[path]}" if path in found.lines else "default"


def _plain(value: Any, key: str) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(one, key) for one in value]
    return shown(value, key)
