# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What kinds of image a set holds, and which it should hold but does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

from appliance.domain.card import ModelCard
from appliance.engines.ort import quiet_onnxruntime
from appliance.errors import InputError
from calibration.activations import expose
from calibration.entry import Entry

UNKNOWN: Final = "unknown"
AGE_BANDS: Final = ((0.0, 18.0), (18.0, 40.0), (40.0, 60.0), (60.0, 131.0))
"""Years, upper end excluded: children, and thirds of adult life as the reference models report them."""
KVP_BANDS: Final = ((0.0, 60.0), (60.0, 90.0), (90.0, 115.0), (115.0, 1001.0))
"""kV, upper end excluded: limbs; bedside chests; low-voltage CT; standard chests and CT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Counts of images by what is known about them."""

    images: int
    groups: int
    counts: Mapping[str, Mapping[str, int]]
    """Property (scanner, view, kvp, age, sex, source) to value to number of images; "unknown" is a value."""
    empty: tuple[str, ...]
    """Kinds that could be expected and of which there is no image, in words."""


def band_words(value: float | None, bands: Sequence[tuple[float, float]], unit: str) -> str:
    """The band that holds the value, in words; "unknown" where there is none."""
    for low, high in bands:
        if value is not None and low <= value < high:
            return f"{low:g}-{high:g} {unit}" if high < bands[-1][1] else f"{low:g} {unit} and over"
    return UNKNOWN


def strata_of(entry: Entry) -> dict[str, str]:
    """The kind of an image, property by property."""
    return {
        "scanner": entry.scanner or UNKNOWN,
        "view": entry.view or UNKNOWN,
        "kvp": band_words(entry.kvp, KVP_BANDS, "kV"),
        "age": band_words(entry.age_years, AGE_BANDS, "years"),
        "sex": entry.sex or UNKNOWN,
        "source": entry.source or UNKNOWN,
    }


def coverage_of(entries: Sequence[Entry], card: ModelCard | None) -> Coverage:
    """Count; name what is missing of the card's intended use, and of scanner with view."""
    kinds = [strata_of(entry) for entry in entries]
    counts = {name: Counter(kind[name] for kind in kinds) for name in kinds[0]} if kinds else {}
    return Coverage(
        images=len(entries),
        groups=len({entry.group for entry in entries}),
        counts=MappingProxyType(
            {name: MappingProxyType(dict(sorted(count.items()))) for name, count in counts.items()}
        ),
        empty=(*_missing_pairs(kinds), *(() if card is None else _missing_of_use(counts, card))),
    )


def _missing_pairs(kinds: Sequence[Mapping[str, str]]) -> Iterator[str]:
    seen = {(kind["scanner"], kind["view"]) for kind in kinds}
    scanners = sorted({scanner for scanner, _ in seen} - {UNKNOWN})
    views = sorted({view for _, view in seen} - {UNKNOWN})
    for scanner, view in product(scanners, views):
        if (scanner, view) not in seen:
            yield f"scanner {scanner} with view {view}"


def _missing_of_use(counts: Mapping[str, Mapping[str, int]], card: ModelCard) -> Iterator[str]:
    use = card.intended_use
    for view in use.view_positions:
        if not counts.get("view", {}).get(view):
            yield f"view {view} (intended use)"
    low = 0.0 if use.minimum_age_years is None else use.minimum_age_years
    high = AGE_BANDS[-1][1] if use.maximum_age_years is None else use.maximum_age_years
    for band in AGE_BANDS:
        name = band_words(band[0], AGE_BANDS, "years")
        if band[0] < high and band[1] > low and not counts.get("age", {}).get(name):
            yield f"age {name} (intended use)"


def clipping(
    model: Path, inputs: Iterable[Mapping[str, NDArray[Any]]], ranges: Mapping[str, tuple[float, float]]
) -> dict[str, float]:
    """Share (0..1) of the values of each tensor that lie beyond its chosen activation range.

    `ranges` maps tensor names of the float32 graph to (lowest, highest) that int8 can still tell apart.
    A share of zero for every tensor means that the ranges hold the whole set; large ones mean that bright
    detail is cut off. Raises InputError for a tensor that the graph does not have, or a set without images.
    """
    exposed = expose(onnx.load(model, load_external_data=False), list(ranges))
    names = [name for name in ranges if name in {value.name for value in exposed.graph.output}]
    if len(names) != len(ranges):
        raise InputError(
            f"The graph has no tensor {sorted(set(ranges) - set(names))}.",
            remedy="Give the ranges that were found on this very graph.",
        )
    session = quiet_onnxruntime().InferenceSession(
        exposed.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    beyond, total = np.zeros(len(names)), np.zeros(len(names))
    for feed in inputs:
        for index, value in enumerate(session.run(names, dict(feed))):
            low, high = ranges[names[index]]
            beyond[index] += np.count_nonzero((value < low) | (value > high))
            total[index] += value.size
    if not total.all():
        raise InputError("There is no image to measure clipping on.", remedy="Give a set with images.")
    return dict(zip(names, (beyond / total).tolist(), strict=True))
