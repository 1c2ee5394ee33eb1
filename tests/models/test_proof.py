# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The child process: what it survives, and what makes a kept proof worthless."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from appliance.models.bundle import read_bundle
from appliance.models.proof import cpu_model, kept_proof, prove
from tests.tiny_bundles import trusted

MakeBundle = Callable[..., Path]


def test_an_engine_that_hangs_is_ended(make_bundle: MakeBundle, tmp_path: Path) -> None:
    bundle = read_bundle(make_bundle(tmp_path / "b", fault="hang"), trust=trusted())
    proof = prove(bundle, "faulty", threads=1, cache=tmp_path, timeout_s=3.0)
    assert not proof.passed
    assert proof.reason == "it did not finish in 3 s"


def test_a_bundle_that_changed_since_it_was_read_proves_nothing(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    bundle = read_bundle(make_bundle(tmp_path / "b"), trust=trusted())
    (bundle.folder / "model.onnx").write_bytes(b"something else")
    proof = prove(bundle, "ort", threads=1, cache=tmp_path / "cache")
    assert not proof.passed
    assert "exit code 1" in (proof.reason or "")
    assert "not the file that SHA256SUMS lists" in (proof.reason or "")
    assert not (tmp_path / "cache").exists()


def test_a_proof_is_kept_for_this_bundle_engine_and_thread_count_only(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    bundle, cache = read_bundle(make_bundle(tmp_path / "b"), trust=trusted()), tmp_path / "cache"
    assert kept_proof(bundle, "ort", threads=1, cache=cache) is None
    proof = prove(bundle, "ort", threads=1, cache=cache)
    assert kept_proof(bundle, "ort", threads=1, cache=cache) == proof
    assert kept_proof(bundle, "ort", threads=2, cache=cache) is None
    assert kept_proof(bundle, "openvino", threads=1, cache=cache) is None
    other = read_bundle(make_bundle(tmp_path / "other", release=2), trust=trusted())
    assert kept_proof(other, "ort", threads=1, cache=cache) is None
    (record,) = cache.iterdir()
    for content in (b"", b"{}", record.read_bytes().replace(b'"passed":true', b'"passed":false')):
        record.write_bytes(content)
        assert kept_proof(bundle, "ort", threads=1, cache=cache) is None


def test_a_proof_holds_even_where_it_cannot_be_kept(make_bundle: MakeBundle, tmp_path: Path) -> None:
    bundle, cache = read_bundle(make_bundle(tmp_path / "b"), trust=trusted()), tmp_path / "cache"
    cache.write_text("a file where a folder should be", encoding="utf-8")
    assert prove(bundle, "ort", threads=1, cache=cache).passed


def test_the_processor_has_a_name() -> None:
    assert cpu_model().strip()
