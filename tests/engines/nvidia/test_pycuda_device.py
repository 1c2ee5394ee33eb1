# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The device through pycuda: what it calls exists in pycuda 2026.1 (names from its source)."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.engines.nvidia import pycuda_device
from appliance.engines.nvidia.pycuda_device import CALLS, CLASSES, METHODS, PycudaDevice, open_first
from appliance.errors import EngineLostError, EngineMemoryError


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


class Memory:
    """pycuda's DeviceAllocation: a number that frees itself."""

    def __init__(self, held: dict[int, NDArray[np.uint8]], size_bytes: int) -> None:
        self._held = held
        self._bytes = np.zeros(size_bytes, np.uint8)
        held[int(self)] = self._bytes

    def __int__(self) -> int:
        return int(self._bytes.ctypes.data)

    def free(self) -> None:
        del self._held[int(self)]


class Refused(Exception):  # noqa: N818  (pycuda's own is called Error)
    pass


class Full(Refused):
    pass


@pytest.fixture
def held() -> dict[int, NDArray[np.uint8]]:
    return {}


@pytest.fixture
def driver(held: dict[int, NDArray[np.uint8]]) -> SimpleNamespace:
    """pycuda's way of answering, over host memory; `said` collects what happened to the context."""
    said: list[str] = []
    context = SimpleNamespace(push=lambda: said.append("push"), pop=lambda: said.append("pop"))

    def copy_in(target: int, source: NDArray[Any], stream: object) -> None:
        held[target][:] = source.reshape(-1).view(np.uint8)

    def copy_out(target: NDArray[Any], source: int, stream: object) -> None:
        target.reshape(-1).view(np.uint8)[:] = held[source]

    return SimpleNamespace(
        init=lambda: said.append("init"),
        Device=lambda number: SimpleNamespace(retain_primary_context=lambda: context),
        Stream=lambda flags: SimpleNamespace(handle=4096, synchronize=lambda: said.append("wait")),
        Error=Refused,
        MemoryError=Full,
        mem_alloc=lambda size_bytes: Memory(held, size_bytes),
        memcpy_htod_async=copy_in,
        memcpy_dtoh_async=copy_out,
        pagelocked_empty=np.empty,
        said=said,
    )


def test_bytes_come_back_as_they_went(driver: SimpleNamespace, held: dict[int, NDArray[np.uint8]]) -> None:
    device = PycudaDevice(driver)
    stream = device.open_stream()
    sent, returned = device.pin((2, 3), np.float32), device.pin((2, 3), np.float32)
    sent[:] = [[1, 2, 3], [4, 5, 6]]
    memory = device.allocate(sent.nbytes)
    device.copy_in(memory, sent, stream)
    device.copy_out(returned, memory, stream)
    device.synchronize(stream)
    np.testing.assert_array_equal(returned, sent)
    device.free(memory)
    device.close_stream(stream)
    device.close()
    assert held == {}
    assert driver.said == ["init", "push", "wait", "pop"]


def test_an_error_without_a_number_is_held_to_be_lasting(driver: SimpleNamespace) -> None:
    device = PycudaDevice(driver)
    for raised, kind in ((Full("out of memory"), EngineMemoryError), (Refused("illegal"), EngineLostError)):

        def refuse(size_bytes: int, raised: Exception = raised) -> None:
            raise raised

        driver.mem_alloc = refuse
        with pytest.raises(kind, match="mem_alloc"):
            device.allocate(1)


def test_without_pycuda_it_is_not_chosen() -> None:
    if importlib.util.find_spec("pycuda") is not None:
        pytest.skip("pycuda is installed")
    with pytest.raises(ImportError):
        open_first()
