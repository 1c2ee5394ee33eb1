# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""An engine that was asked for as one thing and describes itself as another is never believed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.engines.base import EngineDescription
from appliance.errors import EngineError
from appliance.models.candidate import (
    CPU_ENGINES,
    GPU_ENGINES,
    Candidate,
    contradiction,
    in_words_of,
    load_candidate,
)
from tests.tiny_bundles import read_signed

MakeBundle = Callable[..., Path]


def described(engine: str, precision: str, device: str) -> EngineDescription:
    return EngineDescription(engine=engine, version="1", precision=precision, device=device)


@pytest.mark.parametrize("engine", GPU_ENGINES)
@pytest.mark.parametrize("device", ["CPU", "cpu", "CPU (AVX-512)", "none", ""])
def test_a_fall_back_from_the_gpu_is_seen(engine: str, device: str) -> None:
    against = contradiction(Candidate(engine=engine, precision="fp32"), described(engine, "f32", device))
    assert against is not None
    assert "fell back from the graphics processor" in against


@pytest.mark.parametrize(
    ("engine", "asked", "says", "device"),
    [
        ("tensorrt", "int8", "int8", "NVIDIA RTX A2000 12GB"),
        ("cuda", "fp16", "f16", "Orin (CC 8.7)"),
        ("openvino", "int8", "int8", "CPU"),
        ("openvino", "int8", "f32", "CPU"),
        ("ort", "fp32", "f32", "CPU"),
        ("null", "fp32", "none", "none"),
        ("remote", "int8", "int8", "inference.example.org:8001"),
    ],
)
def test_what_agrees_is_believed(engine: str, asked: str, says: str, device: str) -> None:
    assert contradiction(Candidate(engine=engine, precision=asked), described(engine, says, device)) is None


@pytest.mark.parametrize(
    ("engine", "asked", "says", "device", "words"),
    [
        ("openvino", "fp32", "bf16", "CPU", "computes in bf16, which is less than the f32"),
        ("openvino", "fp32", "int8", "CPU", "computes in int8"),
        ("tensorrt", "fp16", "int8", "NVIDIA RTX A2000 12GB", "less than the f16"),
        ("openvino", "fp32", "f32", "GPU.0", "computes on GPU.0 and not on the CPU"),
        ("ort", "fp32", "f32", "", "an unknown device"),
        ("ort", "fp32", "f32", "CPU", "describes itself as openvino"),
    ],
)
def test_what_contradicts_is_refused(engine: str, asked: str, says: str, device: str, words: str) -> None:
    named = "openvino" if "describes itself" in words else engine
    against = contradiction(Candidate(engine=engine, precision=asked), described(named, says, device))
    assert words in (against or "")


def test_every_engine_of_auto_claims_one_kind_of_device() -> None:
    assert not set(GPU_ENGINES) & set(CPU_ENGINES)


def test_a_quantised_graph_is_called_quantised_whatever_it_is_computed_in() -> None:
    quantised = Candidate(engine="openvino", precision="int8")
    assert in_words_of(quantised, described("openvino", "f32", "CPU")).words == "openvino int8 CPU"
    nothing = described("null", "none", "none")
    assert in_words_of(Candidate(engine="null", precision="fp32"), nothing).words == "null none none"


def test_an_impostor_is_closed_and_refused(make_bundle: MakeBundle, tmp_path: Path) -> None:
    bundle = read_signed(make_bundle(tmp_path / "b", fault="impostor"))
    with pytest.raises(EngineError, match="describes itself as ort"):
        load_candidate(bundle, Candidate(engine="faulty", precision="fp32"), threads=1)
