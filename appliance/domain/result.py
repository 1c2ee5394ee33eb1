# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What one lane found out about one version of one acquisition. No pixels, only where they lie."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.domain.finding import Finding, Refusal
from appliance.domain.job import Lane
from appliance.domain.quality import Mark, QualityCheck


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTiming:
    """How long one stage took, on the monotonic clock."""

    stage: str
    """landed, complete, claimed, decoded, prepared, inferred, written, committed, painted."""
    duration_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineUse:
    """Which engine answered for which task."""

    task: str
    model: str
    """`task@version`."""
    engine: str
    """In words: engine, precision and device really in use, e.g. "openvino f32 CPU"."""
    fallback_reason: str | None
    """Why this is not the first engine of the settings; None when it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedFile:
    """A file that the lane made, durable before the result is committed."""

    path: str
    """Relative to the data folder."""
    sha256: str
    role: str
    """derived_image, heatmap, view."""
    marks: tuple[Mark, ...] = ()
    """Places in it that a reader must know of, such as those where a denoised image is the original's."""
    sop_instance_uid: str | None = None
    """Of a DICOM object; None for any other file, and in a result of before this was kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneResult:
    """One lane's whole answer. Committed once, together with the end of its job."""

    acquisition_id: str
    version: int
    lane: Lane
    quality: tuple[QualityCheck, ...] = ()
    findings: tuple[Finding, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    derived: tuple[DerivedFile, ...] = ()
    engines: tuple[EngineUse, ...] = ()
    timings: tuple[StageTiming, ...] = ()
    halvings: int = 0
    """How often the wavelet had halved the frame that the answer was made from. 0: the whole frame."""
