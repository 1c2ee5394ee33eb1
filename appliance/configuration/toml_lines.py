# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A TOML text that may be broken: what can be read of it, on which line each key stands, and every fault.

The standard library's parser stops at the first fault and forgets lines. So it is given one statement at a
time: a line, and those after it for as long as it only misses the end of an array or a text.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Path = tuple[str | int, ...]
"""Keys from the root of the file, numbers for places in a list."""
_HEADER: Final = re.compile(r"\s*\[")
_STARTS: Final = re.compile(r"\s*(\[|[A-Za-z0-9_\"'.\- ]+=)")
"""A table's name or a key: where reading goes on after a broken statement."""
_WHERE: Final = re.compile(r" \(at (line \d+, column \d+|end of document)\)$")
_UNFINISHED: Final = "at end of document"


@dataclass(frozen=True, slots=True, kw_only=True)
class TomlFault:
    """One thing that is no TOML."""

    line: int
    why: str


@dataclass(slots=True)
class TomlText:
    """What was found; `content` is whole only without faults."""

    content: dict[str, Any] = field(default_factory=dict)
    lines: dict[Path, int] = field(default_factory=dict)
    faults: list[TomlFault] = field(default_factory=list)
    tables: set[Path] = field(default_factory=set)
    """Those that have a line of their own."""

    def line_of(self, path: Path) -> int | None:
        """The line of a key, or of the nearest table around it; None: nothing of it stands in the file."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None


def read_toml(text: str) -> TomlText:
    """Everything that can be said of a text. Never raises."""
    found = TomlText()
    table: Path | None = ()
    for line, statement in _statements(text, found.faults):
        is_header = statement.lstrip().startswith("[")
        try:
            if is_header:
                table = None  # below a name that is none, nobody can say where a key belongs
                table = _open_table(found, tomllib.loads(statement), line)
            elif table is not None and (part := tomllib.loads(statement)):
                _merge(found, table, part, line)
        except _TwiceError as error:
            found.faults.append(TomlFault(line=line, why=str(error)))
    found.faults.sort(key=lambda fault: fault.line)
    if not found.faults:
        found.content = _as_a_whole(text, found)
    return found


class _TwiceError(Exception):
    """A key or table that was there before."""


def _statements(text: str, faults: list[TomlFault]) -> Iterator[tuple[int, str]]:
    """Each statement with the number of its first line; what is none goes into `faults`."""
    rows = text.split("\n")
    at = 0
    while at < len(rows):
        end, why = _statement_end(rows, at)
        if why is None:
            yield at + 1, "\n".join(rows[at:end])
        else:
            faults.append(TomlFault(line=at + 1, why=why))
            goes_on = _HEADER if rows[at].lstrip().startswith("[") else _STARTS
            while end < len(rows) and not goes_on.match(rows[end]):
                end += 1
        at = end


def _statement_end(rows: list[str], at: int) -> tuple[int, str | None]:
    """One past its last line, and why it is none."""
    why: str | None = None
    for end in range(at + 1, len(rows) + 1):
        try:
            tomllib.loads("\n".join(rows[at:end]) + "\n")
        except tomllib.TOMLDecodeError as error:
            if why is None or _UNFINISHED in str(error):
                why = _WHERE.sub("", str(error))
            if _UNFINISHED not in str(error):
                break
        except RecursionError:
            return at + 1, "Nested too deeply"
        else:
            return end, None
    return at + 1, why


def _open_table(found: TomlText, part: dict[str, Any], line: int) -> Path:
    """The path of `[a.b]` or `[[a.b]]`, which is made in the content."""
    names: list[str] = []
    value: Any = part
    while isinstance(value, dict) and value:
        ((name, value),) = value.items()
        names.append(name)
    path = _resolved(found, names[:-1])
    above = _table_at(found, path, line)
    last, whole = names[-1], ".".join(names)
    if isinstance(value, list):
        entries = above.setdefault(last, [])
        if not isinstance(entries, list):
            raise _TwiceError(f"[[{whole}]] is a list here and something else above")
        entries.append({})
        found.lines.setdefault((*path, last), line)
        path = (*path, last, len(entries) - 1)
    else:
        path = (*path, last)
        if path in found.tables:
            raise _TwiceError(f"[{whole}] stands here for the second time; first on line {found.lines[path]}")
        if not isinstance(above.setdefault(last, {}), dict):
            raise _TwiceError(f"[{whole}] is a table here and something else above")
        found.tables.add(path)
    found.lines[path] = line
    return path


def _resolved(found: TomlText, names: list[str]) -> Path:
    """Names of tables as a path: of a list its last table is meant."""
    path: list[str | int] = []
    value: Any = found.content
    for name in names:
        path.append(name)
        value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, list) and value:
            path.append(len(value) - 1)
            value = value[-1]
    return tuple(path)


def _table_at(found: TomlText, path: Path, line: int) -> dict[str, Any]:
    value: Any = found.content
    for position, key in enumerate(path):
        if isinstance(key, int):
            value = value[key]
            continue
        if not isinstance(value, dict):
            raise _TwiceError(f"{path[position - 1]} is a table here and a value above")
        value = value.setdefault(key, {})
        found.lines.setdefault(path[: position + 1], line)
    if not isinstance(value, dict):
        raise _TwiceError(f"{path[-1]} is a table here and a value above")
    return value


def _merge(found: TomlText, table: Path, part: dict[str, Any], line: int) -> None:
    """One assignment into its table."""
    above = _table_at(found, table, line)
    path = table
    while True:
        ((name, value),) = part.items()
        path = (*path, name)
        if name not in above:
            above[name] = value
            _note_lines(found, path, value, line)
            return
        if not (isinstance(value, dict) and isinstance(above[name], dict)):
            first = found.line_of(path)
            raise _TwiceError(f"{name} is set for the second time; first on line {first}")
        above, part = above[name], value


def _note_lines(found: TomlText, path: Path, value: Any, line: int) -> None:
    found.lines[path] = line
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        _note_lines(found, (*path, key), one, line)


def _as_a_whole(text: str, found: TomlText) -> dict[str, Any]:
    """What the library makes of all of it: it has the last word."""
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        at = re.search(r"line (\d+)", str(error))
        found.faults.append(TomlFault(line=int(at[1]) if at else 1, why=_WHERE.sub("", str(error))))
        return found.content
