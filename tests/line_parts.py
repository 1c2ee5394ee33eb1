# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What the line works with, made small: frames from arrays, loaded networks, acquisitions from files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import onnx
from numpy.typing import NDArray

from appliance.clock import SystemClock
from appliance.domain.acquisition import Acquisition, Urgency
from appliance.domain.card import ModelCard
from appliance.domain.image import PixelImage
from appliance.engines.base import Engine
from appliance.engines.catalogue import load_engine
from appliance.errors import EngineError, InputError
from appliance.intake.assembly import all_given, arrive
from appliance.intake.jail import Jail
from appliance.models.passport import Passport
from appliance.models.served import Served

Slice = PixelImage | InputError


def image_of(stored: NDArray[Any], **known: Any) -> PixelImage:
    """A frame of these samples; nothing else is known unless the test says so."""
    low, high = (0, 4095) if stored.dtype.kind == "u" else (-2048, 2047)
    unknown: dict[str, Any] = {
        "slope": 1.0,
        "intercept": 0.0,
        "inverted": False,
        "stored_range": (low, high),
        "padding": None,
        "voi": None,
        "spacing_mm": None,
        "rescale_type": None,
    }
    return PixelImage(stored=stored, **unknown | known)


class ArrayFrames:
    """A FrameSource of frames that are there already; an InputError stands for one that is damaged."""

    def __init__(self, slices: Iterable[Slice]) -> None:
        self._slices = tuple(slices)

    def __len__(self) -> int:
        return len(self._slices)

    def __iter__(self) -> Iterator[PixelImage]:
        return (self.frame(index) for index in range(len(self)))

    def each(self) -> Iterator[Slice]:
        return iter(self._slices)

    def frame(self, index: int) -> PixelImage:
        image = self._slices[index]
        if isinstance(image, InputError):
            raise image
        return image


@dataclass
class Shelf:
    """Models that are loaded already, and what was given up of them."""

    loaded: dict[str, Served] = field(default_factory=dict)
    cards: dict[str, ModelCard] = field(default_factory=dict)
    given_up: list[tuple[str, str]] = field(default_factory=list)

    def put(self, card: ModelCard, model: onnx.ModelProto, folder: Path, *, engine: str = "ort") -> None:
        """Load a network as the registry would, its passport unmeasured."""
        file = folder / f"{card.task}.onnx"
        onnx.save(model, file)
        passport = Passport(
            task=card.task,
            model=card.identity,
            engine=engine,
            precision="fp32",
            threads=1,
            words=engine,
            device="CPU",
            processor="",
            device_key="",
            libraries={},
            made_at_utc=SystemClock().now_utc().isoformat(),
            passed=True,
        )
        loaded = load_engine(engine, file, threads=1)
        self.cards[card.task] = card
        self.loaded[card.task] = Served(card=card, engine=loaded, passport=passport, fallback_reason=None)

    def tasks(self) -> tuple[str, ...]:
        return tuple(sorted(self.cards))

    def card(self, task: str) -> ModelCard | None:
        return self.cards.get(task)

    def served(self, task: str) -> Served:
        if task not in self.loaded:
            raise EngineError(f"No engine for {task}.", remedy="")
        return self.loaded[task]

    def give_up(self, task: str, reason: str, *, engine: Engine | None = None) -> None:
        self.given_up.append((task, reason))
        self.loaded.pop(task).engine.close()

    def close(self) -> None:
        for served in self.loaded.values():
            served.engine.close()


def gathered(files: Iterable[Path], jail: Jail) -> Acquisition:
    """The one acquisition that these files make, settled."""
    acquisition: Acquisition | None = None
    for file in files:
        instance = jail.describe(file).instance
        assert instance is not None
        instance = replace(instance, sha256=hashlib.sha256(file.read_bytes()).hexdigest())
        siblings = () if acquisition is None else (acquisition,)
        acquisition = arrive(instance, urgency=Urgency.LIVE, siblings=siblings)[0].acquisition
    assert acquisition is not None
    return all_given(acquisition, siblings=(acquisition,))
