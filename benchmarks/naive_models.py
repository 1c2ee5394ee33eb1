# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What the naive pipeline is told about the models: the appliance's own, so that both do the same work."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class NaiveLabel:
    """probability = 1 / (1 + exp(-(scale * logit + shift)))."""

    name: str
    scale: float
    shift: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NaiveModel:
    """One ONNX file and how a frame becomes its input."""

    task: str
    onnx: str
    input_name: str
    size_px: int | None
    """Side of the square of a classifier; None for a network that takes slices as they are."""
    low_percentile: float | None
    high_percentile: float | None
    labels: tuple[NaiveLabel, ...]


def write_models(path: Path, models: tuple[NaiveModel, ...]) -> None:
    """For the naive process to read."""
    path.write_text(json.dumps([asdict(model) for model in models]), encoding="utf-8")


def read_models(path: Path) -> dict[str, NaiveModel]:
    """By task."""
    models = [
        NaiveModel(**{**plain, "labels": tuple(NaiveLabel(**label) for label in plain["labels"])})
        for plain in json.loads(path.read_text(encoding="utf-8"))
    ]
    return {model.task: model for model in models}
