# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Changed model bundles and cut choices, the short run; `python -m benchmarks.faults bundles` is the long."""

from __future__ import annotations

import shutil
from pathlib import Path

import onnx
import pytest
from onnx import helper

from appliance.errors import ModelBundleError
from appliance.models.bundle import read_bundle
from appliance.models.contents import MODEL
from benchmarks.faults.bundle_changes import CHANGES, RAN, SERVED, put, shipped, signed, trust
from benchmarks.faults.bundle_cuts import cut_everywhere, prepare, serving
from benchmarks.faults.bundles import change_some
from benchmarks.faults.figure import Counts
from benchmarks.faults.plain_words import faults_of_error

DEEP = 3000
"""Graphs within graphs."""


def test_each_change_is_refused_before_anything_is_parsed(tmp_path: Path) -> None:
    counts: Counts = {}
    assert change_some(tmp_path / "changed", counts, first=0, count=len(CHANGES)) == []
    assert counts["refused_by_kind"] == {change.__name__: 1 for change in CHANGES}
    assert not Path(RAN).exists()


def test_a_bundle_that_is_as_it_was_made_counts_as_let_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The figure can fail: what is changed into itself is not refused, and said so."""

    def nothing(scene: object) -> None:
        put(shipped(), scene.folder)  # type: ignore[attr-defined]

    monkeypatch.setattr("benchmarks.faults.bundles.CHANGES", (nothing,))
    counts: Counts = {}
    (failure,) = change_some(tmp_path / "changed", counts, first=0, count=1)
    assert failure.startswith("nothing 00000")
    assert counts["not_refused"] == 1


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_choice_that_is_cut_leaves_the_old_model_or_the_new(tmp_path: Path) -> None:
    cuts, wrong = cut_everywhere(tmp_path / "cut", "activate", every=2, progress=lambda *_: None)
    assert cuts >= 3
    assert wrong == []


def test_what_serves_is_known(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "device", "roll_back")
    assert serving(folder) == SERVED + 1
    shutil.rmtree(folder / "bundles")
    shutil.rmtree(folder / "models")
    assert serving(folder) is None


def graphs_within_graphs(levels: int) -> bytes:
    """As protobuf has it on the wire: no library would make it."""

    def within(number: int, content: bytes) -> bytes:
        size, length = len(content), bytearray()
        while size > 0x7F:
            length.append(size & 0x7F | 0x80)
            size >>= 7
        return bytes([number << 3 | 2, *length, size]) + content

    graph = b""
    for _ in range(levels):
        graph = within(
            1, within(5, within(6, graph))
        )  # GraphProto.node, NodeProto.attribute, AttributeProto.g
    return b"\x08\x08" + within(7, graph)


def test_a_graph_of_graphs_that_a_trusted_hand_signed_is_refused(tmp_path: Path) -> None:
    """It passes the signature; what parses it says that it is no graph, and this process lives."""
    bomb = signed({**shipped(), MODEL: graphs_within_graphs(DEEP)}, SERVED)
    with pytest.raises(ModelBundleError) as refusal:
        read_bundle(put(bomb, tmp_path / "deep"), trust=trust())
    assert not faults_of_error(refusal.value)
    wide = onnx.ModelProto.FromString(shipped()[MODEL])
    wide.graph.node.extend(helper.make_node("Identity", ["x"], [f"y{index}"]) for index in range(200_000))
    with pytest.raises(ModelBundleError) as refusal:
        read_bundle(
            put(signed({**shipped(), MODEL: wide.SerializeToString()}, SERVED), tmp_path / "wide"),
            trust=trust(),
        )
    assert not faults_of_error(refusal.value)
