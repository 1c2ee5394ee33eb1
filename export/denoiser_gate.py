# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The gate of a denoiser: is the variant's slice as near to the full-dose one, with the same CT numbers?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.domain.card import ModelCard
from appliance.errors import EngineError, InputError
from calibration.statistics import Estimate, bootstrap
from export.gate_report import DenoiserGate, GateReport, Limits, NoisePower, SliceChange
from export.reference.denoiser_quality import Quality, body, quality
from export.reference.low_dose import FloatArray, clamp, soft_tissue
from export.side_by_side import Answers, SideBySide

TISSUES: Final = ("soft", "lung", "bone")
PATCH_PX: Final = 32
"""Side of the squares in which the noise is looked at; half of it is their distance, as IEC 62220-1 takes
the noise power spectrum of a detector."""
NPS_BINS: Final = 16
"""Of the radial average: one per multiple of 1/32 per pixel up to the Nyquist frequency."""


def gate_denoiser(both: SideBySide, limits: Limits) -> GateReport:
    """Run both graphs on every slice and compare each with the slice's reference.

    Raises InputError when a slice has no reference, EngineError when a graph does not run or its output
    is smaller than the slice.
    """
    labelled = both.labelled
    for entry in labelled.entries:
        if entry.reference is None:
            labelled.reference_image(entry)  # raises, with the remedy
    before: list[Quality] = []
    after: list[Quality] = []
    changes: list[SliceChange] = []
    spectra: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    for answer in both.answers():
        reference = clamp(labelled.reference_image(answer.entry).grey())
        first, second = _slices(both.card, answer, reference.shape)
        before.append(quality(first, reference))
        after.append(quality(second, reference))
        changes.append(
            SliceChange(
                file=answer.entry.file,
                psnr_fp32_db=before[-1].psnr_db,
                psnr_candidate_db=after[-1].psnr_db,
            )
        )
        inside = body(reference) & soft_tissue(reference)
        powers = [noise_power(clamp(image) - reference, inside) for image in (first, second)]
        if powers[0] is not None and powers[1] is not None:
            spectra.append((powers[0], powers[1]))
    found = _measured(before, after, changes, spectra, labelled.groups)
    unseen = [tissue for tissue, change in found.bias_change_hu.items() if change is None]
    return both.report(
        limits,
        reasons=_reasons(found, limits),
        notes=[f"The set holds no {tissue} tissue: its mean was not checked." for tissue in unseen],
        denoiser=found,
    )


def _slices(card: ModelCard, answer: Answers, shape: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
    name = card.outputs[0].name
    rows, columns = shape
    pair = []
    for outputs in (answer.fp32, answer.candidate):
        value = outputs[name]
        if value.ndim != 4 or value.shape[2] < rows or value.shape[3] < columns:
            raise EngineError(
                f"The output {name!r} has the shape {list(value.shape)}, the slice {[rows, columns]}.",
                remedy="A denoiser's first output is [1, 1, rows, columns], as large as its input.",
            )
        pair.append(value[0, 0, :rows, :columns])
    return pair[0], pair[1]


def noise_power(residual: FloatArray, inside: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    """Radially averaged noise power of `residual` (HU) in squares that lie `inside`, HU^2 px^2.

    `NPS_BINS` values from 0 to the Nyquist frequency of 0.5 per pixel; the squares' means are taken out.
    None when no square of 32 px fits. An edge inside would be taken for noise: give even tissue only.
    """
    step, powers = PATCH_PX // 2, []
    for top in range(0, residual.shape[0] - PATCH_PX + 1, step):
        for left in range(0, residual.shape[1] - PATCH_PX + 1, step):
            square = (slice(top, top + PATCH_PX), slice(left, left + PATCH_PX))
            if inside[square].all():
                patch = residual[square].astype(np.float64)
                powers.append(np.abs(np.fft.fft2(patch - patch.mean())) ** 2 / PATCH_PX**2)
    if not powers:
        return None
    power = np.mean(powers, axis=0)
    frequency = np.fft.fftfreq(PATCH_PX)
    radius = np.hypot(frequency[:, None], frequency[None, :])
    bins = np.minimum((radius * 2 * NPS_BINS).astype(np.int64), NPS_BINS)
    sums = np.bincount(bins.ravel(), power.ravel(), minlength=NPS_BINS + 1)
    counts = np.bincount(bins.ravel(), minlength=NPS_BINS + 1)
    return np.asarray((sums / np.maximum(counts, 1))[:NPS_BINS], np.float64)


def _measured(
    before: Sequence[Quality],
    after: Sequence[Quality],
    changes: Sequence[SliceChange],
    spectra: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]],
    groups: Sequence[str],
) -> DenoiserGate:
    if not before:
        raise InputError("The set has no slice.", remedy="Give pairs of slices.")
    first, second = [asdict(item) for item in before], [asdict(item) for item in after]

    def change(name: str, *, sign: float) -> Estimate:
        apart = sign * np.array([late[name] - early[name] for early, late in zip(first, second, strict=True)])
        known = np.isfinite(apart)
        kept = [group for group, keep in zip(groups, known, strict=True) if keep]
        values = apart[known]
        return bootstrap(lambda rows: float(values[rows].mean()), kept)

    def has(tissue: str) -> bool:
        return any(np.isfinite(row[f"bias_{tissue}_hu"]) for row in first)

    return DenoiserGate(
        psnr_drop_db=change("psnr_db", sign=-1.0),
        ssim_drop=change("ssim", sign=-1.0),
        rmse_rise_hu=change("rmse_hu", sign=1.0),
        bias_change_hu={
            tissue: change(f"bias_{tissue}_hu", sign=1.0) if has(tissue) else None for tissue in TISSUES
        },
        fp32=_means(first),
        candidate=_means(second),
        noise_power=_mean_spectra(spectra),
        slices=tuple(changes),
    )


def _means(rows: Sequence[dict[str, float]]) -> dict[str, float | None]:
    means: dict[str, float | None] = {}
    for name in rows[0]:
        values = [row[name] for row in rows if np.isfinite(row[name])]
        means[name] = float(np.mean(values)) if values else None
    return means


def _mean_spectra(
    spectra: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]],
) -> NoisePower | None:
    if not spectra:
        return None
    first, second = (np.mean([pair[index] for pair in spectra], axis=0)[1:] for index in (0, 1))
    return NoisePower(
        frequency_per_px=tuple(((np.arange(1, NPS_BINS) + 0.5) / (2 * NPS_BINS)).tolist()),
        fp32_hu2px2=tuple(first.tolist()),
        candidate_hu2px2=tuple(second.tolist()),
    )


def _reasons(found: DenoiserGate, limits: Limits) -> Iterator[str]:
    if len(found.slices) < limits.least_slices:
        yield f"The set has {len(found.slices)} slices; {limits.least_slices} are needed."
    if not found.psnr_drop_db.value <= limits.psnr_drop_db:
        yield (
            f"The PSNR drops by {found.psnr_drop_db.value:.3f} dB on average;"
            f" {limits.psnr_drop_db:g} dB is allowed."
        )
    checked = [change for change in found.bias_change_hu.values() if change is not None]
    if not checked:
        yield "The set holds no tissue whose mean could be checked."
    for tissue, change in found.bias_change_hu.items():
        if change is not None and not abs(change.value) <= limits.bias_change_hu:
            yield (
                f"The mean of {tissue} tissue shifts by {change.value:+.2f} HU;"
                f" {limits.bias_change_hu:g} HU is allowed."
            )
