# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""TensorRT for RTX (1.7): builds anywhere, runs on the RTX cards of its list, not on Jetson Orin or H100.

Plans are built on the device from the verified ONNX file and kept; see the folder `nvidia`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from appliance.engines.nvidia.api import TENSORRT_RTX, open_api
from appliance.engines.nvidia.driver import probe_driver
from appliance.engines.nvidia.engine import NvidiaEngine, load_on_gpu

KEEPS_PLANS: Final = True


def version() -> str:
    """The installed version. Raises EngineError when none is installed or it is not served."""
    return open_api(TENSORRT_RTX).version


def device_key() -> str:
    """Driver, GPU and compute capability in one line. Raises EngineError when there is none."""
    return probe_driver().key


def load(model: Path, *, threads: int, cache: Path | None = None) -> NvidiaEngine:
    """Load a verified ONNX file; builds for this GPU, or takes what was built and kept in `cache`."""
    return load_on_gpu(TENSORRT_RTX, model, threads=threads, cache=cache)
