# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The rule by which a network may see halved frames, and what is measured for it; what ships obeys it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.domain.card import ModelCard
from appliance.models.bundle import read_unsigned
from appliance.models.registry import shipped_models
from benchmarks.halved_frames import BITS, detector_frame, pictures
from benchmarks.halved_judging import Answer, judge
from export.reference.films import Film

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "halved"
FILMS = 200


def answers(change: NDArray[np.float64]) -> list[list[Answer]]:
    """Evenly spread probabilities of one label, whole; and with `change` added, halved once."""
    whole = np.linspace(0.01, 0.99, FILMS)
    tensor = np.linspace(0, 1, 16, dtype=np.float32).reshape(4, 4)
    return [
        [Answer(probability=np.array([value]), tensor=tensor, heat=None) for value in pair]
        for pair in zip(whole, whole + change, strict=True)
    ]


@pytest.fixture
def one_label() -> ModelCard:
    card = read_unsigned(shipped_models() / "fracture_triage").card
    label = replace(card.labels[0], name="a", sensitive_threshold=0.3, specific_threshold=0.7)
    return replace(card, labels=(label,))


def told(card: ModelCard, change: NDArray[np.float64]) -> list[str]:
    films = [
        Film(
            path=Path(str(number)),
            dataset="",
            source="",
            group=str(number),
            label="",
            findings=frozenset(),
            view="",
            age_years=None,
            sex="",
            boxes=(),
        )
        for number in range(FILMS)
    ]
    truths = [{"a": str(int(number % 7 < 3))} for number in range(FILMS)]
    found: list[str] = judge(card, films, truths, answers(change), 0)["reasons"]
    return found


def test_no_change_is_accepted_and_each_limit_is_a_reason(one_label: ModelCard) -> None:
    assert told(one_label, np.zeros(FILMS)) == []
    flipped = told(one_label, np.full(FILMS, 0.03))
    assert [reason.split(" flipped ")[1] for reason in flipped] == [
        "at the sensitive point",
        "at the specific point",
    ]
    ordered = np.array([0.3 * (number % 7 < 3) for number in range(FILMS)])
    assert told(one_label, ordered)[0].startswith("a: AUC +0.")


def test_the_pictures_are_of_one_frame(tmp_path: Path) -> None:
    film = np.tile(np.arange(0, 256, 2, dtype=np.uint8), (96, 1))
    frame = detector_frame(film, longer_px=512, seed=1)
    assert (frame.shape, int(frame.max()) < 2**BITS) == ((384, 512), True)
    whole, once, twice = pictures(frame, bits=BITS, both=True)
    assert [one.shape for one in (whole, once, twice)] == [(384, 512), (192, 256), (96, 128)]
    assert {one.whole_shape for one in (whole, once, twice)} == {(384, 512)}


@pytest.mark.parametrize("task", ["chest_triage", "fracture_triage"])
def test_what_ships_allows_what_passed_and_no_more(task: str) -> None:
    card = read_unsigned(shipped_models() / task).card
    measured = json.loads((RESULTS / f"{task}.json").read_text(encoding="utf-8"))
    assert measured["model"] == card.identity
    allowed = None
    for verdict in measured["verdicts"]:  # fewer and fewer samples: the first that failed ends it
        if not verdict["accepted"]:
            break
        allowed = verdict["smallest_halved_px"]
    assert card.preprocessing.smallest_halved_px == allowed
