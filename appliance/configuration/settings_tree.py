# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The tree of all settings: names below a path, and every value with its path."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any, Final

from pydantic import BaseModel

ENV_PREFIX: Final = "SCANSIDE__"

Path = tuple[str | int, ...]


def environment_name(path: Path) -> str:
    """The variable of the environment that sets what is at `path`."""
    return ENV_PREFIX + "__".join(str(part).upper() for part in path)


def children_of(model: type[BaseModel], path: Path) -> list[str]:
    """Names that a table at `path` may have; none where that is no table."""
    for part in path:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        inner = _model_in(field.annotation) if field is not None else None
        if inner is None:
            return []
        model = inner
    return list(model.model_fields)


def leaves_of(model: BaseModel, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value that is no table, in the order of the page of settings; tables in lists one by one."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        here = (*path, name)
        if isinstance(value, BaseModel):
            yield from leaves_of(value, here)
        elif isinstance(value, tuple) and value and all(isinstance(one, BaseModel) for one in value):
            for number, one in enumerate(value):
                yield from leaves_of(one, (*here, number))
        else:
            yield here, value


def _model_in(kind: Any) -> type[BaseModel] | None:
    """The table's type in an annotation such as `tuple[PeerSettings, ...]`."""
    for one in (kind, *typing.get_args(kind)):
        if isinstance(one, type) and issubclass(one, BaseModel):
            return one
    return None
