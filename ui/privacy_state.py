# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The screen without its patients, for eyes that are not at work: one function over the whole state. No Qt.

It walks every frozen value that it is given, so a panel that is added later is masked without being told.
What identifies somebody is found by the names of the fields, and then looked for in every other text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, Final, TypeVar, cast

from ui.language import tr
from ui.plain_text import initials, person_name

State = TypeVar("State")

_NAMES: Final = frozenset({"name", "patient_name"})
_NAMED_BY: Final = frozenset({"exam_id", "patient_id"})
"""A `name` is a person's only beside one of these: a step of the work has a name, too."""
_IDS: Final = frozenset({"patient_id"})
_BIRTH_DATES: Final = frozenset({"birth_date", "patient_birth_date"})
_KEPT: Final = frozenset({"exam_id", "version", "word", "question", "measured", "number", "code"})
"""Made by this device or its models, never from a header. Left as they are, so that a family called "High"
or "Lung" takes nothing away from what the screen says of the image."""
_SHORTEST: Final = 4
"""Letters or digits from which a part of a name, or an ID, is looked for in other texts: shorter ones are
parts of our own words and measurements."""
_DATE: Final = re.compile(r"\d{4}-?\d{2}-?\d{2}")


class Mask(str, Enum):
    """What stands in the place of a name."""

    INITIALS = "initials"
    """"M. G.": who works here still knows whose turn it is."""
    WALL = "wall"
    """Sex and age: on a board that a waiting room can read, no letter of a name."""


def masked(state: State, mask: Mask = Mask.INITIALS) -> State:
    """`state`, a frozen value with others in it, without any name, ID or birth date of a patient."""
    secrets: dict[str, str] = {}
    for holder in _values(state):
        secrets.update(_secrets_of(holder, mask))
    return cast("State", _without(state, _Scrubber(secrets), mask))


def _values(node: Any) -> Iterator[Any]:
    """Every dataclass instance in `node`, itself included."""
    if is_dataclass(node) and not isinstance(node, type):
        yield node
        for field in fields(node):
            yield from _values(getattr(node, field.name))
    elif isinstance(node, tuple | list | frozenset):
        for item in node:
            yield from _values(item)
    elif isinstance(node, dict):
        for item in node.values():
            yield from _values(item)


def _identity_of(holder: Any) -> Iterator[tuple[str, str]]:
    """Name and text of the fields of one value that tell who somebody is."""
    names = {field.name for field in fields(holder)}
    for name in names:
        text = getattr(holder, name)
        person = name in _NAMES and (name == "patient_name" or bool(names & _NAMED_BY))
        if isinstance(text, str) and text and (person or name in _IDS | _BIRTH_DATES):
            yield name, text


def _stand_in(holder: Any, name: str, text: str, mask: Mask) -> str:
    if name in _IDS:
        return tr("ID hidden")
    if name in _BIRTH_DATES:
        return tr("birth date hidden")
    if mask is Mask.WALL:
        return str(getattr(holder, "sex_age", "")) or "-"
    return text if text == person_name(None) else initials(text)


def _secrets_of(holder: Any, mask: Mask) -> Iterator[tuple[str, str]]:
    for name, text in _identity_of(holder):
        if name in _IDS:
            yield from ((word, "…") for word in {text, *text.split()} if _long_enough(word))
        elif name in _BIRTH_DATES:
            for date in _DATE.findall(text):
                digits = date.replace("-", "")
                yield from ((form, "…") for form in (digits, f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"))
        elif text != person_name(None):
            yield text, _stand_in(holder, name, text, mask)
            for part in {*re.findall(r"[^\s,()]+", text), *re.findall(r"[^\W_]+", text)}:
                if _long_enough(part):
                    yield part, f"{part[0]}." if mask is Mask.INITIALS else "…"


def _long_enough(text: str) -> bool:
    return sum(character.isalnum() for character in text) >= _SHORTEST


class _Scrubber:
    """Takes what is known of patients out of a text."""

    def __init__(self, secrets: dict[str, str]) -> None:
        self._by_folded = {secret.casefold(): shown for secret, shown in secrets.items()}
        longest_first = sorted(self._by_folded, key=len, reverse=True)
        words = "|".join(re.escape(secret) for secret in longest_first)
        self._pattern = re.compile(words, re.IGNORECASE) if words else None

    def clean(self, text: str) -> str:
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda hit: self._by_folded.get(hit.group().casefold(), "…"), text)


def _without(node: Any, scrubber: _Scrubber, mask: Mask) -> Any:
    if isinstance(node, Enum):
        return node
    if isinstance(node, str):
        return scrubber.clean(node)
    if is_dataclass(node) and not isinstance(node, type):
        return _holder_without(node, scrubber, mask)
    if isinstance(node, tuple):
        return tuple(_without(item, scrubber, mask) for item in node)
    return node


def _holder_without(holder: Any, scrubber: _Scrubber, mask: Mask) -> Any:
    shown = {name: _stand_in(holder, name, text, mask) for name, text in _identity_of(holder)}
    changed: dict[str, Any] = {}
    for field in fields(holder):
        before = getattr(holder, field.name)
        if field.name in shown:
            after: Any = shown[field.name]
        elif field.name in _KEPT and isinstance(before, str):
            after = before
        else:
            after = _without(before, scrubber, mask)
        if after != before:
            changed[field.name] = after
    return replace(holder, **changed) if changed else holder
