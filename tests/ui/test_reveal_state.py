# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking first: nothing of what the AI said is anywhere in the state of the screen before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from appliance.domain.quality import Verdict
from appliance.settings_for_people import KioskSettings
from appliance.store.opinions import Act, FirstLook, Opinions
from ui.findings_state import AiKind, Band, findings_of
from ui.reveal_state import Reveal, reveal_from
from ui.view_state import Attention, BoardState, board_state
from ui.worklist_state import Level

FIRST = [Reveal.AFTER_COMMIT, Reveal.AFTER_ASKING]


def state(clinic: Any, reveal: Reveal) -> BoardState:
    return board_state(
        clinic.read(),
        trouble=None,
        attention=Attention(),
        now_ns=clinic.clock.monotonic_ns(),
        reveal=reveal,
    )


def answer(clinic: Any, make: Any, *findings: Any) -> None:
    acquisition = clinic.land("a")
    quality = clinic.quality(make.check("exposure", Verdict.OK))
    clinic.answer(acquisition, quality=quality, triage=clinic.triage(*findings), denoise=clinic.quality())


@pytest.mark.parametrize("reveal", FIRST)
def test_nothing_of_the_answer_is_there_before_the_person_looked(
    clinic: Any, make: Any, reveal: Reveal
) -> None:
    answer(clinic, make, make.finding("Zebra sign", 0.9, code="9", box=(1, 1, 9, 9), heatmap=True))
    hidden = state(clinic, reveal)
    assert "Zebra" not in repr(hidden)
    assert hidden.selected is not None
    assert (hidden.selected.findings.kind, hidden.selected.findings.asked) == (AiKind.WITHHELD, reveal)
    assert hidden.selected.picture.marks == hidden.selected.picture.heatmap_codes == ()
    assert hidden.rows[0].level is Level.ROUTINE
    assert [stage.name for stage in hidden.selected.stages] == ["Received", "Check"]
    assert "Zebra" in repr(state(clinic, Reveal.AT_ONCE))


@pytest.mark.parametrize("reveal", FIRST)
def test_flagged_and_not_flagged_look_the_same_before(clinic: Any, make: Any, reveal: Reveal) -> None:
    for exam_id, probability in (("a", 0.9), ("b", 0.01)):
        triage = clinic.triage(make.finding("Zebra sign", probability))
        clinic.answer(clinic.land(exam_id), quality=clinic.quality(), triage=triage, denoise=clinic.quality())
    rows = state(clinic, reveal).rows
    assert [(row.exam_id, row.level, row.reason) for row in rows] == [
        ("a", Level.NOT_CHECKED, rows[0].reason),
        ("b", Level.NOT_CHECKED, rows[0].reason),
    ]
    a, b = (findings_of(exam, ai_down=None, reveal=reveal) for exam in clinic.read().exams)
    assert replace(a, exam_id="") == replace(b, exam_id="")
    assert (a.headline, a.lines) == ("Look first. Then the AI answer.", ())


@pytest.mark.parametrize("first_look", list(FirstLook))
def test_either_answer_shows_it_and_goes_with_the_opinion(
    clinic: Any, make: Any, first_look: FirstLook
) -> None:
    answer(clinic, make, make.finding("Nodule", 0.9, box=(1, 1, 9, 9)))
    Opinions(clinic.database).did("a", 1, Act.FIRST_LOOK, first_look=first_look)
    shown = state(clinic, Reveal.AFTER_COMMIT).selected
    assert shown is not None
    assert shown.findings.asked is Reveal.AT_ONCE
    assert [line.question for line in shown.findings.lines] == ["Nodule?"]
    assert shown.findings.lines[0].subject.first_look is first_look
    assert len(shown.picture.marks) == 1


def test_asking_for_the_ai_shows_it_but_is_no_first_look(clinic: Any, make: Any) -> None:
    answer(clinic, make, make.finding("Nodule", 0.9))
    Opinions(clinic.database).did("a", 1, Act.AI_ASKED)
    asked = state(clinic, Reveal.AFTER_ASKING).selected
    assert asked is not None
    assert asked.findings.kind is AiKind.FLAGGED
    assert asked.findings.lines[0].subject.first_look is None
    still = state(clinic, Reveal.AFTER_COMMIT).selected
    assert still is not None
    assert still.findings.kind is AiKind.WITHHELD


@pytest.mark.parametrize("probability", [0.86, 0.5])
@pytest.mark.parametrize("reveal", FIRST)
def test_a_time_critical_flag_is_never_hidden(
    clinic: Any, make: Any, reveal: Reveal, probability: float
) -> None:
    critical = make.finding("Pneumothorax", probability, code="36118008", box=(1, 1, 9, 9), heatmap=True)
    answer(clinic, make, critical, make.finding("Zebra sign", 0.9, code="9", box=(1, 1, 9, 9), heatmap=True))
    shown = state(clinic, reveal)
    assert shown.selected is not None
    assert [line.question for line in shown.selected.findings.lines] == ["Pneumothorax?"]
    assert [mark.label for mark in shown.selected.picture.marks] == ["Pneumothorax?"]
    assert shown.selected.picture.heatmap_codes == ("36118008",)
    assert "Zebra" not in repr(shown)
    if shown.selected.findings.lines[0].band is Band.HIGH:
        assert shown.rows[0].level is Level.URGENT
        assert shown.selected.urgent is not None


@pytest.mark.parametrize("reveal", FIRST)
def test_no_answer_is_said_at_once(clinic: Any, reveal: Reveal) -> None:
    clinic.answer(clinic.land("a"), triage=clinic.triage(refusal="Below the tested age."))
    shown = state(clinic, reveal).selected
    assert shown is not None
    assert (shown.findings.kind, shown.findings.asked) == (AiKind.NO_ANSWER, Reveal.AT_ONCE)


def test_new_images_are_looked_at_first_again(clinic: Any, make: Any) -> None:
    answer(clinic, make, make.finding("Nodule", 0.9))
    Opinions(clinic.database).did("a", 1, Act.FIRST_LOOK, first_look=FirstLook.NOTHING)
    clinic.answer(clinic.land("a", version=2), triage=clinic.triage(make.finding("Nodule", 0.9)))
    again = state(clinic, Reveal.AFTER_COMMIT).selected
    assert again is not None
    assert again.findings.kind is AiKind.WITHHELD


def test_the_settings_choose_and_the_stronger_one_wins() -> None:
    assert reveal_from(KioskSettings()) is Reveal.AT_ONCE
    assert reveal_from(KioskSettings(image_first=True)) is Reveal.AFTER_ASKING
    assert reveal_from(KioskSettings(commit_first=True, image_first=True)) is Reveal.AFTER_COMMIT
