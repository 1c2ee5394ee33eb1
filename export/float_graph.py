# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Steps 1 and 2: the float32 graph that is shipped, and the proof that it is the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from appliance.errors import InputError
from export.card_shapes import with_card_shapes
from export.graphs import opset, read_graph, write_graph
from export.in_graph import append_heatmap, prepend_normalisation
from export.lint import require_clean
from export.recipe import HEATMAP, Recipe
from export.session import Tensors, relative_error, run_all
from export.simplify import simplify
from export.to_onnx import network_answers, to_onnx
from export.work import WorkFolder

EXPORTED: Final = "exported.onnx"
MODEL: Final = "model.onnx"
LARGEST_EXPORT_ERROR: Final = 1e-4
"""Relative L2 between PyTorch and ONNX, any output: other kernels add in another order
(3e-8 of a logit, measured on a small network)."""


def make_float_graph(recipe: Recipe, work: WorkFolder, examples: Sequence[Tensors]) -> dict[str, Any]:
    """`model.onnx` in the work folder; the results of both steps. Raises InputError with the reason."""
    exported = work.step(
        "onnx", given=recipe.made_from(), makes=[EXPORTED], do=lambda: _export(recipe, work, examples)
    )
    simplified = work.step(
        "simplify",
        given={"exported": work.path(EXPORTED)},
        makes=[MODEL],
        do=lambda: _simplify(recipe, work, examples),
    )
    return {"onnx": exported, "simplify": simplified}


def _export(recipe: Recipe, work: WorkFolder, examples: Sequence[Tensors]) -> Mapping[str, Any]:
    model = to_onnx(recipe.source, recipe.source_card)
    inside: list[Tensors] = list(examples)
    if recipe.normalisation is not None:
        name = recipe.card.inputs[0].name
        normalisation = recipe.normalisation
        model = prepend_normalisation(model, normalisation, input_name=name)
        inside = [{**item, name: normalisation.apply(item[name])} for item in examples]
    if recipe.heatmap_of is not None:
        model = append_heatmap(model, logits=recipe.heatmap_of, heatmap=HEATMAP)
    write_graph(with_card_shapes(model, recipe.card), work.path(EXPORTED))
    return {"opset": opset(model), "nodes": len(model.graph.node)} | _against_network(
        recipe, model, examples, inside
    )


def _against_network(
    recipe: Recipe, model: Any, examples: Sequence[Tensors], inside: Sequence[Tensors]
) -> dict[str, Any]:
    """PyTorch's own answers beside the graph's; None where there is no network to ask (an ONNX source)."""
    wanted = network_answers(recipe.source, recipe.source_card, inside)
    if wanted is None:
        return {"relative_error_to_pytorch": None}
    errors = relative_error(run_all(model, examples), wanted)
    worst = max(errors, key=errors.__getitem__)
    if not errors[worst] <= LARGEST_EXPORT_ERROR:
        raise InputError(
            f"The exported graph does not answer as the network: {worst!r} is off by {errors[worst]:.2g} of "
            f"its size, {LARGEST_EXPORT_ERROR:g} is allowed.",
            remedy="The network behaves differently when exported (dropout, randomness, branches); make it "
            "deterministic in eval mode.",
        )
    return {"relative_error_to_pytorch": errors}


def _simplify(recipe: Recipe, work: WorkFolder, examples: Sequence[Tensors]) -> Mapping[str, Any]:
    found = simplify(read_graph(work.path(EXPORTED)), examples=examples)
    model = with_card_shapes(found.model, recipe.card)
    require_clean(model, MODEL)
    size_bytes = write_graph(model, work.path(MODEL)).stat().st_size
    return {
        "nodes_before": found.nodes_before,
        "nodes_after": found.nodes_after,
        "relative_error": dict(found.relative_error),
        "size_bytes": size_bytes,
    }


def golden_outputs(work: WorkFolder, inputs: Tensors) -> dict[str, NDArray[np.float32]]:
    """What the float32 graph says to the golden inputs."""
    answers = run_all(read_graph(work.path(MODEL)), [inputs])[0]
    return {name: value.astype(np.float32) for name, value in answers.items()}
