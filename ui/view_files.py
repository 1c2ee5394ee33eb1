# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture's files: checked, then mapped into memory read-only. Nothing is decoded here but PNG."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from appliance.domain.record import from_json
from appliance.domain.view import TABLE_ENTRIES, VIEW_FILE, View
from appliance.errors import InputError
from ui.language import noted, tr
from ui.plain_text import LONGEST_SENTENCE, visible

_TYPES: Final = ("uint8", "int8", "uint16", "int16")
_ASK_AGAIN: Final = noted(
    "Judge the image on another screen; the original is kept. Call service if it stays."
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picture:
    """The arrays of one view, read-only. Slices of a projection: one."""

    folder: Path
    view: View
    stored: NDArray[Any]
    """Shape (slices, rows, columns)."""
    denoised: NDArray[Any] | None
    """Same shape and type as `stored`."""
    table: NDArray[np.uint8]
    """Shape (65536,): the header's own look."""

    @property
    def shape_px(self) -> tuple[int, int]:
        """Rows, columns."""
        return int(self.stored.shape[1]), int(self.stored.shape[2])

    @property
    def slices(self) -> int:
        """How many; 1 for a projection."""
        return int(self.stored.shape[0])


def open_picture(folder: Path) -> Picture:
    """Map the view in `folder`. Raises InputError with words for the screen when it is not whole."""
    try:
        view = from_json(View, (folder / VIEW_FILE).read_text(encoding="utf-8"))
        stored = _stack(_mapped(folder, view.array))
        denoised = None if view.denoised is None else _stack(_mapped(folder, view.denoised))
        table = _mapped(folder, view.table).copy()  # small, and rewritten in place: never left mapped
        table.flags.writeable = False
    except (OSError, ValueError, EOFError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or error  # no folder of the device
        raise InputError(
            tr("This picture cannot be shown: {why}.", why=visible(str(why), limit=LONGEST_SENTENCE)),
            remedy=tr(_ASK_AGAIN),
        ) from error
    if table.shape != (TABLE_ENTRIES,) or table.dtype != np.uint8:
        raise InputError(
            tr("This picture cannot be shown: its table is {shape}.", shape=table.shape),
            remedy=tr(_ASK_AGAIN),
        )
    if denoised is not None and (denoised.shape != stored.shape or denoised.dtype != stored.dtype):
        raise InputError(tr("The denoised picture does not fit the original."), remedy=tr(_ASK_AGAIN))
    return Picture(folder=folder, view=view, stored=stored, denoised=denoised, table=table)


def read_heatmap(picture: Picture, finding_code: str) -> NDArray[np.uint8] | None:
    """The evidence for one finding, shape (rows, columns) of any size; None when there is none."""
    name = picture.view.heatmaps.get(finding_code)
    if name is None or not _is_plain_name(name):
        return None
    import cv2  # noqa: PLC0415  a quarter of a second that most screens never need at start

    heat = cv2.imread(str(picture.folder / name), cv2.IMREAD_GRAYSCALE)
    return None if heat is None else np.asarray(heat, dtype=np.uint8)


def _mapped(folder: Path, name: str) -> NDArray[Any]:
    if not _is_plain_name(name):
        raise ValueError(f"{name!r} is not a file of this view")
    try:
        return np.asarray(np.load(folder / name, mmap_mode="r", allow_pickle=False))
    except (ValueError, EOFError) as error:  # its words speak to programmers
        raise ValueError("its file is damaged") from error


def _is_plain_name(name: str) -> bool:
    return bool(name) and Path(name).name == name and name not in {".", ".."}


def _stack(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.name not in _TYPES or array.ndim not in {2, 3} or 0 in array.shape:
        raise ValueError(f"an array of {array.dtype.name} {array.shape} is not a picture")
    if array.dtype == np.int8:  # rare, and the one type that the renderer cannot blend
        array = array.astype(np.int16)
        array.flags.writeable = False
    return array if array.ndim == 3 else array[np.newaxis]
