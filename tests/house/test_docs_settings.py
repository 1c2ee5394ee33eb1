# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""docs/settings.md names every setting with its default, unit and range, and its example is the default."""

from __future__ import annotations

import json
import re
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from appliance.config import Settings, load_settings
from appliance.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

UNIT_OF_SUFFIX = {
    "min": "min",
    "s": "s",
    "ms": "ms",
    "mm": "mm",
    "px": "px",
    "bytes": "bytes",
    "percent": "%",
    "hours": "h",
    "days": "d",
}
"""The last word of a setting's name is its unit."""
BOUNDS = (("gt", "above {}"), ("ge", "from {}"), ("lt", "below {}"), ("le", "to {}"))
LENGTHS = (("min_length", "{}"), ("max_length", "to {} characters"))


def leaves(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every setting under its dotted name; those of a list's entries after `[]`."""
    for name, field in model.model_fields.items():
        kind: Any = field.annotation
        inner = [argument for argument in typing.get_args(kind) if isinstance(argument, type)]
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from leaves(kind, f"{prefix}{name}.")
            continue
        yield prefix + name, field
        for entry in inner:
            if issubclass(entry, BaseModel):
                yield from leaves(entry, f"{prefix}{name}[].")


def default_of(field: FieldInfo) -> str:
    """The default as TOML writes it; "required" where there is none."""
    value = field.default
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, tuple):
        value = list(value)
    if isinstance(value, Path):
        value = str(value)
    return json.dumps(value)


def range_of(field: FieldInfo) -> str:
    """What is allowed, in words; a dash where the type says it all."""
    choices = typing.get_args(field.annotation)
    if choices and all(isinstance(choice, str) for choice in choices):
        return ", ".join(choices)
    inner = typing.get_args(choices[0]) if choices else ()
    if inner and all(isinstance(choice, str) for choice in inner):
        return "any of " + ", ".join(inner)
    words = [
        text.format(f"{getattr(limit, name):g}" if abs(getattr(limit, name)) < 1e5 else getattr(limit, name))
        for name, text in (*BOUNDS, *LENGTHS)
        for limit in field.metadata
        if getattr(limit, name, None) is not None
    ]
    return " ".join(words) or "-"


def expected_row(name: str, field: FieldInfo) -> str:
    """How the row of a setting has to begin."""
    unit = UNIT_OF_SUFFIX.get(name.rsplit("_", 1)[-1], "-") if "_" in name else "-"
    return f"| `{name}` | `{default_of(field)}` | {unit} | {range_of(field)} | "


def missing_rows(text: str, model: type[BaseModel]) -> list[str]:
    """Rows that the document lacks, and rows of settings that do not exist."""
    rows = [line for line in text.splitlines() if re.match(r"\| `[a-z_.\[\]]+` \|", line)]
    wanted = {name: expected_row(name, field) for name, field in leaves(model)}
    absent = [
        row
        for row in wanted.values()
        if not any(line.startswith(row) and len(line) > len(row) + 2 for line in rows)
    ]
    strangers = [line for line in rows if line.split("`")[1] not in wanted]
    return absent + strangers


@pytest.fixture(scope="module")
def document(repository: Path) -> str:
    """The page."""
    return (repository / "docs" / "settings.md").read_text(encoding="utf-8")


def example_of(document: str) -> str:
    """The TOML of the page."""
    (example,) = re.findall(r"```toml\n(.*?)```", document, re.DOTALL)
    return str(example)


def test_every_setting_has_its_row(document: str) -> None:
    assert missing_rows(document, Settings) == []


def test_the_example_is_whole_and_the_default(document: str, tmp_path: Path) -> None:
    file = tmp_path / "scanside.toml"
    file.write_text(example_of(document), encoding="utf-8")
    assert load_settings(file) == Settings()
    keys = {name for name, _ in leaves(Settings) if "[]" not in name}
    assert keys == {
        f"{key}.{name}" if isinstance(value, dict) else key
        for key, value in tomllib.loads(example_of(document)).items()
        for name in (value if isinstance(value, dict) else [""])
    }


def test_the_environment_variable_of_the_page_works(document: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (assignment,) = re.findall(r"^(SCANSIDE__LISTENER__PORT)=(\d+)$", document, re.MULTILINE)
    monkeypatch.setenv(*assignment)
    assert load_settings().listener.port == int(assignment[1])


def test_an_undocumented_setting_is_seen(document: str) -> None:
    class More(Settings):
        brightness_percent: float = 80.0

    assert missing_rows(document, More) == ["| `brightness_percent` | `80.0` | % | - | "]
    assert missing_rows(document + "| `gone.setting` | `1` | s | - | Was here once. |\n", Settings) != []


def test_an_error_names_the_page_that_helps(tmp_path: Path) -> None:
    file = tmp_path / "scanside.toml"
    file.write_text("[listener]\nport = 0\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"docs/settings\.md"):
        load_settings(file)
