# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a tap asks of the store, as values: written durably by the poller, and told when that fails. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from appliance.store.connection import Database
from appliance.store.opinions import Act, FirstLook, Opinions, Stance, Subject
from ui.records import ExamRecord


class Command(Protocol):
    """One tap of a person, on its way to the store."""

    @property
    def exam_id(self) -> str:
        """The exam that it is about."""

    @property
    def about(self) -> tuple[object, ...]:
        """The same for two taps of which only the later one counts."""

    def apply(self, database: Database) -> None:
        """Write it, durably. Raises StoreError: then nothing was written."""

    def is_in(self, exam: ExamRecord) -> bool:
        """Whether a reading of that exam shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionCommand:
    """Agree, disagree or unsure."""

    subject: Subject
    stance: Stance

    @property
    def exam_id(self) -> str:
        """The exam that it is about."""
        return self.subject.acquisition_id

    @property
    def about(self) -> tuple[object, ...]:
        """The finding."""
        return (self.exam_id, self.subject.version, self.subject.task, self.subject.code)

    def apply(self, database: Database) -> None:
        """Append the opinion."""
        Opinions(database).give(self.subject, self.stance)

    def is_in(self, exam: ExamRecord) -> bool:
        """The newest opinion on that finding is this one; or the images have changed, so none is."""
        if exam.entry.version != self.subject.version:
            return True
        return any((o.subject, o.stance) == (self.subject, self.stance) for o in exam.opinions)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeedCommand:
    """Seen, told, escalated, looked first, or asked for the AI."""

    exam_id: str
    version: int
    act: Act
    first_look: FirstLook | None = None

    @property
    def about(self) -> tuple[object, ...]:
        """The act on this version."""
        return (self.exam_id, self.version, self.act)

    def apply(self, database: Database) -> None:
        """Write the deed, unless there is one already."""
        Opinions(database).did(self.exam_id, self.version, self.act, first_look=self.first_look)

    def is_in(self, exam: ExamRecord) -> bool:
        """It is done; or the images have changed, so it is not about them."""
        return exam.entry.version != self.version or exam.deed(self.act) is not None


class Pending:
    """The taps that the store does not show yet, in the order in which they came."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Command, str]] = []

    def add(self, command: Command) -> None:
        """A tap that has just been made; it counts instead of an older one about the same."""
        self._waiting = [(c, why) for c, why in self._waiting if c.about != command.about]
        self._waiting.append((command, ""))

    def failed(self, command: object, why: str) -> None:
        """It could not be written, and why."""
        self._waiting = [(c, why if c is command else old) for c, old in self._waiting]

    def forget_saved(self, exams: tuple[ExamRecord, ...]) -> None:
        """What a reading shows is saved; so is nothing of an exam that has left the board."""
        by_id = {exam.entry.acquisition_id: exam for exam in exams}
        self._waiting = [
            (c, why) for c, why in self._waiting if c.exam_id in by_id and not c.is_in(by_id[c.exam_id])
        ]

    def notice(self, exam_id: str | None) -> tuple[bool, str]:
        """Whether a tap on this exam is still on its way, and the newest failure in words ("" for none)."""
        mine = [why for command, why in self._waiting if command.exam_id == exam_id]
        failures = [why for why in mine if why]
        return bool(mine), failures[-1] if failures else ""
