# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What the screen shows of an acquisition: arrays in files, mapped by the kiosk, never sent.

One folder per acquisition version under `Layout.views`: `pixels.npy` as decoded (a stack for a volume),
`denoised.npy` beside it, `table.npy` (65,536 grey levels: modality, window and polarity in one look-up),
heatmaps as PNG, and `view.json` that says what is there. Each file is whole and durable before the result
that is shown with it: it could be made again, but nobody would know that it has to be.
"""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from appliance.domain.image import PixelImage
from appliance.domain.record import from_json, to_json
from appliance.domain.view import TABLE_ENTRIES, VIEW_FILE, View
from appliance.durable import WholeFile, make_folder, sync_folder, write_whole
from appliance.intake.display import display_table
from appliance.tasks.base import Heatmap

PIXELS: Final = "pixels.npy"
DENOISED: Final = "denoised.npy"
TABLE: Final = "table.npy"
HEAT: Final = "heat_"
"""Heatmaps begin with it; the rest is the finding's code."""
MOST_GREY_LEVELS: Final = 65535
HEATMAP_SIDE_PX: Final = 512
"""A heatmap comes from a grid of some ten cells a side; more pixels than this add nothing."""


class StackWriter:
    """Writes slices of one shape to an .npy file as they come; memory stays that of one slice.

    One slice makes an array of (rows, columns), more make (slices, rows, columns).
    """

    def __init__(self, path: Path, *, slices: int = 1) -> None:
        self._slices = slices
        self._shape: tuple[int, ...] | None = None
        self._dtype: np.dtype[Any] | None = None
        self._owed = 0
        self._file = WholeFile(path)

    def add(self, frame: NDArray[Any]) -> None:
        """Append one slice. Raises ValueError when it has not the shape of the first."""
        if self._shape is None:
            self._shape, self._dtype = frame.shape, frame.dtype
            header = {
                "descr": np.lib.format.dtype_to_descr(frame.dtype),
                "fortran_order": False,
                "shape": frame.shape if self._slices == 1 else (self._slices, *frame.shape),
            }
            start = io.BytesIO()
            np.lib.format.write_array_header_1_0(start, header)
            self._file.write(start.getvalue())
            for _ in range(self._owed):
                self._write_blank()
        if frame.shape != self._shape:
            raise ValueError(f"a slice of shape {frame.shape} in a stack of {self._shape}")
        self._file.write(np.ascontiguousarray(frame, dtype=self._dtype).data)

    def skip(self) -> None:
        """Leave a blank slice in the place of one that cannot be decoded."""
        if self._shape is None:
            self._owed += 1
        else:
            self._write_blank()

    def _write_blank(self) -> None:
        assert self._shape is not None
        self._file.write(np.zeros(self._shape, self._dtype).data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._file:
            if error is None and self._shape is not None:
                self._file.finish()


def write_view(folder: Path, image: PixelImage) -> None:
    """The view of a projection."""
    make_folder(folder)
    image = showable(image)
    with StackWriter(folder / PIXELS) as stack:
        stack.add(image.stored)
    describe_view(folder, image)


def describe_view(folder: Path, image: PixelImage) -> None:
    """Write the look-up table and the description; `image` speaks for all slices."""
    table = io.BytesIO()
    np.save(table, _table_from_low(image), allow_pickle=False)
    write_whole(folder / TABLE, table.getvalue())
    voi = image.voi
    window = (voi.center, voi.width) if voi and voi.center is not None and voi.width is not None else None
    view = View(
        array=PIXELS,
        denoised=None,
        table=TABLE,
        stored_low=image.stored_range[0],
        spacing_mm=image.spacing_mm,
        voi=window,
        slope=image.slope,
        intercept=image.intercept,
        inverted=image.inverted,
        heatmaps=_drawn_before(folder),
    )
    _write(folder, view)


def _drawn_before(folder: Path) -> dict[str, str]:
    """Heatmaps that are there already: triage may answer before the picture is laid out."""
    return {path.stem.removeprefix(HEAT): path.name for path in sorted(folder.glob(f"{HEAT}*.png"))}


def showable(image: PixelImage) -> PixelImage:
    """The image with whole-number samples: floating-point ones are spread over 16 bits for the screen.

    The reader lets no NaN or infinity through (`appliance.intake.rendition`).
    """
    if image.stored.dtype.kind != "f":
        return image
    low, high = float(image.stored.min()), float(image.stored.max())
    step = max((high - low) / MOST_GREY_LEVELS, float(np.finfo(np.float32).tiny))
    stored = np.rint((image.stored.astype(np.float64) - low) / step).astype(np.uint16)
    darkest = sum(image.stored_range) - high if image.inverted else low  # what a sample of 0 stands for
    return replace(
        image,
        stored=stored,
        slope=image.slope * step,
        intercept=image.slope * darkest + image.intercept,
        stored_range=(0, MOST_GREY_LEVELS),
        padding=None,
    )


def _table_from_low(image: PixelImage) -> NDArray[np.uint8]:
    """The display table, first entry for the lowest value that the stored format can hold."""
    stored = image.stored.dtype
    limits = np.iinfo(stored)
    low = image.stored_range[0]
    values = np.clip(np.arange(low, low + TABLE_ENTRIES), limits.min, limits.max).astype(stored)
    table: NDArray[np.uint8] = display_table(image)[values.view(f"u{stored.itemsize}")]
    return table


def add_denoised(folder: Path) -> None:
    """Tell the screen that the denoised stack is there."""
    if (view := _read(folder)) is not None:
        _write(folder, replace(view, denoised=DENOISED))


def add_heatmap(folder: Path, heatmap: Heatmap) -> Path:
    """Write a heatmap as an 8-bit PNG that stretches over the whole image; returns its path."""
    make_folder(folder)
    rows, columns = heatmap.values.shape
    shrink = min(1.0, HEATMAP_SIDE_PX / max(rows, columns))
    size = (max(1, round(columns * shrink)), max(1, round(rows * shrink)))
    small = cv2.resize(heatmap.values, size, interpolation=cv2.INTER_AREA)
    path = folder / f"{HEAT}{heatmap.finding_code}.png"
    encoded = cv2.imencode(".png", np.clip(small * 255.0 + 0.5, 0, 255).astype(np.uint8))[1]
    write_whole(path, encoded.tobytes())
    sync_folder(folder)
    if (view := _read(folder)) is not None:
        _write(folder, replace(view, heatmaps={**view.heatmaps, heatmap.finding_code: path.name}))
    return path


def _read(folder: Path) -> View | None:
    file = folder / VIEW_FILE
    return from_json(View, file.read_text(encoding="utf-8")) if file.exists() else None


def _write(folder: Path, view: View) -> None:
    """The lanes add to the description one after the other; a reader sees the old or the new one."""
    write_whole(folder / VIEW_FILE, to_json(view).encode("utf-8"))
    sync_folder(folder)
