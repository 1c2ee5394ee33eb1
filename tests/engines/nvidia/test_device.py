# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What CUDA's errors mean here, held against the documentation that cuda-bindings carry."""

from __future__ import annotations

import importlib
from contextlib import suppress
from typing import Any

import pytest

from appliance.engines.nvidia.device import LOST, OUT_OF_MEMORY, device_error, open_device
from appliance.engines.nvidia.driver import probe_driver
from appliance.errors import EngineError, EngineLostError, EngineMemoryError

AND_THESE = {"cudaErrorECCUncorrectable", "cudaErrorNvlinkUncorrectable", "cudaErrorUnknown"}
"""Not called sticky by the documentation; see `LOST`."""


@pytest.fixture(scope="module")
def errors() -> Any:
    return importlib.import_module("cuda.bindings.runtime").cudaError_t


def test_the_errors_that_end_a_process_are_those_that_nvidia_says_do(errors: Any) -> None:
    told = {error.name: " ".join((error.__doc__ or "").split()) for error in errors}
    ends = ("terminated and relaunched", "cannot be used again")
    said = {name for name, words in told.items() if any(end in words for end in ends)}
    assert "cudaErrorIllegalAddress" in said
    assert said == LOST.keys() - AND_THESE


def test_the_numbers_are_right(errors: Any) -> None:
    assert {error.name: error.value for error in errors if error.name in LOST} == dict(LOST)
    assert set(OUT_OF_MEMORY) <= {error.name for error in errors}


def test_every_error_has_a_class(errors: Any) -> None:
    for error in errors:
        made = device_error("cudaCall", error.name)
        assert (type(made) is EngineLostError) == (error.name in LOST)
        assert (type(made) is EngineMemoryError) == (error.name in OUT_OF_MEMORY)
        assert error.name in made.what


def test_without_a_driver_no_device_is_opened() -> None:
    with suppress(EngineError):
        probe_driver()
        pytest.skip("there is a GPU")
    with pytest.raises(EngineError, match=r"cudaErrorInsufficientDriver|cudaErrorNoDevice"):
        open_device()
