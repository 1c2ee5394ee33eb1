# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The networks that denoise: ours as it is served, and two published architectures, each on one thread.

DnCNN (Zhang and others, IEEE Trans Image Process 26 (2017) 3142-3155): 17 convolutions of 64 channels. Its
weights here are random, and so are those of RED-CNN where nobody trained it: what is said then is their
time, which does not depend on weights, and nothing about quality.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import numpy as np

from appliance.engines.base import Engine
from appliance.engines.catalogue import load_engine
from appliance.errors import EngineError
from appliance.models.bundle import read_bundle
from appliance.models.candidate import CPU_ENGINES, load_candidate
from appliance.models.registry import shipped_models
from appliance.tasks.ct_denoise.noise_bound import bounded, noise_sd
from appliance.tasks.ct_denoise.structure import with_original_structure
from appliance.tasks.slice_tensor import slice_tensor
from benchmarks.engine_matrix.matrix import candidates_of
from export.reference.low_dose import FloatArray
from export.reference.onnx_graph import BATCH, Graph
from export.reference.red_cnn_graph import random_weights, write_red_cnn

TASK: Final = "ct_denoise"
DNCNN: Final = "dncnn17"
RED_CNN: Final = "red_cnn"
DNCNN_LAYERS: Final = 17
DNCNN_CHANNELS: Final = 64
REFERENCE: Final = "ort"
HALF: Final = "fp16"
"""Computed in float32 by a processor, and so timed under that name."""
Denoise = Callable[[FloatArray], FloatArray]


def write_dncnn(path: Path, *, channels: int = DNCNN_CHANNELS, seed: int = 1) -> None:
    """DnCNN with random weights; its batch normalisation is part of the convolutions, as in any engine."""
    random = np.random.default_rng(seed)
    graph = Graph("dncnn17")
    here = graph.input("slice", [BATCH, 1, "rows", "columns"])
    for number in range(DNCNN_LAYERS):
        last = number == DNCNN_LAYERS - 1
        before, after = (channels if number else 1), (1 if last else channels)
        drawn = random.normal(0, (2.0 / (9 * before)) ** 0.5, (after, before, 3, 3)).astype(np.float32)
        bias = np.zeros(after, np.float32)
        here = graph.conv(here, f"conv{number}", drawn, bias, pads=(1, 1, 1, 1))
        if not last:
            here = graph.node("Relu", [here], f"relu{number}")
    answer = graph.node("Sub", ["slice", here], "answer")
    graph.output(answer, "denoised", [BATCH, 1, "rows", "columns"])
    graph.save(path, description="Slice in, slice less its noise out")


def as_served(slice_hu: FloatArray, answer_hu: FloatArray) -> FloatArray:
    """What the appliance lets through: bounded, and the original where the change was no noise."""
    noise = noise_sd(slice_hu)
    return with_original_structure(bounded(answer_hu, slice_hu, noise), slice_hu, noise).slice_hu


def bare(engine: Engine, *, multiple_of_px: int = 1) -> Denoise:
    """The network's answer."""

    def denoise(slice_hu: FloatArray) -> FloatArray:
        rows, columns = slice_hu.shape
        inputs = {"slice": slice_tensor(slice_hu, multiple_of_px=multiple_of_px)}
        return np.asarray(engine.infer(inputs)["denoised"][0, 0, :rows, :columns], np.float32)

    return denoise


def ours(owned: ExitStack, cache: Path) -> Iterator[tuple[str, Denoise]]:
    """The shipped denoiser as it is served, by engine and precision; those that load here."""
    bundle = read_bundle(shipped_models() / TASK)
    multiple = bundle.card.preprocessing.multiple_of_px

    def served(network: Denoise) -> Denoise:
        return lambda slice_hu: as_served(slice_hu, network(slice_hu))

    for candidate in candidates_of(bundle):
        if candidate.precision == HALF and candidate.engine in CPU_ENGINES:
            continue
        try:
            engine = owned.enter_context(load_candidate(bundle, candidate, threads=1, cache=cache))
        except EngineError:
            continue  # which engine loads what is told by the part `engines`
        yield f"{TASK} {candidate.words}", served(bare(engine, multiple_of_px=multiple))


def peers(owned: ExitStack, folder: Path, trained: Path | None) -> Iterator[tuple[str, Denoise]]:
    """The published architectures in ONNX Runtime, float32; `trained`: RED-CNN's graph, if there is one.

    In one engine only: each holds more than a GB while all wait for their turns. OpenVINO took a tenth less
    for RED-CNN and as much for DnCNN here.
    """
    write_dncnn(folder / f"{DNCNN}.onnx")
    graphs = {DNCNN: folder / f"{DNCNN}.onnx", RED_CNN: folder / f"{RED_CNN}.onnx"}
    if trained is not None:
        graphs[RED_CNN] = trained
    else:
        write_red_cnn(random_weights(), graphs[RED_CNN])
    for name, path in graphs.items():
        engine = owned.enter_context(load_engine(REFERENCE, path, threads=1))
        yield f"{name} {REFERENCE} fp32", bare(engine)
