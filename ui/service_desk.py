# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens behind the PIN: checking it, asking the receivers, counting the rejects. No widgets."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from appliance.clock import Clock
from appliance.config import Settings
from appliance.domain.audit import AuditEvent, AuditKind, AuditOutcome
from appliance.errors import DeliveryError, ScansideError
from appliance.layout import Layout
from appliance.pins import Role, load_pins
from appliance.store.audit import note_alone
from appliance.store.board import Board
from appliance.store.connection import Database
from appliance.store.decisions import Decisions
from appliance.updates.places import Software, read_software
from ui.language import tr
from ui.patient_state import exam_name
from ui.plain_text import LONGEST_SENTENCE, visible
from ui.service_state import (
    EchoLine,
    Fact,
    RejectState,
    echo_line,
    facts_of,
    not_asked,
    rejects_of,
    software_facts,
)

MOST_EXAMS: Final = 500
"""Newest exams whose view is looked up: more than the busiest day of PRODUCT.md has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PinAnswer:
    """What became of a PIN."""

    role: Role
    fits: bool
    trouble: str = ""
    """Why it could not be compared; "" when it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectAnswer:
    """The figures, or why there are none."""

    rejects: RejectState | None
    trouble: str = ""


class ServiceDesk:
    """Slow functions for an errand; each gives its answer as a value and raises nothing it expects."""

    def __init__(self, settings: Settings, layout: Layout, clock: Clock, *, root: Path | None = None) -> None:
        """`root`: of the two slots; None: this software does not run from one."""
        self._root = root
        self._settings = settings
        self._layout = layout
        self._clock = clock

    def locked(self, role: Role) -> str:
        """Why no PIN can open the page of `role`, with what to do; "" when there is one."""
        try:
            pins = load_pins(self._settings.kiosk.pins)
        except ScansideError as error:
            return visible(str(error), limit=LONGEST_SENTENCE)
        if pins.has(role):
            return ""
        return tr("Locked: no PIN is set. Run: {command}", command=f"scanside pin set {role.value}")

    def compare(self, role: Role, pin: bytes) -> PinAnswer:
        """Whether `pin` is that of `role`."""
        try:
            fits = load_pins(self._settings.kiosk.pins).verify(role, pin)
            self._note(AuditKind.PIN_ACCEPTED if fits else AuditKind.PIN_REFUSED, role)
            return PinAnswer(role=role, fits=fits)
        except ScansideError as error:
            return PinAnswer(role=role, fits=False, trouble=visible(str(error), limit=LONGEST_SENTENCE))

    def note_locked(self, role: Role) -> None:
        """So many wrong PINs that the keypad makes a pause."""
        self._note(AuditKind.PIN_LOCKED, role)

    def _note(self, kind: AuditKind, role: Role) -> None:
        """A row of the audit trail. A store that cannot be written must not lock out who could mend it."""
        layout = self._layout
        good = kind is AuditKind.PIN_ACCEPTED
        outcome = AuditOutcome.SUCCESS if good else AuditOutcome.MINOR_FAILURE
        event = AuditEvent(kind=kind, who=f"{role.value} at the screen", outcome=outcome)
        with (
            suppress(ScansideError),
            Database.open(layout.database, data=layout.data, clock=self._clock) as database,
        ):
            note_alone(database, event)

    def facts(self) -> tuple[Fact, ...]:
        """How this device is called."""
        known = facts_of(self._settings, self._layout, importlib.metadata.version("scanside"))
        software = self._software()
        return known if software is None else (*known, *software_facts(software))

    def way_back(self) -> str | None:
        """The version that ran before and can run again; None: there is none."""
        software = self._software()
        return None if software is None or not software.runs else software.back_to

    def wish_back(self) -> str:
        """Ask the launcher for the software that ran before; "" or why it cannot be asked."""
        wish = self._layout.update_wish
        event = AuditEvent(
            kind=AuditKind.UPDATE,
            who=f"{Role.SERVICE.value} at the screen",
            about=(("back to", self.way_back() or "nothing"),),
        )
        layout = self._layout
        try:
            with Database.open(layout.database, data=layout.data, clock=self._clock) as database:
                note_alone(database, event)
            wish.parent.mkdir(exist_ok=True)
            wish.touch()
        except ScansideError as error:
            return visible(str(error), limit=LONGEST_SENTENCE)
        except OSError as error:
            return visible(error.strerror or type(error).__name__)
        return ""

    def _software(self) -> Software | None:
        return None if self._root is None else read_software(self._root)

    def receivers(self) -> tuple[EchoLine, ...]:
        """The receivers, not asked yet."""
        return not_asked(self._settings.sender.peers)

    def ask_receivers(self, gives_up: Callable[[], bool]) -> tuple[EchoLine, ...]:
        """C-ECHO to each; those after `gives_up` stay unasked."""
        from appliance.outputs.dicom_send import echo  # noqa: PLC0415  a second of imports, needed here only

        lines = list(self.receivers())
        for index, peer in enumerate(self._settings.sender.peers):
            if gives_up():
                break
            try:
                echo(peer, self._settings)
                lines[index] = echo_line(peer, None)
            except DeliveryError as error:
                lines[index] = echo_line(peer, error)
        return tuple(lines)

    def count_rejects(self) -> RejectAnswer:
        """Decisions since midnight on the device's own clock."""
        layout = self._layout
        try:
            with Database.open_to_read(layout.database, data=layout.data, clock=self._clock) as database:
                decisions = Decisions(database).since(_midnight(self._clock.now_utc()))
                wanted = {decision.acquisition_id for decision in decisions}
                views = {
                    entry.acquisition_id: exam_name(entry)
                    for entry in Board(database).entries(limit=MOST_EXAMS)
                    if entry.acquisition_id in wanted
                }
        except ScansideError as error:
            return RejectAnswer(rejects=None, trouble=visible(str(error), limit=LONGEST_SENTENCE))
        return RejectAnswer(rejects=rejects_of(decisions, views))


def _midnight(now_utc: datetime) -> datetime:
    return now_utc.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
