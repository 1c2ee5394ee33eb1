# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The pages that are followed word by word: their settings are taken, their commands and units are there."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
import typer.main

from appliance.cli import app
from appliance.config import Settings, load_settings
from appliance.errors import ConfigError

FOLDER = Path(__file__).resolve().parents[2]
PAGES = sorted((FOLDER / "docs" / "first-day").glob("*.md"))
GUIDES = [*PAGES, *sorted((FOLDER / "docs" / "install").glob("*.md")), FOLDER / "docs" / "boot.md"]
PRINTED = re.compile(
    r"^    printf '(?P<text>[^']+)' \| sudo tee (--append )?/etc/scanside/scanside.toml$", re.MULTILINE
)
WRITTEN = re.compile(r"scanside.toml <<'TOML'\n(?P<text>.*?)^    TOML$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^    (?:sudo )?scanside (?P<words>[a-z][a-z -]*)", re.MULTILINE)
DROP_IN = re.compile(r"/systemd/system/(?P<unit>[\w.-]+)\.d\b")


def settings_in(page: str) -> list[str]:
    """Every settings file of a page, as it stands after its steps."""
    written = [textwrap.dedent(match["text"]) for match in WRITTEN.finditer(page)]
    printed = [match["text"].replace("\\n", "\n") for match in PRINTED.finditer(page)]
    return [*written, *(["".join(printed)] if printed else [])]


def taken(text: str, folder: Path) -> Settings:
    """The settings, as the appliance reads them."""
    file = folder / "scanside.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file)


def unknown_commands(page: str) -> list[str]:
    """Commands of a page that the program does not have."""
    known = commands()
    wrong = []
    for match in COMMAND.finditer(page):
        words = match["words"].split()
        name = " ".join(words[:2]) if " ".join(words[:2]) in known else words[0]
        if name not in known:
            wrong.append(match["words"].strip())
    return wrong


def commands() -> dict[str, Any]:
    """Every command by its words."""
    found: dict[str, Any] = {}

    def walk(command: Any, path: tuple[str, ...]) -> None:
        children = getattr(command, "commands", {})
        if not children:
            found[" ".join(path)] = command
        for name, child in children.items():
            walk(child, (*path, name))

    walk(typer.main.get_command(app), ())
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_settings_of_a_page_are_taken(page: Path, tmp_path: Path) -> None:
    texts = settings_in(page.read_text(encoding="utf-8"))
    if page.stem != "followed":
        assert texts
    for text in texts:
        assert taken(text, tmp_path).site_name


def test_a_setting_that_is_not_allowed_is_seen(tmp_path: Path) -> None:
    page = (
        "    sudo tee /etc/scanside/scanside.toml <<'TOML'\n    [kiosk]\n    profile = \"clinic\"\n    TOML\n"
    )
    (text,) = settings_in(page)
    with pytest.raises(ConfigError, match="profile"):
        taken(text, tmp_path)


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_are_there(page: Path) -> None:
    assert unknown_commands(page.read_text(encoding="utf-8")) == []


def test_a_command_that_is_gone_is_seen() -> None:
    assert unknown_commands("    sudo scanside doctor\n    scanside diagnose now\n") == ["diagnose now"]


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_the_units_that_a_page_adds_to_are_there(page: Path) -> None:
    named = {match["unit"] for match in DROP_IN.finditer(page.read_text(encoding="utf-8"))}
    assert [unit for unit in named if not (FOLDER / "packaging" / "systemd" / unit).exists()] == []
