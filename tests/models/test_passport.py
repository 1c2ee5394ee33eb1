# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The child process: what it measures, what it survives, and what makes a kept passport worthless."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.models.bundle import Bundle
from appliance.models.candidate import Candidate
from appliance.models.passport import Passport, cpu_model, kept_passport, make_passport
from appliance.models.proving import LEAST_RUNS, MOST_RUNS
from tests.tiny_bundles import read_signed
from tests.tiny_classifiers import build_classifier

MakeBundle = Callable[..., Path]
ORT = Candidate(engine="ort", precision="fp32")
OPENVINO = Candidate(engine="openvino", precision="fp32")
FAULTY = Candidate(engine="faulty", precision="fp32")
INT8 = Candidate(engine="ort", precision="int8")


def made(bundle: Bundle, candidate: Candidate, cache: Path, **more: float) -> Passport:
    return make_passport(bundle, candidate, threads=1, cache=cache, **more)  # type: ignore[arg-type]


def test_a_passport_says_what_was_measured_on_what(make_bundle: MakeBundle, tmp_path: Path) -> None:
    passport = made(read_signed(make_bundle(tmp_path / "b")), ORT, tmp_path)
    assert passport.passed
    assert passport.reason is None
    assert (passport.words, passport.device, passport.processor) == ("ort f32 CPU", "CPU", cpu_model())
    assert set(passport.libraries) == {"python", "numpy", "onnx", "ort"}
    assert (passport.worst_output, passport.worst_difference) == ("denoised", 0.0)
    assert passport.tolerance is not None
    assert passport.tolerance > 0
    assert (passport.decisions, passport.flipped) == (None, None), "a denoiser decides nothing"
    assert LEAST_RUNS <= passport.runs <= MOST_RUNS
    assert passport.p50_ms is not None
    assert passport.p95_ms is not None
    assert passport.p99_ms is not None
    assert 0 < passport.p50_ms <= passport.p95_ms <= passport.p99_ms
    assert passport.made_at_utc.endswith("+00:00")


def test_a_quantised_variant_is_held_to_its_own_tolerance(tmp_path: Path) -> None:
    bundle = read_signed(build_classifier(tmp_path / "b"))
    passport = made(bundle, INT8, tmp_path)
    assert passport.passed, passport.reason
    assert passport.words == "ort int8 CPU"
    assert passport.worst_difference is not None
    assert passport.worst_difference > 0.01, "it is not the float32 graph that ran"
    assert passport.tolerance == bundle.card.variants[0].tolerances["logits"]
    assert (passport.decisions, passport.flipped) == (40, 0)
    narrow = read_signed(build_classifier(tmp_path / "narrow", tolerance=1e-4))
    refused = made(narrow, INT8, tmp_path)
    assert not refused.passed
    assert "'logits' is off by" in (refused.reason or "")


# Trace: REQ-025
def test_a_variant_that_decides_otherwise_is_refused_however_near_its_numbers(tmp_path: Path) -> None:
    bundle = read_signed(build_classifier(tmp_path / "b", threshold_between=True))
    assert made(bundle, ORT, tmp_path).passed
    refused = made(bundle, INT8, tmp_path)
    assert not refused.passed
    assert refused.worst_difference is not None
    assert refused.tolerance is not None
    assert refused.worst_difference < refused.tolerance
    assert refused.flipped == 1
    assert refused.reason == ("1 of 40 decisions on the golden images differ from float32; 0 may")


def test_a_tolerance_that_zeros_would_meet_proves_nothing(tmp_path: Path) -> None:
    bundle = read_signed(build_classifier(tmp_path / "b", tolerance=5.0))
    zeros = made(bundle, Candidate(engine="null", precision="int8"), tmp_path)
    assert not zeros.passed
    assert "an engine that answers zeros would pass" in (zeros.reason or "")
    assert not made(bundle, INT8, tmp_path).passed, "it may be right; nobody can tell"
    assert made(bundle, ORT, tmp_path).passed


def test_a_variant_whose_decisions_cannot_be_found_is_refused(tmp_path: Path) -> None:
    bundle = read_signed(build_classifier(tmp_path / "b", output="scores"))
    assert made(bundle, ORT, tmp_path).passed
    assert "cannot be checked" in (made(bundle, INT8, tmp_path).reason or "")


def test_an_engine_that_describes_itself_as_another_is_refused(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    passport = made(read_signed(make_bundle(tmp_path / "b", fault="impostor")), FAULTY, tmp_path)
    assert not passport.passed
    assert "asked for as faulty and describes itself as ort" in (passport.reason or "")


def test_an_engine_that_hangs_is_ended_and_whoever_waits_shows_life(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    bundle = read_signed(make_bundle(tmp_path / "b", fault="hang"))
    beats: list[int] = []
    passport = make_passport(
        bundle, FAULTY, threads=1, cache=tmp_path, timeout_s=3.0, alive=lambda: beats.append(1)
    )
    assert not passport.passed
    assert passport.reason == "it did not finish in 3 s"
    assert len(beats) >= 2


def test_a_bundle_that_changed_since_it_was_read_proves_nothing(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    bundle = read_signed(make_bundle(tmp_path / "b"))
    (bundle.folder / "model.onnx").write_bytes(b"something else")
    passport = made(bundle, ORT, tmp_path / "cache")
    assert not passport.passed
    assert "exit code 1" in (passport.reason or "")
    assert "not the file that SHA256SUMS lists" in (passport.reason or "")
    assert not (tmp_path / "cache").exists()


def test_a_passport_is_kept_for_this_bundle_candidate_and_thread_count_only(tmp_path: Path) -> None:
    bundle, cache = read_signed(build_classifier(tmp_path / "b")), tmp_path / "cache"
    assert kept_passport(bundle, ORT, threads=1, cache=cache) is None
    passport = made(bundle, ORT, cache)
    assert kept_passport(bundle, ORT, threads=1, cache=cache) == passport
    assert kept_passport(bundle, ORT, threads=2, cache=cache) is None
    assert kept_passport(bundle, OPENVINO, threads=1, cache=cache) is None
    assert kept_passport(bundle, INT8, threads=1, cache=cache) is None
    other = read_signed(build_classifier(tmp_path / "other", release=2))
    assert kept_passport(other, ORT, threads=1, cache=cache) is None
    (record,) = cache.iterdir()
    foreign = json.loads(record.read_text(encoding="utf-8")) | {"precision": "int8"}
    for content in (
        b"",
        b"{}",
        record.read_bytes().replace(b'"passed":true', b'"passed":false'),
        json.dumps(foreign).encode(),
    ):
        record.write_bytes(content)
        assert kept_passport(bundle, ORT, threads=1, cache=cache) is None


def test_a_passport_holds_even_where_it_cannot_be_kept(make_bundle: MakeBundle, tmp_path: Path) -> None:
    bundle, cache = read_signed(make_bundle(tmp_path / "b")), tmp_path / "cache"
    cache.write_text("a file where a folder should be", encoding="utf-8")
    assert made(bundle, ORT, cache).passed


def test_a_failure_is_not_kept(tmp_path: Path) -> None:
    bundle = read_signed(build_classifier(tmp_path / "b", tolerance=1e-4))
    cache = tmp_path / "cache"
    assert not made(bundle, INT8, cache).passed
    assert not cache.exists()


@pytest.mark.parametrize("name", ["tensorflow", "base"])
def test_an_engine_that_does_not_exist_gets_a_reason(
    make_bundle: MakeBundle, tmp_path: Path, name: str
) -> None:
    bundle = read_signed(make_bundle(tmp_path / "b"))
    passport = made(bundle, Candidate(engine=name, precision="fp32"), tmp_path)
    assert not passport.passed
    assert "There is no engine" in (passport.reason or "")


def test_the_processor_has_a_name() -> None:
    assert cpu_model().strip()
