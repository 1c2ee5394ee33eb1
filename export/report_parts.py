# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that a report may say about an export, as plain values; what was not done is None."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.domain.card import ModelCard
from calibration.coverage import Coverage
from calibration.threshold import CalibratedLabel
from export.gate_report import GateReport
from export.parity import ParityReport


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphFile:
    """One graph of the bundle."""

    precision: str
    file: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSet:
    """A set that was used."""

    purpose: str
    """What for, in words: "int8 ranges", "gate"."""
    manifest_sha256: str
    coverage: Coverage


@dataclass(frozen=True, slots=True, kw_only=True)
class Evening:
    """Evening out the channels before INT8, and what each strength does to the answers."""

    relative_error: Mapping[str, float]
    """By strength, of the worst output, relative L2 to float32."""
    strength: float | None
    """The chosen one; None: as it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeMethod:
    """One way to choose activation ranges, and what INT8 with them does to the answers."""

    method: str
    relative_error: Mapping[str, float]
    """By output, relative L2 to float32."""
    clipped_share: float | None
    """Of all activations, beyond the ranges (0..1)."""
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerEffect:
    """What INT8 in this one layer alone does."""

    layer: str
    relative_error: float
    """Of the worst output, relative L2 to float32."""
    left_in_float: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Time of one image on one engine, measured where the bundle was made."""

    engine: str
    precision: str
    threads: int
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LintRow:
    """A thing in a graph that some engine would refuse or get wrong."""

    file: str
    rule: str
    node: str
    what: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An export from start to end. None: this step was not done."""

    card: ModelCard
    made_at_utc: str
    machine: str
    """The processor on which everything was measured."""
    graphs: tuple[GraphFile, ...]
    sets: tuple[ImageSet, ...] | None = None
    evening: Evening | None = None
    ranges: tuple[RangeMethod, ...] | None = None
    layers: tuple[LayerEffect, ...] | None = None
    parity: ParityReport | None = None
    culprit: str | None = None
    """Where the answers part (export/bisection.py), in words, if parity failed."""
    gates: tuple[GateReport, ...] | None = None
    calibration: tuple[CalibratedLabel, ...] | None = None
    latency: tuple[Latency, ...] | None = None
    lint: tuple[LintRow, ...] | None = None
    """Empty: it was done and nothing was found."""
    signed_by: str | None = None
    """None: not signed."""

    @property
    def failures(self) -> tuple[str, ...]:
        """Everything that forbids a bundle, in words. A gate or parity that was not done is among them."""
        found = [] if self.parity is not None else ["The engines were not compared."]
        if self.parity is not None:
            found += self.parity.reasons
        judged = {gate.precision for gate in self.gates or ()}
        found += [
            f"The {graph.precision} variant did not go through a gate."
            for graph in self.graphs
            if graph.precision != "fp32" and graph.precision not in judged
        ]
        for gate in self.gates or ():
            found += [f"{gate.precision}: {reason}" for reason in gate.reasons]
        if self.lint is None:
            found.append("The graphs were not checked for what engines refuse.")
        found += [f"{row.file}, {row.node}: {row.what}" for row in self.lint or ()]
        return tuple(found)
