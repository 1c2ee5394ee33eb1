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
from pathlib import Path
from typing import Any, Final

import numpy as np

from appliance.clock import Clock
from appliance.domain.card import Metric, Variant
from appliance.domain.record import from_plain
from appliance.engines.catalogue import engine_version
from appliance.errors import EngineError, InputError, ModelBundleError, ScansideError
from appliance.models.contents import CARD, GATE, GOLDEN
from calibration.dataset import CalibrationSet
from export.bisection import FLOAT32_RELATIVE, VARIANT_RELATIVE, first_difference
from export.calibrate import calibrate_in
from export.calibration_images import CalibrationImages
from export.card_file import card_toml
from export.engine_run import local_engines
from export.even_channels import even_out
from export.float_graph import golden_outputs, make_float_graph
from export.gate_report import as_plain
from export.golden import golden_inputs
from export.graphs import read_graph
from export.latency import measure
from export.lint import lint
from export.parity import ParityReport, compare_engines, variant_tolerances
from export.recipe import Recipe
from export.report import write as write_report
from export.summary import FILE_OF, Exported, image_set, report_of
from export.variants import (
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
IN_THE_REPORT: Final = frozenset({"ranges", "sensitivity"})
"""Long tables that gate.json, which every device keeps, does without."""


def export_bundle(
    recipe: Recipe, work: WorkFolder, *, clock: Clock, signed_by: str | None = None
) -> Exported:
    """All steps but the signature. Raises a ScansideError with the reason when a step refuses.

    Either way the work folder then holds `report.html` and `report.json` of what was found so far. The
    bundle's folder holds everything but SHA256SUMS and SIGNATURE: `export.pack` adds both. `signed_by`:
    who will sign it, for the report.
    """
    found = Exported(card=dataclasses.replace(recipe.card, variants=()))
    try:
        _do_all(recipe, work, clock, found)
    except ScansideError:
        write_report(report_of(found, work, clock=clock), work.folder)
        raise
    found.bundle = _put_together(work, golden_inputs(recipe.card), found)
    html, _ = write_report(report_of(found, work, clock=clock, signed_by=signed_by), work.folder)
    shutil.copyfile(html, found.bundle / html.name)
    return found


def _do_all(recipe: Recipe, work: WorkFolder, clock: Clock, found: Exported) -> None:
    calibration = CalibrationSet.read(recipe.calibration)
    images = CalibrationImages(images=calibration, recipe=recipe)
    coverage = calibration.coverage(recipe.card)
    found.sets.append(image_set("int8 ranges", calibration.manifest_sha256, coverage))
    golden = golden_inputs(recipe.card)
    found.steps |= make_float_graph(recipe, work, [golden])
    gatekeeper, fitted_on = None, frozenset[str]()
    if recipe.fit_labels is not None:
        recipe, fitted_on = _fit_labels(recipe, work, found)
    if recipe.labelled is not None:
        labelled = CalibrationSet.read(recipe.labelled)
        both = len(fitted_on & set(labelled.groups))
        purpose = f"gate ({both} of its groups also chose the operating points)" if both else "gate"
        found.sets.append(image_set(purpose, labelled.manifest_sha256, labelled.coverage(recipe.card)))
        gatekeeper = Gatekeeper(recipe=recipe, labelled=labelled, work=work)
    try:
        _make_variants(recipe, work, images, gatekeeper, found)
    except ScansideError:
        if gatekeeper is not None:  # the report shows what the gate did not like
            found.gates |= {report.precision: report for report in gatekeeper.heard.values()}
        raise
    _judge_variants(work, golden, gatekeeper, found)
    work.progress("latency", 0, 1)
    graphs = {name: work.path(FILE_OF[name]) for name in found.made}
    found.latency = measure(graphs, images.compared()[0], clock=clock, threads=(recipe.threads,))
    work.progress("latency", 1, 1)


def _fit_labels(recipe: Recipe, work: WorkFolder, found: Exported) -> tuple[Recipe, frozenset[str]]:
    """The recipe with a calibrated card, and the groups that it was calibrated on."""
    assert recipe.fit_labels is not None
    images = CalibrationSet.read(recipe.fit_labels)
    found.sets.append(
        image_set("probabilities and operating points", images.manifest_sha256, images.coverage(recipe.card))
    )
    fitted = calibrate_in(work, work.path(FILE_OF["fp32"]), recipe.card, images, threads=recipe.threads)
    found.card, found.calibration = dataclasses.replace(fitted.card, variants=()), fitted.labels
    return dataclasses.replace(recipe, card=fitted.card), frozenset(images.groups)


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
        found.steps["equalise"] = even_out(images, work)
        found.steps["ranges"] = find_ranges(images, work)
        ranges = found.steps["ranges"]["ranges"][found.steps["ranges"]["chosen"]]
        found.steps["sensitivity"] = find_sensitivities(images, ranges, work)
        order = read_order(found.steps["sensitivity"])
        found.steps["int8"] = make_int8(recipe, work, ranges, order, gatekeeper, images)
    if recipe.fp16:
        found.steps["fp16"] = make_fp16(recipe, work, gatekeeper)
    found.steps["lint"] = {
        precision: [as_plain(item) for item in lint(read_graph(work.path(FILE_OF[precision])))]
        for precision in found.made
    }


def _judge_variants(
    work: WorkFolder, golden: Mapping[str, Any], gatekeeper: Gatekeeper | None, found: Exported
) -> None:
    """Gate reports, tolerances and parity of what was made; raises ModelBundleError when one fails."""
    graphs = {name: work.path(FILE_OF[name]) for name in found.made}
    measured = _parity(work, graphs, golden)
    variants: list[Variant] = []
    metrics: list[Metric] = []
    if gatekeeper is not None:
        for precision in found.made[1:]:
            report = gatekeeper.judge(graphs[precision], precision)
            found.gates[precision] = report
            report.require()
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
        found.culprit = _culprit(found.parity, graphs, golden)
        raise ModelBundleError(
            f"The engines of this machine do not agree: {' '.join(found.parity.reasons)}",
            remedy="`scanside export parity` looks for the layer at which they part.",
        )
    found.card = dataclasses.replace(
        found.card, variants=tuple(variants), metrics=(*found.card.metrics, *metrics)
    )


def _culprit(parity: ParityReport, graphs: Mapping[str, Path], golden: Mapping[str, Any]) -> str | None:
    """Where the answers of the engine that is farthest off begin to part, in words."""
    wrong = [row for row in parity.differences if row.passed is not True]
    if not wrong:
        return None
    worst = max(wrong, key=lambda row: row.relative)
    engine = worst.engine.partition(" ")[0]
    try:
        first = first_difference(
            graphs["fp32"],
            graphs[worst.precision],
            golden,
            engine=engine,
            allowed=FLOAT32_RELATIVE if worst.precision == "fp32" else VARIANT_RELATIVE,
        )
    except EngineError as error:
        return error.what
    return None if first is None else first.words


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
    summary = {name: value for name, value in found.steps.items() if name not in IN_THE_REPORT}
    (folder / GATE).write_text(
        as_json({"variants": gates, "parity": as_plain(found.parity), "steps": summary}), encoding="utf-8"
    )
    return folder
