# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Operating points that this site has moved within the range that the model card signs. Never changed.

A threshold belongs to one release of one model: what was tuned for one misjudges with another. So a change
holds only while the very release serves that it was made for; with any other the signed one holds again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from appliance.domain.card import Label, ModelCard
from appliance.domain.finding import Code, LocalThreshold
from appliance.errors import ConfigError
from appliance.store.connection import Database, Row

APPLIANCE: Final = "appliance"
"""Who decides when a release that the change was not made for comes into service."""
CodeKey = tuple[str, str]
"""Value and scheme of a code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdChange:
    """One row of the ledger."""

    task: str
    code_value: str
    code_scheme: str
    name: str
    version: str
    release: int
    sensitive_threshold: float
    specific_threshold: float
    """The signed range at that time."""
    old_threshold: float
    new_threshold: float
    decided_by: str
    role: str
    why: str
    record: dict[str, Any]
    """What a predetermined change control plan asks to be kept: description, protocol, impact."""
    decided_at_utc: str

    @property
    def is_local(self) -> bool:
        """The operating point is not the signed one."""
        return self.new_threshold != self.sensitive_threshold

    def is_for(self, card: ModelCard, label: Label) -> bool:
        """It was made for exactly this release and this range."""
        return (self.name, self.version, self.release) == (card.name, card.version, card.release) and (
            self.sensitive_threshold,
            self.specific_threshold,
        ) == (label.sensitive_threshold, label.specific_threshold)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatory:
    """Who decided, and why."""

    decided_by: str
    role: str
    """Whose PIN was given."""
    why: str


_COLUMNS: Final = (
    "task, code_value, code_scheme, name, version, release, sensitive_threshold, specific_threshold,"
    " old_threshold, new_threshold, decided_by, role, why, record, decided_at_utc"
)


class Thresholds:
    """The ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def in_force(self, card: ModelCard) -> dict[CodeKey, LocalThreshold]:
        """Labels of this release whose operating point this site has moved."""
        moved = {}
        for label in card.labels:
            newest = self.newest(card.task, label.code)
            if newest is not None and newest.is_local and newest.is_for(card, label):
                moved[label.code.value, label.code.scheme] = LocalThreshold(
                    in_force=newest.new_threshold,
                    signed=label.sensitive_threshold,
                    decided_at_utc=newest.decided_at_utc,
                )
        return moved

    def move(
        self, card: ModelCard, label: Label, to: float, *, by: Signatory, record: dict[str, Any]
    ) -> ThresholdChange:
        """Move the operating point, durably; it holds from the next image on.

        Raises ConfigError, with nothing changed, when `to` lies outside the signed range.
        """
        low, high = label.sensitive_threshold, label.specific_threshold
        if not low <= to <= high:
            raise ConfigError(
                f"{to:g} lies outside the signed range of {label.code.meaning}: {low:g} to {high:g} "
                f"({card.identity}, release {card.release}). Nothing was changed.",
                remedy="Choose a value within the range. What lies outside was never tested: it takes a new "
                "release of the model.",
            )
        local = self.in_force(card).get((label.code.value, label.code.scheme))
        old = label.sensitive_threshold if local is None else local.in_force
        return self._append(card, label, old=old, new=to, by=by, record=record)

    def give_back(self, card: ModelCard) -> tuple[ThresholdChange, ...]:
        """This release serves: what was moved for another one goes back to the signed threshold.

        Returns what was taken back. It does not return by itself when the old release does.
        """
        taken = []
        for label in card.labels:
            newest = self.newest(card.task, label.code)
            if newest is None or not newest.is_local or newest.is_for(card, label):
                continue
            why = (
                f"It was set for {newest.name} {newest.version}, release {newest.release}; now {card.name} "
                f"{card.version}, release {card.release}, serves, and the signed threshold holds."
            )
            taken.append(
                self._append(
                    card,
                    label,
                    old=newest.new_threshold,
                    new=label.sensitive_threshold,
                    by=Signatory(decided_by=APPLIANCE, role=APPLIANCE, why=why),
                    record={},
                )
            )
        return tuple(taken)

    def newest(self, task: str, code: Code) -> ThresholdChange | None:
        """The last word on this label; None: nobody ever moved it."""
        rows = self._database.read(
            f"SELECT {_COLUMNS} FROM threshold_change"  # noqa: S608  (names of columns)
            " WHERE task = ? AND code_value = ? AND code_scheme = ? ORDER BY change_id DESC LIMIT 1",
            (task, code.value, code.scheme),
        )
        return _change(rows[0]) if rows else None

    def every(self) -> tuple[ThresholdChange, ...]:
        """All changes, oldest first."""
        rows = self._database.read(
            f"SELECT {_COLUMNS} FROM threshold_change ORDER BY change_id"  # noqa: S608  (names of columns)
        )
        return tuple(_change(row) for row in rows)

    def _append(
        self,
        card: ModelCard,
        label: Label,
        *,
        old: float,
        new: float,
        by: Signatory,
        record: dict[str, Any],
    ) -> ThresholdChange:
        row = (
            *(card.task, label.code.value, label.code.scheme, card.name, card.version, card.release),
            *(label.sensitive_threshold, label.specific_threshold, old, new),
            *(by.decided_by, by.role, by.why, json.dumps(record, sort_keys=True)),
            self._database.clock.now_utc().isoformat(),
        )
        with self._database.transaction() as write:
            write(
                f"INSERT INTO threshold_change ({_COLUMNS})"  # noqa: S608  (names of columns)
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
        return _change(row)


def _change(row: Row) -> ThresholdChange:
    names = _COLUMNS.replace(",", "").split()
    return ThresholdChange(**dict(zip(names, row, strict=True)) | {"record": json.loads(row[13])})
