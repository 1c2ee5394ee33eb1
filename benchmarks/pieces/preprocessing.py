# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""From a 3000 x 2500 frame to the square that a network sees: beside one read of it, and scikit-image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from skimage import transform

from appliance.domain.image import PixelImage
from appliance.tasks.letterbox import letterbox
from benchmarks.pieces.turns import Piece, by_turns, piece_of
from benchmarks.plan import Workshop
from benchmarks.studies import RAW, write_radiographs

SIDE_PX: Final = 512
LOW, HIGH = 1.0, 99.0
READS: Final = 4.0
TIMES_SOONER: Final = 60.0
LARGEST_DIFFERENCE: Final = 1e-4


def measure_preprocessing(workshop: Workshop) -> Iterator[Piece]:
    """Against one read, and against the textbook's calls. The result is held to float64's."""
    plan = workshop.plan
    file = write_radiographs(workshop.folder / "dx", rows=plan.rows, columns=plan.columns, names=(RAW,))[RAW]
    dataset = dcmread(file)
    image = image_of(dataset)
    words = image.stored.reshape(-1).view(np.uint64)
    sides = {
        "ours": lambda: letterbox(image, size_px=SIDE_PX, low_percentile=LOW, high_percentile=HIGH),
        "read": lambda: int(words.sum()),
        "skimage": lambda: by_the_textbook(dataset, image.stored),
    }
    found = by_turns(sides, rounds=plan.piece_rounds, clock=workshop.clock)
    square = letterbox(image, size_px=SIDE_PX, low_percentile=LOW, high_percentile=HIGH)
    difference = float(np.abs(square.tensor[0, 0] - in_float64(image, SIDE_PX)).max())
    note = f"largest difference from a float64 area mean: {difference:.1e} (goal: {LARGEST_DIFFERENCE:.0e})"
    yield piece_of(
        "prepare_to_read",
        "letterboxing over one read of the frame",
        found["ours"],
        found["read"],
        goal=READS,
        note=note,
    )
    yield piece_of(
        "prepare_to_skimage",
        "modality and VOI table, scaling and scikit-image's resize over letterboxing",
        found["ours"],
        found["skimage"],
        goal=TIMES_SOONER,
        at_least=True,
    )


def image_of(dataset: FileDataset) -> PixelImage:
    """The frame as the appliance's tasks see it."""
    stored = np.ascontiguousarray(dataset.pixel_array)
    return PixelImage(
        stored=stored,
        slope=1.0,
        intercept=0.0,
        inverted=dataset.PhotometricInterpretation == "MONOCHROME1",
        stored_range=(0, 2 ** int(dataset.BitsStored) - 1),
        padding=None,
        voi=None,
        spacing_mm=None,
        rescale_type=None,
    )


def by_the_textbook(dataset: FileDataset, stored: NDArray[Any]) -> NDArray[np.float64]:
    """What the naive pipeline does (`benchmarks/naive_radiograph.py`), to the same square."""
    shown = np.asarray(apply_voi_lut(apply_modality_lut(stored, dataset), dataset), dtype=np.float64)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        shown = shown.max() - shown
    low, high = np.percentile(shown, (LOW, HIGH))
    scaled = np.clip((shown - low) / max(high - low, 1e-9), 0, 1)
    fit = SIDE_PX / max(shown.shape)
    rows, columns = (round(side * fit) for side in shown.shape)
    small: NDArray[np.float64] = transform.resize(  # type: ignore[no-untyped-call]  # no stubs exist
        scaled, (rows, columns), anti_aliasing=True
    )
    return small


def in_float64(image: PixelImage, size_px: int) -> NDArray[np.float64]:
    """Area mean, polarity, percentiles and scaling in float64, by matrices of overlaps."""
    fit = size_px / max(image.shape)
    rows, columns = (round(side * fit) for side in image.shape)
    across = image.stored.astype(np.float64) @ _overlaps(image.shape[1], columns).T
    mean = _overlaps(image.shape[0], rows) @ across
    grey = image.stored_range[0] + image.stored_range[1] - mean if image.inverted else mean
    low, high = np.percentile(grey, (LOW, HIGH))
    square = np.zeros((size_px, size_px))
    top, left = (size_px - rows) // 2, (size_px - columns) // 2
    square[top : top + rows, left : left + columns] = np.clip((grey - low) / (high - low), 0, 1)
    return square


def _overlaps(many: int, few: int) -> NDArray[np.float64]:
    """[few, many]: share of each of `few` equal parts that each of `many` covers."""
    edges = np.arange(few + 1) * (many / few)
    starts = np.arange(many)
    low = np.maximum(edges[:-1, None], starts[None, :])
    high = np.minimum(edges[1:, None], starts[None, :] + 1)
    covered: NDArray[np.float64] = np.clip(high - low, 0.0, None) * (few / many)
    return covered
