# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Two results, and what can be read out of a report."""

from __future__ import annotations

import io
from typing import Any

import pydicom
from pydicom.dataset import Dataset

from appliance.domain.acquisition import Acquisition
from appliance.domain.finding import Code, Decision, Finding, Refusal
from appliance.domain.job import Lane
from appliance.domain.quality import Mark, MarkShape, QualityCheck, Verdict
from appliance.domain.result import EngineUse, LaneResult
from appliance.outputs.structured_report import OUTPUT


def finding(meaning: str, decision: Decision, *marks: Mark) -> Finding:
    return Finding(
        task="chest_triage",
        code=Code(value="60046008", scheme="SCT", meaning=meaning),
        probability=0.8123456,
        sensitive_threshold=0.2,
        specific_threshold=0.7,
        decision=decision,
        marks=marks,
    )


BOX = Mark(label="x", shape=MarkShape.BOX, points_px=((10.0, 20.0), (30.0, 50.0)))
TRIAGE = LaneResult(
    acquisition_id="a1",
    version=1,
    lane=Lane.TRIAGE,
    findings=(
        finding("Pleural effusion", Decision.PRESENT, BOX),
        finding("Pneumothorax", Decision.INDETERMINATE),
        finding("Cardiomegaly", Decision.ABSENT),
    ),
    refusals=(Refusal(task="fracture_triage", reason="The body part is CHEST; tested for HAND."),),
    engines=(
        EngineUse(task="chest_triage", model="chest_triage@2.1", engine="ort f32 CPU", fallback_reason=None),
    ),
)
QUALITY = LaneResult(
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
            criterion="rotation",
            verdict=Verdict.NOT_CHECKED,
            value=None,
            unit=None,
            limit=None,
            advice="Look.",
        ),
        QualityCheck(
            criterion="a_criterion_with_a_long_name",
            verdict=Verdict.OK,
            value=float("nan"),
            unit="1",
            limit=0.5,
            advice="",
        ),
    ),
)


def render(acquisition: Acquisition, result: LaneResult) -> Dataset:
    (rendered,) = OUTPUT.render(acquisition, result)
    return pydicom.dcmread(io.BytesIO(rendered.content))


def items(dataset: Any) -> list[Any]:
    found = []
    for item in dataset.get("ContentSequence", ()):
        found += [item, *items(item)]
    return found


def texts(dataset: Dataset, concept: str) -> list[str]:
    return [
        str(item.get("TextValue") or item.get("UID") or item.ConceptCodeSequence[0].CodeMeaning)
        for item in items(dataset)
        if item.ConceptNameCodeSequence[0].CodeMeaning == concept
    ]


def container(dataset: Any, concept: str) -> Any:
    (found,) = [item for item in items(dataset) if item.ConceptNameCodeSequence[0].CodeMeaning == concept]
    return found


def numbers(report: Dataset) -> list[tuple[str, float, str]]:
    """What was measured: name, value, unit. Not what the library says about the images."""
    return [
        (
            item.ConceptNameCodeSequence[0].CodeMeaning,
            float(item.MeasuredValueSequence[0].NumericValue),
            item.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0].CodeValue,
        )
        for item in items(container(report, "Imaging Measurements"))
        if item.ValueType == "NUM"
    ]
