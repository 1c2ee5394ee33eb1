# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The gate: a variant of a model goes into a bundle only if it answers as the float32 model does."""

from __future__ import annotations

from pathlib import Path

from appliance.domain.card import ModelCard
from calibration.dataset import CalibrationSet
from export.classifier_gate import gate_classifier
from export.denoiser_gate import gate_denoiser
from export.gate_report import GateReport, Limits
from export.side_by_side import Progress, SideBySide, serving_engine

__all__ = ["GateReport", "Limits", "gate"]


def gate(  # noqa: PLR0913 - keyword-only where they could be confused
    card: ModelCard,
    fp32: Path,
    candidate: Path,
    labelled: CalibrationSet,
    *,
    precision: str = "int8",
    engine: str | None = None,
    threads: int = 1,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> GateReport:
    """Compare `candidate` with `fp32` on every image of `labelled`, and judge.

    A model of slices is judged as a denoiser, any other as a classifier. `engine` runs the candidate: the
    one that would serve it, unless another is named; float32 runs on ONNX Runtime. Raises EngineError when
    a graph does not run, InputError when the set lacks what a denoiser is compared with.
    """
    both = SideBySide(
        card=card,
        fp32=fp32,
        candidate=candidate,
        labelled=labelled,
        precision=precision,
        engine=engine or serving_engine(),
        threads=threads,
        progress=progress,
    )
    judge = gate_denoiser if card.preprocessing.kind == "slice" else gate_classifier
    return judge(both, limits or Limits())
