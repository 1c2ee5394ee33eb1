# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A candidate: one engine with one precision of a bundle. And the check that it is what it claims to be.

What an engine was asked for and what it does are two things: libraries fall back to the processor, or to
another precision, without a word. So a candidate is believed only when the loaded engine describes itself
as the one that was asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from appliance.engines.base import Engine, EngineDescription
from appliance.engines.kserve import InferenceServer
from appliance.errors import EngineError
from appliance.models.bundle import Bundle
from appliance.models.loading import load_verified

GPU_ENGINES: Final = ("tensorrt", "tensorrt_rtx", "cuda")
"""Engines that claim a graphics processor, in the order in which `auto` asks: compiled ones first."""
CPU_ENGINES: Final = ("openvino", "ort")
"""Engines that claim the processor. They are compared by what they measured: none is always the quickest."""
PRECISION_WORDS: Final = MappingProxyType({"int8": "int8", "fp16": "f16", "fp32": "f32"})
"""Name of a precision in a bundle to the word for it in results and on the screen."""
NARROWNESS: Final = MappingProxyType({"f32": 0, "fp32": 0, "f16": 1, "fp16": 1, "bf16": 1, "int8": 2})
"""How far from float32 an engine may describe itself to compute. Other words ("none") claim nothing."""
NOWHERE: Final = "none"
"""What an engine without a device (null) calls its device and its precision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What may serve a bundle."""

    engine: str
    precision: str
    """"fp32", or one of the bundle's variants."""

    @property
    def words(self) -> str:
        """For reasons and tables: "openvino int8"."""
        return f"{self.engine} {self.precision}"


def in_words_of(candidate: Candidate, description: EngineDescription) -> EngineDescription:
    """The description with the precision of the graph that was loaded.

    A quantised graph that an engine computes in float gives the answers of the quantised one: it is called
    by what it is. The opposite, an engine that computes more narrowly than the graph asks for, is refused.
    """
    if description.precision == NOWHERE:
        return description
    return replace(description, precision=PRECISION_WORDS[candidate.precision])


def contradiction(candidate: Candidate, description: EngineDescription) -> str | None:
    """Why the engine that was loaded is not the candidate; None when it is."""
    if description.engine != candidate.engine:
        return f"it was asked for as {candidate.engine} and describes itself as {description.engine}"
    on_processor = "CPU" in re.split(r"[^A-Za-z]+", description.device.upper())
    if candidate.engine in GPU_ENGINES and (on_processor or description.device in ("", NOWHERE)):
        return f"it fell back from the graphics processor to {description.device or 'an unknown device'}"
    if candidate.engine in CPU_ENGINES and not on_processor:
        return f"it computes on {description.device or 'an unknown device'} and not on the CPU"
    asked = PRECISION_WORDS[candidate.precision]
    if NARROWNESS.get(description.precision, 0) > NARROWNESS[asked]:
        return f"it computes in {description.precision}, which is less than the {asked} of the graph"
    return None


def load_candidate(
    bundle: Bundle,
    candidate: Candidate,
    *,
    threads: int,
    cache: Path | None = None,
    server: InferenceServer | None = None,
) -> Engine:
    """The bundle's graph in that precision, in that engine; see `load_engine`.

    Raises EngineError when the engine cannot serve it here, or is not what it was asked for.
    """
    engine = load_verified(
        candidate.engine,
        bundle,
        threads=threads,
        precision=candidate.precision,
        cache=cache,
        server=server,
    )
    against = contradiction(candidate, engine.describe())
    if against is not None:
        engine.close()
        raise EngineError(
            f"The engine {candidate.engine} is refused: {against}.",
            remedy="The next engine takes over. `scanside models passport` shows what each engine does here.",
        )
    return engine
