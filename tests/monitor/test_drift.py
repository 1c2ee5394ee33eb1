# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Drift by simulation: an unchanged scanner is left in peace, a shifted one and a new detector are found."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.domain.drift import DriftExam
from appliance.monitor import drift
from appliance.monitor.drift import compare
from appliance.monitor.drift_advice import advise

BASELINE, RECENT = 200, 100
UNCHANGED = 60
CHANGED = 20


@pytest.fixture(autouse=True)
def fewer_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bounds of 1,000 draws are those of 4,000 within a few hundredths, in a quarter of the time."""
    monkeypatch.setattr(drift, "DRAWS", 1000)


def exams(
    rng: np.random.Generator,
    count: int,
    *,
    exposure: float = 1.0,
    new_detector: bool = False,
    scores_up: float = 0.0,
    other_size: float = 0.0,
) -> list[DriftExam]:
    """A mixed room: chests and hands, values rounded and stepped as real headers have them."""
    made = []
    for number in range(count):
        hand = rng.random() < 0.4
        detector = "D2" if new_detector else "D1"
        odd = new_detector or rng.random() < other_size
        index = np.exp(rng.normal(np.log(400.0 if hand else 250.0), 0.3)) * exposure
        numbers = {
            "exposure_index": float(round(index)),
            "kvp": float(rng.choice([50, 55] if hand else [110, 117, 125])),
            "rows_px": 2836.0 if odd else 3000.0,
            "pixel_spacing_mm": 0.148 if odd else 0.14,
            "exposure_mas": float(np.exp(rng.normal(1, 0.5))),
            "grey_mean": float(rng.normal(5000, 600)),
            "grey_p95": float(rng.normal(12000, 900)),
            "quality: sharpness": float(rng.gamma(4, 1)),
        }
        if rng.random() < 0.9:
            numbers["age_years"] = float(np.clip(rng.normal(50, 22), 0, 95).round())
        if not hand:
            for code in range(4):
                score = float(rng.beta(1.2, 8))
                numbers[f"score: chest_triage: {code}"] = score + scores_up * (1 - score)
        words = {
            "body_part": "HAND" if hand else "CHEST",
            "patient_sex": str(rng.choice(["F", "M", "O"], p=[0.49, 0.5, 0.01])),
            "detector_id": detector,
        }
        made.append(
            DriftExam(
                exam_id=number,
                scanner="DX",
                detector=detector,
                numbers=numbers,
                words=words,
                answered_at_utc="2026-03-04T05:06:07+00:00",
            )
        )
    return made


def share_found(times: int, seed: int, **change: float) -> float:
    rng = np.random.default_rng(seed)
    found = 0
    for _ in range(times):
        compared = compare(exams(rng, BASELINE), exams(rng, RECENT, **change))  # type: ignore[arg-type]
        found += any(one.is_beyond for one in compared)
    return found / times


def test_an_unchanged_scanner_is_called_drift_in_one_comparison_of_a_hundred_at_most() -> None:
    assert share_found(UNCHANGED, seed=1) <= 0.01


def test_a_shifted_exposure_index_is_found() -> None:
    assert share_found(CHANGED, seed=2, exposure=1.5) > 0.95


def test_a_swapped_detector_is_found() -> None:
    assert share_found(CHANGED, seed=3, new_detector=True) > 0.95


def test_one_odd_exam_in_fifty_is_no_drift() -> None:
    assert share_found(CHANGED, seed=4, other_size=0.02) <= 0.05


def test_the_furthest_feature_is_first_and_the_same_exams_say_the_same() -> None:
    usual, recent = (
        exams(np.random.default_rng(5), BASELINE),
        exams(np.random.default_rng(6), RECENT, exposure=2),
    )
    compared = compare(usual, recent)
    assert compared[0].feature == "exposure_index"
    assert compared[0].is_beyond
    assert compared == compare(usual, recent)
    ratios = [one.distance / one.bound for one in compared]
    assert ratios == sorted(ratios, reverse=True)


def test_a_feature_that_is_not_given_any_more_is_drift() -> None:
    usual, recent = exams(np.random.default_rng(7), BASELINE), exams(np.random.default_rng(8), RECENT)
    for exam in recent:
        del exam.numbers["exposure_index"]
    beyond = {(one.feature, one.measure) for one in compare(usual, recent) if one.is_beyond}
    assert beyond == {("exposure_index", "psi")}


def test_scores_that_went_up_with_the_new_detector_are_said_so() -> None:
    usual = exams(np.random.default_rng(9), BASELINE)
    recent = exams(np.random.default_rng(10), RECENT, new_detector=True, scores_up=0.3)
    said = " ".join(advise(compare(usual, recent), usual, recent))
    assert "scores are up" in said
    assert "since the new detector (2026-03-04)" in said
    assert "the model may answer the machine" in said
    assert "--fix-baseline" in said


def test_nothing_beyond_its_bound_needs_no_words() -> None:
    usual, recent = exams(np.random.default_rng(11), BASELINE), exams(np.random.default_rng(12), RECENT)
    assert advise(compare(usual, recent), usual, recent) == ()


def test_exposure_alone_is_for_the_physicist() -> None:
    usual = exams(np.random.default_rng(13), BASELINE)
    recent = exams(np.random.default_rng(14), RECENT, exposure=2)
    (sentence,) = advise(compare(usual, recent), usual, recent)
    assert sentence.startswith("exposure_index went up (")
    assert "physicist" in sentence
