# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The summary page: its words, and that they are really drawn."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from appliance.domain.acquisition import Acquisition, Kind
from appliance.domain.finding import Code, Decision, Finding, Refusal
from appliance.domain.job import Lane
from appliance.domain.quality import QualityCheck, Verdict
from appliance.domain.result import EngineUse, LaneResult
from appliance.outputs.base import WHOLE_LANE
from appliance.outputs.secondary_capture import OUTPUT, draw_page, page_lines

EMPTY = LaneResult(acquisition_id="a1", version=1, lane=Lane.TRIAGE)


def finding(meaning: str, decision: Decision) -> Finding:
    return Finding(
        task="chest_triage",
        code=Code(value="1", scheme="SCT", meaning=meaning),
        probability=0.834,
        sensitive_threshold=0.2,
        specific_threshold=0.7,
        decision=decision,
    )


def check(criterion: str, verdict: Verdict) -> QualityCheck:
    return QualityCheck(
        criterion=criterion, verdict=verdict, value=None, unit=None, limit=None, advice="Do this."
    )


# Trace: REQ-022
def test_findings_are_questions_and_silence_is_not_normal() -> None:
    found = (finding("Pleural effusion", Decision.PRESENT), finding("Pneumothorax", Decision.ABSENT))
    headline, lines = page_lines(replace(EMPTY, findings=found))
    assert headline == "Look at this image soon?"
    assert lines == (
        "Pleural effusion?  suspected, 83 %",
        "Not flagged: Pneumothorax.",
        "This does not mean normal. Anything else was not looked for.",
    )
    headline, lines = page_lines(replace(EMPTY, findings=found[1:]))
    assert headline == "No finding flagged"
    assert "This does not mean normal." in lines[-1]


@pytest.mark.parametrize(
    ("verdicts", "headline"),
    [
        ((Verdict.OK, Verdict.NOT_CHECKED), "No fault found by the checks below"),
        ((Verdict.OK, Verdict.CHECK), "CHECK before the patient leaves"),
        ((Verdict.CHECK, Verdict.REPEAT), "Consider a REPEAT"),
        ((Verdict.NOT_CHECKED,), "NOT CHECKED"),
    ],
)
def test_the_worst_check_makes_the_headline_and_comes_first(
    verdicts: tuple[Verdict, ...], headline: str
) -> None:
    checks = tuple(check(f"criterion_{verdict.value.lower()}", verdict) for verdict in verdicts)
    result = replace(EMPTY, lane=Lane.QUALITY, quality=checks)
    said, lines = page_lines(result)
    assert said == headline
    if len(verdicts) == 2:
        assert verdicts[1].value.replace("_", " ") in lines[0]


def test_the_words_are_drawn_within_the_page() -> None:
    few = draw_page(replace(EMPTY, findings=(finding("Pneumothorax", Decision.PRESENT),)))
    many = draw_page(
        replace(EMPTY, findings=tuple(finding(f"Finding number {n}", Decision.PRESENT) for n in range(60)))
    )
    assert few.shape == many.shape == (1024, 1280)
    for page in (few, many):
        assert page[60:100, 48:600].any(), "the stamp"
        assert page[1024 - 80 : 1024 - 40, 48:800].any(), "the maker and its version"
        assert not page[12:-12, -40:-12].any(), "nothing runs out at the right"
    assert (many > 0).sum() > (few > 0).sum()


def test_what_was_not_analysed_at_all_has_a_page_that_says_so() -> None:
    refusal = Refusal(task="quality_ct", reason="This is an MR series; it is for CT.")
    for result in (
        replace(EMPTY, lane=Lane.QUALITY, refusals=(refusal,)),
        replace(EMPTY, refusals=(replace(refusal, task=WHOLE_LANE),)),
    ):
        headline, lines = page_lines(result)
        assert headline == "NOT ANALYSED by this device"
        assert lines[0].endswith(f": {refusal.reason}")
        assert lines[-1] == "This does not mean normal. Nothing was looked for."


def test_many_models_stay_within_the_page() -> None:
    use = EngineUse(task="x", model="a_model_with_a_long_name@12.34.56", engine="ort", fallback_reason=None)
    uses = tuple(replace(use, model=f"{use.model}-{number}") for number in range(9))
    page = draw_page(replace(EMPTY, findings=(finding("Pneumothorax", Decision.PRESENT),), engines=uses))
    assert not page[12:-12, -40:-12].any()


def test_the_object_names_its_model_and_no_patient_in_pixels(
    ct_file: Callable[..., Path], acquisition_of: Callable[..., Acquisition]
) -> None:
    acquisition = acquisition_of(ct_file(0), kind=Kind.PROJECTION)
    use = EngineUse(task="chest_triage", model="chest_triage@2.1", engine="ort f32 CPU", fallback_reason=None)
    result = replace(EMPTY, findings=(finding("Pneumothorax", Decision.PRESENT),), engines=(use,))
    (rendered,) = OUTPUT.render(acquisition, result)
    dataset = pydicom.dcmread(io.BytesIO(rendered.content))
    assert dataset.DerivationDescription == "Summary in words of: chest_triage@2.1"
    assert dataset.StudyInstanceUID == acquisition.first.study_instance_uid
    assert dataset.SourceImageSequence[0].ReferencedSOPInstanceUID == acquisition.first.sop_instance_uid
    np.testing.assert_array_equal(dataset.pixel_array, draw_page(result))
    assert OUTPUT.render(acquisition, result) == (rendered,)
    refusal = Refusal(task="chest_triage", reason="The view is LL.")
    assert OUTPUT.render(acquisition, replace(EMPTY, refusals=(refusal,))) == (), "the report says it"
    assert OUTPUT.render(acquisition, replace(result, lane=Lane.DENOISE)) == ()
