# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A table of plain text, for Markdown and for pages alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Head and rows of plain text; `**` stands around what is bold."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """Without a final newline."""
        lines = [self.head, ("---",) * len(self.head), *self.rows]
        return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Of any sequences."""
    return Table(head=tuple(head), rows=tuple(tuple(row) for row in rows))
