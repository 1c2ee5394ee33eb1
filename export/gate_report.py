# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a gate found: a variant of a model beside the float32 one, on images with known truth.

A gate passes when nothing speaks against the variant and everything that had to be looked at was looked at.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from appliance.domain.card import Metric
from appliance.errors import ModelBundleError
from calibration.statistics import Estimate

LARGEST_AUC_CHANGE: Final = 0.005
"""Either way; the product's promise for every shipped model. Far inside the 95 %
interval of every shipped AUC (they are 0.1 wide)."""
LARGEST_FLIPPED_SHARE: Final = 0.01
"""Of all decisions at an operating point; the product's promise for every shipped model."""
LARGEST_PSNR_DROP_DB: Final = 0.1
"""Mean over the slices; the product's promise for every shipped denoiser."""
LARGEST_BIAS_CHANGE_HU: Final = 1.0
"""Of a tissue's mean: half of the 2 HU to which the denoiser as a whole is held, so that the variant cannot
use up what the model was granted."""
LEAST_IMAGES: Final = 100
"""In fewer decisions, one flip is already more than 1 %."""
LEAST_PER_CLASS: Final = 10
"""Images with and without a finding: with ten of each, one swapped pair moves the AUC by 0.01."""
LEAST_SLICES: Final = 8
"""Pairs of slices for a denoiser; fewer would be the anatomy of one place."""
LEAST_PER_STRATUM: Final = 20
"""A part of the set with fewer images is reported as too few: its number would say nothing."""
STRATA: Final = ("view", "sex", "age", "source", "scanner")
"""Properties of an image by which a set is looked at in parts (calibration/coverage.py)."""
FINEST: Final = 6
"""Decimals of numbers in gate.json."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is allowed, and how much there must be to judge by."""

    auc_change: float = LARGEST_AUC_CHANGE
    flipped_share: float = LARGEST_FLIPPED_SHARE
    psnr_drop_db: float = LARGEST_PSNR_DROP_DB
    bias_change_hu: float = LARGEST_BIAS_CHANGE_HU
    least_images: int = LEAST_IMAGES
    least_per_class: int = LEAST_PER_CLASS
    least_slices: int = LEAST_SLICES


@dataclass(frozen=True, slots=True, kw_only=True)
class PointMeasure:
    """One operating point of one model."""

    name: str
    threshold: float
    sensitivity: Estimate
    specificity: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrimination:
    """How well one model tells with from without. Intervals: DeLong (AUC), Wilson (shares)."""

    auc: Estimate
    roc: tuple[tuple[float, float], ...]
    """(false positive share, true positive share), from (0, 0) to (1, 1)."""
    points: tuple[PointMeasure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """One image whose decision differs."""

    file: str
    to_positive: bool
    truth: bool | None
    probability_fp32: float
    probability_candidate: float
    thumbnail_png: bytes
    """Small; only in the report, never in gate.json."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flips:
    """Decisions at one operating point that the variant answers differently."""

    point: str
    share: Estimate
    to_positive: int
    to_negative: int
    examples: tuple[Flip, ...]
    """Those with the largest change of probability."""

    @property
    def count(self) -> int:
        """All of them."""
        return self.to_positive + self.to_negative


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """A part of the set. None: too few images (or one class only) to say anything."""

    kind: str
    """view, sex, age, source, scanner."""
    value: str
    n: int
    positives: int
    auc_fp32: Estimate | None
    auc_candidate: Estimate | None
    flipped: Estimate | None
    """Share of images whose decision differs at either point."""

    @property
    def words(self) -> str:
        """For tables."""
        return f"{self.kind} {self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelGate:
    """One label of a classifier."""

    name: str
    positives: int
    negatives: int
    unknown: int
    fp32: Discrimination
    candidate: Discrimination
    auc_change: Estimate
    """Candidate minus float32; interval by resampling whole groups."""
    auc_change_delong: Estimate
    """The same with DeLong's paired interval."""
    flips: tuple[Flips, ...]
    strata: tuple[Stratum, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceChange:
    """One slice of a denoiser's gate."""

    file: str
    psnr_fp32_db: float
    psnr_candidate_db: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NoisePower:
    """Radially averaged noise power spectra of what is left over (image minus reference) in soft tissue.

    Without the lowest band, whose mean is taken out.
    """

    frequency_per_px: tuple[float, ...]
    fp32_hu2px2: tuple[float, ...]
    candidate_hu2px2: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DenoiserGate:
    """A denoiser's variant, slice by slice."""

    psnr_drop_db: Estimate
    """Float32 minus candidate; interval by resampling whole groups."""
    ssim_drop: Estimate
    rmse_rise_hu: Estimate
    bias_change_hu: Mapping[str, Estimate | None]
    """Tissue to the mean of (candidate - float32) there; None: the set has none of it."""
    fp32: Mapping[str, float | None]
    """Means over slices, against the reference (psnr_db, ssim, rmse_hu, bias_..._hu, texture_ratio)."""
    candidate: Mapping[str, float | None]
    noise_power: NoisePower | None
    """None: the set has no even piece of soft tissue that is large enough."""
    slices: tuple[SliceChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReport:
    """The whole of it."""

    model: str
    """`task@version`."""
    precision: str
    fp32_engine: str
    candidate_engine: str
    manifest_sha256: str
    images: int
    groups: int
    limits: Limits
    largest_differences: Mapping[str, float]
    """Output to the largest absolute difference seen on any image, in the output's own unit."""
    reasons: tuple[str, ...]
    """Why the variant does not pass; empty: it does."""
    notes: tuple[str, ...] = ()
    """What a reader should know although no limit is broken."""
    labels: tuple[LabelGate, ...] = ()
    denoiser: DenoiserGate | None = None

    @property
    def passed(self) -> bool:
        """Whether there may be a bundle with this variant."""
        return not self.reasons

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The numbers of the variant that belong on a card."""
        dataset = (
            f"gate set of {self.images} images, {self.groups} groups (manifest {self.manifest_sha256[:12]})"
        )
        rows: list[tuple[str, Estimate]] = []
        for label in self.labels:
            rows.append((f"{label.name}: AUC, {self.precision}", label.candidate.auc))
            rows.append((f"{label.name}: AUC, {self.precision} minus float32", label.auc_change))
            rows += [
                (f"{label.name}: decisions changed at the {flips.point} point, {self.precision}", flips.share)
                for flips in label.flips
            ]
        if self.denoiser is not None:
            rows.append((f"psnr_db lost to {self.precision}", self.denoiser.psnr_drop_db))
        return tuple(
            Metric(
                name=name,
                value=round(found.value, FINEST),
                ci_low=None if math.isnan(found.low) else round(found.low, FINEST),
                ci_high=None if math.isnan(found.high) else round(found.high, FINEST),
                dataset=dataset,
                n=found.n,
            )
            for name, found in rows
        )

    def require(self) -> None:
        """Raises ModelBundleError with every reason when the variant does not pass."""
        if not self.passed:
            raise ModelBundleError(
                f"The {self.precision} variant of {self.model} does not pass its gate:"
                f" {' '.join(self.reasons)}",
                remedy="Leave more layers in float, choose other ranges, or ship float32 only;"
                " report.html shows where.",
            )

    def as_gate(self) -> dict[str, Any]:
        """For `gate.json`: plain, without pictures and curves; what is unknown is null."""
        plain = as_plain(self)
        assert isinstance(plain, dict)
        for label in plain["labels"]:
            for model in ("fp32", "candidate"):
                del label[model]["roc"]
            for flips in label["flips"]:
                flips["examples"] = [
                    {name: value for name, value in flip.items() if name != "thumbnail_png"}
                    for flip in flips["examples"]
                ]
        return {"passed": self.passed} | plain


def as_plain(value: Any) -> Any:
    """Dataclasses, mappings and tuples as JSON knows them; NaN and infinity become null, bytes their size."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): as_plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(item) for item in value]
    if isinstance(value, float):
        return round(value, FINEST) if math.isfinite(value) else None
    if isinstance(value, bytes):
        return len(value)
    return value
