# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Older forms of the settings file: what was moved or dropped since, and how a file is brought up to date.

A file says its form in `settings_version`; one that says nothing is of form 1, the first. Whoever moves or
drops a setting raises CURRENT_FORM and adds a line to CHANGES: the old name then goes on working, and is
told of, until `scanside config migrate` has written the file anew. Nothing is changed without saying so.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

from appliance.errors import ConfigError

VERSION_KEY: Final = "settings_version"
CURRENT_FORM: Final = 1
"""Of this software."""
FIRST_FORM: Final = 1
EACH: Final = "[]"
"""Behind the name of a list of tables: in each of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One setting that is elsewhere, or nowhere, since a form."""

    since: int
    """The first form without the old name."""
    old: str
    """Dotted, `[]` behind a list of tables: `sender.peers[].timeout_s`."""
    new: str | None
    """Its new name, within the same table of the same list if `old` has a list; None: it was dropped."""
    why: str
    """For the person whose file it is."""

    @property
    def words(self) -> str:
        """What happened to it."""
        goes = "was dropped" if self.new is None else f"is now {self.new}"
        return f"{self.old} {goes}: {self.why}"


CHANGES: Final[tuple[Change, ...]] = ()
"""Oldest first. Empty: the first form is the current one."""

Table = MutableMapping[str, Any]


def form_of(content: Table, *, current: int = CURRENT_FORM) -> int:
    """Which form a file has. Raises ConfigError for one that is no form, or is newer than this software."""
    form = content.get(VERSION_KEY, FIRST_FORM)
    if not isinstance(form, int) or isinstance(form, bool) or form < FIRST_FORM:
        raise ConfigError(
            f"{VERSION_KEY} = {form!r} is no form of the settings: it goes from {FIRST_FORM} to {current}.",
            remedy=f"Write {VERSION_KEY} = {current}, or leave the line out of a file of the first form.",
        )
    if form > current:
        raise ConfigError(
            f"The settings are of form {form}; this software knows {current}.",
            remedy="Install the newer Scanside again, or take the file that it kept beside this one.",
        )
    return int(form)


def bring_up_to_date(
    content: Table, *, changes: tuple[Change, ...] = CHANGES, current: int = CURRENT_FORM
) -> tuple[Change, ...]:
    """Move and drop in place what an older form has; returns what was done.

    Takes what a TOML parser gives, plain or with its layout kept. Raises ConfigError when both an old name
    and its new one are set, and for a form that is not known.
    """
    form = form_of(content, current=current)
    done = tuple(change for change in changes if change.since > form and _apply(content, change))
    if done:
        content[VERSION_KEY] = current
    return done


def _apply(content: Table, change: Change) -> bool:
    before, of_list, inside = change.old.rpartition(f"{EACH}.")
    if not of_list:
        return _move(content, change.old, change.new, change)
    prefix = f"{before}{EACH}."
    new = None if change.new is None else change.new.removeprefix(prefix)
    moved = [_move(table, inside, new, change) for table in _tables(content, before)]
    return any(moved)


def _tables(content: Table, path: str) -> Iterator[Table]:
    """The tables of a list at a dotted path; none where there is no such list."""
    value: Any = content
    for part in path.split("."):
        value = value.get(part) if isinstance(value, MutableMapping) else None
    if isinstance(value, list):
        yield from (table for table in value if isinstance(table, MutableMapping))


def _move(content: Table, old: str, new: str | None, change: Change) -> bool:
    *above, name = old.split(".")
    table: Any = content
    for part in above:
        table = table.get(part) if isinstance(table, MutableMapping) else None
    if not isinstance(table, MutableMapping) or name not in table:
        return False
    value = table.pop(name)
    if new is None:
        return True
    *above, name = new.split(".")
    target = content
    for part in above:
        target = target.setdefault(part, {})
    if name in target:
        raise ConfigError(
            f"Both {change.old} and {change.new} are set; the second is the new name of the first.",
            remedy=f"Keep {change.new} and remove the other line.",
        )
    target[name] = value
    return True
