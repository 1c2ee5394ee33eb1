# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The published predictions are read for the right films, and expectations come from training films only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2")

from export.reference.films import CLEAN_SOURCE, Film, read_films
from export.reference.published import TARGETS, published_logits, with_expectations
from export.reference.statistics import auc


def film(number: int, *findings: str) -> Film:
    return Film(
        path=Path(f"{number}.jpg"),
        dataset="NIH",
        source="x",
        group=str(number),
        label="abnormal" if findings else "normal",
        findings=frozenset(findings),
        view="PA",
        age_years=50.0,
        sex="F",
        boxes=(),
    )


def test_unread_films_get_what_their_report_lets_expect() -> None:
    films = [film(number, *(("Effusion",) if number % 2 else ())) for number in range(40)]
    logits = np.full((40, len(TARGETS)), np.nan)
    place = TARGETS.index("Effusion")
    logits[:30] = -3.0
    logits[1:30:2, place] = 1.0
    filled = with_expectations(logits, films, np.arange(40))
    assert np.array_equal(filled[:30], logits[:30])
    assert filled[31:40:2, place] == pytest.approx(1.0, abs=0.5)
    assert filled[30:40:2, place] == pytest.approx(-3.0, abs=0.5)


def test_films_outside_the_training_rows_teach_nothing() -> None:
    films = [film(number, *(("Effusion",) if number % 2 else ())) for number in range(40)]
    logits = np.full((40, len(TARGETS)), np.nan)
    logits[:30] = -3.0
    taught = with_expectations(logits, films, np.arange(20))
    logits[20:30] = 9.0
    again = with_expectations(logits, films, np.arange(20))
    assert np.array_equal(taught[30:], again[30:])


def test_the_published_network_is_as_good_as_its_source_says(real_data: Path) -> None:
    films = [one for one in read_films(real_data, ("NIH",)) if one.source == CLEAN_SOURCE]
    logits = published_logits(films, real_data)
    known = np.isfinite(logits[:, 0])
    assert known.sum() == 450
    abnormal = np.array([one.label == "abnormal" for one in films])
    assert auc(logits[known, 0], abnormal[known]) == pytest.approx(0.837, abs=0.002)
