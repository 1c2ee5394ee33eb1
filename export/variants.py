# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Steps 3 to 5: ranges, sensitivity, and the int8 and float16 graphs, each through its gate."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

import onnx

from appliance.domain.record import to_plain
from appliance.engines.catalogue import engine_version
from appliance.errors import InputError
from calibration.dataset import CalibrationSet
from calibration.ranges import METHODS, ActivationStatistics, MethodError, Ranges, collect, rank
from calibration.sensitivity import LayerSensitivity, sensitivities, until_the_gate_passes
from export.bias_correction import correct_biases
from export.calibration_images import CalibrationImages
from export.even_channels import EQUALISED
from export.float_graph import MODEL
from export.gate import GateReport, gate
from export.graphs import read_graph, write_graph
from export.half import half
from export.lint import require_clean
from export.quantize import activations, layers, quantize
from export.recipe import AUTO, Recipe
from export.session import relative_error, run_all
from export.side_by_side import serving_engine
from export.work import Progress, WorkFolder, sha256_of

INT8_MODEL: Final = "model.int8.onnx"
FP16_MODEL: Final = "model.fp16.onnx"
CANDIDATE: Final = "candidate.onnx"
MOST_SENSITIVE: Final = 6
"""Images on which each layer is tried, and its mean brought back: both run every layer by itself."""


def find_ranges(images: CalibrationImages, work: WorkFolder) -> dict[str, Any]:
    """Step "ranges": every method's ranges, what each costs, and the one that is taken."""
    return work.step(
        "ranges",
        given={
            "model": work.path(EQUALISED),
            "calibration": images.images.manifest_sha256,
            "preprocessing": to_plain(images.recipe.card)["preprocessing"],
            "method": images.recipe.range_method,
        },
        makes=[],
        do=lambda: compared_ranges(read_graph(work.path(EQUALISED)), images, work.progress),
    )


def collected_ranges(model: onnx.ModelProto, images: CalibrationImages, method: str) -> Ranges:
    """The ranges of one method. Raises InputError when there is no such method."""
    if method not in METHODS:
        raise InputError(f"There is no method {method!r}.", remedy=f"Choose from {', '.join(METHODS)}.")
    return collect(model, activations(model), images.collected()).ranges(method)


def compared_ranges(
    model: onnx.ModelProto, images: CalibrationImages, progress: Progress = lambda *_: None
) -> dict[str, Any]:
    """Every method's ranges and what each costs; plain values for JSON."""
    statistics = collect(model, activations(model), images.collected())
    compared = images.compared()
    wanted = run_all(model, compared)
    ranges: dict[str, Ranges] = {}
    table = []
    for index, method in enumerate(METHODS):
        progress("ranges", index, len(METHODS))
        ranges[method] = statistics.ranges(method)
        found = run_all(quantize(model, ranges[method]).model, compared)
        table.append(
            MethodError(
                method=method,
                relative_error=relative_error(found, wanted),
                clipped=_clipped(statistics, ranges[method]),
            )
        )
    best = next(rank(table)).method
    chosen = best if images.recipe.range_method == AUTO else images.recipe.range_method
    return {
        "chosen": chosen,
        "best": best,
        "images_collected": statistics.images,
        "images_compared": len(compared),
        "compared_on_other_images": images.splits,
        "methods": {
            row.method: {"relative_error": dict(row.relative_error), "clipped": row.clipped} for row in table
        },
        "ranges": {method: dict(found) for method, found in ranges.items()},
    }


def _clipped(statistics: ActivationStatistics, ranges: Ranges) -> float:
    """Share of all values of all tensors beyond their range."""
    beyond = sum(
        statistics.tensors[name].beyond(limit) * float(statistics.tensors[name].count.sum())
        for name, limit in ranges.items()
    )
    total = sum(float(statistics.tensors[name].count.sum()) for name in ranges)
    return beyond / total if total else 0.0


def find_sensitivities(images: CalibrationImages, ranges: Ranges, work: WorkFolder) -> dict[str, Any]:
    """Step "sensitivity": every layer alone in int8, the most sensitive first."""

    def look() -> Mapping[str, Any]:
        model = read_graph(work.path(EQUALISED))
        found = sensitivities(
            model,
            ranges,
            images.compared()[:MOST_SENSITIVE],
            on_layer=lambda done, count: work.progress("sensitivity", done, count),
        )
        return {"layers": [{"layer": row.layer, "relative_error": dict(row.relative_error)} for row in found]}

    given = {
        "model": work.path(EQUALISED),
        "calibration": images.images.manifest_sha256,
        "ranges": ranges,
    }
    return work.step("sensitivity", given=given, makes=[], do=look)


@dataclass(slots=True, kw_only=True)
class Gatekeeper:
    """Sends candidates through the gate and keeps what it said."""

    recipe: Recipe
    labelled: CalibrationSet
    work: WorkFolder
    heard: dict[str, GateReport] = field(default_factory=dict)
    """By content of the graph: the same file gets the same answer."""

    def judge(self, candidate: Path, precision: str) -> GateReport:
        """The gate's answer for a graph. Raises EngineError when it does not run."""
        content = sha256_of(candidate)
        if content not in self.heard:
            self.heard[content] = gate(
                self.recipe.card,
                self.work.path(MODEL),
                candidate,
                self.labelled,
                precision=precision,
                threads=self.recipe.threads,
                progress=lambda done, count: self.work.progress(f"gate {precision}", done, count),
            )
        return self.heard[content]

    def judge_model(self, model: onnx.ModelProto, precision: str) -> GateReport:
        """The same for a graph that is no file yet."""
        return self.judge(write_graph(model, self.work.path(CANDIDATE)), precision)

    @property
    def made_from(self) -> dict[str, Any]:
        """What its answers depend on."""
        card, engine = to_plain(self.recipe.card), serving_engine()
        return {
            "labelled": self.labelled.manifest_sha256,
            "labels": card["labels"],
            "preprocessing": card["preprocessing"],
            "engine": f"{engine} {engine_version(engine)}",
        }


def make_int8(
    recipe: Recipe,
    work: WorkFolder,
    ranges: Ranges,
    order: tuple[LayerSensitivity, ...],
    gatekeeper: Gatekeeper | None,
    images: CalibrationImages,
) -> dict[str, Any]:
    """Step "int8": `model.int8.onnx`. Raises InputError when no candidate passes the gate.

    Without a gate every layer but `keep_float` is int8, and nobody knows whether that is good.
    """

    def make() -> Mapping[str, Any]:
        model = read_graph(work.path(EQUALISED))
        seen = list(islice(images.collected(), MOST_SENSITIVE))
        if gatekeeper is None:
            found = correct_biases(model, quantize(model, ranges, keep_float=recipe.keep_float), seen)
            attempts: list[dict[str, Any]] = []
        else:
            mixed = until_the_gate_passes(
                model,
                ranges,
                order,
                lambda candidate: gatekeeper.judge_model(candidate, "int8"),
                keep_float=recipe.keep_float,
                refine=lambda candidate: correct_biases(model, candidate, seen),
            )
            found = mixed.quantised
            attempts = [
                {
                    "left_in_float": list(item.left_in_float),
                    "passed": item.passed,
                    "reasons": list(item.reasons),
                }
                for item in mixed.attempts
            ]
        require_clean(found.model, INT8_MODEL)
        size_bytes = write_graph(found.model, work.path(INT8_MODEL)).stat().st_size
        return {
            "layers": list(found.layers),
            "left_in_float": list(found.left_in_float),
            "attempts": attempts,
            "gated": gatekeeper is not None,
            "size_bytes": size_bytes,
        }

    given = {
        "model": work.path(EQUALISED),
        "ranges": ranges,
        "order": [item.layer for item in order],
        "keep_float": recipe.keep_float,
        "calibration": images.images.manifest_sha256,
        "gate": None if gatekeeper is None else gatekeeper.made_from,
    }
    return work.step("int8", given=given, makes=[INT8_MODEL], do=make)


def make_fp16(recipe: Recipe, work: WorkFolder, gatekeeper: Gatekeeper | None) -> dict[str, Any]:
    """Step "fp16": `model.fp16.onnx`. Raises ModelBundleError when the gate refuses it."""
    del recipe

    def make() -> Mapping[str, Any]:
        model = half(read_graph(work.path(MODEL)))
        require_clean(model, FP16_MODEL)
        if gatekeeper is not None:
            gatekeeper.judge_model(model, "fp16").require()
        size_bytes = write_graph(model, work.path(FP16_MODEL)).stat().st_size
        return {"gated": gatekeeper is not None, "size_bytes": size_bytes}

    given = {
        "model": work.path(MODEL),
        "gate": None if gatekeeper is None else gatekeeper.made_from,
    }
    return work.step("fp16", given=given, makes=[FP16_MODEL], do=make)


def read_order(found: Mapping[str, Any]) -> tuple[LayerSensitivity, ...]:
    """The result of the step "sensitivity", as it was kept."""
    return tuple(
        LayerSensitivity(layer=row["layer"], relative_error=row["relative_error"]) for row in found["layers"]
    )


def layer_names(work: WorkFolder) -> tuple[str, ...]:
    """Layers that could be int8: to check a person's --keep-float against."""
    return tuple(str(node.name) for node in layers(read_graph(work.path(MODEL))))


def as_json(value: Mapping[str, Any]) -> str:
    """For gate.json: sorted and readable, without NaN."""
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
