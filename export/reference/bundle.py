# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Pack a model: card, graph, golden tensors, measured gate, checksums."""

from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from appliance.domain.card import Metric, ModelCard
from export.card_file import card_toml
from export.pack import pack as seal_in_place
from export.reference.statistics import Estimate

LICENCE_HEADER = (
    "# SPDX-FileCopyrightText: 2026 The Scanside authors\n# SPDX-License-Identifier: Apache-2.0\n"
)
LEVELS = 255
"""Grey levels of golden films: 8 bits, as radiographs of the training had, and small when compressed."""


def metric(name: str, dataset: str, estimate: Estimate) -> Metric:
    """A card's metric from an estimate, to four digits."""
    return Metric(
        name=name,
        value=round(estimate.value, 4),
        ci_low=round(estimate.low, 4),
        ci_high=round(estimate.high, 4),
        dataset=dataset,
        n=estimate.n,
    )


def as_gate(estimate: Estimate) -> dict[str, float | int | None]:
    """An estimate for gate.json; NaN, where one class is absent, becomes null."""
    return {
        name: (None if isinstance(value, float) and math.isnan(value) else round(value, 4))
        for name, value in (
            ("value", estimate.value),
            ("ci_low", estimate.low),
            ("ci_high", estimate.high),
            ("n", estimate.n),
        )
    }


def run_reference(model: Path, inputs: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """Outputs of the reference engine, one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def synthetic_films(size_px: int, *, count: int = 2, seed: int = 3) -> NDArray[np.float32]:
    """Smooth random fields with bright ellipses, 0..1: nothing of a patient, contrast at each scale."""
    random = np.random.default_rng(seed)
    films = []
    for _ in range(count):
        film = np.zeros((size_px, size_px), np.float32)
        for sigma in (size_px / 8, size_px / 24, size_px / 80):
            field = cv2.GaussianBlur(random.standard_normal(film.shape).astype(np.float32), (0, 0), sigma)
            film += field / field.std()
        for _ in range(3):
            shape = np.zeros_like(film)
            centre, axes = random.uniform(0.2, 0.8, 2) * size_px, random.uniform(0.08, 0.3, 2) * size_px
            cv2.ellipse(
                shape,
                centre.astype(int).tolist(),
                axes.astype(int).tolist(),
                float(random.uniform(0, 180)),
                0,
                360,
                1.0,
                -1,
            )
            film += 1.5 * cv2.GaussianBlur(shape, (0, 0), 2.0)
        low, high = np.percentile(film, (0.5, 99.5))
        films.append(np.rint(np.clip((film - low) / (high - low), 0, 1) * LEVELS) / LEVELS)
    return np.stack(films)[:, None].astype(np.float32)


def pack(
    out: Path,
    *,
    card: ModelCard,
    golden_inputs: dict[str, NDArray[np.float32]],
    gate: dict[str, object],
) -> None:
    """Write everything beside `out/model.onnx`, which must exist."""
    outputs = run_reference(out / "model.onnx", golden_inputs)
    arrays = {f"input:{name}": value for name, value in golden_inputs.items()}
    arrays |= {f"output:{name}": value.astype(np.float32) for name, value in outputs.items()}
    np.savez_compressed(out / "golden.npz", **arrays)  # type: ignore[arg-type] # stub: names may clash
    (out / "card.toml").write_text(LICENCE_HEADER + card_toml(card), encoding="utf-8")
    (out / "gate.json").write_text(json.dumps(gate, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    seal_in_place(out, key=None, out=out)
