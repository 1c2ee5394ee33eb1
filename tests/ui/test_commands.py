# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from appliance.store.opinions import Act, FirstLook, Stance
from ui.commands import DeedCommand, OpinionCommand, Pending
from ui.findings_state import FindingLine, findings_of
from ui.store_source import StoreSource


@pytest.fixture
def line(clinic: Any, make: Any) -> FindingLine:
    clinic.answer(clinic.land("a"), triage=clinic.triage(make.finding("Nodule", 0.9, code="7")))
    return one(clinic)


def one(clinic: Any) -> FindingLine:
    (found,) = findings_of(clinic.read().exams[0], ai_down=None).lines
    return found


def write(clinic: Any, *commands: OpinionCommand | DeedCommand) -> None:
    with StoreSource(clinic.layout, clinic.clock) as source:
        for command in commands:
            source.write(command)


def test_an_opinion_carries_what_the_model_said(clinic: Any, line: FindingLine) -> None:
    assert line.stance is None
    write(clinic, OpinionCommand(subject=line.subject, stance=Stance.DISAGREE))
    assert one(clinic).stance is Stance.DISAGREE
    assert clinic.database.read(
        "SELECT acquisition_id, version, task, code_value, model, probability, decision, first_look"
        " FROM opinion"
    ) == [("a", 1, "chest_triage", "7", "chest_triage@1.0", 0.9, "PRESENT", None)]


def test_an_opinion_can_be_changed(clinic: Any, line: FindingLine) -> None:
    for stance in (Stance.DISAGREE, Stance.UNSURE):
        write(clinic, OpinionCommand(subject=line.subject, stance=stance))
    assert one(clinic).stance is Stance.UNSURE


def test_a_deed_is_in_the_next_reading(clinic: Any, line: FindingLine) -> None:
    del line
    look = DeedCommand(exam_id="a", version=1, act=Act.FIRST_LOOK, first_look=FirstLook.SOMETHING)
    assert not look.is_in(clinic.read().exams[0])
    write(clinic, look)
    exam = clinic.read().exams[0]
    assert look.is_in(exam)
    assert not DeedCommand(exam_id="a", version=1, act=Act.TOLD).is_in(exam)


def test_what_the_store_shows_is_not_pending_any_more(clinic: Any, line: FindingLine) -> None:
    pending = Pending()
    agree = OpinionCommand(subject=line.subject, stance=Stance.AGREE)
    pending.add(agree)
    pending.forget_saved(clinic.read().exams)
    assert pending.notice("a") == (True, "")
    assert pending.notice("b") == (False, "")
    write(clinic, agree)
    pending.forget_saved(clinic.read().exams)
    assert pending.notice("a") == (False, "")


def test_of_two_taps_on_one_finding_only_the_later_one_is_awaited(clinic: Any, line: FindingLine) -> None:
    pending = Pending()
    taps = [OpinionCommand(subject=line.subject, stance=stance) for stance in (Stance.AGREE, Stance.UNSURE)]
    for tap in taps:
        pending.add(tap)
    write(clinic, *taps)
    pending.forget_saved(clinic.read().exams)
    assert pending.notice("a") == (False, "")


def test_a_failure_is_told_until_the_tap_is_made_again(line: FindingLine) -> None:
    pending = Pending()
    told, again = (DeedCommand(exam_id="a", version=1, act=Act.TOLD) for _ in range(2))
    pending.add(told)
    pending.failed(told, "The disk is full.")
    assert pending.notice("a") == (True, "The disk is full.")
    pending.add(OpinionCommand(subject=line.subject, stance=Stance.AGREE))  # another tap hides no failure
    assert pending.notice("a") == (True, "The disk is full.")
    pending.add(again)
    assert pending.notice("a") == (True, "")


def test_taps_on_images_that_have_changed_are_not_awaited(clinic: Any, line: FindingLine) -> None:
    pending = Pending()
    pending.add(OpinionCommand(subject=line.subject, stance=Stance.AGREE))
    pending.add(DeedCommand(exam_id="a", version=1, act=Act.SEEN))
    clinic.land("a", version=2)
    pending.forget_saved(clinic.read().exams)
    assert pending.notice("a") == (False, "")
