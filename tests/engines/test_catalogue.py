# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Engines are the files of their folder: no list to forget one in."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest
from pydantic import ValidationError

from appliance import engines
from appliance.config import WorkerSettings
from appliance.engines.catalogue import (
    NOT_ENGINES,
    engine_device_key,
    engine_names,
    engine_version,
    load_engine,
    unusable,
)
from appliance.errors import EngineError


def test_every_file_is_an_engine_or_known_not_to_be_one() -> None:
    files = {file.stem for file in Path(engines.__path__[0]).glob("*.py")} - {"__init__"}
    assert files == set(engine_names()) | NOT_ENGINES
    for name in engine_names():
        module = importlib.import_module(f"appliance.engines.{name}")
        assert callable(module.load)
        assert callable(module.version)
    for name in NOT_ENGINES:
        assert not hasattr(importlib.import_module(f"appliance.engines.{name}"), "load")


def test_what_the_settings_prefer_exists_and_computes() -> None:
    assert WorkerSettings().engines == ("auto",)
    for name in engine_names():
        if name != "faulty":
            assert WorkerSettings(engines=(name,)).engines == (name,), "a new file is a choice by its name"
    for name in ("faulty", "tensorflow", "../ort", "__init__", ""):
        with pytest.raises(ValidationError, match="no engine of that name"):
            WorkerSettings(engines=(name,))


def test_an_engine_whose_library_is_there_is_usable_and_another_says_why_not() -> None:
    assert unusable("ort") is None
    assert engine_device_key("ort") == ""
    assert "There is no engine" in (unusable("tensorflow") or "")


def test_an_unknown_name_is_said_with_the_choice(tmp_path: Path) -> None:
    for name in ("tensorflow", "base", "../ort", ""):
        with pytest.raises(EngineError, match="There is no engine") as error:
            load_engine(name, tmp_path, threads=1)
        assert "openvino" in error.value.remedy
        with pytest.raises(EngineError, match="There is no engine"):
            engine_version(name)


def test_only_engines_that_build_are_told_where_to_keep_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, object]] = []

    def load(model: Path, **more: object) -> None:
        told.append(more)

    for name in ("tensorrt", "ort"):
        monkeypatch.setattr(f"appliance.engines.{name}.load", load)
        load_engine(name, tmp_path / "model.onnx", threads=3, cache=tmp_path)
    assert told == [{"threads": 3, "cache": tmp_path}, {"threads": 3}]


def test_an_engine_on_the_processor_depends_on_no_device() -> None:
    assert engine_device_key("ort") == ""
    with pytest.raises(EngineError, match="There is no engine"):
        engine_device_key("nvidia")  # a folder is none


def test_the_libraries_have_one_door_each() -> None:
    """They report to their makers unless they are told not to before they are loaded; see the doors."""
    package = Path(engines.__path__[0]).parent
    importers = set()
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [str(node.args[0].value)]
                if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)
                else []
            )
            if {name.split(".")[0] for name in names} & {"onnxruntime", "openvino"}:
                importers.add(file.relative_to(package).as_posix())
    in_the_server = {"models/triton_model.py"}  # runs there, and tells the library the same
    assert importers - in_the_server == {"engines/ort.py", "engines/openvino.py"}
