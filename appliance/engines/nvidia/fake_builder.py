# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The half of the fake TensorRT that builds: a plan is the ONNX file with the ranges of its inputs."""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable
from enum import IntEnum
from types import SimpleNamespace
from typing import Final

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # ships no stubs

MAGIC: Final = b"not a plan of NVIDIA's\n"
"""Begins every plan: a real library would refuse it, too."""


class BuilderFlag(IntEnum):
    """The flags that the engine touches."""

    TF32 = 7


class NetworkDefinitionCreationFlag(IntEnum):
    """The flags that the engine touches."""

    STRONGLY_TYPED = 1


class MemoryPoolType(IntEnum):
    """Kinds of memory that the engine limits."""

    WORKSPACE = 0


class ILogger:
    """To be derived from."""

    INTERNAL_ERROR, ERROR, WARNING, INFO = range(4)

    def log(self, severity: int, message: str) -> None:
        """Nobody listens."""


class IOptimizationProfile:
    """Input name to three shapes."""

    def __init__(self) -> None:
        self.shapes: dict[str, list[list[int]]] = {}

    def set_shape(self, name: str, *shapes: tuple[int, ...]) -> None:
        """Smallest, usual, largest."""
        self.shapes[name] = [list(shape) for shape in shapes]


class ITimingCache:
    """What a builder measured: here, how often it built."""

    def __init__(self, content: bytes) -> None:
        self.builds = int(content or b"0")

    def serialize(self) -> bytes:
        """As bytes."""
        return str(self.builds).encode("ascii")


class IBuilderConfig:
    """How to build."""

    max_aux_streams = 1

    def __init__(self) -> None:
        self.cleared: list[BuilderFlag] = []
        self.limits: dict[MemoryPoolType, int] = {}
        self.profile: IOptimizationProfile | None = None
        self._timings: Callable[[], ITimingCache | None] = lambda: None

    def set_memory_pool_limit(self, pool: MemoryPoolType, size_bytes: int) -> None:
        """At most so much of it."""
        self.limits[pool] = size_bytes

    def clear_flag(self, flag: BuilderFlag) -> None:
        """Switch a flag off."""
        self.cleared.append(flag)

    def add_optimization_profile(self, profile: IOptimizationProfile) -> int:
        """Its number."""
        self.profile = profile
        return 0

    def create_timing_cache(self, content: bytes) -> ITimingCache:
        """From what an earlier build left."""
        return ITimingCache(content)

    def set_timing_cache(self, cache: ITimingCache, ignore_mismatch: bool) -> bool:
        """Use it."""
        del ignore_mismatch
        self._timings = weakref.ref(cache)
        return True

    def timings(self) -> ITimingCache | None:
        """The cache in use; its owner is who made it."""
        return self._timings()


class ParserError:
    """What the parser did not like."""

    def __init__(self, words: str) -> None:
        self._words = words

    def desc(self) -> str:
        """In words."""
        return self._words

    def node_name(self) -> str:
        """At which node."""
        return ""

    def node_operator(self) -> str:
        """Of which kind."""
        return ""


class OnnxParser:
    """Takes what ONNX's own checker takes."""

    def __init__(self, network: SimpleNamespace, logger: ILogger) -> None:
        del logger
        self._network = network
        self._errors: list[ParserError] = []

    @property
    def num_errors(self) -> int:
        """How many there were."""
        return len(self._errors)

    def get_error(self, index: int) -> ParserError:
        """One of them."""
        return self._errors[index]

    def parse(self, content: bytes) -> bool:
        """Whether it is an ONNX model."""
        try:
            onnx.checker.check_model(onnx.load_from_string(content))
        except (onnx.checker.ValidationError, DecodeError) as error:
            self._errors.append(ParserError(str(error)))
            return False
        self._network.content, self._network.weights_of = content, weakref.ref(self)
        return True


class Builder:
    """Makes a plan of what was parsed."""

    max_threads = 1

    def __init__(self, logger: ILogger) -> None:
        self._logger = logger

    def create_network(self, flags: int) -> SimpleNamespace:
        """Empty; only strongly typed ones."""
        assert flags == 1 << NetworkDefinitionCreationFlag.STRONGLY_TYPED
        return SimpleNamespace(content=b"", weights_of=lambda: None)

    def create_builder_config(self) -> IBuilderConfig:
        """With the library's own choices."""
        return IBuilderConfig()

    def create_optimization_profile(self) -> IOptimizationProfile:
        """Empty."""
        return IOptimizationProfile()

    def build_serialized_network(self, network: SimpleNamespace, config: IBuilderConfig) -> bytes | None:
        """The plan; None, as NVIDIA's, when TF32 was left on: a float32 plan would not be one."""
        if BuilderFlag.TF32 not in config.cleared or config.profile is None:
            self._logger.log(ILogger.ERROR, "TF32 is on, or there is no optimization profile")
            return None
        if network.weights_of() is None:
            self._logger.log(ILogger.ERROR, "the parser is gone, and the network's weights with it")
            return None
        timings = config.timings()
        if timings is not None:
            timings.builds += 1
        head = json.dumps(config.profile.shapes).encode("ascii")
        return MAGIC + head + b"\n" + bytes(network.content)
