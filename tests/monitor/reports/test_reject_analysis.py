# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest
from pydicom.sr.codedict import codes

from appliance.domain.acquisition import Kind
from appliance.domain.quality import QualityCheck, Verdict
from appliance.domain.reject import CODES, RejectReason, reason_of
from appliance.monitor.reports.exams import read_exams
from appliance.monitor.reports.reject_analysis import Rejects, analyse_rejects, standing_of
from appliance.monitor.reports.share import share
from appliance.store.decisions import Choice, Decisions
from tests.monitor.reports.conftest import MARCH, Site


def check(criterion: str, advice: str, verdict: Verdict = Verdict.REPEAT) -> QualityCheck:
    return QualityCheck(criterion=criterion, verdict=verdict, value=9.0, unit="mm", limit=0.0, advice=advice)


CUT = check("field_of_view", "Left base cut off, 9 mm: move the detector down.")


def analysed(site: Site) -> Rejects:
    return analyse_rejects(read_exams(site.database, MARCH))


def repeat(site: Site, name: str, reason: str | None = "Positioning") -> None:
    Decisions(site.database).decide(name, 1, Choice.REPEAT, reason=reason)


def test_images_are_counted_by_room_view_reason_and_month(site: Site) -> None:
    for number in range(8):
        site.exam(f"one-{number}", room="Room 1")
    for number in range(4):
        site.exam(f"two-{number}", room=None, view_position="LL", body_part="SPINE")
    site.exam("a CT", kind=Kind.VOLUME)
    repeat(site, "one-0")
    repeat(site, "two-0", "Patient moved")
    repeat(site, "two-1", None)
    Decisions(site.database).decide("one-1", 1, Choice.KEEP, reason=None)
    found = analysed(site)
    assert (found.total.rate.hits, found.total.rate.n, found.undecided) == (3, 12, 8)
    assert [(line.key, line.rate.hits, line.rate.n) for line in found.by_room] == [
        (("Room 1",), 1, 8),
        (("room not known",), 2, 4),
    ]
    assert [line.key for line in found.by_room_and_view] == [
        ("Room 1", "CHEST", "PA"),
        ("room not known", "SPINE", "LL"),
    ]
    assert [(line.key, line.rate.n) for line in found.by_month] == [(("2026-03",), 12)]
    assert {reason: rate.hits for reason, rate in found.by_reason} == {
        RejectReason.POSITIONING: 1,
        RejectReason.MOTION: 1,
        RejectReason.NOT_GIVEN: 1,
    }


def test_what_was_taken_back_is_no_reject(site: Site) -> None:
    site.exam("a")
    repeat(site, "a")
    Decisions(site.database).decide("a", 1, Choice.WITHDRAWN, reason=None)
    assert analysed(site).total.rate.hits == 0
    repeat(site, "a")
    assert analysed(site).total.rate.hits == 1


def test_other_days_do_not_count(site: Site) -> None:
    for month, name in ((2, "before"), (3, "in"), (4, "after")):
        site.on(1, month=month)
        site.exam(name)
    assert analysed(site).total.rate.n == 1


def test_repeats_on_one_patient_are_counted_and_nobody_is_named(site: Site) -> None:
    patient = {"patient_id": "P-1", "patient_name": "CANARY^JANE"}
    for name in ("a", "b", "c"):
        site.exam(name, patient=patient)
        repeat(site, name)
    site.exam("other view", patient=patient, view_position="LL")
    repeat(site, "other view")
    found = analysed(site)
    assert (found.patients_repeated, found.most_on_one_patient) == (1, 3)
    assert "CANARY" not in repr(found)
    assert "P-1" not in repr(found)


@pytest.mark.parametrize(
    ("hits", "n", "words"),
    [
        (0, 0, "no images"),
        (7, 100, "Within the usual."),
        (9, 100, "Above the target of 8 %. It may be chance: few images."),
        (180, 2000, "Above the target of 8 %. It may be chance: few images."),
        (1000, 10000, "Above the target of 8 %."),
        (11, 100, "ACT: above 10 %. It may be chance: few images."),
        (300, 2000, "ACT: above 10 %."),
        (1, 100, "Within the usual."),
        (20, 2000, "TOO LOW: surely below 5 %."),
    ],
)
def test_the_rate_against_target_action_level_and_lower_end(hits: int, n: int, words: str) -> None:
    assert standing_of(share(hits, n)).startswith(words)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (None, RejectReason.NOT_GIVEN),
        ("", RejectReason.NOT_GIVEN),
        ("Artefact or object", RejectReason.ARTEFACT),
        ("Left base cut off, 9 mm: move the detector down.", RejectReason.CUT_OFF),
        ("Left base cut off, 12 mm", RejectReason.CUT_OFF),
        ("Right base cut off, 9 mm", RejectReason.OTHER),
        ("Detector calibration was running", RejectReason.OTHER),
    ],
)
def test_what_stands_in_the_ledger_gets_its_class(written: str | None, reason: RejectReason) -> None:
    assert reason_of(written, (CUT,)) is reason


def test_a_check_that_advised_nothing_explains_no_repeat() -> None:
    assert reason_of("Fine", (check("exposure", "Fine.", Verdict.OK),)) is RejectReason.OTHER


def test_every_reason_that_the_screen_writes_is_a_class_of_its_own() -> None:
    screen = (
        "Positioning",
        "Anatomy cut off",
        "Patient moved",
        "Exposure",
        "Artefact or object",
        "Other reason",
    )
    assert len({reason_of(words, ()) for words in screen}) == len(screen)
    assert reason_of("Exposure", ()) is RejectReason.EXPOSURE


def test_the_codes_are_those_of_the_standards_own_list() -> None:
    """CID 7011, as pydicom has it from PS3.16."""
    known = {
        codes.cid7011.__getattr__(name)
        for name in ("Positioning", "MotionBlur", "ImageArtifacts", "OtherFailure")
    }
    pairs = {(code.value, code.scheme_designator, code.meaning) for code in known}
    assert {(code.value, code.scheme, code.meaning) for code in CODES.values()} == pairs
