# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""An exam as numbers and words: what the header says, how grey it is, what was answered. Nobody's name."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.domain.acquisition import Instance
from appliance.domain.drift import DriftExam
from appliance.domain.result import LaneResult
from appliance.layout import Layout
from appliance.pipeline.views import PIXELS
from appliance.store.drift import Answered

SCORE: Final = "score: "
QUALITY: Final = "quality: "
LONGEST_SCANNER: Final = 48
GREY_STRIDE: Final = 8
"""Every eighth pixel of every eighth row: some 100,000 of a radiograph, enough for three decimals."""


def drift_exam(answered: Answered, layout: Layout) -> DriftExam:
    """What is compared of it. A feature that is not known is not there."""
    first = answered.first
    numbers = {**_header_numbers(first), **_grey(layout.view_of(answered.acquisition_id, answered.version))}
    for result in answered.results:
        numbers |= _answers(result)
    words = {
        "view_position": first.view_position,
        "body_part": first.body_part,
        "patient_sex": first.patient.patient_sex,
        "detector_id": first.equipment.detector_id,
    }
    return DriftExam(
        exam_id=0,
        scanner=scanner_of(first),
        detector=_plain(first.equipment.detector_id or ""),
        numbers={name: value for name, value in numbers.items() if np.isfinite(value)},
        words={name: _plain(word) for name, word in words.items() if word},
        answered_at_utc=answered.committed_at_utc,
    )


def scanner_of(first: Instance) -> str:
    """Modality, model and serial number; the station's name where there is no number."""
    equipment = first.equipment
    number = equipment.device_serial_number or equipment.station_name or "no serial number"
    return _plain(f"{first.modality} {equipment.manufacturer_model_name or 'no model'} {number}")


def _plain(text: str) -> str:
    """Printable and short: it becomes a label and a line of a report."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))[:LONGEST_SCANNER]


def _header_numbers(first: Instance) -> dict[str, float]:
    spacing = first.geometry.pixel_spacing_mm
    pixels = first.pixels
    found = {
        "exposure_index": first.exposure.exposure_index,
        "kvp": first.exposure.kvp,
        "exposure_mas": first.exposure.exposure_mas,
        "rows_px": pixels.rows if pixels else None,
        "columns_px": pixels.columns if pixels else None,
        "pixel_spacing_mm": spacing[0] if spacing else None,
        "age_years": first.patient.age_years,
    }
    return {name: float(value) for name, value in found.items() if value is not None}


def _grey(view: Path) -> dict[str, float]:
    """Mean and percentiles of the stored values; empty where the view has been deleted."""
    try:
        stored: NDArray[np.generic] = np.load(view / PIXELS, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):
        return {}
    frame = stored if stored.ndim == 2 else stored[len(stored) // 2]
    some = np.asarray(frame[::GREY_STRIDE, ::GREY_STRIDE], dtype=np.float64)
    if some.size == 0:
        return {}
    low, high = np.percentile(some, (5, 95))
    return {"grey_mean": float(some.mean()), "grey_p05": float(low), "grey_p95": float(high)}


def _answers(result: LaneResult) -> dict[str, float]:
    scores = {f"{SCORE}{one.task}: {one.code.meaning}": one.probability for one in result.findings}
    measured = {
        f"{QUALITY}{check.criterion}": check.value for check in result.quality if check.value is not None
    }
    return scores | measured
