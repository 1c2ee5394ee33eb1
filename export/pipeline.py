# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The whole way from a trained network to a bundle. The only place where the workshop's parts meet.

A variant gets into the bundle only through its gate: without images of known truth there is a float32
bundle and nothing else. Whatever fails ends the run with its reason, and there is no bundle.
"""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from appliance.clock import Clock
from appliance.domain.card import Metric, ModelCard, Variant
from appliance.domain.record import from_plain
from appliance.engines.catalogue import engine_version
from appliance.errors import EngineError, InputError, ModelBundleError
from appliance.models.contents import CARD, GATE, GOLDEN
from calibration.dataset import CalibrationSet
from export.card_file import card_toml
from export.engine_run import local_engines
from export.float_graph import MODEL, golden_outputs, make_float_graph
from export.gate import GateReport
from export.gate_report import as_plain
from export.golden import golden_inputs
from export.graphs import read_graph
from export.latency import measure
from export.lint import lint
from export.parity import ParityReport, compare_engines, variant_tolerances
from export.recipe import Recipe
from export.variants import (
    FP16_MODEL,
    INT8_MODEL,
    CalibrationImages,
    Gatekeeper,
    as_json,
    find_ranges,
    find_sensitivities,
    layer_names,
    make_fp16,
    make_int8,
    read_order,
)
from export.work import WorkFolder

BUNDLE: Final = "bundle"
"""Folder in the work folder in which the bundle is put together before it is packed."""
FILE_OF: Final[Mapping[str, str]] = {"fp32": MODEL, "int8": INT8_MODEL, "fp16": FP16_MODEL}


@dataclass(slots=True, kw_only=True)
class Exported:
    """Everything that a run found; what the report is written from."""

    card: ModelCard
    """With variants and their metrics."""
    steps: dict[str, Any] = field(default_factory=dict)
    """Step to its result, as kept in the work folder."""
    gates: dict[str, GateReport] = field(default_factory=dict)
    parity: ParityReport | None = None
    bundle: Path | None = None
    """The folder, ready to be packed and signed."""


def export_bundle(recipe: Recipe, work: WorkFolder, *, clock: Clock) -> Exported:
    """All steps but the signature. Raises a ScansideError with the reason when a step refuses.

    The bundle's folder holds everything but SHA256SUMS and SIGNATURE: `export.pack` adds both.
    """
    calibration = CalibrationSet.read(recipe.calibration)
    images = CalibrationImages(images=calibration, recipe=recipe)
    golden = golden_inputs(recipe.card)
    found = Exported(card=dataclasses.replace(recipe.card, variants=()))
    found.steps |= make_float_graph(recipe, work, [golden])
    found.steps["calibration"] = as_plain(calibration.coverage(recipe.card)) | {
        "manifest_sha256": calibration.manifest_sha256
    }
    gatekeeper = None
    if recipe.labelled is not None:
        gatekeeper = Gatekeeper(recipe=recipe, labelled=CalibrationSet.read(recipe.labelled), work=work)
    _make_variants(recipe, work, images, gatekeeper, found)
    _judge_variants(work, golden, gatekeeper, found)
    found.steps["latency"] = _latency(work, clock, found, images.compared()[0])
    found.bundle = _put_together(work, golden, found)
    return found


def _make_variants(
    recipe: Recipe,
    work: WorkFolder,
    images: CalibrationImages,
    gatekeeper: Gatekeeper | None,
    found: Exported,
) -> None:
    unknown = set(recipe.keep_float) - set(layer_names(work))
    if unknown:
        raise InputError(
            f"The model has no layer {sorted(unknown)}.",
            remedy=f"--keep-float takes names of {', '.join(layer_names(work)[:20])}.",
        )
    if recipe.int8:
        found.steps["ranges"] = find_ranges(images, work)
        ranges = found.steps["ranges"]["ranges"][found.steps["ranges"]["chosen"]]
        found.steps["sensitivity"] = find_sensitivities(images, ranges, work)
        order = read_order(found.steps["sensitivity"])
        found.steps["int8"] = make_int8(recipe, work, ranges, order, gatekeeper)
    if recipe.fp16:
        found.steps["fp16"] = make_fp16(recipe, work, gatekeeper)
    found.steps["lint"] = {
        precision: [as_plain(item) for item in lint(read_graph(work.path(FILE_OF[precision])))]
        for precision in ("fp32", *(name for name in ("int8", "fp16") if name in found.steps))
    }


def _judge_variants(
    work: WorkFolder, golden: Mapping[str, Any], gatekeeper: Gatekeeper | None, found: Exported
) -> None:
    """Gate reports, tolerances and parity of what was made; raises ModelBundleError when one fails."""
    made = [name for name in ("int8", "fp16") if name in found.steps]
    graphs = {name: work.path(FILE_OF[name]) for name in ("fp32", *made)}
    measured = _parity(work, graphs, golden)
    variants: list[Variant] = []
    metrics: list[Metric] = []
    if gatekeeper is not None:
        for precision in made:
            report = gatekeeper.judge(graphs[precision], precision)
            report.require()
            found.gates[precision] = report
            metrics += report.metrics
            tolerances = variant_tolerances(measured, precision, seen=report.largest_differences)
            variants.append(Variant(precision=precision, tolerances=tolerances))
    allowed = {(item.precision, name): limit for item in variants for name, limit in item.tolerances.items()}
    found.parity = dataclasses.replace(
        measured,
        differences=tuple(
            dataclasses.replace(row, allowed=allowed.get((row.precision, row.output), row.allowed))
            for row in measured.differences
            if row.precision == "fp32" or (row.precision, row.output) in allowed
        ),
    )
    if not found.parity.passed:
        raise ModelBundleError(
            f"The engines of this machine do not agree: {' '.join(found.parity.reasons)}",
            remedy="`scanside export parity` looks for the layer at which they part.",
        )
    found.card = dataclasses.replace(
        found.card, variants=tuple(variants), metrics=(*found.card.metrics, *metrics)
    )


def _parity(work: WorkFolder, graphs: Mapping[str, Path], golden: Mapping[str, Any]) -> ParityReport:
    """Step "parity": every engine of this machine on the golden inputs."""
    given = {
        "graphs": dict(graphs),
        "golden": {name: hashlib.sha256(value.tobytes()).hexdigest() for name, value in golden.items()},
        "engines": {name: _version(name) for name in local_engines()},
    }
    kept = work.step("parity", given=given, makes=[], do=lambda: as_plain(compare_engines(graphs, golden)))
    return from_plain(ParityReport, kept)


def _version(engine: str) -> str | None:
    try:
        return engine_version(engine)
    except EngineError:
        return None


def _latency(
    work: WorkFolder, clock: Clock, found: Exported, image: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Not kept: another machine, or this one with other work to do, has other times."""
    graphs = {
        name: work.path(FILE_OF[name])
        for name in ("fp32", *(name for name in ("int8", "fp16") if name in found.steps))
    }
    work.progress("latency", 0, 1)
    rows = [as_plain(row) for row in measure(graphs, image, clock=clock)]
    work.progress("latency", 1, 1)
    return rows


def _put_together(work: WorkFolder, golden: Mapping[str, Any], found: Exported) -> Path:
    folder = work.path(BUNDLE)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for precision in ("fp32", *(variant.precision for variant in found.card.variants)):
        shutil.copyfile(work.path(FILE_OF[precision]), folder / FILE_OF[precision])
    arrays = {f"input:{name}": value for name, value in golden.items()}
    arrays |= {f"output:{name}": value for name, value in golden_outputs(work, golden).items()}
    np.savez_compressed(folder / GOLDEN, **arrays)
    (folder / CARD).write_text(card_toml(found.card), encoding="utf-8")
    gates = {precision: report.as_gate() for precision, report in found.gates.items()}
    summary = {name: value for name, value in found.steps.items() if name not in {"ranges", "sensitivity"}}
    (folder / GATE).write_text(
        as_json({"variants": gates, "parity": as_plain(found.parity), "steps": summary}), encoding="utf-8"
    )
    return folder
