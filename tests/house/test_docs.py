# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The documents keep up with the program: commands, options, exit codes, the data folder, links."""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import ExitCode
from appliance.layout import Layout
from appliance.processes.table import EVERY_ROW

FilesOf = Callable[[Path], list[Path]]

LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")


def anchors_of(text: str) -> set[str]:
    """The anchors of a page's headings, as the usual renderers make them."""
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(pages: list[Path]) -> list[str]:
    """Relative links of Markdown pages whose file or heading does not exist."""
    broken = []
    for page in pages:
        for match in LINK.finditer(page.read_text(encoding="utf-8")):
            target, _, anchor = match["target"].partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            file = (page.parent / target) if target else page
            missing = not file.exists() or (
                anchor and anchor not in anchors_of(file.read_text(encoding="utf-8"))
            )
            if missing:
                broken.append(f"{page.name}: {match['target']}")
    return broken


def commands_of(command: Any, path: str) -> Iterator[tuple[str, list[str]]]:
    """Every command under its full name, with the long names of its options and arguments."""
    children = getattr(command, "commands", {})
    if not children:
        names = [
            next((name for name in parameter.opts if name.startswith("--")), (parameter.name or "").upper())
            for parameter in command.params
        ]
        yield path, [name for name in names if name != "--help"]
    for name, child in children.items():
        yield from commands_of(child, f"{path} {name}")


def undocumented(text: str, commands: list[tuple[str, list[str]]]) -> list[str]:
    """Commands without a section of their own, and options that their section does not name."""
    sections: dict[str, str] = dict(
        re.findall(r"^#+ `(scanside[^`]*)`\n(.*?)(?=^#+ |\Z)", text, re.MULTILINE | re.DOTALL)
    )
    absent = []
    for name, options in commands:
        body = sections.get(name)
        if body is None:
            absent.append(name)
            continue
        absent += [f"{name} {option}" for option in options if f"`{option}" not in body]
    known = {name for name, _ in commands}
    return absent + [f"{title}: no such command" for title in sections if title not in known]


def fields_of(page: str) -> list[str]:
    """The fields that the page of the JSON lines explains, in order."""
    table = page.split("\n## ", maxsplit=1)[0]
    return re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE)


@pytest.fixture(scope="module")
def commands_page(repository: Path) -> str:
    """docs/commands.md."""
    return (repository / "docs" / "commands.md").read_text(encoding="utf-8")


def test_links_lead_somewhere(repository: Path) -> None:
    assert broken_links([*repository.glob("*.md"), *(repository / "docs").rglob("*.md")]) == []


def test_a_broken_link_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A b\n[a](#a-b) [b](gone.md) [c](page.md#gone) [d](https://example.org)\n", encoding="utf-8"
    )
    assert broken_links([page]) == ["page.md: gone.md", "page.md: page.md#gone"]


def test_every_exit_code_is_explained(commands_page: str) -> None:
    codes = {name: code for name, code in vars(ExitCode).items() if name.isupper()}
    assert codes
    for code in codes.values():
        assert re.search(rf"^\| {code} \| \S", commands_page, re.MULTILINE), code
    assert set(map(int, re.findall(r"^\| (\d+) \|", commands_page, re.MULTILINE))) == set(codes.values())


def test_every_part_of_the_data_folder_is_explained(repository: Path) -> None:
    page = (repository / "docs" / "data-folder.md").read_text(encoding="utf-8")
    layout = Layout(data=Path("DIR"))
    parts = [getattr(layout, name) for name, value in vars(Layout).items() if isinstance(value, property)]
    assert parts
    for part in parts:
        assert f"| `{part.relative_to('DIR').as_posix()}`" in page.replace("/`", "`"), part


def unnamed_folders(page: str, folders: list[str]) -> list[str]:
    """Folders that the table of the page has no row for."""
    return [folder for folder in folders if f"| `{folder}/`" not in page]


def test_the_architecture_names_every_folder_and_process(repository: Path, files_of: FilesOf) -> None:
    page = (repository / "ARCHITECTURE.md").read_text(encoding="utf-8")
    paths = [path.relative_to(repository).parts for path in files_of(repository)]
    folders = {f"appliance/{path[1]}" for path in paths if path[0] == "appliance" and len(path) > 2}
    folders |= {path[0] for path in paths if len(path) > 1} - {"LICENSES", "appliance"}
    assert unnamed_folders(page, sorted(folder for folder in folders if not folder.startswith("."))) == []
    assert [row.name for row in EVERY_ROW if f"| {row.name} |" not in page] == []


def test_an_unnamed_folder_is_seen() -> None:
    assert unnamed_folders("| `ui/` | screen |\n", ["ui", "attic"]) == ["attic"]


def test_every_command_and_option_is_explained(commands_page: str) -> None:
    if importlib.util.find_spec("appliance.cli") is None:
        pytest.skip("this tree has no command yet")
    typer_main = importlib.import_module("typer.main")
    app = importlib.import_module("appliance.cli").app
    commands = list(commands_of(typer_main.get_command(app), "scanside"))
    assert undocumented(commands_page, commands) == []


def test_the_json_page_is_the_contract(repository: Path) -> None:
    if importlib.util.find_spec("appliance.pipeline.report") is None:
        pytest.skip("this tree prints no lines yet")
    report = importlib.import_module("appliance.pipeline.report")
    page = (repository / "docs" / "json.md").read_text(encoding="utf-8")
    line = report.set_aside_line(file="a", status="quarantined", reason="why")
    assert fields_of(page) == list(line)
    assert f"Version of this contract: {report.SCHEMA}." in page
    assert f"| `{line['status']}` |" in page


def test_a_field_in_another_table_is_no_field() -> None:
    assert fields_of("| `a` | text |\n## Status\n| `done` | all |\n") == ["a"]


def test_an_unexplained_option_is_seen() -> None:
    page = "## `scanside run`\n`--data DIR`: where.\n## `scanside gone`\nWas here once.\n"
    commands = [("scanside run", ["--data", "--config"]), ("scanside demo", [])]
    assert undocumented(page, commands) == [
        "scanside run --config",
        "scanside demo",
        "scanside gone: no such command",
    ]
