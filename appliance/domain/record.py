# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Nouns to JSON and back, checked both ways.

Rows and files hold nouns as JSON text. Reading back is strict: an unknown or missing field is an error,
never a default.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

T = TypeVar("T")


_ADAPTERS: Final[dict[type[Any], TypeAdapter[Any]]] = {}
"""Building a validator takes milliseconds; using one, microseconds."""


def _adapter(noun: type[Any]) -> TypeAdapter[Any]:
    adapter = _ADAPTERS.get(noun)
    if adapter is None:
        noun.__pydantic_config__ = ConfigDict(extra="forbid")
        adapter = _ADAPTERS[noun] = TypeAdapter(noun)
    return adapter


def to_json(noun: object) -> str:
    """The noun as compact JSON text."""
    return _adapter(type(noun)).dump_json(noun).decode("utf-8")


def to_plain(noun: object) -> dict[str, Any]:
    """The noun as dicts, lists, strings and numbers."""
    plain = _adapter(type(noun)).dump_python(noun, mode="json")
    assert isinstance(plain, dict)  # every noun is a dataclass
    return plain


def from_json(noun: type[T], text: str) -> T:
    """The noun that `text` describes. Raises ValueError naming the field when it does not fit."""
    try:
        value: T = _adapter(noun).validate_json(text)
    except ValidationError as error:
        raise ValueError(f"not a {noun.__name__}: {error}") from error
    return value


def from_plain(noun: type[T], plain: object) -> T:
    """The noun that plain dicts and lists describe. Raises ValueError naming the field."""
    try:
        value: T = _adapter(noun).validate_python(plain)
    except ValidationError as error:
        raise ValueError(f"not a {noun.__name__}: {error}") from error
    return value
