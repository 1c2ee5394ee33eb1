# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What `auto` means here, which precision serves, and that nothing serves in another's name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.engines.catalogue import engine_names, unusable
from appliance.errors import EngineError
from appliance.models.bundle import Bundle
from appliance.models.candidate import CPU_ENGINES, GPU_ENGINES, Candidate
from appliance.models.passport import Passport
from appliance.models.selection import AUTO_ORDER, Selected, Selection, Step, plan_of
from tests.tiny_bundles import read_signed
from tests.tiny_classifiers import build_classifier

MakeBundle = Callable[..., Path]


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return read_signed(build_classifier(tmp_path_factory.mktemp("bundles") / "classifier"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Passports of the tests here, each made once."""
    return tmp_path_factory.mktemp("passports")


def selection_of(
    cache: Path, *engines: str, precisions: tuple[str, ...] = ("int8", "fp16", "fp32")
) -> Selection:
    return Selection(plan_of(engines), precisions=precisions, threads=1, cache=cache)


def select(selection: Selection, bundle: Bundle, **given_up: str) -> Selected:
    selected = selection.select(bundle, given_up=given_up)
    selected.engine.close()
    return selected


def write_p50(cache: Path, candidate: Candidate, p50_ms: float) -> None:
    """Let a kept passport say another time."""
    (kept,) = cache.glob(f"passport-*-{candidate.engine}-{candidate.precision}-*.json")
    record = json.loads(kept.read_text(encoding="utf-8")) | {"p50_ms": p50_ms}
    kept.write_text(json.dumps(record), encoding="utf-8")


def test_auto_is_what_is_usable_here_and_the_rest_is_told() -> None:
    plan = plan_of(("auto",))
    known = [engine for engine in AUTO_ORDER if engine in engine_names()]
    assert set(plan.engines) | set(plan.skipped) == set(known)
    assert all(unusable(engine) is None for engine in plan.engines)
    assert all(plan.skipped.values())
    assert plan.steps[-1] == Step(engines=CPU_ENGINES, quickest_first=True)
    assert "remote" not in plan.engines
    assert [engine for engine in plan.engines if engine in GPU_ENGINES] == list(plan.engines[:-2])


def test_what_a_person_names_keeps_its_place() -> None:
    plan = plan_of(("null", "auto", "ort", "null"))
    assert plan.steps[0] == Step(engines=("null",))
    assert plan.steps[-1] == Step(engines=("ort",), quickest_first=True)
    assert plan.steps[-2] == Step(engines=("openvino",), quickest_first=True)


def test_candidates_are_what_bundle_settings_and_device_have_in_common(
    classifier: Bundle, tmp_path: Path
) -> None:
    selection = selection_of(tmp_path, "ort")
    halved = replace(classifier, model_sha256={**classifier.model_sha256, "fp16": "0"})
    words = [candidate.words for candidate in selection.candidates(halved, "ort")]
    assert words == ["ort fp32", "ort int8"], "half precision gains nothing on the processor, int8 costs time"
    words = [candidate.words for candidate in selection.candidates(halved, "openvino")]
    assert words == ["openvino int8", "openvino fp32"]
    words = [candidate.words for candidate in selection.candidates(halved, "tensorrt")]
    assert words == ["tensorrt int8", "tensorrt fp16", "tensorrt fp32"]
    only = selection_of(tmp_path, "ort", precisions=("fp16",))
    assert only.candidates(classifier, "ort") == (Candidate(engine="ort", precision="fp32"),)


def test_the_quickest_passing_candidate_of_the_processor_serves(classifier: Bundle, cache: Path) -> None:
    selection = selection_of(cache, "auto")
    first = select(selection, classifier)
    assert first.passport.engine == "openvino"
    assert first.fallback_reason is None
    assert len(list(cache.glob("*.json"))) == 1, "nothing else was needed, so nothing else was tested"
    for candidate in selection.every_candidate(classifier):
        if candidate.engine in CPU_ENGINES:
            assert selection.passport(classifier, candidate).passed
    write_p50(cache, Candidate(engine="ort", precision="fp32"), 1e-6)
    second = select(selection, classifier)
    assert second.passport.candidate.words == "ort fp32"
    assert second.fallback_reason is None, "the quickest is the first choice"
    write_p50(cache, Candidate(engine="openvino", precision="int8"), 1e-7)
    assert select(selection, classifier).passport.words == "openvino int8 CPU"


def test_an_engine_given_up_is_not_asked_again_in_any_precision(classifier: Bundle, cache: Path) -> None:
    selected = select(selection_of(cache, "auto"), classifier, openvino="it stopped answering")
    assert selected.passport.engine == "ort"
    assert selected.fallback_reason == "openvino: it stopped answering"


def test_a_variant_that_fails_gives_way_to_float32_and_it_is_said(tmp_path: Path) -> None:
    bundle = read_signed(build_classifier(tmp_path / "b", threshold_between=True))
    selected = select(selection_of(tmp_path / "cache", "openvino"), bundle)
    assert selected.passport.candidate.words == "openvino fp32"
    assert "openvino int8: 1 of 40 decisions" in (selected.fallback_reason or "")


def test_an_engine_that_is_absent_is_said_once_when_a_person_named_it(
    classifier: Bundle, cache: Path
) -> None:
    selected = select(selection_of(cache, "base", "ort"), classifier)
    assert (selected.fallback_reason or "").startswith("base: There is no engine 'base'")


def test_nothing_usable_is_an_error_in_words(classifier: Bundle, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="none is usable here"):
        selection_of(tmp_path).select(classifier, given_up={})


# Trace: REQ-025
def test_a_passport_of_another_device_lets_nothing_serve(classifier: Bundle, tmp_path: Path) -> None:
    """The graphics processor had the passport; what is loaded computes somewhere else."""
    selection = selection_of(tmp_path, "ort", precisions=("fp32",))
    assert select(selection, classifier).passport.device == "CPU"
    (kept,) = tmp_path.glob("passport-*.json")
    record = json.loads(kept.read_text(encoding="utf-8")) | {"device": "NVIDIA RTX A2000 12GB"}
    kept.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(EngineError, match="got its passport on NVIDIA RTX A2000 12GB and is on CPU now"):
        selection.select(classifier, given_up={})


def test_a_failed_test_withdraws_the_passport_that_was_kept(make_bundle: MakeBundle, tmp_path: Path) -> None:
    bundle = read_signed(make_bundle(tmp_path / "b"))
    cache = tmp_path / "cache"
    selection = selection_of(cache, "ort")
    candidate = Candidate(engine="ort", precision="fp32")
    assert selection.passport(bundle, candidate).passed
    (bundle.folder / "model.onnx").write_bytes(b"the disk went bad")
    kept: Passport = selection.passport(bundle, candidate)
    assert kept.passed, "nobody asked for a new one"
    assert not selection.passport(bundle, candidate, anew=True).passed
    assert list(cache.iterdir()) == []
