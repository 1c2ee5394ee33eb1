# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The CT denoiser's numbers: against its input and tuned classical filters, pair by pair and in the mean."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
from rich.progress import track

from appliance.domain.card import Metric
from export.reference.bundle import metric
from export.reference.denoiser_observer import (
    KERNELS,
    Denoise,
    detectability,
    drawn_body,
    drawn_noise,
    edge_sharpness,
    mean_frequency,
    noise_spectrum,
    peak_frequency,
    spectrum_frequencies,
)
from export.reference.denoiser_quality import Quality, quality, tuned_bm3d, tuned_nlm
from export.reference.denoiser_sets import Pair
from export.reference.low_dose import FloatArray
from export.reference.statistics import Estimate, bootstrap

Methods = dict[str, list[Quality]]
BM3D_EVERY = 4
"""Of how many slices one is given to BM3D, which takes half a minute for it."""
INPUT, NLM, BM3D, MODEL = "input", "nlm16_tuned", "bm3d_tuned", "model"
OBSERVED_NOISE_HU = 40.0
"""Of a quarter-dose slice with a standard kernel."""
OBSERVED_IMAGES = 32
EDGE_CONTRASTS_HU = (30.0, 60.0, 120.0, 400.0, -100.0)
DISCS = ((6.0, 40.0), (10.0, 20.0), (16.0, 12.0))
"""(diameter in pixels, contrast in HU): faint enough that no observer is sure of one of them alone."""


def measure(name: str, pairs: list[Pair], denoise: Denoise, cache: Path) -> Methods:
    """Quality of the input, of the tuned filters and of the model for each pair.

    The filters know nothing of the model: what they reach is kept in `cache`. BM3D is measured where its
    package is installed; its licence forbids commercial use, so that nothing here depends on it.
    """
    filters: dict[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
        INPUT: lambda low, _: low,
        NLM: tuned_nlm,
    }
    if importlib.util.find_spec("bm3d") is not None:
        filters[BM3D] = tuned_bm3d
    found: Methods = {}
    for method, apply in filters.items():
        kept = cache / f"{name}_{method}.json"
        if not kept.exists():
            made = [
                quality(apply(pair.low, pair.routine), pair.routine)
                for pair in track(pairs[:: _step(method)], description=f"{name}, {method}")
            ]
            kept.write_text(json.dumps([asdict(item) for item in made]))
        found[method] = [Quality(**item) for item in json.loads(kept.read_text())]
    found[MODEL] = [
        quality(denoise(pair.low), pair.routine) for pair in track(pairs, description=f"{name}, {MODEL}")
    ]
    return found


def _step(method: str) -> int:
    return BM3D_EVERY if method == BM3D else 1


def by_pair(pairs: list[Pair], found: Methods) -> list[dict[str, object]]:
    """One row per pair: what went in, what came out, and their ratio."""
    return [
        {
            "pair": pair.name,
            "rmse_hu_input": round(before.rmse_hu, 2),
            "rmse_hu_model": round(after.rmse_hu, 2),
            "rmse_ratio": round(after.rmse_hu / before.rmse_hu, 4),
            **{
                f"rmse_ratio_{method}": round(found[method][index].rmse_hu / before.rmse_hu, 4)
                for method in found
                if method not in {INPUT, MODEL, BM3D}
            },
            "psnr_db_input": round(before.psnr_db, 2),
            "psnr_db_model": round(after.psnr_db, 2),
            "bias_soft_hu": round(after.bias_soft_hu, 2),
            "texture_ratio": round(after.texture_ratio, 3),
        }
        for index, (pair, before, after) in enumerate(zip(pairs, found[INPUT], found[MODEL], strict=True))
    ]


def gain(found: Methods, field: str, against: str) -> list[float]:
    """Model minus `against`, per image."""
    return [
        float(asdict(model)[field] - asdict(other)[field])
        for model, other in zip(found[MODEL][:: _step(against)], found[against], strict=True)
    ]


def estimate(values: list[float], groups: list[str]) -> Estimate:
    """Mean with its interval over groups, or over images where there are too few groups to resample."""
    array = np.asarray(values)
    names = groups if len(set(groups)) >= 5 else [str(index) for index in range(len(groups))]
    return bootstrap(lambda rows: float(np.nanmean(array[rows])), names)


def metrics(found: Methods, groups: list[str], dataset: str) -> list[Metric]:
    """What the card says about one set."""
    names = {INPUT: "input", NLM: "tuned 16-bit NLM", BM3D: "tuned BM3D"}
    rows = [
        metric(
            f"{field} gain over {names[other]}",
            dataset,
            estimate(gain(found, field, other), groups[:: _step(other)]),
        )
        for field in ("psnr_db", "ssim", "rmse_hu")
        for other in found
        if other != MODEL
    ]
    ratios = [
        after.rmse_hu / before.rmse_hu for before, after in zip(found[INPUT], found[MODEL], strict=True)
    ]
    rows.append(metric("rmse ratio to input", dataset, estimate(ratios, groups)))
    for one in sorted(set(groups)):
        of_one = [ratio for ratio, group in zip(ratios, groups, strict=True) if group == one]
        rows.append(metric(f"rmse ratio to input, {one}", dataset, estimate(of_one, [one] * len(of_one))))
    for field in ("bias_soft_hu", "bias_lung_hu", "bias_bone_hu", "texture_ratio"):
        values = [float(asdict(item)[field]) for item in found[MODEL]]
        rows.append(metric(field, dataset, estimate(values, groups)))
    return rows


def jackknife(values: list[float]) -> Estimate:
    """The first value, of everything, with an interval from the others, each of all but one part."""
    parts = np.asarray(values[1:])
    error = float(np.sqrt((len(parts) - 1) / len(parts) * np.square(parts - parts.mean()).sum()))
    return Estimate(
        value=values[0], low=values[0] - 1.96 * error, high=values[0] + 1.96 * error, n=len(parts)
    )


def observed(denoise: Denoise) -> tuple[list[Metric], dict[str, object]]:
    """Edges, faint discs and noise spectra in the drawn body: rows for the card, curves for the report."""
    rows: list[Metric] = []
    curves: dict[str, object] = {"frequency_per_px": spectrum_frequencies().round(4).tolist()}
    for kernel in KERNELS:
        noise = drawn_noise(kernel, count=OBSERVED_IMAGES) * np.float32(OBSERVED_NOISE_HU)
        dataset = f"drawn body, {kernel} kernel, {OBSERVED_NOISE_HU:g} HU noise"
        for contrast_hu in EDGE_CONTRASTS_HU:
            sharpness = edge_sharpness(denoise, noise, contrast_hu)
            kept = jackknife([item.after / item.before for item in sharpness])
            rows.append(metric(f"TTF 50 % kept, {contrast_hu:g} HU edge", dataset, kept))
        for diameter_px, contrast_hu in DISCS:
            seen = detectability(denoise, noise, diameter_px=diameter_px, contrast_hu=contrast_hu)
            what = f"{diameter_px:g} px disc of {contrast_hu:g} HU"
            for name, values in (
                ("CHO d' before", [item.cho_before for item in seen]),
                ("CHO d' ratio", [item.cho_after / item.cho_before for item in seen]),
                ("NPW d' ratio", [item.npw_after / item.npw_before for item in seen]),
                ("CNR ratio", [item.cnr_after / item.cnr_before for item in seen]),
                ("contrast kept", [item.contrast_kept for item in seen]),
            ):
                rows.append(metric(f"{name}, {what}", dataset, jackknife(values)))
        flat = np.stack([denoise(drawn_body() + one) for one in noise])
        spectra = [noise_spectrum(images - images.mean(axis=0)) for images in (noise, flat)]
        curves[kernel] = {
            "nps_before": spectra[0].round(3).tolist(),
            "nps_after": spectra[1].round(3).tolist(),
            "peak_per_px": [round(peak_frequency(item), 4) for item in spectra],
            "mean_frequency_per_px": [round(mean_frequency(item), 4) for item in spectra],
        }
    return rows, curves
