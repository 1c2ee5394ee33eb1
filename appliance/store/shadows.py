# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What models in the shadow said. Kept apart from results: nothing that shows or sends results reads it."""

from __future__ import annotations

from appliance.domain.job import Lane
from appliance.domain.record import from_json, to_json
from appliance.domain.result import LaneResult
from appliance.domain.shadow import ShadowAnswer, ShadowNight
from appliance.store.connection import Database


class Shadows:
    """The answers, and how far each shadow has come."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def next_result(self, task: str, release: str, *, lane: Lane) -> tuple[int, LaneResult] | None:
        """The oldest result of the lane that this shadow has not looked at; None when there is none.

        A new shadow begins with what comes from now on.
        """
        rows = self._database.read(
            "SELECT result_rowid FROM shadow_position WHERE task = ? AND release = ?", (task, release)
        )
        if not rows:
            with self._database.transaction() as write:
                write(
                    "INSERT OR IGNORE INTO shadow_position (task, release, result_rowid)"
                    " SELECT ?, ?, coalesce(max(rowid), 0) FROM result",
                    (task, release),
                )
            return None
        found = self._database.read(
            "SELECT rowid, record FROM result WHERE rowid > ? AND lane = ? ORDER BY rowid LIMIT 1",
            (rows[0][0], lane.value),
        )
        return (int(found[0][0]), from_json(LaneResult, found[0][1])) if found else None

    def looked(self, task: str, release: str, rowid: int, answer: ShadowAnswer | None) -> None:
        """The shadow is through with that result; None: it had nothing to say to it."""
        with self._database.transaction() as write:
            write(
                "UPDATE shadow_position SET result_rowid = ? WHERE task = ? AND release = ?",
                (rowid, task, release),
            )
            if answer is not None:
                write(
                    "INSERT OR REPLACE INTO shadow_answer (task, release, acquisition_id, version, record)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (task, release, answer.acquisition_id, answer.version, to_json(answer)),
                )

    def answers(self, task: str, release: str) -> tuple[ShadowAnswer, ...]:
        """All of one shadow, in the order in which they were given."""
        rows = self._database.read(
            "SELECT record FROM shadow_answer WHERE task = ? AND release = ? ORDER BY rowid", (task, release)
        )
        return tuple(from_json(ShadowAnswer, record) for (record,) in rows)

    def releases(self) -> tuple[tuple[str, str], ...]:
        """Task and release of every shadow that ever said something here."""
        rows = self._database.read("SELECT DISTINCT task, release FROM shadow_answer ORDER BY task, release")
        return tuple((task, release) for task, release in rows)

    def answers_after(self, task: str, release: str, rowid: int) -> tuple[tuple[int, ShadowAnswer], ...]:
        """Those that were given behind that row, with theirs."""
        rows = self._database.read(
            "SELECT rowid, record FROM shadow_answer WHERE task = ? AND release = ? AND rowid > ?"
            " ORDER BY rowid",
            (task, release, rowid),
        )
        return tuple((int(number), from_json(ShadowAnswer, record)) for number, record in rows)

    def night_position(self, task: str, release: str) -> tuple[str, int]:
        """The last night that was counted and its last row; ("", 0): none was."""
        rows = self._database.read(
            "SELECT night, last_rowid FROM shadow_night WHERE task = ? AND release = ?"
            " ORDER BY night DESC LIMIT 1",
            (task, release),
        )
        return (rows[0][0], int(rows[0][1])) if rows else ("", 0)

    def keep_night(self, night: ShadowNight, *, last_rowid: int) -> None:
        """Write a night down; it stays as it is."""
        with self._database.transaction() as write:
            write(
                "INSERT OR IGNORE INTO shadow_night (night, task, release, record, last_rowid)"
                " VALUES (?, ?, ?, ?, ?)",
                (night.night, night.task, night.release, to_json(night), last_rowid),
            )

    def nights(self, task: str, *, limit: int) -> tuple[ShadowNight, ...]:
        """The last ones of a task, newest first."""
        rows = self._database.read(
            "SELECT record FROM shadow_night WHERE task = ? ORDER BY night DESC, release LIMIT ?",
            (task, limit),
        )
        return tuple(from_json(ShadowNight, record) for (record,) in rows)

    def last_nights(self) -> tuple[ShadowNight, ...]:
        """The newest one of each task."""
        rows = self._database.read(
            "SELECT record FROM shadow_night n WHERE rowid = (SELECT m.rowid FROM shadow_night m"
            " WHERE m.task = n.task ORDER BY m.night DESC, m.rowid DESC LIMIT 1)"
        )
        return tuple(from_json(ShadowNight, record) for (record,) in rows)
