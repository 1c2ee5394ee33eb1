# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The reports of modalities about their steps (MPPS: N-CREATE, N-SET) as PerformedSteps. Lenient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from pydicom.dataset import Dataset

from appliance.domain.expected import PerformedImage, PerformedStep, StepStatus
from appliance.intake.header_values import item, raw_value, text, uid, word

MOST_ITEMS: Final = 20_000
"""Images of one step: a CT of the whole body at 0.5 mm in several phases stays below this."""


def new_step(sop_instance_uid: str, report: Dataset) -> PerformedStep:
    """What an N-CREATE says."""
    steps = [
        each for each in _items(report, "ScheduledStepAttributesSequence") if uid(each, "StudyInstanceUID")
    ]
    return PerformedStep(
        sop_instance_uid=sop_instance_uid,
        status=_status(report) or StepStatus.IN_PROGRESS,
        study_instance_uids=tuple(found for each in steps if (found := uid(each, "StudyInstanceUID"))),
        accession_numbers=tuple(found for each in steps if (found := text(each, "AccessionNumber"))),
        images=_images(report),
    )


def changed_step(step: PerformedStep, report: Dataset) -> PerformedStep:
    """What it says after an N-SET: what the message does not name stays as it was (PS3.4 F.7.2.2)."""
    named = "PerformedSeriesSequence" in report
    return replace(
        step,
        status=_status(report) or step.status,
        images=_images(report) if named else step.images,
    )


def _status(report: Dataset) -> StepStatus | None:
    said = word(report, "PerformedProcedureStepStatus")
    return next((status for status in StepStatus if status.value == said), None)


def _images(report: Dataset) -> tuple[PerformedImage, ...]:
    found = [
        PerformedImage(series_instance_uid=series, sop_instance_uid=image)
        for each in _items(report, "PerformedSeriesSequence")
        if (series := uid(each, "SeriesInstanceUID"))
        for reference in _items(each, "ReferencedImageSequence")
        if (image := uid(reference, "ReferencedSOPInstanceUID"))
    ]
    return tuple(dict.fromkeys(found))[:MOST_ITEMS]


def _items(holder: Dataset, sequence: str) -> Iterator[Dataset]:
    found = raw_value(holder, sequence)
    for index in range(len(found) if isinstance(found, list) or hasattr(found, "append") else 0):
        one = item(holder, sequence, index)
        if one is not None:
            yield one
