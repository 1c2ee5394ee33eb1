# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules 1 to 4, 15 and 16 of the screen, each in a test of its name, on the painted window."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QFontMetrics
from PyQt6.QtWidgets import QAbstractButton, QLabel
from pytestqt.qtbot import QtBot

from appliance.clock import NS_PER_S
from appliance.domain.quality import Verdict
from appliance.store.decisions import Choice
from ui import theme
from ui.deadline_state import DeadlineState
from ui.health_state import HealthKind
from ui.kiosk import KioskWindow
from ui.undo_state import LastDecision
from ui.verdict_state import SHAPES, WORDS, VerdictKind
from ui.view_state import Attention, BoardState, Profile, board_state

TOP_SHARE = 0.2
SMALL = ((1024, 600), (154.0, 86.0))
LARGE = ((1920, 1080), (344.0, 194.0))


def state_of(clinic: Any, exam_id: str, *, later_s: float = 0.0, **attention: Any) -> BoardState:
    return board_state(
        clinic.read(),
        trouble=None,
        attention=Attention(selected_exam_id=exam_id, **attention),
        now_ns=clinic.clock.monotonic_ns() + round(later_s * NS_PER_S),
    )


@pytest.fixture(params=[LARGE, SMALL], ids=["15.6 inch", "7 inch"])
def window(request: pytest.FixtureRequest, qtbot: QtBot) -> KioskWindow:
    opened = KioskWindow(*request.param)
    qtbot.addWidget(opened)
    return opened


def show(window: KioskWindow, state: BoardState, qtbot: QtBot) -> None:
    window.show_state(state, clock="08:41")
    window.show_exam_page()
    window.show()
    qtbot.waitExposed(window)


def test_rule_1_one_question_answered_by_the_largest_text(
    full_clinic: Any, window: KioskWindow, qtbot: QtBot
) -> None:
    for exam_id, later_s in (("cut", 0.0), ("good", 0.0), ("new", -1.0), ("new", 9.0)):
        show(window, state_of(full_clinic, exam_id, later_s=later_s), qtbot)
        labels = [label for label in window.findChildren(QLabel) if label.isVisible() and label.text()]
        heights = {label: QFontMetrics(label.font()).height() for label in labels}
        word = window.verdict.word
        assert all(height < heights[word] for label, height in heights.items() if label is not word)
        assert sum(label.text() == "Can the patient leave?" for label in labels) == 1
        column = window.verdict.parentWidget()
        assert column is not None
        question = next(label for label in labels if label.text() == "Can the patient leave?")
        assert question.mapTo(column, QPoint(0, 0)).y() <= TOP_SHARE * column.height()


def test_rule_2_no_verdict_is_never_empty_and_never_green(
    full_clinic: Any, window: KioskWindow, qtbot: QtBot
) -> None:
    for later_s, kind, word in ((-1.0, "checking", "CHECKING…"), (9.0, "late", "NOT CHECKED")):
        state = state_of(full_clinic, "new", later_s=later_s)
        show(window, state, qtbot)
        assert state.selected is not None
        assert window.verdict.property("kind") == kind
        assert window.verdict.word.text() == word
        assert state.selected.verdict.cause
        assert window.verdict.ring.isVisible()
        colours = window.verdict.grab().toImage()
        seen = {colours.pixelColor(x, y).name() for x in range(colours.width()) for y in (2, 9)}
        assert theme.GREEN not in seen


def test_rule_2_the_words_say_when_it_is_late(full_clinic: Any) -> None:
    state = state_of(full_clinic, "new", later_s=9.0)
    assert state.selected is not None
    assert state.selected.verdict.cause == "Not checked in time: look yourself."
    assert state.selected.receipt == "Was due 3 s after landing"
    assert any("Not checked in time" in row.reason for row in state.rows)


def test_rule_3_every_verdict_has_cause_size_and_action(full_clinic: Any) -> None:
    state = state_of(full_clinic, "cut")
    assert state.selected is not None
    worst = state.selected.verdict.checks[0]
    assert worst.measured == "12 mm · limit 0"
    assert worst.advice == "Right base cut off, 12 mm at the detector. Lower the detector 3 cm."
    assert state.selected.picture.marks
    for exam_id in ("head", "good", "side", "new"):
        other = state_of(full_clinic, exam_id).selected
        assert other is not None
        assert other.verdict.cause.endswith((".", "…"))


def test_rule_4_states_differ_in_word_and_shape_and_not_checked_is_never_green(clinic: Any) -> None:
    answered = [kind for kind in VerdictKind if kind is not VerdictKind.CHECKING]
    assert len(answered) == 4
    assert len({WORDS[kind] for kind in answered}) == len({SHAPES[kind] for kind in answered}) == 4
    assert theme.VERDICT_COLOURS[VerdictKind.NOT_CHECKED] != theme.GREEN
    clinic.answer(clinic.land("a"), quality=clinic.quality(refusal="Side views are not supported."))
    state = state_of(clinic, "a")
    assert state.selected is not None
    assert state.selected.verdict.kind is VerdictKind.NOT_CHECKED
    assert state.selected.verdict.cause == "Side views are not supported."


def test_rule_15_keep_anyway_and_an_unadvised_repeat_ask_for_a_reason(
    full_clinic: Any, window: KioskWindow, qtbot: QtBot
) -> None:
    for exam_id, button, page, count in (
        ("cut", window.decisions.keep, window.flow.keep_reasons, 4),
        ("good", window.decisions.repeat, window.flow.repeat_reasons, 6),
        ("head", window.decisions.repeat, window.flow.repeat_reasons, 6),
    ):
        show(window, state_of(full_clinic, exam_id), qtbot)
        with qtbot.assertNotEmitted(window.decided):
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert window.pages.currentWidget() is page
        choices = [b for b in page.findChildren(QAbstractButton) if b.isVisible() and b.text() != "Back"]
        assert len(choices) == count
        for choice in choices:
            assert window.rect().contains(choice.mapTo(window, choice.rect().bottomRight()))
            assert choice.height() >= theme.LARGE_TOUCH_MM * window.scale.px_per_mm - 1e-6
        with qtbot.waitSignal(window.decided) as decided:
            qtbot.mouseClick(choices[0], Qt.MouseButton.LeftButton)
        assert decided.args[3] == choices[0].text()
        assert window.pages.currentWidget() is not page


def test_rule_15_the_likely_reason_comes_first(full_clinic: Any, window: KioskWindow, qtbot: QtBot) -> None:
    show(window, state_of(full_clinic, "head"), qtbot)  # its check saw motion
    qtbot.mouseClick(window.decisions.repeat, Qt.MouseButton.LeftButton)
    page = window.flow.repeat_reasons
    buttons = [b for b in page.findChildren(QAbstractButton) if b.isVisible() and b.text() != "Back"]
    first = min(buttons, key=lambda b: (b.y(), b.x()))
    assert first.text() == "Patient moved"


def test_rule_15_undo_stands_where_no_second_tap_falls(
    clinic: Any, make: Any, window: KioskWindow, qtbot: QtBot
) -> None:
    cut = clinic.land("a")
    clinic.answer(cut, quality=clinic.quality(make.check("field_of_view", Verdict.REPEAT, "Cut off.")))
    clinic.view(cut)
    show(window, state_of(clinic, "a"), qtbot)
    where = window.decisions.repeat.geometry()
    with qtbot.waitSignal(window.decided) as decided:
        qtbot.mouseClick(window.decisions.repeat, Qt.MouseButton.LeftButton)
    assert decided.args == ["a", 1, "repeat", "Cut off."]  # advised: one tap, its reason filled in
    last = LastDecision(
        exam_id="a",
        version=1,
        choice=Choice(decided.args[2]),
        decided_ns=clinic.clock.monotonic_ns(),
    )
    show(window, state_of(clinic, "a", later_s=9.9, last_decision=last), qtbot)
    undo = window.decisions.undo
    assert undo.isVisible()
    assert not undo.geometry().intersects(where)
    assert undo.height() >= theme.TOUCH_MM * window.scale.px_per_mm - 1e-6
    assert window.rect().contains(undo.mapTo(window, undo.rect().bottomRight()))
    with qtbot.assertNotEmitted(window.decided):
        qtbot.mouseClick(window.decisions.repeat, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(window.decided) as undone:
        qtbot.mouseClick(undo, Qt.MouseButton.LeftButton)
    assert undone.args == ["a", 1, "withdrawn", ""]
    show(window, state_of(clinic, "a", later_s=10.0, last_decision=last), qtbot)
    assert not undo.isVisible()
    assert window.decisions.keep.isVisible()
    assert window.decisions.repeat.isEnabled()


def test_the_ring_is_drawn_full_at_landing_and_empty_at_the_deadline(
    full_clinic: Any, window: KioskWindow, qtbot: QtBot
) -> None:
    show(window, state_of(full_clinic, "new", later_s=-1.0), qtbot)
    ring, deadline = window.verdict.ring, DeadlineState(landed_ns=0, limit_s=3.0)
    shares = []
    for now_s in (0.0, 1.5, 3.0):
        ring.show_left(deadline, round(now_s * NS_PER_S))
        image = ring.grab().toImage()
        bright = sum(
            image.pixelColor(x, y).lightness() > 200 and image.pixelColor(x, y).saturation() < 40
            for x in range(image.width())
            for y in range(image.height())
        )
        shares.append(bright)
    assert shares[0] > 1.5 * shares[1] > 1.5 * shares[2]
    assert ring.text == "!"


@pytest.mark.parametrize("word", ["OK", "SENDER REFUSED"])
@pytest.mark.parametrize("profile", ["scanner", "rural", "fracture"])
@pytest.mark.parametrize("panel", [LARGE, ((1280, 800), (217.0, 136.0)), SMALL])
def test_rule_16_who_it_is_stands_whole_on_every_picture(
    full_clinic: Any, qtbot: QtBot, panel: Any, profile: Profile, word: str
) -> None:
    opened = KioskWindow(*panel, profile=profile)
    qtbot.addWidget(opened)
    state = state_of(full_clinic, "cut")
    assert state.health is not None
    state = replace(state, health=replace(state.health, kind=HealthKind.ATTENTION, word=word))
    show(opened, state, qtbot)
    assert state.selected is not None
    who = state.selected.patient
    for text in (who.name, who.exam, who.side, who.birth_date, who.patient_id):
        (label,) = [each for each in opened.top_bar.patient.findChildren(QLabel) if text in each.text()]
        assert QFontMetrics(label.font()).horizontalAdvance(label.text()) <= label.width(), "not cut short"
        assert opened.rect().contains(label.mapTo(opened, label.rect().bottomRight()))
    (said,) = [each for each in opened.top_bar.health.findChildren(QLabel) if each.text() == word]
    assert QFontMetrics(said.font()).horizontalAdvance(word) <= said.width(), "nor is how the device is"
