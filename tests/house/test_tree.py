# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What every file of the tree keeps to: licence header, length, finished work, no place but its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

FilesOf = Callable[[Path], list[Path]]
PlantTree = Callable[[dict[str, str]], Path]

PRODUCT = ("appliance", "export", "calibration", "ui", "benchmarks")
AIM_LINES = 300
"""A file fits a reading; a longer one stands in DECISIONS.md with its reason."""
MOST_LINES = 500
TEXT_SUFFIXES = frozenset(
    (".py", ".md", ".toml", ".txt", ".sh", ".sql", ".qss", ".svg", ".json", ".yml", ".yaml", ".service", "")
)

UNFINISHED = re.compile(
    r"\b(TODO|FIXME|XXX|HACK)\b|raise NotImplementedError|^(?!.*type: ignore).*\b(stub(bed)?|mock(s|ed)?)\b",
    re.IGNORECASE,
)
"""Words of unfinished or pretended work. (A library without type stubs may say so beside its ignore.)"""
HALF_MERGED = re.compile(r"^(<{7}|>{7}) ")
MACHINE = re.compile(
    r"(?<![\w.])/(?!opt/scanside\b)(home|Users|work|opt|farm|mnt|root|tmp/\w)/?[\w.]*/"
    r"|pypi\.org|pythonhosted|index-url[= ]https?:"
)
"""Folders of somebody's machine, and addresses of package indexes. /opt/scanside is an installed device's."""


def _relative(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def _is_in(root: Path, path: Path, folders: tuple[str, ...]) -> bool:
    return path.relative_to(root).parts[0] in folders


def without_licence_header(root: Path, files: list[Path]) -> list[str]:
    """Python and SQL files whose first two lines are not the two SPDX lines of their folder."""
    wrong = []
    for path in files:
        if path.suffix not in {".py", ".sql", ".sh"}:
            continue
        qt = _relative(root, path).startswith(("ui/", "tests/ui/"))
        licence = "GPL-3.0-or-later" if qt else "Apache-2.0"
        lines = path.read_text(encoding="utf-8").splitlines()
        if lines and lines[0].startswith("#!"):
            lines = lines[1:]
        head = [line.lstrip("#- ") for line in lines[:2]]
        # REUSE-IgnoreStart
        expected = [
            "SPDX-FileCopyrightText: 2026 The Scanside authors",
            f"SPDX-License-Identifier: {licence}",
        ]
        # REUSE-IgnoreEnd
        if head != expected:
            wrong.append(_relative(root, path))
    return wrong


def too_long(root: Path, files: list[Path], *, decided: str) -> list[str]:
    """Python files over the aim that `decided` does not name in backticks, and all over the limit."""
    wrong = []
    for path in files:
        if path.suffix != ".py":
            continue
        name = _relative(root, path)
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MOST_LINES or (lines > AIM_LINES and f"`{name}`" not in decided):
            wrong.append(f"{name}: {lines} lines")
    return wrong


def unfinished(root: Path, files: list[Path]) -> list[str]:
    """Lines of the product that speak of unfinished or pretended work."""
    return _lines_with(
        UNFINISHED, root, [path for path in files if path.suffix == ".py" and _is_in(root, path, PRODUCT)]
    )


def bound_to_a_machine(root: Path, files: list[Path]) -> list[str]:
    """Lines that name a folder of somebody's machine or the address of a package index."""
    return _lines_with(
        MACHINE,
        root,
        [
            path
            for path in files
            if path.suffix in TEXT_SUFFIXES and not _relative(root, path).startswith("LICENSES/")
        ],
    )


def half_merged(root: Path, files: list[Path]) -> list[str]:
    """Lines that a merge leaves behind where two changes met."""
    return _lines_with(HALF_MERGED, root, [path for path in files if path.suffix in TEXT_SUFFIXES])


def _lines_with(pattern: re.Pattern[str], root: Path, files: list[Path]) -> list[str]:
    found = []
    for path in files:
        if path == Path(__file__):
            continue  # the words stand here to be refused
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if pattern.search(line):
                found.append(f"{_relative(root, path)}:{number}: {line.strip()}")
    return found


def packages_where_none_may_be(root: Path, files: list[Path]) -> list[str]:
    """`__init__.py` under packaging/ (it would hide the library of that name) or tests/ (importlib mode)."""
    return [
        _relative(root, path)
        for path in files
        if path.name == "__init__.py" and _is_in(root, path, ("packaging", "tests"))
    ]


def test_every_file_says_its_licence(repository: Path, files_of: FilesOf) -> None:
    assert without_licence_header(repository, files_of(repository)) == []


def test_no_file_outgrows_a_reading(repository: Path, files_of: FilesOf) -> None:
    decided = (repository / "DECISIONS.md").read_text(encoding="utf-8")
    assert too_long(repository, files_of(repository), decided=decided) == []


def test_nothing_unfinished_ships(repository: Path, files_of: FilesOf) -> None:
    assert unfinished(repository, files_of(repository)) == []


def test_nothing_is_half_merged(repository: Path, files_of: FilesOf) -> None:
    assert half_merged(repository, files_of(repository)) == []


def test_nothing_is_bound_to_a_machine(repository: Path, files_of: FilesOf) -> None:
    assert bound_to_a_machine(repository, files_of(repository)) == []


def test_tests_and_packaging_are_no_packages(repository: Path, files_of: FilesOf) -> None:
    assert packages_where_none_may_be(repository, files_of(repository)) == []


# REUSE-IgnoreStart
APACHE = "# SPDX-FileCopyrightText: 2026 The Scanside authors\n# SPDX-License-Identifier: Apache-2.0\n"
# REUSE-IgnoreEnd


@pytest.mark.parametrize(
    ("guard", "name", "text"),
    [
        (without_licence_header, "appliance/bare.py", '"""No header."""\n'),
        (without_licence_header, "ui/screen.py", APACHE),
        (unfinished, "appliance/later.py", APACHE + "# TODO: the rest\n"),
        (unfinished, "export/later.py", APACHE + "raise NotImplementedError\n"),
        (unfinished, "ui/later.py", APACHE + "screen = StubScreen()  # a stub\n"),
        (half_merged, "docs/both.md", "<<<<<<" + "< ours\nword\n"),
        (bound_to_a_machine, "docs/where.md", "Look at /home/anna/scanside/notes.md\n"),
        (bound_to_a_machine, "packaging/constraints/x.txt", "--index-url https://example.org/simple\n"),
        (packages_where_none_may_be, "packaging/__init__.py", APACHE),
        (packages_where_none_may_be, "tests/store/__init__.py", APACHE),
    ],
)
def test_guard_refuses(
    guard: Callable[[Path, list[Path]], list[str]], name: str, text: str, plant: PlantTree, files_of: FilesOf
) -> None:
    root = plant({name: text, "appliance/good.py": APACHE + '"""Good."""\n'})
    (found,) = guard(root, files_of(root))
    assert found.startswith(name)


@pytest.mark.parametrize(
    ("lines", "decided", "refused"),
    [(301, "", 1), (301, "`appliance/a.py`", 0), (501, "`appliance/a.py`", 1)],
)
def test_long_files_need_a_decision_and_have_an_end(
    lines: int, decided: str, refused: int, plant: PlantTree, files_of: FilesOf
) -> None:
    root = plant({"appliance/a.py": "x = 1\n" * lines})
    assert len(too_long(root, files_of(root), decided=decided)) == refused
