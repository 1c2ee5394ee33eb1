# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""All slices of a CT series into memory, beside a copy of that memory, and beside pydicom."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from pydicom import dcmread

from appliance.config import Settings
from appliance.domain.acquisition import Acquisition, Completeness, Kind, SliceRef, Urgency
from appliance.intake.frames import open_frames
from appliance.intake.jail import Jail
from appliance.intake.opening import parse, regular_file
from appliance.intake.pixels import FrameReader
from benchmarks.pieces.turns import Piece, by_turns, piece_of
from benchmarks.plan import Workshop
from benchmarks.studies import write_series

TIMES_A_COPY: Final = 8.0
MAX_FRAME_BYTES: Final = 2**26


def measure_series_reading(workshop: Workshop) -> Iterator[Piece]:
    """In one process (processor time), and as the appliance does it, in the jail (by the clock)."""
    paths = write_series(workshop.folder / "ct", slices=workshop.plan.slices)
    volume = np.stack([dcmread(path).pixel_array for path in paths])
    copy = np.empty_like(volume)
    mine = np.empty_like(volume)
    with Jail(Settings().reading, workshop.clock) as jail:
        acquisition = _acquisition(paths, jail)
        sides = {
            "ours": lambda: _read(paths, mine),
            "jailed": lambda: [image.stored[0, 0] for image in open_frames(acquisition, jail)],
            "copy": lambda: np.copyto(copy, volume),
            "pydicom": lambda: [dcmread(path).pixel_array for path in paths],
        }
        found = by_turns(sides, rounds=workshop.plan.piece_rounds, clock=workshop.clock)
    if not np.array_equal(mine.view(volume.dtype), volume):
        raise ValueError("The slices were read wrongly.")
    beside = [float(np.median([spent.cpu_s for spent in found[name]])) for name in ("pydicom", "copy")]
    yield piece_of(
        "series_read",
        f"reading {len(paths)} slices over a copy of their memory",
        found["ours"],
        found["copy"],
        goal=TIMES_A_COPY,
        note=f"pydicom's dcmread and pixel_array: {beside[0] / beside[1]:.1f}",
    )
    yield piece_of(
        "series_read_jailed",
        f"the same through the jail, {len(paths)} slices one after the other",
        found["jailed"],
        found["copy"],
        goal=TIMES_A_COPY,
        by_clock=True,
    )


def _read(paths: tuple[Path, ...], volume: np.ndarray[tuple[int, ...], np.dtype[np.int16]]) -> None:
    for path, target in zip(paths, volume, strict=True):
        with regular_file(path) as stream:
            parsed = parse(stream, largest_inflated_bytes=MAX_FRAME_BYTES)
            FrameReader(parsed, max_frame_bytes=MAX_FRAME_BYTES).read(0, target.data.cast("B"))


def _acquisition(paths: tuple[Path, ...], jail: Jail) -> Acquisition:
    instances = tuple(jail.describe(path).instance for path in paths)
    known = tuple(instance for instance in instances if instance is not None)
    if len(known) != len(paths):
        raise ValueError("A slice cannot be described.")
    return Acquisition(
        acquisition_id="series",
        version=1,
        kind=Kind.VOLUME,
        completeness=Completeness.COMPLETE,
        evidence="all of them",
        urgency=Urgency.LIVE,
        instances=known,
        slices=tuple(SliceRef(instance=number, frame=0, position_mm=None) for number in range(len(known))),
    )
