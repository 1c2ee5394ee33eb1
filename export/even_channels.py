# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Step "equalise": how strongly to even out the channels before int8, tried on images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import onnx

from appliance.domain.record import to_plain
from calibration.ranges import MSE, collect
from export.calibration_images import CalibrationImages
from export.equalise import equalised, has_links
from export.float_graph import MODEL
from export.graphs import named, read_graph, write_graph
from export.quantize import activations, quantize
from export.session import relative_error, run_all
from export.work import Progress, WorkFolder

EQUALISED: Final = "equalised.onnx"
STRENGTHS: Final = (0.4, 0.6, 0.8)
"""How strongly to even out the channels. Xiao et al. 2023 found 0.4 to 0.6 best for their networks; on the
chest model the error was flat from 0.4 to 0.7."""
MOST_EVENED: Final = 24
"""Images that tell how far channels reach: the graph with the least error gets its ranges from more."""
AS_IT_IS: Final = "as it is"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evened:
    """The graph to make int8 from."""

    model: onnx.ModelProto
    strength: float | None
    """How strongly the channels were evened out; None: not at all."""
    relative_error: Mapping[str, float]
    """By strength tried (AS_IT_IS: not at all), the worst output's relative error in int8."""


def even_out(images: CalibrationImages, work: WorkFolder) -> dict[str, Any]:
    """Step "equalise": the float32 graph that int8 is made from, its channels evened out where that helps."""

    def do() -> Mapping[str, Any]:
        found = best_equalised(read_graph(work.path(MODEL)), images, work.progress)
        write_graph(found.model, work.path(EQUALISED))
        return {"strength": found.strength, "relative_error": dict(found.relative_error)}

    given = {
        "model": work.path(MODEL),
        "calibration": images.images.manifest_sha256,
        "preprocessing": to_plain(images.recipe.card)["preprocessing"],
    }
    return work.step("equalise", given=given, makes=[EQUALISED], do=do)


def best_equalised(
    model: onnx.ModelProto, images: CalibrationImages, progress: Progress = lambda *_: None
) -> Evened:
    """Every strength tried in int8 on images that nothing was taken from, and the graph with least error."""
    model = named(model)
    tried: list[tuple[float | None, onnx.ModelProto]] = [(None, model)]
    seen = list(islice(images.collected(), MOST_EVENED))
    if has_links(model):
        tried += [(strength, equalised(model, seen, strength=strength)) for strength in STRENGTHS]
    compared = images.compared()
    wanted = run_all(model, compared)
    errors = []
    for index, (_, graph) in enumerate(tried):
        progress("equalise", index, len(tried))
        ranges = collect(graph, activations(graph), seen).ranges(MSE)
        errors.append(max(relative_error(run_all(quantize(graph, ranges).model, compared), wanted).values()))
    strength, graph = tried[errors.index(min(errors))]
    names = [AS_IT_IS if given is None else f"{given:g}" for given, _ in tried]
    return Evened(model=graph, strength=strength, relative_error=dict(zip(names, errors, strict=True)))
