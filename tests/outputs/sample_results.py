# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a lane may say, for tests of how it is told."""

from __future__ import annotations

from appliance.domain.finding import Code, Decision, Finding, Refusal
from appliance.domain.job import Lane
from appliance.domain.quality import QualityCheck, Verdict
from appliance.domain.result import EngineUse, LaneResult

CANARY = "CANARY"
"""Stands in the name and the number of the patient: where it is seen, the patient is."""


def suspected(meaning: str, decision: Decision, probability: float, *, code: str = "60046008") -> Finding:
    return Finding(
        task="chest_triage",
        code=Code(value=code, scheme="SCT", meaning=meaning),
        probability=probability,
        sensitive_threshold=0.2,
        specific_threshold=0.7,
        decision=decision,
    )


ENGINE = EngineUse(task="chest_triage", model="chest_triage@2.1", engine="ort f32 CPU", fallback_reason=None)
FLAGGED = LaneResult(
    acquisition_id="a1",
    version=1,
    lane=Lane.TRIAGE,
    findings=(
        suspected("Pleural effusion", Decision.PRESENT, 0.8123456),
        suspected("Pneumothorax", Decision.INDETERMINATE, 0.31, code="36118008"),
        suspected("Cardiomegaly", Decision.ABSENT, 0.11, code="8186001"),
    ),
    refusals=(Refusal(task="fracture_triage", reason="The body part is CHEST; tested for HAND."),),
    engines=(ENGINE,),
)
NOT_FLAGGED = LaneResult(
    acquisition_id="a1",
    version=1,
    lane=Lane.TRIAGE,
    findings=(suspected("Pleural effusion", Decision.ABSENT, 0.05),),
    engines=(ENGINE,),
)
REFUSED = LaneResult(
    acquisition_id="a1",
    version=1,
    lane=Lane.TRIAGE,
    refusals=(Refusal(task="chest_triage", reason="Age 3: below the age that this model was tested for."),),
)
REPEAT = LaneResult(
    acquisition_id="a1",
    version=1,
    lane=Lane.QUALITY,
    quality=(
        QualityCheck(
            criterion="field_of_view",
            verdict=Verdict.REPEAT,
            value=12.0,
            unit="mm",
            limit=0.0,
            advice="Right base cut off, 12 mm at the detector. Lower the detector.",
        ),
        QualityCheck(
            criterion="exposure",
            verdict=Verdict.OK,
            value=float("nan"),
            unit="1",
            limit=3.0,
            advice="",
        ),
        QualityCheck(
            criterion="rotation",
            verdict=Verdict.NOT_CHECKED,
            value=None,
            unit=None,
            limit=None,
            advice="Look.",
        ),
    ),
)
FINE = LaneResult(
    acquisition_id="a1",
    version=1,
    lane=Lane.QUALITY,
    quality=(
        QualityCheck(criterion="exposure", verdict=Verdict.OK, value=0.1, unit="1", limit=3.0, advice=""),
    ),
)
NEVER_SAID = ("normal", "negative", "healthy", "no fracture", "clear")
"""Words that would let somebody go home."""
