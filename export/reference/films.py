# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The radiographs: what is known about each, one pipeline for all, and patients that stay together."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.domain.image import PixelImage
from appliance.tasks import letterbox as preprocessing

SIZE_PX = 320
LOW_PERCENTILE = 0.5
HIGH_PERCENTILE = 99.5
JPEG_QUALITY = 90
"""Every NIH film is brought to 320 px and compressed once at this quality: else the source of a film
can be told from its compression, and the source tells normal from abnormal."""
ADULT_YEARS = 18.0
CLEAN_SOURCE = "jrzech/reproduce-chexnet"
"""One source, one film per patient (but for one): the part on which chest results are quoted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A radiologist's box, as fractions of the film: (row, column) of the corner, and size."""

    name: str
    row: float
    column: float
    rows: float
    columns: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """One row of labels.csv."""

    path: Path
    dataset: str
    source: str
    group: str
    """Patient (NIH) or near-duplicate group (BFY8): never on both sides of a split."""
    label: str
    findings: frozenset[str]
    view: str
    age_years: float | None
    sex: str
    boxes: tuple[Box, ...]


def read_films(data: Path, datasets: tuple[str, ...]) -> list[Film]:
    """Films of the named datasets; NIH children are left out, the models are for adults."""
    found = []
    with (data / "xray" / "labels.csv").open(newline="") as table:
        for row in csv.DictReader(table):
            if row["dataset"] not in datasets:
                continue
            nih = row["dataset"].startswith("NIH")
            age = float(row["age"]) if row["age"] else None
            if nih and (age is None or age < ADULT_YEARS):
                continue
            width, height = float(row["width"]), float(row["height"])
            found.append(
                Film(
                    path=data / "xray" / row["file"],
                    dataset=row["dataset"],
                    source=row["source_repo"],
                    group=row["patient_id"] if nih else row["group_id"],
                    label=row["label"],
                    findings=frozenset(row["labels_all"].split("|")) - {"", "No Finding"},
                    view=row["view"],
                    age_years=age,
                    sex=row["sex"],
                    boxes=tuple(
                        Box(
                            name=box["name"],
                            row=box["y"] / height,
                            column=box["x"] / width,
                            rows=box["h"] / height,
                            columns=box["w"] / width,
                        )
                        for box in json.loads(row["boxes"] or "[]")
                    ),
                )
            )
    return found


def read_grey(film: Film) -> NDArray[np.uint8]:
    """Pixels of a film; NIH films all with the same size and compression."""
    pixels = cv2.imread(str(film.path), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        message = f"{film.path} cannot be read as an image"
        raise ValueError(message)
    if film.dataset.startswith("NIH"):
        side = max(pixels.shape)
        interpolation = cv2.INTER_AREA if side > SIZE_PX else cv2.INTER_LINEAR
        pixels = cv2.resize(pixels, (SIZE_PX, SIZE_PX), interpolation=interpolation)
        _, packed = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        pixels = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)
    return np.asarray(pixels, np.uint8)


def letterbox(pixels: NDArray[np.uint8], *, size_px: int) -> NDArray[np.float32]:
    """The appliance's own preprocessing, as the card says it, of 8-bit pixels."""
    image = PixelImage(
        stored=pixels,
        slope=1.0,
        intercept=0.0,
        inverted=False,
        stored_range=(0, 255),
        padding=None,
        voi=None,
        spacing_mm=None,
        rescale_type=None,
    )
    fitted = preprocessing.letterbox(
        image, size_px=size_px, low_percentile=LOW_PERCENTILE, high_percentile=HIGH_PERCENTILE
    )
    film: NDArray[np.float32] = fitted.tensor[0, 0]
    return film


def in_square(box: Box, film_shape: tuple[int, int]) -> tuple[float, float, float, float]:
    """(top, left, bottom, right) of a box as fractions of the letterboxed square."""
    side = max(film_shape)
    rows, columns = film_shape[0] / side, film_shape[1] / side
    top, left = box.row * rows + (1 - rows) / 2, box.column * columns + (1 - columns) / 2
    return top, left, top + box.rows * rows, left + box.columns * columns


def fold_of_groups(groups: list[str], *, folds: int, seed: int) -> NDArray[np.int64]:
    """A fold number for each film, the same for all films of a group."""
    names = sorted(set(groups))
    shuffled = np.random.default_rng(seed).permutation(len(names))
    fold = {name: int(shuffled[index]) % folds for index, name in enumerate(names)}
    return np.array([fold[group] for group in groups], np.int64)


def vary(square: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """A slightly turned, scaled, shifted and re-exposed copy, as another positioning would give."""
    side = square.shape[0]
    matrix = cv2.getRotationMatrix2D(
        (side / 2, side / 2), float(random.uniform(-6, 6)), float(random.uniform(0.95, 1.15))
    )
    matrix[:, 2] += random.uniform(-0.03, 0.03, 2) * side
    moved = cv2.warpAffine(square, matrix, (side, side), flags=cv2.INTER_LINEAR)
    exposed = np.clip(moved, 0.0, 1.0) ** float(np.exp(random.uniform(-0.3, 0.3)))
    return np.asarray(exposed[:, ::-1] if random.integers(2) else exposed, np.float32)
