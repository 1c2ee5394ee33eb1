# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""TensorRT (10.3 up to but not 12): the product's target on Jetson and on discrete GPUs.

Plans are built on the device from the verified ONNX file and kept; see the folder `nvidia`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from appliance.engines.nvidia.api import TENSORRT, open_api
from appliance.engines.nvidia.driver import probe_driver
from appliance.engines.nvidia.engine import NvidiaEngine, load_on_gpu

KEEPS_PLANS: Final = True


def version() -> str:
    """The installed version. Raises EngineError when none is installed or it is not served."""
    return open_api(TENSORRT).version


def device_key() -> str:
    """Driver, GPU and compute capability in one line. Raises EngineError when there is none."""
    return probe_driver().key


def load(model: Path, *, threads: int, cache: Path | None = None) -> NvidiaEngine:
    """Load a verified ONNX file; builds for this GPU, or takes what was built and kept in `cache`."""
    return load_on_gpu(TENSORRT, model, threads=threads, cache=cache)
