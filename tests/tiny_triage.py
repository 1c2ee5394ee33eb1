# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Bundles for chest triage whose answer says which release gave it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from tests.tiny_bundles import Speaks, marking_model, write_sums

CARD = """
format = 1
task = "chest_triage"
name = "brightness"
version = "{release}.0"
release = {release}
summary = "Says how bright a chest is."
precision = "float32"
metrics = []

[[inputs]]
name = "image"
shape = ["batch", 1, 320, 320]
dtype = "float32"

[[outputs]]
name = "logits"
shape = ["batch", 2]
dtype = "float32"

[[outputs]]
name = "heatmap"
shape = ["batch", 2, 10, 10]
dtype = "float32"

[[labels]]
name = "Bright"
code = {{ value = "BRIGHT", scheme = "99TEST", meaning = "Bright" }}
scale = {scale}
shift = 0.0
sensitive_threshold = 0.4
specific_threshold = 0.6

[[labels]]
name = "Dark"
code = {{ value = "DARK", scheme = "99TEST", meaning = "Dark" }}
scale = 1.0
shift = 0.0
sensitive_threshold = 0.4
specific_threshold = 0.6

[preprocessing]
kind = "letterbox"
size_px = 320
low_percentile = 0.5
high_percentile = 99.5
{halved}
[intended_use]
modalities = ["CR", "DX"]
body_parts = ["CHEST"]
view_positions = []
draws_location = false

[provenance]
training_data = ["none"]
licence = "Apache-2.0"
restrictions = ""
known_biases = []
"""


def build_triage(
    folder: Path,
    *,
    release: int,
    opposite: bool = False,
    golden_off: float = 0.0,
    smallest_halved_px: int | None = None,
) -> Path:
    """Release `release` of one model. `opposite`: the first label is decided the other way round.

    `golden_off`: golden data that no engine reaches.
    """
    folder.mkdir(parents=True)
    onnx.save(marking_model(), folder / "model.onnx")
    image = np.random.default_rng(3).random((2, 1, 320, 320), dtype=np.float32)
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    logits, heatmap = session.run(["logits", "heatmap"], {"image": image})
    golden = {"input:image": image, "output:logits": logits + golden_off, "output:heatmap": heatmap}
    np.savez(folder / "golden.npz", **golden)
    halved = "" if smallest_halved_px is None else f"smallest_halved_px = {smallest_halved_px}\n"
    text = CARD.format(release=release, scale=-1.0 if opposite else 1.0, halved=halved)
    (folder / "card.toml").write_text(text, encoding="utf-8")
    (folder / "gate.json").write_text("{}", encoding="utf-8")
    write_sums(folder, Speaks("chest_triage", "brightness", release))
    return folder
