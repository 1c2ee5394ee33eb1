# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A PIN is entered twice on the keypad, and at once becomes a hash."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import replace

from PyQt6.QtCore import QObject, pyqtSignal

from appliance.errors import ConfigError
from appliance.pins import Role, require_good
from ui.errand import Errand
from ui.first_run_desk import FirstRunDesk
from ui.first_run_state import Draft, PinState
from ui.language import tr
from ui.pin_page import PinPage
from ui.plain_text import LONGEST_SENTENCE, visible


class PinAsker(QObject):
    """Leads the keypad through both entries. `stop` before it is dropped."""

    kept = pyqtSignal(object)
    """A function that says it in the draft."""

    def __init__(self, keypad: PinPage, desk: FirstRunDesk) -> None:
        super().__init__()
        self._keypad = keypad
        self._desk = desk
        self._role = Role.SERVICE
        self._first: bytes | None = None
        self._keeping = Errand("first-run-pin")
        keypad.entered.connect(self._take)
        self._keeping.done.connect(self._told)

    def ask(self, role: Role) -> None:
        """Begin with an empty keypad."""
        self._role = role
        self._first = None
        self._keypad.ask(tr("PIN for service") if role is Role.SERVICE else tr("PIN for reject figures"))
        self._keypad.say(tr("6 to 12 digits"))

    def stop(self) -> None:
        """Forget what was entered; returns when the hash has been made."""
        self._first = None
        self._keeping.stop()

    def _take(self, pin: bytes) -> None:
        if self._first is None:
            try:
                require_good(pin.decode("ascii"))
            except ConfigError as error:
                self._keypad.say(visible(str(error), limit=LONGEST_SENTENCE))
                return
            self._first = pin
            self._keypad.say(tr("Enter it again."))
            return
        first, self._first = self._first, None
        if not hmac.compare_digest(first, pin):
            self._keypad.say(tr("The two differ. Enter a new one."))
            return
        role = self._role
        self._keypad.allow(allowed=False)
        self._keypad.say(tr("Saving…"))
        self._keeping.run(lambda _gives_up: (role, self._desk.keep_pin(role, pin)))

    def _told(self, answer: tuple[Role, str]) -> None:
        role, trouble = answer
        self._keypad.allow(allowed=True)
        if trouble:
            self._keypad.say(tr("Not saved. {why}", why=trouble))
            return
        self.kept.emit(_chosen(role))


def _chosen(role: Role) -> Callable[[Draft], Draft]:
    if role is Role.SERVICE:
        return lambda draft: replace(draft, service_pin=PinState.CHOSEN)
    return lambda draft: replace(draft, lead_pin=PinState.CHOSEN)
