# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from appliance.simulation.department import EMERGENCY, FindingModel, draw

EXAMS = 100_000


def test_arrivals_follow_the_hours() -> None:
    arrivals = draw(EMERGENCY, EXAMS, np.random.default_rng(1))
    hours = (arrivals.arrived_s // 3600).astype(int)
    days = hours[-1] / 24
    counted = np.bincount(hours % 24, minlength=24) / days
    assert counted == pytest.approx(np.array(EMERGENCY.exams_by_hour), rel=0.08)
    gaps = np.diff(arrivals.arrived_s[hours % 24 == 10])
    assert np.median(gaps) < np.mean(gaps), "they come by chance, not by the clock"


def test_a_week_is_a_week() -> None:
    quiet_sunday = replace(EMERGENCY, exams_by_hour=(10.0,) * 144 + (0.0,) * 24)
    hours = (draw(quiet_sunday, 5000, np.random.default_rng(1)).arrived_s // 3600).astype(int)
    assert (hours % 168).max() < 144


def test_the_ai_is_as_good_as_it_says() -> None:
    arrivals = draw(EMERGENCY, EXAMS, np.random.default_rng(2))
    for column, finding in enumerate(EMERGENCY.findings):
        there = arrivals.present[:, column]
        assert float(there.mean()) == pytest.approx(finding.prevalence, rel=0.15)
    (pneumothorax,) = (finding for finding in EMERGENCY.findings if finding.is_alarm)
    there = arrivals.present[:, EMERGENCY.findings.index(pneumothorax)]
    answered = 1 - EMERGENCY.no_answer_share
    assert float(arrivals.is_alarm[there].mean()) == pytest.approx(
        pneumothorax.sensitivity * answered, abs=0.04
    )
    assert float(np.isnan(arrivals.harm_rate).mean()) == pytest.approx(EMERGENCY.no_answer_share, abs=0.005)
    assert not arrivals.is_alarm[np.isnan(arrivals.harm_rate)].any(), "no answer, no alarm"
    assert arrivals.looked_for == (True, True, False, False)


def test_a_flag_is_worth_its_predictive_value() -> None:
    finding = FindingModel(name="x", prevalence=0.1, sensitivity=0.9, false_positive_rate=0.1, weight=3.0)
    arrivals = draw(
        replace(EMERGENCY, findings=(finding,), no_answer_share=0), EXAMS, np.random.default_rng(4)
    )
    flagged = arrivals.is_flagged
    assert finding.predictive_value == pytest.approx(0.5)
    assert float(arrivals.present[flagged, 0].mean()) == pytest.approx(0.5, abs=0.02), "calibrated"
    assert set(np.unique(arrivals.harm_rate)) == {0.0, 1.5}
    assert FindingModel(name="y", prevalence=0.1).predictive_value == 0.0
