# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What an inference engine is to the rest of the appliance: tensors in, tensors out, and an honest name.

An engine is a file in this folder: its name is the engine's name, and it holds one function

    def load(model: Path, *, threads: int) -> Engine

found by name and imported on use. It raises EngineError when it cannot serve this model here. Beside it
stands `version() -> str`, and, where the engine has a device of its own, `device_key() -> str`: everything
about driver and device that a measurement depends on; EngineError when device or driver are not there.

An engine that builds a plan on the device says `KEEPS_PLANS = True`, and its `load` also takes `cache`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, TypeAlias

from numpy.typing import NDArray
from typing_extensions import Self

Tensors: TypeAlias = Mapping[str, NDArray[Any]]
"""Tensor name to array."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineDescription:
    """What really runs, as the engine reports it after loading, not as it was asked."""

    engine: str
    version: str
    precision: str
    device: str

    @property
    def words(self) -> str:
        """For results and the screen: "openvino f32 CPU"."""
        return f"{self.engine} {self.precision} {self.device}"


class Engine(Protocol):
    """A loaded model. One owner, one thread at a time; a context manager."""

    def infer(self, inputs: Tensors) -> Tensors:
        """All outputs by name, owned by the caller. Raises EngineError on failure or bad shapes."""

    def describe(self) -> EngineDescription:
        """What is in use."""

    def close(self) -> None:
        """Give everything back. Using the engine afterwards raises EngineError."""

    def __enter__(self) -> Self:
        """Itself."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""


class LoadEngine(Protocol):
    """The one function that an engine's file holds."""

    def __call__(self, model: Path, *, threads: int) -> Engine:
        """Load a verified ONNX file. Raises EngineError when this engine cannot serve it here.

        The file is a copy made for this call and is gone after it: whatever is needed later is read now.
        """


class BuildEngine(Protocol):
    """The same for an engine whose file says KEEPS_PLANS."""

    def __call__(self, model: Path, *, threads: int, cache: Path | None = None) -> Engine:
        """Load a verified ONNX file; build for this device, or take what was built and kept in `cache`."""
