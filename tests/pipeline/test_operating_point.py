# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import pytest

from appliance.domain.finding import Code, Decision, Finding, LocalThreshold, decide
from appliance.domain.quality import Mark, MarkShape
from appliance.pipeline.operating_point import at_local_thresholds
from appliance.tasks.base import Answer, Heatmap

LOCAL = LocalThreshold(in_force=0.5, signed=0.3, decided_at_utc="2026-01-01T00:00:00+00:00")


def finding(probability: float, code: str = "1") -> Finding:
    return Finding(
        task="chest_triage",
        code=Code(value=code, scheme="SCT", meaning="Pneumothorax"),
        probability=probability,
        sensitive_threshold=0.3,
        specific_threshold=0.7,
        decision=decide(probability, sensitive=0.3, specific=0.7),
        marks=(Mark(label="a", shape=MarkShape.BOX, points_px=((0.0, 0.0), (1.0, 1.0))),),
    )


def answer(*findings: Finding) -> Answer:
    heat = np.zeros((2, 2), dtype=np.float32)
    return Answer(
        findings=findings,
        heatmaps=tuple(Heatmap(finding_code=found.code.value, values=heat) for found in findings),
    )


@pytest.mark.parametrize(
    ("probability", "decision"),
    [
        (0.2, Decision.ABSENT),
        (0.4, Decision.ABSENT),
        (0.5, Decision.INDETERMINATE),
        (0.69, Decision.INDETERMINATE),
        (0.7, Decision.PRESENT),
    ],
)
def test_the_site_decides_at_its_own_point(probability: float, decision: Decision) -> None:
    (found,) = at_local_thresholds(answer(finding(probability)), {("1", "SCT"): LOCAL}).findings
    assert found.decision is decision
    assert (found.sensitive_threshold, found.specific_threshold) == (0.5, 0.7)
    assert found.local_threshold == LOCAL
    assert found.signed_threshold == 0.3


def test_what_is_not_flagged_any_more_is_not_drawn() -> None:
    moved = at_local_thresholds(answer(finding(0.4), finding(0.4, "2")), {("1", "SCT"): LOCAL})
    assert [len(found.marks) for found in moved.findings] == [0, 1]
    assert [heat.finding_code for heat in moved.heatmaps] == ["2"]


def test_other_findings_stay_as_they_are() -> None:
    before = answer(finding(0.4, "2"))
    assert at_local_thresholds(before, {("1", "SCT"): LOCAL}).findings == before.findings
    assert at_local_thresholds(before, {}) is before
