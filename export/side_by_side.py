# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Run the float32 model and its variant on the same images, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from appliance.domain.card import ModelCard
from appliance.domain.image import PixelImage
from appliance.engines.base import Tensors
from appliance.engines.catalogue import engine_version, load_engine
from appliance.engines.checked import fit_output
from appliance.errors import EngineError
from calibration.dataset import CalibrationSet, prepared
from calibration.entry import Entry
from export.gate_report import DenoiserGate, GateReport, LabelGate, Limits

FLOAT32_ENGINE: Final = "ort"
"""Every machine has it, and the golden outputs are its."""
SERVING: Final = ("openvino", "ort")
"""The engine that a variant is judged on unless another is asked for: the first that is installed."""

Progress = Callable[[int, int], None]
"""Called with how many images are done, and how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """What both models say to one image; float32 arrays by output."""

    entry: Entry
    image: PixelImage
    fp32: dict[str, NDArray[np.float32]]
    candidate: dict[str, NDArray[np.float32]]


@dataclass(slots=True, kw_only=True)
class SideBySide:
    """Two graphs of one model, the images to compare them on, and what was seen of them so far."""

    card: ModelCard
    fp32: Path
    candidate: Path
    labelled: CalibrationSet
    precision: str
    engine: str
    threads: int
    progress: Progress | None
    fp32_engine: str = ""
    candidate_engine: str = ""
    largest: dict[str, float] = field(default_factory=dict)
    """Output to the largest absolute difference on any image so far."""

    def answers(self) -> Iterator[Answers]:
        """Both answers to every image. Raises EngineError when a model fails or gives what is no number."""
        with (
            load_engine(FLOAT32_ENGINE, self.fp32, threads=self.threads) as first,
            load_engine(self.engine, self.candidate, threads=self.threads) as second,
        ):
            self.fp32_engine, self.candidate_engine = first.describe().words, second.describe().words
            for done, entry in enumerate(self.labelled.entries, start=1):
                image = self.labelled.image(entry)
                tensors = prepared(image, self.card)
                fp32 = card_outputs(self.card, first.infer(tensors))
                candidate = card_outputs(self.card, second.infer(tensors))
                for name, value in fp32.items():
                    if candidate[name].shape != value.shape:
                        raise EngineError(
                            f"The output {name!r} of the two graphs has different shapes.",
                            remedy="Make the variant from this float32 graph.",
                        )
                    apart = float(np.abs(candidate[name] - value).max())
                    self.largest[name] = max(apart, self.largest.get(name, 0.0))
                yield Answers(entry=entry, image=image, fp32=fp32, candidate=candidate)
                if self.progress is not None:
                    self.progress(done, len(self.labelled.entries))

    def report(
        self,
        limits: Limits,
        *,
        reasons: Iterable[str],
        notes: Iterable[str],
        labels: tuple[LabelGate, ...] = (),
        denoiser: DenoiserGate | None = None,
    ) -> GateReport:
        """What a gate says about these two, after all answers."""
        return GateReport(
            model=self.card.identity,
            precision=self.precision,
            fp32_engine=self.fp32_engine,
            candidate_engine=self.candidate_engine,
            manifest_sha256=self.labelled.manifest_sha256,
            images=len(self.labelled.entries),
            groups=len(set(self.labelled.groups)),
            limits=limits,
            largest_differences=dict(self.largest),
            reasons=tuple(reasons),
            notes=tuple(notes),
            labels=labels,
            denoiser=denoiser,
        )


def serving_engine() -> str:
    """The first of `SERVING` that is installed."""
    for name in SERVING:
        try:
            engine_version(name)
        except (EngineError, PackageNotFoundError):
            continue
        return name
    raise EngineError(
        "No engine is installed to judge the variant on.", remedy="Install onnxruntime or openvino."
    )


def card_outputs(card: ModelCard, outputs: Tensors) -> dict[str, NDArray[np.float32]]:
    """What the card promises, float32. Raises EngineError for what is missing, misshapen or no number."""
    return {
        spec.name: fit_output(outputs, spec.name, tuple(None for _ in spec.shape)) for spec in card.outputs
    }


def scores(card: ModelCard, outputs: dict[str, NDArray[np.float32]]) -> NDArray[Any]:
    """The logits of one image, one per label of the card: all outputs [1, n] in the card's order.

    Raises EngineError when there are not as many as the card has labels.
    """
    found = [outputs[spec.name][0] for spec in card.outputs if len(spec.shape) == 2]
    logits = np.concatenate(found) if found else np.empty(0, np.float32)
    if len(logits) != len(card.labels):
        raise EngineError(
            f"The model gives {len(logits)} scores for the {len(card.labels)} labels of its card.",
            remedy="Give the card one label per score, in the order of the outputs.",
        )
    return logits.astype(np.float64)
