# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Which engine serves: proven in a child first, remembered, replaced when it fails."""

from __future__ import annotations

import gc
import json
import shutil
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from appliance.errors import EngineError
from appliance.models.registry import Registry, shipped_models
from tests.tiny_bundles import trusted

MakeBundle = Callable[..., Path]


def half(registry: Registry) -> float:
    outputs = registry.served("ct_denoise").engine.infer({"slice": np.full((1, 1, 4, 4), 8, np.float32)})
    return float(outputs["denoised"].mean())


def open_registry(folder: Path, cache: Path, *engines: str) -> Registry:
    return Registry((folder,), engines=engines, threads=1, cache=cache, trust=trusted())


def test_the_first_engine_serves_and_its_proof_is_kept(make_bundle: MakeBundle, tmp_path: Path) -> None:
    make_bundle(tmp_path / "models" / "ct")
    cache = tmp_path / "cache"
    with open_registry(tmp_path / "models", cache, "ort", "openvino") as registry:
        served = registry.served("ct_denoise")
        assert served.description.words == "ort f32 CPU"
        assert served.fallback_reason is None
        assert served.card.release == 1
        assert served.passport.passed
        assert served.passport.worst_difference == 0.0
        assert served.passport.p50_ms is not None
        assert half(registry) == 4.0
        assert registry.served("ct_denoise") is served
    (kept,) = cache.glob("passport-*.json")
    record = json.loads(kept.read_text(encoding="utf-8"))
    record["p50_ms"] = 123456.0  # a mark: only a registry that reads the record can know it
    kept.write_text(json.dumps(record), encoding="utf-8")
    with open_registry(tmp_path / "models", cache, "ort") as registry:
        assert registry.served("ct_denoise").passport.p50_ms == 123456.0
    with Registry(
        (tmp_path / "models",), engines=("ort",), threads=2, cache=cache, trust=trusted()
    ) as registry:
        assert registry.served("ct_denoise").passport.p50_ms != 123456.0, "other threads, other proof"
    kept.write_text(kept.read_text(encoding="utf-8")[:-20], encoding="utf-8")
    with open_registry(tmp_path / "models", cache, "ort") as registry:
        assert registry.served("ct_denoise").passport.p50_ms != 123456.0, "a cut record proves nothing"


def test_an_engine_whose_process_aborts_is_passed_over(make_bundle: MakeBundle, tmp_path: Path) -> None:
    make_bundle(tmp_path / "models" / "ct", fault="abort")
    with open_registry(tmp_path / "models", tmp_path / "cache", "faulty", "ort") as registry:
        served = registry.served("ct_denoise")
        assert served.engine.describe().engine == "ort"
        assert served.fallback_reason == "faulty fp32: loading it ended the process (SIGABRT)"
        assert half(registry) == 4.0
    assert not list((tmp_path / "cache").glob("passport-*-faulty-*")), "failures are not kept"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("nan", "256 of 256 values of the output 'denoised' are not numbers"),
        ("shape", "does not fit"),
        ("raise", "failed, as it was asked to"),
        (None, "'denoised' is off by"),
    ],
)
def test_an_engine_that_computes_something_else_does_not_serve(
    make_bundle: MakeBundle, tmp_path: Path, fault: str | None, words: str
) -> None:
    make_bundle(tmp_path / "models" / "ct", fault=fault)
    with (
        open_registry(tmp_path / "models", tmp_path / "cache", "faulty") as registry,
        pytest.raises(EngineError, match=words),
    ):
        registry.served("ct_denoise")


def test_a_model_that_cannot_serve_keeps_no_image_alive(make_bundle: MakeBundle, tmp_path: Path) -> None:
    """The error is kept and raised for every image: it must not hold on to what those who asked hold."""
    make_bundle(tmp_path / "models" / "ct", fault="abort")
    images: list[weakref.ref[np.ndarray[tuple[int], np.dtype[np.uint8]]]] = []

    def ask(registry: Registry) -> None:
        image = np.zeros(8, np.uint8)
        images.append(weakref.ref(image))
        with pytest.raises(EngineError, match="ct_denoise"):
            registry.served("ct_denoise")

    with open_registry(tmp_path / "models", tmp_path / "cache", "faulty") as registry:
        for _ in range(3):
            ask(registry)
        gc.collect()
        assert [image() is None for image in images] == [True, True, True]


def test_the_null_engine_never_answers(make_bundle: MakeBundle, tmp_path: Path) -> None:
    make_bundle(tmp_path / "models" / "ct")
    with (
        open_registry(tmp_path / "models", tmp_path / "cache", "null") as registry,
        pytest.raises(EngineError, match=r"No engine can serve ct_denoise@1\.1"),
    ):
        registry.served("ct_denoise")


def test_golden_data_that_nobody_reaches_stops_every_engine(make_bundle: MakeBundle, tmp_path: Path) -> None:
    make_bundle(tmp_path / "models" / "ct", golden_factor=0.501)
    with open_registry(tmp_path / "models", tmp_path / "cache", "ort", "null") as registry:
        with pytest.raises(
            EngineError, match=r"ort fp32: its 'denoised' is off by .*; null fp32: its"
        ) as first:
            registry.served("ct_denoise")
        shutil.rmtree(tmp_path / "models")
        with pytest.raises(EngineError) as second:
            registry.served("ct_denoise")
        assert second.value.what == first.value.what, "asked again, but not tried again"


def test_an_engine_that_fails_at_work_is_replaced(make_bundle: MakeBundle, tmp_path: Path) -> None:
    make_bundle(tmp_path / "models" / "ct")
    with open_registry(tmp_path / "models", tmp_path / "cache", "ort", "openvino") as registry:
        first = registry.served("ct_denoise").engine
        registry.give_up("ct_denoise", "it stopped answering")
        with pytest.raises(EngineError, match="closed"):
            first.infer({})
        second = registry.served("ct_denoise")
        assert second.engine.describe().engine == "openvino"
        assert second.fallback_reason == "ort: it stopped answering"
        registry.give_up("ct_denoise", "it too")
        with pytest.raises(EngineError, match="ort: it stopped answering; openvino: it too"):
            registry.served("ct_denoise")


def test_closing_the_registry_closes_its_engines(make_bundle: MakeBundle, tmp_path: Path) -> None:
    make_bundle(tmp_path / "models" / "ct")
    with open_registry(tmp_path / "models", tmp_path / "cache", "ort") as registry:
        engine = registry.served("ct_denoise").engine
    with pytest.raises(EngineError, match="closed"):
        engine.infer({})


def test_a_refused_bundle_is_told_and_the_others_serve(make_bundle: MakeBundle, tmp_path: Path) -> None:
    make_bundle(tmp_path / "models" / "a")
    make_bundle(tmp_path / "models" / "b", task="other")
    (tmp_path / "models" / "b" / "gate.json").write_text("{ }", encoding="utf-8")
    make_bundle(tmp_path / "models" / "c", task="third")
    (tmp_path / "models" / "c" / "card.toml").unlink()
    with open_registry(tmp_path / "models", tmp_path / "cache", "ort") as registry:
        assert registry.tasks() == ("ct_denoise",)
        assert registry.card("other") is None
        assert [problem.what.split("'")[1] for problem in registry.problems] == ["b", "c"]
        with pytest.raises(EngineError, match="No model for other"):
            registry.served("other")


def test_the_first_folder_wins_but_never_with_an_older_release(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    site, shipped = tmp_path / "site", tmp_path / "shipped"
    make_bundle(site / "ct", name="site model", release=1)
    make_bundle(shipped / "ct", release=9)
    make_bundle(site / "old", task="other", release=2)
    make_bundle(shipped / "new", task="other", release=3)
    with Registry(
        (site, tmp_path / "nowhere", shipped),
        engines=("ort",),
        threads=1,
        cache=tmp_path / "cache",
        trust=trusted(),
    ) as registry:
        denoise, other = registry.card("ct_denoise"), registry.card("other")
        assert denoise is not None
        assert denoise.name == "site model"
        assert other is not None
        assert other.release == 3
        assert "Release 2 of halve" in registry.problems[0].what


def test_a_zip_serves_too(make_bundle: MakeBundle, tmp_path: Path) -> None:
    make_bundle(tmp_path / "ct")
    (tmp_path / "models").mkdir()
    shutil.make_archive(str(tmp_path / "models" / "ct"), "zip", tmp_path / "ct")
    with open_registry(tmp_path / "models", tmp_path / "cache", "ort") as registry:
        assert half(registry) == 4.0, registry.problems


def test_verify_all_tries_every_bundle_on_every_engine(make_bundle: MakeBundle, tmp_path: Path) -> None:
    make_bundle(tmp_path / "models" / "a")
    make_bundle(tmp_path / "models" / "b", task="other", golden_factor=0.4)
    with open_registry(tmp_path / "models", tmp_path / "cache", "ort") as registry:
        passports = registry.verify_all()
    assert [(found.task, found.passed) for found in passports] == [("ct_denoise", True), ("other", False)]


def test_an_engine_that_is_not_installed_is_passed_over(make_bundle: MakeBundle, tmp_path: Path) -> None:
    make_bundle(tmp_path / "models" / "ct")
    with open_registry(tmp_path / "models", tmp_path / "cache", "npu", "ort") as registry:
        assert "There is no engine 'npu'" in (registry.served("ct_denoise").fallback_reason or "")


def test_every_shipped_bundle_is_whole() -> None:
    folder = shipped_models()
    if not folder.is_dir():
        pytest.skip("no bundles are shipped with this checkout")
    with Registry((folder,), engines=("ort",), threads=1, cache=folder) as registry:
        assert registry.problems == []
        assert registry.tasks()
