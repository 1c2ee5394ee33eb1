# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a run found, as the report takes it: also of a run that ended with a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from appliance.clock import Clock
from appliance.domain.card import ModelCard
from appliance.domain.record import from_plain
from appliance.models.passport import cpu_model
from calibration.coverage import Coverage
from calibration.threshold import CalibratedLabel
from export.float_graph import MODEL
from export.gate_report import GateReport
from export.parity import ParityReport
from export.report_parts import (
    Evening,
    GraphFile,
    ImageSet,
    LayerEffect,
    LintRow,
    RangeMethod,
    Report,
)
from export.report_parts import Latency as LatencyRow
from export.variants import FP16_MODEL, INT8_MODEL
from export.work import WorkFolder, sha256_of

FILE_OF: Final[Mapping[str, str]] = {"fp32": MODEL, "int8": INT8_MODEL, "fp16": FP16_MODEL}


@dataclass(slots=True, kw_only=True)
class Exported:
    """Everything that a run found, as far as it got."""

    card: ModelCard
    """With the variants that passed, and their metrics."""
    steps: dict[str, Any] = field(default_factory=dict)
    """Step to its result, as kept in the work folder."""
    gates: dict[str, GateReport] = field(default_factory=dict)
    sets: list[ImageSet] = field(default_factory=list)
    calibration: tuple[CalibratedLabel, ...] | None = None
    parity: ParityReport | None = None
    culprit: str | None = None
    latency: tuple[LatencyRow, ...] | None = None
    bundle: Path | None = None
    """The folder, ready to be packed and signed. None: the run was refused before."""

    @property
    def made(self) -> tuple[str, ...]:
        """Precisions whose graph was made, judged or not."""
        there = [name for name in ("int8", "fp16") if name in self.steps]
        return ("fp32", *there) if "simplify" in self.steps else ()


def image_set(purpose: str, manifest_sha256: str, coverage: Coverage) -> ImageSet:
    """One set of images for the report."""
    return ImageSet(purpose=purpose, manifest_sha256=manifest_sha256, coverage=coverage)


def report_of(found: Exported, work: WorkFolder, *, clock: Clock, signed_by: str | None = None) -> Report:
    """The report of a run. A graph that was made but not judged is not in it: nobody will get it."""
    kept = [name for name in found.made if name == "fp32" or name in found.gates]
    return Report(
        card=found.card,
        made_at_utc=clock.now_utc().isoformat(timespec="seconds"),
        machine=cpu_model(),
        graphs=tuple(_graph_file(work, name) for name in kept),
        sets=tuple(found.sets) or None,
        evening=from_plain(Evening, found.steps["equalise"]) if "equalise" in found.steps else None,
        ranges=_ranges(found.steps),
        layers=_layers(found.steps),
        parity=found.parity,
        culprit=found.culprit,
        gates=tuple(found.gates.values()) or None,
        calibration=found.calibration,
        latency=found.latency,
        lint=_lint(found.steps),
        signed_by=signed_by,
    )


def _graph_file(work: WorkFolder, precision: str) -> GraphFile:
    path = work.path(FILE_OF[precision])
    return GraphFile(
        precision=precision, file=path.name, size_bytes=path.stat().st_size, sha256=sha256_of(path)
    )


def _ranges(steps: Mapping[str, Any]) -> tuple[RangeMethod, ...] | None:
    if "ranges" not in steps:
        return None
    return tuple(
        RangeMethod(
            method=method,
            relative_error=row["relative_error"],
            clipped_share=row["clipped"],
            chosen=method == steps["ranges"]["chosen"],
        )
        for method, row in steps["ranges"]["methods"].items()
    )


def _layers(steps: Mapping[str, Any]) -> tuple[LayerEffect, ...] | None:
    if "sensitivity" not in steps:
        return None
    left = set(steps.get("int8", {}).get("left_in_float", ()))
    return tuple(
        LayerEffect(
            layer=row["layer"],
            relative_error=max(row["relative_error"].values()),
            left_in_float=row["layer"] in left,
        )
        for row in steps["sensitivity"]["layers"]
    )


def _lint(steps: Mapping[str, Any]) -> tuple[LintRow, ...] | None:
    if "lint" not in steps:
        return None
    return tuple(
        from_plain(LintRow, {"file": FILE_OF[precision]} | row)
        for precision, rows in steps["lint"].items()
        for row in rows
    )
