# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""An engine gets the bytes that were verified, whatever lies under their name by now."""

from __future__ import annotations

import ast
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
from tests.calls_watched import calls_watched
from tests.tiny_bundles import build, halving_model, trusted, write_sums


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return read_bundle(build(tmp_path / "b"), trust=trusted())


def answer(engine: Engine) -> float:
    return float(engine.infer({"slice": np.full((1, 1, 4, 4), 8, np.float32)})["denoised"].mean())


@dataclass(frozen=True)
class Given:
    """What an engine was given to load, as it was at that moment."""

    model: Path
    folder_mode: int
    files: dict[str, bytes]
    change: OSError | None
    """What came of trying to change it."""


def look_at(model: Path) -> Given:
    change = None
    try:
        with model.open("r+b") as file:
            file.write(b"other bytes")
    except OSError as error:
        change = error
    return Given(
        model=model,
        folder_mode=stat.S_IMODE(model.parent.stat().st_mode),
        files={file.name: file.read_bytes() for file in model.parent.iterdir()},
        change=change,
    )


@contextmanager
def engines_watched() -> Iterator[list[Given]]:
    """Every call of an engine's `load`."""
    seen: list[Given] = []

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        name = frame.f_globals.get("__name__", "")
        if event == "call" and frame.f_code.co_name == "load" and name.startswith("appliance.engines."):
            seen.append(look_at(frame.f_locals["model"]))

    with calls_watched(watch):
        yield seen


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.parametrize("name", ["ort", "openvino", "null"])
def test_the_engine_reads_sealed_bytes_that_are_gone_afterwards(bundle: Bundle, name: str) -> None:
    beside = {file: (bundle.folder / file).read_bytes() for file in ("card.toml", "SHA256SUMS", "model.onnx")}
    descriptors = open_descriptors()
    with engines_watched() as seen, load_verified(name, bundle, threads=1) as engine:
        (given,) = seen
        assert given.model.name == "model.onnx"
        assert given.model.parent != bundle.folder
        assert (given.folder_mode, given.files) == (0o700, beside)
        assert isinstance(given.change, PermissionError), "not even its owner can change it"
        assert not given.model.parent.exists()
        assert open_descriptors() == descriptors
        bundle.model.unlink()
        assert answer(engine) == (0.0 if name == "null" else 4.0)


def test_an_engine_that_ends_the_process_leaves_no_graph_on_the_disk(tmp_path: Path) -> None:
    bundle = read_bundle(build(tmp_path / "b", fault="abort"), trust=trusted())
    (tmp_path / "tmp").mkdir()
    load = (
        "import sys; from pathlib import Path; from appliance.models.bundle import read_known;"
        "from appliance.models.loading import load_verified\n"
        "load_verified('faulty', read_known(Path(sys.argv[1]), sums_sha256=sys.argv[2]), threads=1)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", load, bundle.folder, bundle.sums_sha256],
        env=os.environ | {"TMPDIR": str(tmp_path / "tmp")},
        stderr=subprocess.DEVNULL,
        check=False,
    )
    assert ended.returncode == -signal.SIGABRT
    left = {path.name for path in (tmp_path / "tmp").rglob("*") if path.is_file()}
    assert left == {"card.toml", "SHA256SUMS"}


def test_a_graph_exchanged_after_it_was_verified_is_refused(bundle: Bundle) -> None:
    onnx.save(halving_model(factor=0.25), bundle.model)
    with pytest.raises(ModelBundleError, match=r"model\.onnx is not the file that SHA256SUMS lists"):
        load_verified("ort", bundle, threads=1)
    write_sums(bundle.folder)
    with pytest.raises(ModelBundleError, match="not the one that was verified before"):
        load_verified("ort", bundle, threads=1)
    bundle.model.unlink()
    bundle.model.symlink_to("/dev/zero")
    with pytest.raises(ModelBundleError, match="not a plain file"):
        load_verified("ort", bundle, threads=1)


def test_no_room_for_the_copy_is_an_error_of_the_engine(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(EngineError, match="cannot be handed to its engine") as error:
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
