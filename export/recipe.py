# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What somebody wants exported, and how: everything that a run is made from."""

from __future__ import annotations

import dataclasses
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from appliance.domain.card import ModelCard
from appliance.domain.record import to_plain
from calibration.ranges import METHODS
from export.in_graph import Normalisation
from export.to_onnx import Source

AUTO: Final = "auto"
RANGE_CHOICES: Final = (AUTO, *METHODS)
HEATMAP: Final = "heatmap"
"""The output that is added to the graph when the card has it and `Recipe.heatmap_of` names the logits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One export."""

    source: Source
    card: ModelCard
    calibration: Path
    """Folder of images to take ranges from."""
    labelled: Path | None = None
    """Folder of images with known truth for the gate. None: no variant gets into the bundle."""
    fit_labels: Path | None = None
    """Folder of images with known truth to calibrate the card's labels on. None: they stay as they are."""
    normalisation: Normalisation | None = None
    heatmap_of: str | None = None
    """The logits whose heatmap is to be added as the card's output "heatmap"."""
    range_method: str = AUTO
    keep_float: tuple[str, ...] = ()
    """Layers that are not even tried in int8."""
    int8: bool = True
    fp16: bool = True
    threads: int = 2

    @property
    def source_card(self) -> ModelCard:
        """The card as the network itself would have it: before anything is added to the graph."""
        card = self.card
        if self.normalisation is not None:
            first = card.inputs[0]
            channels = (first.shape[0], self.normalisation.channels, *first.shape[2:])
            card = dataclasses.replace(
                card, inputs=(dataclasses.replace(first, shape=channels), *card.inputs[1:])
            )
        if self.heatmap_of is not None:
            card = dataclasses.replace(
                card, outputs=tuple(spec for spec in card.outputs if spec.name != HEATMAP)
            )
        return card

    def made_from(self) -> dict[str, Any]:
        """What the float32 graph depends on."""
        card = to_plain(self.card)
        return {
            "model": self._code() if self.source.is_factory else Path(self.source.model),
            "name": self.source.model if self.source.is_factory else Path(self.source.model).suffix,
            "weights": self.source.weights,
            "inputs": card["inputs"],
            "outputs": card["outputs"],
            "normalisation": None if self.normalisation is None else dataclasses.asdict(self.normalisation),
            "heatmap_of": self.heatmap_of,
        }

    def _code(self) -> Path | str:
        """The file that holds the factory; changes in what it imports are not seen."""
        try:
            found = importlib.util.find_spec(self.source.model.partition(":")[0])
        except (ImportError, ValueError):
            return self.source.model  # the step itself says what is wrong
        return Path(found.origin) if found is not None and found.origin else self.source.model
