# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A GPU that is none, a library over it, and the shipped models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.engines.nvidia.api import TENSORRT_RTX, Api, open_api
from appliance.engines.nvidia.driver import Gpu
from appliance.engines.nvidia.fake_device import FakeDevice
from appliance.errors import EngineError

RECORDED = Path(__file__).resolve().parents[1] / "nvidia_api"
"""Names of real libraries, written down from their packages."""


@pytest.fixture
def recorded() -> Path:
    return RECORDED


@pytest.fixture
def device() -> FakeDevice:
    return FakeDevice()


@pytest.fixture
def gpu() -> Gpu:
    return Gpu(name="Card A", compute_capability=(8, 6), driver="13.0 580.65.06", memory_bytes=8 << 30)


@pytest.fixture
def rtx() -> Api:
    """The real library; it parses and builds without a GPU."""
    try:
        return open_api(TENSORRT_RTX)
    except EngineError as error:
        pytest.skip(f"{error} (make setup-rtx)")


@pytest.fixture
def pictures() -> dict[int, NDArray[np.float32]]:
    """Batches of 1 to 9 pictures, 16 x 24."""
    rng = np.random.default_rng(11)
    return {batch: rng.normal(size=(batch, 1, 16, 24)).astype(np.float32) for batch in range(1, 10)}
