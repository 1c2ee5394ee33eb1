# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Who is refused and why; what logits and maps become; what is withheld."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.domain.acquisition import Acquisition, Kind
from appliance.domain.card import ModelCard
from appliance.domain.finding import Decision
from appliance.domain.image import PixelImage
from appliance.domain.quality import MarkShape
from appliance.errors import EngineError
from appliance.tasks.base import Answer
from appliance.tasks.chest_triage import TASK
from appliance.tasks.fracture_triage import TASK as FRACTURE
from appliance.tasks.letterbox import letterbox

MakeAcquisition = Callable[..., Acquisition]
GOOD: dict[str, Any] = {"body_part": "CHEST", "view_position": "PA", "patient": {"age_years": 40.0}}


@pytest.fixture
def radiograph() -> PixelImage:
    stored = np.random.default_rng(1).integers(0, 4096, (600, 480), dtype=np.uint16)
    return PixelImage(
        stored=stored,
        slope=1.0,
        intercept=0.0,
        inverted=False,
        stored_range=(0, 4095),
        padding=None,
        voi=None,
        spacing_mm=None,
        rescale_type=None,
    )


def test_what_the_card_was_tested_for_is_accepted(
    make_acquisition: MakeAcquisition, chest_card: ModelCard
) -> None:
    assert TASK.accepts(make_acquisition(**GOOD), chest_card) is None
    for known in (
        {"modality": "CR"},
        {"view_position": "ap "},
        {"body_part": "chest"},
        {"patient": {"age_years": 18.0}},
        {"pixels": {"photometric_interpretation": "MONOCHROME1"}},
    ):
        assert TASK.accepts(make_acquisition(**GOOD | known), chest_card) is None, known


# Trace: REQ-021
@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"modality": "MG"}, "The modality is MG; this model was tested for CR or DX."),
        ({"body_part": "HAND"}, "The body part is HAND; this model was tested for CHEST."),
        ({"body_part": None}, "The body part is not given"),
        ({"view_position": "LL"}, "The view is LL; this model was tested for PA or AP."),
        ({"view_position": None}, "The view is not given"),
        ({"patient": {"age_years": 3.0}}, "The patient is 3 years old"),
        ({"patient": {"age_years": 17.9}}, "18 years and over"),
        ({"patient": {"age_years": None}}, "age is unknown; this model was tested for 18 years and over"),
        ({"pixels": {"photometric_interpretation": "RGB", "samples_per_pixel": 3}}, "This is a RGB picture"),
        ({"pixels": {"photometric_interpretation": "PALETTE COLOR"}}, "PALETTE COLOR picture"),
        ({"pixels": {"rows": 200, "columns": 160}}, "only 200 x 160 pixels"),
        ({"sop_class_uid": "1.2.840.10008.5.1.4.1.1.1.1.1"}, "raw detector data"),
        ({"kind": Kind.VOLUME}, "looks at single radiographs"),
    ],
)
def test_anything_else_is_refused_in_words(
    make_acquisition: MakeAcquisition, chest_card: ModelCard, known: dict[str, Any], words: str
) -> None:
    refusal = TASK.accepts(make_acquisition(**GOOD | known), chest_card)
    assert refusal is not None
    assert refusal.task == "chest_triage"
    assert words in refusal.reason


def test_without_pixels_or_card_there_is_no_answer(
    make_acquisition: MakeAcquisition, chest_card: ModelCard
) -> None:
    acquisition = make_acquisition(**GOOD)
    empty = replace(acquisition, instances=(replace(acquisition.first, pixels=None),))
    refusal = TASK.accepts(empty, chest_card)
    assert refusal is not None
    assert "no image" in refusal.reason
    refusal = FRACTURE.accepts(acquisition, None)
    assert refusal is not None
    assert refusal.task == "fracture_triage"
    assert "No model" in refusal.reason


@pytest.mark.parametrize(
    ("low", "high", "age", "accepted"),
    [(None, 16.0, 16.9, True), (None, 16.0, 17.0, False), (2.0, 16.0, 1.0, False), (None, None, None, True)],
)
def test_upper_ages_count_whole_years(
    make_acquisition: MakeAcquisition,
    chest_card: ModelCard,
    low: float | None,
    high: float | None,
    age: float | None,
    accepted: bool,
) -> None:
    use = replace(chest_card.intended_use, minimum_age_years=low, maximum_age_years=high)
    card = replace(chest_card, intended_use=use)
    refusal = TASK.accepts(make_acquisition(**GOOD | {"patient": {"age_years": age}}), card)
    assert (refusal is None) is accepted


def test_long_lists_are_shortened(make_acquisition: MakeAcquisition, chest_card: ModelCard) -> None:
    use = replace(chest_card.intended_use, body_parts=("HAND", "WRIST", "ELBOW", "FINGER", "HUMERUS"))
    refusal = TASK.accepts(make_acquisition(**GOOD), replace(chest_card, intended_use=use))
    assert refusal is not None
    assert refusal.reason.endswith("tested for HAND, WRIST, ELBOW and 2 more.")


def test_prepare_is_the_letterbox_of_the_card(
    make_acquisition: MakeAcquisition, chest_card: ModelCard, radiograph: PixelImage
) -> None:
    inputs = TASK.prepare(make_acquisition(**GOOD), radiograph, chest_card)
    expected = letterbox(radiograph, size_px=320, low_percentile=0.5, high_percentile=99.5).tensor
    np.testing.assert_array_equal(inputs["image"], expected)
    assert TASK.prepare(make_acquisition(**GOOD), radiograph, None) == {}


def ask(
    acquisition: Acquisition,
    image: PixelImage,
    card: ModelCard,
    logits: list[float],
    heat: NDArray[np.float32] | None = None,
) -> Answer:
    maps = np.zeros((1, 2, 10, 10), np.float32) if heat is None else np.stack([heat, heat])[None]
    return TASK.interpret(
        acquisition, image, {"logits": np.array([logits], np.float32), "heatmap": maps}, card
    )


def test_logits_become_calibrated_probabilities_and_decisions(
    make_acquisition: MakeAcquisition, chest_card: ModelCard, radiograph: PixelImage
) -> None:
    # probability = 1 / (1 + exp(-(2 * logit - 1))): logit 0.5 gives 0.5; logit +-1e9 must not overflow
    acquisition = make_acquisition(**GOOD)
    effusion, pneumothorax = ask(acquisition, radiograph, chest_card, [0.5, 1.5]).findings
    assert effusion.code.meaning == "Pleural effusion"
    assert effusion.probability == pytest.approx(0.5)
    assert effusion.decision is Decision.INDETERMINATE
    assert pneumothorax.probability == pytest.approx(1 / (1 + np.exp(-2)))
    assert pneumothorax.decision is Decision.PRESENT
    low, high = ask(acquisition, radiograph, chest_card, [-1e9, 1e9]).findings
    assert (low.probability, low.decision) == (pytest.approx(0.0), Decision.ABSENT)
    assert (high.probability, high.decision) == (pytest.approx(1.0), Decision.PRESENT)


def peak_at(row: int, column: int) -> NDArray[np.float32]:
    heat = np.full((10, 10), -1.0, np.float32)
    heat[row, column] = 5.0
    return heat


def test_the_box_lies_around_the_strongest_evidence(
    make_acquisition: MakeAcquisition, chest_card: ModelCard, radiograph: PixelImage
) -> None:
    # 600 x 480 becomes 320 x 256 with 32 zero columns on each side; cell (2, 6) is rows 64-96,
    # columns 192-224 of the square: rows 120-180, columns 300-360 of the source
    answer = ask(make_acquisition(**GOOD), radiograph, chest_card, [3.0, -3.0], peak_at(2, 6))
    present, absent = answer.findings
    assert absent.marks == ()
    (mark,) = present.marks
    assert (mark.shape, mark.label) == (MarkShape.BOX, "Pleural effusion")
    (top, left), (bottom, right) = mark.points_px
    assert (top + bottom) / 2 == pytest.approx(149.5, abs=2)
    assert (left + right) / 2 == pytest.approx(329.5, abs=2)
    assert 40 < bottom - top < 100
    (heatmap,) = answer.heatmaps
    assert heatmap.finding_code == "60046008"
    assert heatmap.values.shape == (600, 480)
    assert heatmap.values.min() >= 0
    assert heatmap.values.max() == pytest.approx(1.0, abs=0.05)
    assert np.unravel_index(int(heatmap.values.argmax()), (600, 480)) == pytest.approx((149, 329), abs=30)
    assert not heatmap.values.flags.writeable


def test_evidence_beside_the_frame_is_not_drawn(
    make_acquisition: MakeAcquisition, chest_card: ModelCard, radiograph: PixelImage
) -> None:
    heat = peak_at(5, 0)  # in the zeros at the left
    heat[5, 5] = 2.0
    (mark,) = ask(make_acquisition(**GOOD), radiograph, chest_card, [3.0, -3.0], heat).findings[0].marks
    assert all(0 <= row <= 600 and 0 <= column <= 480 for row, column in mark.points_px)
    assert mark.points_px[0][1] > 100


@pytest.mark.parametrize("heat", [np.full((10, 10), -1, np.float32), np.ones((10, 10), np.float32)])
def test_evidence_nowhere_or_everywhere_makes_no_box(
    make_acquisition: MakeAcquisition,
    chest_card: ModelCard,
    radiograph: PixelImage,
    heat: NDArray[np.float32],
) -> None:
    answer = ask(make_acquisition(**GOOD), radiograph, chest_card, [3.0, 3.0], heat)
    assert [finding.decision for finding in answer.findings] == [Decision.PRESENT] * 2
    assert all(finding.marks == () for finding in answer.findings)


def test_a_triage_card_points_at_nothing(
    make_acquisition: MakeAcquisition, chest_card: ModelCard, radiograph: PixelImage
) -> None:
    card = replace(chest_card, intended_use=replace(chest_card.intended_use, draws_location=False))
    answer = ask(make_acquisition(**GOOD), radiograph, card, [3.0, 3.0], peak_at(4, 4))
    assert answer.heatmaps == ()
    assert all(finding.marks == () and finding.draws_location is False for finding in answer.findings)
    reader_aid = ask(make_acquisition(**GOOD), radiograph, chest_card, [3.0, 3.0], peak_at(4, 4))
    assert all(finding.draws_location for finding in reader_aid.findings)


# Trace: REQ-020
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("logits", np.array([[np.nan, 0.0]], np.float32)),
        ("logits", np.array([[np.inf, 0.0]], np.float32)),
        ("logits", np.zeros((1, 3), np.float32)),
        ("logits", np.zeros((2, 2), np.float32)),
        ("heatmap", np.full((1, 2, 10, 10), np.nan, np.float32)),
        ("heatmap", np.zeros((1, 1, 10, 10), np.float32)),
        ("heatmap", None),
    ],
)
def test_a_broken_answer_is_withheld(
    make_acquisition: MakeAcquisition,
    chest_card: ModelCard,
    radiograph: PixelImage,
    name: str,
    value: NDArray[np.float32] | None,
) -> None:
    outputs = {"logits": np.zeros((1, 2), np.float32), "heatmap": np.zeros((1, 2, 10, 10), np.float32)}
    outputs |= {name: value} if value is not None else {}
    if value is None:
        del outputs[name]
    with pytest.raises(EngineError, match=name):
        TASK.interpret(make_acquisition(**GOOD), radiograph, outputs, chest_card)


def test_a_model_without_maps_gives_findings_without_places(
    make_acquisition: MakeAcquisition, radiograph: PixelImage, chest_card: ModelCard
) -> None:
    use = replace(chest_card.intended_use, draws_location=False)
    card = replace(chest_card, outputs=chest_card.outputs[:1], intended_use=use)
    logits = {"logits": np.array([[3.0, -3.0]], np.float32)}
    answer = TASK.interpret(make_acquisition(**GOOD), radiograph, logits, card)
    assert [finding.decision for finding in answer.findings] == [Decision.PRESENT, Decision.ABSENT]
    assert answer.heatmaps == ()
    assert all(finding.marks == () for finding in answer.findings)
    with pytest.raises(EngineError, match="heatmap"):
        TASK.interpret(make_acquisition(**GOOD), radiograph, logits, chest_card)
