# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""An engine gets the bytes that were verified, whatever lies under their name by now."""

from __future__ import annotations

import ast
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import onnx
import pytest

from appliance.engines.base import Engine
from appliance.errors import EngineError, ModelBundleError
from appliance.models.bundle import Bundle, read_bundle, read_known
from appliance.models.loading import load_verified
from appliance.models.registry import Registry
from tests.tiny_bundles import build, halving_model, trusted, write_sums


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return read_bundle(build(tmp_path / "b"), trust=trusted())


def answer(engine: Engine) -> float:
    return float(engine.infer({"slice": np.full((1, 1, 4, 4), 8, np.float32)})["denoised"].mean())


@contextmanager
def engines_watched() -> Iterator[list[tuple[Path, int, bytes]]]:
    """What each call of an engine's `load` was given: the path, its folder's mode, and what lay there."""
    seen: list[tuple[Path, int, bytes]] = []

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        name = frame.f_globals.get("__name__", "")
        if event == "call" and frame.f_code.co_name == "load" and name.startswith("appliance.engines."):
            model = frame.f_locals["model"]
            seen.append((model, stat.S_IMODE(model.parent.stat().st_mode), model.read_bytes()))

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        yield seen
    finally:
        sys.setprofile(before)


@pytest.mark.parametrize("name", ["ort", "openvino"])
def test_the_engine_reads_a_private_copy_that_is_gone_afterwards(bundle: Bundle, name: str) -> None:
    content = bundle.model.read_bytes()
    with engines_watched() as seen, load_verified(name, bundle, threads=1) as engine:
        ((copy, mode, copied),) = seen
        assert copy.parent != bundle.folder
        assert (mode, copied) == (0o700, content)
        assert not copy.parent.exists()
        bundle.model.unlink()
        assert answer(engine) == 4.0


def test_a_graph_exchanged_after_it_was_verified_is_refused(bundle: Bundle) -> None:
    onnx.save(halving_model(factor=0.25), bundle.model)
    with pytest.raises(ModelBundleError, match=r"model\.onnx has changed since it was verified"):
        load_verified("ort", bundle, threads=1)
    write_sums(bundle.folder)
    with pytest.raises(ModelBundleError, match="has changed"):
        load_verified("ort", bundle, threads=1)
    bundle.model.unlink()
    bundle.model.symlink_to("/dev/zero")
    with pytest.raises(ModelBundleError, match="not a plain file"):
        load_verified("ort", bundle, threads=1)


def test_no_room_for_the_copy_is_an_error_of_the_engine(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(EngineError, match="cannot be copied") as error:
        load_verified("ort", bundle, threads=1)
    assert not isinstance(error.value, ModelBundleError)


def test_the_second_engine_does_not_get_what_came_in_between(tmp_path: Path) -> None:
    """The first engine fails days later; meanwhile somebody put another graph there."""
    folder = build(tmp_path / "models" / "ct")
    with Registry(
        (folder.parent,), engines=("ort", "openvino"), threads=1, cache=tmp_path / "c", trust=trusted()
    ) as registry:
        assert answer(registry.served("ct_denoise").engine) == 4.0
        onnx.save(halving_model(factor=0.25), folder / "model.onnx")
        write_sums(folder)
        registry.give_up("ct_denoise", "it failed")
        with pytest.raises(EngineError, match="not the one that was verified before"):
            registry.served("ct_denoise")


def test_a_bundle_is_read_again_only_as_it_was(bundle: Bundle) -> None:
    again = read_known(bundle.folder, sums_sha256=bundle.sums_sha256)
    assert again.model_sha256 == bundle.model_sha256
    assert again.signer is None
    (bundle.folder / "gate.json").write_text("{ }", encoding="utf-8")
    with pytest.raises(ModelBundleError, match=r"gate\.json is not the file"):
        read_known(bundle.folder, sums_sha256=bundle.sums_sha256)
    write_sums(bundle.folder)
    with pytest.raises(ModelBundleError, match="not the one that was verified before"):
        read_known(bundle.folder, sums_sha256=bundle.sums_sha256)


def callers(sources: dict[str, str], name: str) -> list[str]:
    """Files in which the function of that name is called."""
    return [
        path
        for path, source in sources.items()
        if any(
            isinstance(node, ast.Call)
            and name in {getattr(node.func, "id", ""), getattr(node.func, "attr", "")}
            for node in ast.walk(ast.parse(source))
        )
    ]


def test_there_is_one_way_to_load_a_bundle_and_none_to_serve_an_unsigned_one() -> None:
    appliance = Path(__file__).parents[2] / "appliance"
    sources = {
        path.relative_to(appliance).as_posix(): path.read_text(encoding="utf-8")
        for path in appliance.rglob("*.py")
    }
    assert callers(sources, "load_engine") == ["models/loading.py"]
    assert callers(sources, "read_unsigned") == []
    assert callers({"a.py": "x.load_engine(1)", "b.py": "y = load_engine"}, "load_engine") == ["a.py"]
