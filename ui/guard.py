# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the screen to the people it is for: initials and the idle page for an empty room, PINs, the night.

It draws its own pages over the work and gives every state its mask; the work beneath goes on.
"""

from __future__ import annotations

from typing import Final

from PyQt6.QtCore import QObject, QPoint, QTimer, pyqtSignal
from PyQt6.QtWidgets import QApplication, QWidget

from appliance.clock import NS_PER_S, Clock
from appliance.config import Settings
from appliance.layout import Layout
from appliance.pins import Role
from appliance.updates.places import own_root
from ui import theme
from ui.activity import ActivityFilter
from ui.covers import Covers
from ui.errand import Errand
from ui.icons import Icons
from ui.idle_page import IdlePage
from ui.kiosk import KioskWindow
from ui.language import tr, tr_n
from ui.look import remember_night, remembered_night
from ui.pin_page import PinPage
from ui.pin_state import Tries, after_wrong, pause_left_s
from ui.presence_state import LOCK_AFTER_S, Presence, PresenceLimits, idle_of, presence
from ui.privacy_state import masked
from ui.service_desk import PinAnswer, RejectAnswer, ServiceDesk
from ui.service_page import LeadPage, ServicePage
from ui.service_state import EchoLine
from ui.view_state import BoardState

TICK_MS: Final = 500
"""A pause after wrong PINs is counted in seconds."""


class Guard(QObject):
    """One per window. `start`, then `stop` before it is dropped."""

    changed = pyqtSignal()
    """Somebody came or went: the work has to be drawn again."""
    first_run_wanted = pyqtSignal()
    """Somebody behind the PIN wants to set the device up anew."""

    def __init__(self, window: KioskWindow, settings: Settings, layout: Layout, clock: Clock) -> None:
        super().__init__()
        self._window = window
        self._clock = clock
        self._run_folder = layout.run
        self._limits = PresenceLimits(
            initials_after_min=settings.kiosk.initials_after_min, idle_after_min=settings.kiosk.idle_after_min
        )
        self._desk = ServiceDesk(settings, layout, clock, root=own_root())
        self._back_trouble: str | None = None
        self._touched_ns = clock.monotonic_ns()
        self._step = Presence.HERE
        self._tries = Tries()
        self._role = Role.SERVICE
        self._receivers: tuple[EchoLine, ...] = self._desk.receivers()
        icons = Icons()
        self.idle = IdlePage(window.scale, icons)
        self.pin = PinPage(window.scale, compact=window.is_compact)
        self.service = ServicePage(window.scale, icons)
        self.lead = LeadPage(window.scale)
        self._covers = Covers(window.pages, (self.idle, self.pin, self.service, self.lead))
        self._comparing = Errand("pin")
        self._asking = Errand("receivers")
        self._counting = Errand("rejects")
        self._noting = Errand("audit")
        self._errands = (self._comparing, self._asking, self._counting, self._noting)
        self._filter = ActivityFilter(self._sleeps_at)
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._connect()
        self._use_night(night=remembered_night(self._run_folder))

    def _connect(self) -> None:
        self._filter.active.connect(self.touch)
        self._filter.woken.connect(self.wake)
        self._window.switches.hide_wanted.connect(self.sleep)
        self._window.switches.night_wanted.connect(self.switch_night)
        self.idle.night_wanted.connect(self.switch_night)
        self.idle.language_wanted.connect(self._choose_language)
        self.idle.service_wanted.connect(lambda: self._ask_pin(Role.SERVICE))
        self.idle.lead_wanted.connect(lambda: self._ask_pin(Role.LEAD))
        self.pin.entered.connect(self._compare)
        self.service.echo_wanted.connect(self._ask_receivers)
        self.service.back_wanted.connect(self._go_back)
        self.service.first_run_wanted.connect(self.first_run_wanted)
        for signal in (self.pin.back_wanted, self.service.lock_wanted, self.lead.lock_wanted):
            signal.connect(self.sleep)
        self._comparing.done.connect(self._take_pin_answer)
        self._asking.done.connect(self._take_receivers)
        self._counting.done.connect(self._take_rejects)

    def start(self) -> None:
        """See every touch of the application from now on."""
        application = QApplication.instance()
        if application is not None:
            application.installEventFilter(self._filter)
        self._timer.start()

    def stop(self) -> None:
        """See nothing more, and end what is on its way."""
        application = QApplication.instance()
        if application is not None:
            application.removeEventFilter(self._filter)
        self._timer.stop()
        self.pin.forget()
        for errand in self._errands:
            errand.stop()

    # What is shown

    def shown(self, state: BoardState) -> BoardState:
        """`state` as it may be seen now."""
        self._look_around()
        return state if self._step is Presence.HERE and self._covers.top is None else masked(state)

    def draw(self, state: BoardState, clock: str) -> None:
        """After the work has been drawn: keep the cover on it, if there is one."""
        self._covers.stay()
        self.idle.show_state(idle_of(state), clock)

    def _look_around(self) -> None:
        """How long nobody has been here; the pages of an empty room go up by themselves."""
        untouched_s = (self._clock.monotonic_ns() - self._touched_ns) / NS_PER_S
        self._step = presence(untouched_s, self._limits)
        behind_pin = self._covers.top in {self.pin, self.service, self.lead}
        if self._step is Presence.GONE or (behind_pin and untouched_s >= LOCK_AFTER_S):
            self._cover(self.idle)

    def _cover(self, page: QWidget) -> None:
        if page is not self._covers.top:
            self.pin.forget()
            self._covers.lay(page)

    # Who is here

    def touch(self) -> None:
        """Somebody is at the screen. Names come back before the touch reaches anything."""
        self._touched_ns = self._clock.monotonic_ns()
        if self._step is not Presence.HERE:
            self._step = Presence.HERE
            self.changed.emit()

    def wake(self) -> None:
        """From the idle page back to the same screen as before."""
        self._covers.take_off()
        self._touched_ns = self._clock.monotonic_ns()
        self._step = Presence.HERE
        self.changed.emit()

    def _choose_language(self) -> None:
        self.wake()
        self._window.pages.setCurrentWidget(self._window.languages)

    def sleep(self) -> None:
        """The idle page, at once; it locks what is behind a PIN."""
        self._cover(self.idle)
        self.changed.emit()

    def _sleeps_at(self, place: QPoint | None) -> bool:
        """A touch there wakes and does nothing else."""
        if self._covers.top is not self.idle:
            return False
        return place is None or not self.idle.has_button_at(place)

    def switch_night(self) -> None:
        """Dim the panels, or light them again; remembered."""
        self._use_night(night=not theme.is_night())
        remember_night(self._run_folder, night=theme.is_night())
        self.changed.emit()

    def _use_night(self, *, night: bool) -> None:
        theme.use_night(night=night)
        self._window.setStyleSheet(theme.stylesheet(self._window.scale))
        self._window.switches.show_look()
        for card in (self._window.checks, self._window.findings):
            card.forget()  # their signs are pictures in the old colours

    # Behind the PIN

    def _ask_pin(self, role: Role) -> None:
        self._role = role
        title = tr("PIN for service") if role is Role.SERVICE else tr("PIN for reject figures")
        why_locked = self._desk.locked(role)
        self._cover(self.pin)
        if why_locked:
            self.pin.refuse(title, why_locked)
        else:
            self.pin.ask(title)
            self._tick()

    def _compare(self, pin: bytes) -> None:
        role = self._role
        if self._pause_left_s() == 0 and self._comparing.run(lambda _gives_up: self._desk.compare(role, pin)):
            self.pin.allow(allowed=False)
            self.pin.say(tr("Checking…"))

    def _take_pin_answer(self, answer: PinAnswer) -> None:
        if self._covers.top is not self.pin or answer.role is not self._role:
            return  # the page was left meanwhile: an answer that comes late opens nothing
        self.pin.allow(allowed=True)
        if answer.fits:
            self._tries = Tries()
            self._open(answer.role)
            return
        if answer.trouble:
            self.pin.say(answer.trouble)
            return
        self._tries = after_wrong(self._tries, now_ns=self._clock.monotonic_ns())
        if self._pause_left_s():
            self._noting.run(lambda _gives_up: self._desk.note_locked(answer.role))
        self.pin.say(tr("Wrong PIN"))
        self._tick()

    def _open(self, role: Role) -> None:
        if role is Role.SERVICE:
            self._show_service()
            self._cover(self.service)
        else:
            self.lead.show_state(None)
            self._cover(self.lead)
            self._counting.run(lambda _gives_up: self._desk.count_rejects())

    def _tick(self) -> None:
        """Count a pause down; the keys wait for its end. Say when the receivers have been asked."""
        if self._covers.top is self.service:
            self._show_service()
        if self._covers.top is not self.pin or self.pin.keypad.isHidden() or self._comparing.is_busy:
            return
        left_s = self._pause_left_s()
        if left_s:
            seconds = -int(-left_s // 1)
            self.pin.allow(allowed=False)
            self.pin.say(tr_n("Wrong PIN. Wait {count} second.", "Wrong PIN. Wait {count} seconds.", seconds))
        elif not self.pin.keypad.isEnabled():
            self.pin.allow(allowed=True)
            self.pin.say("")

    def _pause_left_s(self) -> float:
        return pause_left_s(self._tries, now_ns=self._clock.monotonic_ns())

    def _show_service(self) -> None:
        self.service.show_state(self._desk.facts(), self._receivers, busy=self._asking.is_busy)
        trouble = self._back_trouble
        self.service.show_way_back(self._desk.way_back(), asked=trouble == "", trouble=trouble or "")

    def _go_back(self) -> None:
        """One tap behind the PIN: the launcher sees it soon, and starts the screen anew, too."""
        self._back_trouble = self._desk.wish_back()
        self._show_service()

    def _ask_receivers(self) -> None:
        self._asking.run(self._desk.ask_receivers)
        self._show_service()

    def _take_receivers(self, receivers: tuple[EchoLine, ...]) -> None:
        self._receivers = receivers
        self.service.show_state(self._desk.facts(), receivers, busy=False)

    def _take_rejects(self, answer: RejectAnswer) -> None:
        self.lead.show_state(answer.rejects, answer.trouble)
