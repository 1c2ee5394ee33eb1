# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The device through pycuda: what it calls exists in pycuda 2026.1 (names from its source)."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import json
from pathlib import Path

import pytest

from appliance.engines.nvidia import pycuda_device
from appliance.engines.nvidia.pycuda_device import CALLS, CLASSES, METHODS, open_first


def used_of_the_driver() -> set[str]:
    """Attributes of the driver module that the file really uses."""
    tree = ast.parse(inspect.getsource(pycuda_device))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and (
            (isinstance(node.value, ast.Attribute) and node.value.attr == "_driver")
            or (isinstance(node.value, ast.Name) and node.value.id == "driver")
        )
    }


def test_the_lists_are_what_is_used() -> None:
    assert used_of_the_driver() == set(CALLS) | set(CLASSES)


def test_every_name_exists_in_pycuda(recorded: Path) -> None:
    names = json.loads((recorded / "pycuda-2026.1.json").read_text(encoding="utf-8"))["names"]
    assert set(CALLS) <= set(names["functions"])
    assert set(CLASSES) <= set(names["classes"])
    assert set(METHODS) <= set(names["methods"])


def test_pycuda_cannot_capture(recorded: Path) -> None:
    """If a later one can, this list is written anew and the test says so."""
    names = json.loads((recorded / "pycuda-2026.1.json").read_text(encoding="utf-8"))["names"]
    assert [name for kind in names.values() for name in kind if "capture" in name.lower()] == []
    assert pycuda_device.PycudaDevice.captures is False


def test_without_pycuda_it_is_not_chosen() -> None:
    if importlib.util.find_spec("pycuda") is not None:
        pytest.skip("pycuda is installed")
    with pytest.raises(ImportError):
        open_first()
