# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Train, measure and pack `ct_denoise`.

`python -m export.reference.ct_denoise --data DATA --work DIR --out BUNDLE`

Trained on simulated low dose from CC BY routine-dose CT. Measured on whole patients that were kept
aside, and on real quarter-dose pairs that no training has seen: their terms allow research only, so
they judge and never teach.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import torch

from appliance.domain.card import (
    IntendedUse,
    Metric,
    ModelCard,
    Preprocessing,
    Provenance,
    TensorSpec,
)
from export.reference.bundle import as_gate, metric, pack
from export.reference.ct_slices import HELD_OUT_PATIENTS, SliceSet, low_dose_pairs, prepare, read_hu
from export.reference.denoiser_graph import Weights, write_denoiser
from export.reference.denoiser_quality import Quality, mean_quality, quality, tuned_nlm
from export.reference.denoiser_training import train
from export.reference.low_dose import HU_MIN, FloatArray, clamp
from export.reference.statistics import Estimate, bootstrap
from export.reference.triage import session

QUARTER_DOSE_NOISE = 3.0**0.5
"""A quarter of the dose doubles the noise: what must be added is the square root of 3 times what is there."""
SIMULATED = (
    "routine-dose chest CT of 3 unseen patients (COVID-CT-MD, COVID-19-NY-SBU), simulated quarter dose"
)
REAL = (
    "12 real quarter-dose / full-dose slices of 2 patients (1 chest, 1 abdomen; Mayo/AAPM), validation only"
)
ROUTINE = "routine-dose chest CT of the same 3 unseen patients, given as it is"
Methods = dict[str, list[Quality]]


def measure(
    pairs: list[tuple[FloatArray, FloatArray]], denoise: Callable[[FloatArray], FloatArray]
) -> Methods:
    """Quality of the input, of the tuned filter and of the model for each (low dose, routine dose)."""
    found: Methods = {"input": [], "nlm16_tuned": [], "model": []}
    for low, routine in pairs:
        found["input"].append(quality(low, routine))
        found["nlm16_tuned"].append(quality(tuned_nlm(low, routine), routine))
        found["model"].append(quality(denoise(low), routine))
    return found


def held_out_pairs(data: SliceSet) -> tuple[list[tuple[FloatArray, FloatArray]], list[str]]:
    """Simulated quarter-dose slices of the patients kept aside, one noise each, and whose they are."""
    pairs, patients = [], []
    for index, item in enumerate(data.slices):
        if item.held_out:
            routine = data.hu[index].astype(np.float32)
            noise = np.asarray(data.noise[index][index % data.noise.shape[1]], np.float32)
            low = np.maximum(routine + QUARTER_DOSE_NOISE * item.own_noise_hu * noise, HU_MIN)
            pairs.append((np.asarray(low, np.float32), routine))
            patients.append(item.patient)
    return pairs, patients


def gain(found: Methods, field: str, against: str) -> list[float]:
    """Model minus `against`, per image."""
    return [
        float(asdict(model)[field] - asdict(other)[field])
        for model, other in zip(found["model"], found[against], strict=True)
    ]


def estimate(values: list[float], groups: list[str]) -> Estimate:
    """Mean with its interval over groups, or over images where there are too few groups to resample."""
    array = np.asarray(values)
    names = groups if len(set(groups)) >= 5 else [str(index) for index in range(len(groups))]
    return bootstrap(lambda rows: float(np.nanmean(array[rows])), names)


def metrics(found: Methods, groups: list[str], dataset: str) -> list[Metric]:
    """What the card says about one set."""
    rows = []
    for field in ("psnr_db", "ssim", "rmse_hu"):
        rows += [
            metric(f"{field} gain over input", dataset, estimate(gain(found, field, "input"), groups)),
            metric(
                f"{field} gain over tuned 16-bit NLM",
                dataset,
                estimate(gain(found, field, "nlm16_tuned"), groups),
            ),
        ]
    for field in ("bias_soft_hu", "bias_lung_hu", "bias_bone_hu", "texture_ratio"):
        values = [float(asdict(item)[field]) for item in found["model"]]
        rows.append(metric(field, dataset, estimate(values, groups)))
    return rows


def routine_dose_metrics(measured: list[Quality], groups: list[str]) -> list[Metric]:
    """What happens to a slice that needed no denoising."""
    return [
        metric(
            f"{field} of the routine dose",
            ROUTINE,
            estimate([asdict(item)[field] for item in measured], groups),
        )
        for field in ("texture_ratio", "rmse_hu", "bias_soft_hu")
    ]


def phantom_slice(*, side_px: int = 256, seed: int = 11) -> FloatArray:
    """A drawn body with lungs, bone, padding and metal, and correlated noise: nothing of a patient."""
    random = np.random.default_rng(seed)
    image = np.full((side_px, side_px), -1000.0, np.float32)
    centre = (side_px // 2, side_px // 2)
    for value, offset, axes in (
        (40.0, 0, (0.42, 0.32)),
        (-820.0, -0.19, (0.14, 0.2)),
        (-820.0, 0.19, (0.14, 0.2)),
    ):
        at = (int(centre[0] + offset * side_px), centre[1])
        cv2.ellipse(image, at, (int(axes[0] * side_px), int(axes[1] * side_px)), 0, 0, 360, value, -1)
    cv2.circle(image, (centre[0], int(0.72 * side_px)), side_px // 18, 700.0, -1)
    noise = cv2.GaussianBlur(random.standard_normal(image.shape).astype(np.float32), (0, 0), 0.9)
    image = np.maximum(cv2.GaussianBlur(image, (0, 0), 0.8) + 35.0 * noise / noise.std(), HU_MIN)
    rows, columns = np.ogrid[:side_px, :side_px]
    image[(rows - centre[1]) ** 2 + (columns - centre[0]) ** 2 > (side_px // 2) ** 2] = -2000.0
    image[centre[1] - 2 : centre[1] + 2, centre[0] - 2 : centre[0] + 2] = 8000.0
    return np.asarray(image.round(), np.float32)


def card(measured: list[Metric]) -> ModelCard:
    """What the model is and what may be done with it."""
    shape = ("batch", 1, "rows", "columns")
    return ModelCard(
        format=1,
        task="ct_denoise",
        name="Low-dose CT denoiser, reference model",
        version="1.0.0",
        release=1,
        summary=(
            "Takes the added noise of a lower dose out of axial chest CT, slice by slice. Bounded to 300 HU"
            " per pixel; values outside -1024..3071 HU come back unchanged. It aims at the look of the"
            " routine dose, not at a noise-free image."
        ),
        precision="float32",
        inputs=(TensorSpec(name="slice", shape=shape, dtype="float32"),),
        outputs=(TensorSpec(name="denoised", shape=shape, dtype="float32"),),
        preprocessing=Preprocessing(kind="slice", multiple_of_px=4),
        labels=(),
        intended_use=IntendedUse(
            modalities=("CT",),
            body_parts=("CHEST", "THORAX", "LUNG"),
            view_positions=(),
            minimum_age_years=18.0,
            maximum_age_years=None,
            draws_location=False,
        ),
        provenance=Provenance(
            training_data=(
                "TCIA Lung-PET-CT-Dx, 1 patient, CC BY 4.0",
                "COVID-CT-MD, 1 patient, CC BY 4.0",
                "TCIA COVID-19-NY-SBU, 4 patients, CC BY 4.0",
            ),
            licence="Apache-2.0",
            restrictions="",
            known_biases=(
                (
                    "Six training patients, chest only. Of the abdomen 8 slices of one patient were"
                    " measured; other regions and children were not."
                ),
                (
                    "The noise of the low dose was simulated in a parallel-beam sinogram; its spectrum and"
                    " its pattern over the body were compared with real pairs."
                ),
                "Photon-starvation streaks from metal or shoulders are not what it was taught.",
                "A slice is seen alone: it cannot use its neighbours.",
                (
                    "It does not know the dose: a routine-dose slice loses fine detail too (texture_ratio of"
                    " the routine dose). Give it low-dose series only."
                ),
                (
                    "The measured sets, real pairs included, were looked at once before the second phase of"
                    " training; none of their slices was trained on, but they are no longer an untouched"
                    " test."
                ),
            ),
        ),
        metrics=tuple(measured),
    )


def main() -> None:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    slices = prepare(arguments.data, arguments.work)
    trained = train(slices, arguments.work)
    weights: Weights = {
        name: value.contiguous().numpy() for name, value in torch.load(trained, weights_only=True).items()
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    model = arguments.out / "model.onnx"
    write_denoiser(weights, model)
    engine = session(model)

    def denoise(slice_hu: FloatArray) -> FloatArray:
        return np.asarray(engine.run(["denoised"], {"slice": slice_hu[None, None]})[0][0, 0], np.float32)

    pairs, patients = held_out_pairs(slices)
    simulated = measure(pairs, denoise)
    real_pairs, series = [], []
    for name, routine, quarter in low_dose_pairs(arguments.data):
        real_pairs.append((clamp(read_hu(quarter)[0]), clamp(read_hu(routine)[0])))
        series.append(name)
    real = measure(real_pairs, denoise)
    routine_in = [quality(denoise(routine), routine) for _, routine in pairs]
    rows = [
        *metrics(simulated, patients, SIMULATED),
        *metrics(real, series, REAL),
        *routine_dose_metrics(routine_in, patients),
    ]
    gate: dict[str, object] = {
        "held_out_patients": list(HELD_OUT_PATIENTS),
        "simulated_quarter_dose": {name: mean_quality(values) for name, values in simulated.items()},
        "real_quarter_dose": {name: mean_quality(values) for name, values in real.items()},
        "real_quarter_dose_by_series": {
            one: {
                name: mean_quality([item for item, its in zip(values, series, strict=True) if its == one])
                for name, values in real.items()
            }
            for one in sorted(set(series))
        },
        "routine_dose_in": mean_quality(routine_in),
        "metrics": {
            f"{row.name} | {row.dataset}": as_gate(
                Estimate(value=row.value, low=row.ci_low or 0.0, high=row.ci_high or 0.0, n=row.n)
            )
            for row in rows
        },
        "interval": "95 %, bootstrap over slices: with fewer than five patients, whose slices are alike,"
        " these intervals are optimistic",
    }
    pack(arguments.out, card=card(rows), golden_inputs={"slice": phantom_slice()[None, None]}, gate=gate)


if __name__ == "__main__":
    main()
