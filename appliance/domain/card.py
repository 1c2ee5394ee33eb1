# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The model card: everything that makes a model's answer mean something, as one unit with its weights.

Read from `card.toml` of a bundle; unknown keys are refused, so a misspelt threshold cannot be ignored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from appliance.domain.finding import Code

LARGEST_EXPONENT: Final = 60.0
"""exp(60) is far from the largest number, and 1 + exp(-60) is exactly 1: more changes no probability."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorSpec:
    """One input or output of the graph."""

    name: str
    shape: tuple[int | str, ...]
    """Fixed sizes, or the name of a dynamic axis."""
    dtype: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessing:
    """What happens to a frame before the graph; the rest (normalisation) is inside it.

    `letterbox`: area-mean resize to fit `size_px` squared, aspect kept, centred on zeros; grey values
    between the two percentiles of the frame become 0..1, clipped. `slice`: the frame in its own units.
    """

    kind: str
    size_px: int | None = None
    low_percentile: float | None = None
    high_percentile: float | None = None
    smallest_halved_px: int | None = None
    """For `letterbox`: the model may be asked about a frame decoded without its finest wavelet levels, as
    long as the longer side keeps this many samples: its answers were compared there. None: it was not tried,
    or did not pass."""
    multiple_of_px: int = 1
    """For `slice`: rows and columns are padded by reflection to a multiple of this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A number that was measured, with its 95 % confidence interval and the images it stands for."""

    name: str
    value: float
    dataset: str
    n: int
    ci_low: float | None = None
    ci_high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One channel of the classifier's output and how to read it.

    probability = 1 / (1 + exp(-(scale * logit + shift))), fitted on images not used for training (Platt).
    """

    name: str
    code: Code
    scale: float
    shift: float
    sensitive_threshold: float
    specific_threshold: float

    def probability_of(self, logit: float) -> float:
        """The calibrated probability, 0 to 1."""
        exponent = min(max(self.scale * logit + self.shift, -LARGEST_EXPONENT), LARGEST_EXPONENT)
        return 1.0 / (1.0 + math.exp(-exponent))


@dataclass(frozen=True, slots=True, kw_only=True)
class IntendedUse:
    """For which images the model was tested. Anything else is refused, with the reason."""

    modalities: tuple[str, ...]
    body_parts: tuple[str, ...]
    """BodyPartExamined values; empty: not restricted."""
    view_positions: tuple[str, ...]
    draws_location: bool
    """False: a triage aid that flags the image only; True: a reader aid that may draw where."""
    minimum_age_years: float | None = None
    """None: not restricted. TOML has no word for None: the line is left out."""
    maximum_age_years: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What the weights were made from, and under which terms."""

    training_data: tuple[str, ...]
    licence: str
    restrictions: str
    """Empty, or what must not be done with these weights."""
    known_biases: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """The same model in another precision: `model.<precision>.onnx` beside the float32 `model.onnx`.

    It is in a bundle only if it passed its gate against the float32 model (gate.json says how).
    """

    precision: str
    """"int8" (explicit Q/DQ, symmetric) or "fp16"."""
    tolerances: Mapping[str, float]
    """Output name to the largest difference to the golden float32 output that an engine may show, in the
    output's own unit; measured when the variant was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """`card.toml`."""

    format: int
    task: str
    name: str
    version: str
    release: int
    """Rises with each release; an older one is not installed over a newer one."""
    summary: str
    precision: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    preprocessing: Preprocessing
    labels: tuple[Label, ...]
    """Empty for a denoiser."""
    intended_use: IntendedUse
    provenance: Provenance
    metrics: tuple[Metric, ...]
    variants: tuple[Variant, ...] = ()
    """Further precisions of the same model; float32 is always there."""

    @property
    def identity(self) -> str:
        """`task@version`, as results name it."""
        return f"{self.task}@{self.version}"
