# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first run as a window: nine pages, Back and Next, and a way out to the images on each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from appliance.clock import Clock
from appliance.pins import Role
from ui.device_state import DeviceLine, LineKind
from ui.errand import Errand
from ui.first_run_desk import FirstRunDesk, Found, Written
from ui.first_run_frame import FirstRunFrame
from ui.first_run_lines import models_line, under_way
from ui.first_run_pins import PinAsker
from ui.first_run_state import STEPS, Draft, Field, Step, page_fault, with_network, with_value
from ui.keyboard_page import KeyboardPage
from ui.language import RIGHT_TO_LEFT, language, tr
from ui.models_state import ModelsState, being_checked
from ui.pin_page import PinPage
from ui.theme import scale_for, stylesheet

TRIED: Final = frozenset({Step.INCOMING, Step.OUTGOING, Step.TIME, Step.PINS})
"""Pages whose answers are tried out before they are left forwards."""
CLOCK_MS: Final = 500
WIDE_FROM_MM: Final = 260.0


class FirstRunWizard(QWidget):
    """Draws the pages and keeps what was answered; `start`, then `stop` before it is dropped."""

    language_wanted = pyqtSignal(str)
    """The words of a window are fixed when it is built: another one goes on with `draft` and `found`."""
    ended = pyqtSignal()
    """A person is done, or wants to go on later."""

    def __init__(
        self,
        desk: FirstRunDesk,
        clock: Clock,
        size_px: tuple[int, int],
        screen_mm: tuple[float, float],
        *,
        draft: Draft,
    ) -> None:
        super().__init__()
        self.scale = scale_for(size_px, screen_mm)
        self.is_compact = size_px[0] / self.scale.px_per_mm < WIDE_FROM_MM
        self.setWindowTitle("Scanside")
        self.setStyleSheet(stylesheet(self.scale))
        if language() in RIGHT_TO_LEFT:
            self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.draft = draft
        self.found: dict[Step, tuple[DeviceLine, ...]] = {}
        self.is_written = False
        self._accepted: tuple[Step, Draft] | None = None
        """Answers that somebody should look at, and whose findings have been shown."""
        self._desk = desk
        self._clock = clock
        self._trying = Errand("first-run-checks")
        self._looking = Errand("first-run-models")
        self._testing = Errand("first-run-exposure")
        self._writing = Errand("first-run-writing")
        self._goes_on = False
        self._field: Field | None = None
        self.step = STEPS[0]
        self._build(size_px)
        self._connect()
        self._timer = QTimer(self)
        self._timer.setInterval(CLOCK_MS)
        self._timer.timeout.connect(self._draw)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # no button starts out as the chosen one
        self.setFocus()
        self.resize(*size_px)
        self.show_step(STEPS[0])

    def _build(self, size_px: tuple[int, int]) -> None:
        self.frame = FirstRunFrame(self.scale, compact=self.is_compact)
        self.keyboard = KeyboardPage(self.scale, size_px)
        self.keypad = PinPage(self.scale, compact=self.is_compact)
        self.pages = QStackedWidget()
        for whole in (self.frame, self.keyboard, self.keypad):
            self.pages.addWidget(whole)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.pages)
        self._asker = PinAsker(self.keypad, self._desk)

    def _connect(self) -> None:
        self.frame.back.clicked.connect(lambda: self._turn(-1))
        self.frame.next.clicked.connect(self._go_on)
        self.frame.later.clicked.connect(self.ended)
        self.frame.language.chosen.connect(self.language_wanted)
        self.frame.profile.chosen.connect(lambda key: self._answer(replace(self.draft, profile=key)))
        for fields in (self.frame.profile, self.frame.incoming, self.frame.outgoing):
            fields.field_wanted.connect(self.ask_field)
        self.frame.incoming.network_wanted.connect(lambda on: self._answer(with_network(self.draft, on=on)))
        self.frame.outgoing.echo_wanted.connect(self._echo)
        self.frame.time.said.connect(lambda right: self._answer(replace(self.draft, clock_is_right=right)))
        self.frame.pins.pin_wanted.connect(self._ask_pin)
        self.frame.exposure.test_wanted.connect(self._test)
        self.frame.summary.write_wanted.connect(self._write)
        self.keyboard.back_wanted.connect(self._show_frame)
        self.keyboard.entered.connect(self._take_field)
        self.keypad.back_wanted.connect(self._show_frame)
        self._asker.kept.connect(self._take_pin)
        self._trying.done.connect(self._take_found)
        self._looking.done.connect(self._take_models)
        self._testing.done.connect(self._take_exam)
        self._writing.done.connect(self._take_written)

    def start(self) -> None:
        """The clock goes on."""
        self._timer.start()

    def stop(self) -> None:
        """End what is on its way; what was typed of a PIN is forgotten."""
        self._timer.stop()
        self.keypad.forget()
        self._asker.stop()
        for errand in (self._trying, self._looking, self._testing, self._writing):
            errand.stop()

    # Turning pages

    def show_step(self, step: Step) -> None:
        """Bring that page to the front."""
        self.step = step
        self.frame.show_step(step)
        self.pages.setCurrentWidget(self.frame)
        if step is Step.MODELS and step not in self.found:
            self.frame.models.show_state(being_checked())
            self._looking.run(lambda _gives_up: self._desk.models())
        if step is Step.EXPOSURE and not self._testing.is_busy:
            self._testing.run(lambda _gives_up: self._desk.last_exam())
        self._draw()

    def _turn(self, by: int) -> None:
        at = STEPS.index(self.step) + by
        if 0 <= at < len(STEPS):
            self.show_step(STEPS[at])

    def _go_on(self) -> None:
        """To the next page, once the answers of this one have held."""
        if self.step is STEPS[-1]:
            self.ended.emit()
            return
        if not self._holds_together():
            return
        if self.step in TRIED and self._accepted != (self.step, self.draft):
            self._try(goes_on=True)
        elif not self._is_blocked():
            self._turn(1)

    def _holds_together(self) -> bool:
        """As far as can be said before anything is tried; if not, the page says why."""
        fault = page_fault(self.step, self.draft)
        self.frame.steps[self.step].say(fault)
        return not fault

    def _is_blocked(self) -> bool:
        return any(line.kind is LineKind.DANGER for line in self.found.get(self.step, ()))

    # Answers

    def _answer(self, draft: Draft) -> None:
        """Another answer: what was found of the old one counts no more."""
        if draft == self.draft:
            return
        self.draft = draft
        self.is_written = False
        self.found.pop(self.step, None)
        self.frame.steps[self.step].say("")
        self._draw()

    def ask_field(self, field: Field) -> None:
        """The keyboard, for this field."""
        self._field = field
        self.keyboard.ask(tr(field.title), getattr(self.draft, field.name), field.letters)
        self.pages.setCurrentWidget(self.keyboard)

    def _take_field(self, text: str) -> None:
        assert self._field is not None  # the keyboard was asked for it
        try:
            draft = with_value(self.draft, self._field, text)
        except ValueError as error:
            self.keyboard.say(str(error))
            return
        self._show_frame()
        self._answer(draft)

    def _ask_pin(self, role: Role) -> None:
        self._asker.ask(role)
        self.pages.setCurrentWidget(self.keypad)

    def _take_pin(self, draft_of: Callable[[Draft], Draft]) -> None:
        self._show_frame()
        self._answer(draft_of(self.draft))

    def _show_frame(self) -> None:
        self.keypad.forget()
        self.pages.setCurrentWidget(self.frame)

    # What takes time

    def _echo(self) -> None:
        if self._holds_together():
            self._try(goes_on=False)

    def _try(self, *, goes_on: bool) -> None:
        self._goes_on = goes_on
        step, draft = self.step, self.draft
        self._trying.run(lambda _gives_up: self._desk.try_out(step, draft))
        self._draw()

    def _take_found(self, found: Found) -> None:
        if found.draft == self.draft:
            self.found[found.step] = found.lines
            if not found.blocks:
                self._accepted = (found.step, found.draft)
            if found.step is self.step and self._goes_on and not found.blocks and not found.is_doubtful:
                self._turn(1)
            elif found.is_doubtful and not found.blocks:
                self.frame.steps[found.step].say(tr("Look at this. Next goes on all the same."))
        self._draw()

    def _take_models(self, models: ModelsState) -> None:
        self.frame.models.show_state(models)
        self.found[Step.MODELS] = (models_line(models),)
        self._draw()

    def _test(self) -> None:
        self._testing.run(self._desk.test)
        self.found[Step.EXPOSURE] = (under_way(),)
        self._draw()

    def _take_exam(self, line: DeviceLine) -> None:
        self.found[Step.EXPOSURE] = (line,)
        self._draw()

    def _write(self) -> None:
        draft = self.draft
        self._writing.run(lambda _gives_up: self._desk.write(draft))
        self._draw()

    def _take_written(self, done: Written) -> None:
        self.is_written = done.done
        self.found[Step.SUMMARY] = done.lines
        self._draw()

    # Drawing

    def _draw(self) -> None:
        self.frame.time.show_time(self._clock.now_utc().astimezone())
        self.frame.show_draft(self.draft, self.found)
        self.frame.show_work(
            self.step,
            trying=self._trying.is_busy,
            testing=self._testing.is_busy,
            writing=self._writing.is_busy,
            written=self.is_written,
        )
