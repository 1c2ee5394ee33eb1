# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Graphs are read whole or not at all, written whole or not at all, and lose nothing that is used."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from appliance.errors import InputError
from export.graphs import label, named, opset, read_graph, with_nodes, write_graph
from tests.tiny_networks import residual_classifier


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    model = residual_classifier()
    path = write_graph(model, tmp_path / "model.onnx")
    assert read_graph(path) == model
    assert write_graph(model, tmp_path / "again.onnx").read_bytes() == path.read_bytes()


def test_a_broken_graph_is_not_written(tmp_path: Path) -> None:
    model = residual_classifier()
    model.graph.node[0].input[0] = "nowhere"
    with pytest.raises(InputError, match="not whole"):
        write_graph(model, tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()


@pytest.mark.parametrize("content", [b"", b"\x08\x08", b"text"])
def test_what_is_no_graph_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(InputError, match="not a whole ONNX graph"):
        read_graph(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_graph(tmp_path / "gone.onnx")


def test_every_node_gets_a_name_of_its_own() -> None:
    model = residual_classifier()
    for node in model.graph.node:
        node.name = "same" if node.op_type == "Relu" else ""
    names = [node.name for node in named(model).graph.node]
    assert len(set(names)) == len(names)
    assert "same~2" in names
    assert "Conv:stem" in names
    assert label(model.graph.node[0]) == "Conv:stem"


def test_what_no_output_needs_is_dropped() -> None:
    model = residual_classifier()
    spare = onnx.helper.make_node("Relu", ["stem"], ["spare"], name="spare")
    kept = with_nodes(model, [*model.graph.node, spare], {"unused": model_weights(model)})
    assert "spare" not in {node.name for node in kept.graph.node}
    assert "unused" not in {weights.name for weights in kept.graph.initializer}
    assert len(kept.graph.node) == len(model.graph.node)
    assert opset(kept) == 17


def model_weights(model: onnx.ModelProto) -> object:
    return onnx.numpy_helper.to_array(model.graph.initializer[0])
