# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""From a verified ONNX file to a plan: parsed strongly typed, built for a range of batches and sizes.

The precision is the graph's own. TF32 is switched off: it would compute a float32 graph with ten bits of
mantissa, and float32 is what every other precision is compared with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from appliance.engines.graph import Port, Signature
from appliance.engines.nvidia.api import Api
from appliance.engines.nvidia.listening import UINT8_IS_READ_AS_INT8, Listener, errors_of
from appliance.errors import EngineError

BATCHES: Final = (1, 1, 8)
"""Smallest, usual, largest. The pipeline asks for one frame at a time; golden sets hold a few."""
USUAL_SIDE_PX: Final = 512
"""Rows and columns of nearly every CT slice."""
LARGEST_SIDE_PX: Final = 1024
"""CT and MR matrices end here."""
SMALLEST_SIDES_PX: Final = (4, 16, 64)
"""Tried in this order: a graph with strides has no output below some size, and the builder says so."""
IMPOSSIBLE_SMALLEST: Final = "kMIN values are not self-consistent"
"""What it says then, as a warning. (The plan would fail at run time.)"""
WORKSPACE_BYTES: Final = 1 << 30
"""Scratch memory that a kernel may ask for: an eighth of what the smallest Jetson shares among everything
(8 GB). Left alone, the builder takes all memory that there is for its trials."""
CURRENT: Final = "CURRENT"
"""The GPU of this machine, as a target."""

Range: TypeAlias = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
"""Smallest, usual and largest shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOptions:
    """How a plan is built, beside what it is built from. Part of the key that a plan is kept under."""

    threads: int
    targets: tuple[str, ...] = ()
    """Names of compute capabilities ("SM86") for plans that are built ahead of time; empty: library's own."""
    batches: tuple[int, int, int] = BATCHES
    usual_side_px: int = USUAL_SIDE_PX
    largest_side_px: int = LARGEST_SIDE_PX

    @property
    def words(self) -> str:
        """For the key: everything that changes what is built (threads do not)."""
        return (
            f"strongly typed, no TF32, one stream, workspace {WORKSPACE_BYTES} bytes, "
            f"targets {'+'.join(self.targets) or 'of the library'}, batches {self.batches}, "
            f"sides {SMALLEST_SIDES_PX} {self.usual_side_px} {self.largest_side_px}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A plan. Two builds of the same input differ in bytes: compare answers, never plans."""

    plan: bytes
    ranges: Mapping[str, Range] = field(default_factory=dict)
    """Input name to the shapes that the plan serves."""
    timings: bytes | None = None
    """What the builder measured on the way, for the next build; None where the library keeps none."""
    warnings: tuple[str, ...] = ()


def ranges_of(signature: Signature, options: BuildOptions, *, smallest_side_px: int) -> dict[str, Range]:
    """Input name to smallest, usual and largest shape. A first axis without a size is the batch."""
    sides = (smallest_side_px, options.usual_side_px, options.largest_side_px)

    def shape(port: Port, step: int) -> tuple[int, ...]:
        return tuple(
            size if isinstance(size, int) else (options.batches if axis == 0 else sides)[step]
            for axis, size in enumerate(port.shape)
        )

    return {port.name: (shape(port, 0), shape(port, 1), shape(port, 2)) for port in signature.inputs}


def build_plan(
    api: Api, model: bytes, signature: Signature, *, options: BuildOptions, timings: bytes | None = None
) -> Built:
    """Parse and build. Raises EngineError with the node's name when the library does not take the model.

    `model` is the content of a verified ONNX file: as bytes, it can refer to no other file.
    """
    has_sides = any(not isinstance(size, int) for port in signature.inputs for size in port.shape[1:])
    for smallest_side_px in SMALLEST_SIDES_PX if has_sides else SMALLEST_SIDES_PX[:1]:
        listener = Listener(api.module)
        ranges = ranges_of(signature, options, smallest_side_px=smallest_side_px)
        with errors_of(api.words, "build"):
            built = _build(api, model, ranges, options, timings, listener)
        if listener.warned_of(IMPOSSIBLE_SMALLEST) is None:
            return built
    raise _refusal(api, f"a smallest side of {SMALLEST_SIDES_PX[-1]} px: {listener.warnings[-1]}")


def _build(
    api: Api,
    model: bytes,
    ranges: Mapping[str, Range],
    options: BuildOptions,
    timings: bytes | None,
    listener: Listener,
) -> Built:
    # Builder, network, parser and timing cache live in this frame until the plan is there: the library's
    # objects do not keep each other, and the weights that the network refers to are the parser's.
    trt = api.module
    builder = trt.Builder(listener.logger)
    builder.max_threads = options.threads
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, listener.logger)
    _parse(api, model, parser, listener)
    config = builder.create_builder_config()
    config.clear_flag(trt.BuilderFlag.TF32)
    config.max_aux_streams = 0
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, WORKSPACE_BYTES)
    _aim(api, config, options.targets)
    cache = _timing_cache(api, config, timings)
    profile = builder.create_optimization_profile()
    for name, shapes in ranges.items():
        profile.set_shape(name, *shapes)
    if config.add_optimization_profile(profile) < 0:
        raise _refusal(api, f"the range of shapes {dict(ranges)}: {listener.complaint()}")
    plan = builder.build_serialized_network(network, config)
    _refuse_unsigned(api, listener)
    if plan is None:
        raise _refusal(api, f"the model: {listener.complaint()}")
    return Built(
        plan=bytes(plan),
        ranges=ranges,
        timings=None if cache is None else bytes(cache.serialize()),
        warnings=tuple(listener.warnings),
    )


def _parse(api: Api, model: bytes, parser: Any, listener: Listener) -> None:
    if not parser.parse(model):
        errors = [parser.get_error(number) for number in range(parser.num_errors)]
        said = [f"{error.node_operator()} {error.node_name()!r}: {error.desc()}" for error in errors]
        raise _refusal(api, "; ".join((*said, listener.complaint())))
    _refuse_unsigned(api, listener)


def _refuse_unsigned(api: Api, listener: Listener) -> None:
    warning = listener.warned_of(UINT8_IS_READ_AS_INT8)
    if warning is not None:
        raise _refusal(api, f"unsigned 8-bit Q/DQ (it would read the codes as signed ones): {warning}")


def _aim(api: Api, config: Any, targets: tuple[str, ...]) -> None:
    if not targets:
        return
    known = getattr(api.module, "ComputeCapability", None)
    unknown = [target for target in targets if not hasattr(known, target)]
    if not api.features.targets or unknown:
        raise _refusal(api, f"to build for {', '.join(unknown or targets)}")
    config.num_compute_capabilities = len(targets)
    for index, target in enumerate(targets):
        if not config.set_compute_capability(getattr(known, target), index):
            raise _refusal(api, f"to build for {target}")


def _timing_cache(api: Api, config: Any, timings: bytes | None) -> Any:
    """What earlier builds measured, given to this one; None where the library keeps nothing of the kind."""
    if not api.features.timing_cache:
        return None
    cache = config.create_timing_cache(timings or b"")
    if cache is None or not config.set_timing_cache(cache, ignore_mismatch=False):  # of another device
        cache = config.create_timing_cache(b"")
        config.set_timing_cache(cache, ignore_mismatch=False)
    return cache


def _refusal(api: Api, what: str) -> EngineError:
    return EngineError(
        f"{api.words} refuses {' '.join(what.split()).strip('.;: ')}.",
        remedy="The next engine takes over. If the model is yours: docs/engines.md says what NVIDIA's parser "
        "takes.",
    )
