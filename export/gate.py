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
from export.side_by_side import Progress

__all__ = ["GateReport", "Limits", "gate", "gate_classifier", "gate_denoiser"]


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
    """The gate that fits the card: a model of slices is a denoiser, any other a classifier."""
    judge = gate_denoiser if card.preprocessing.kind == "slice" else gate_classifier
    return judge(
        card,
        fp32,
        candidate,
        labelled,
        precision=precision,
        engine=engine,
        threads=threads,
        limits=limits,
        progress=progress,
    )
