# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The decoder of each transfer syntax beside every other one that is at hand and gives the same bits."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import gdcm
import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.encaps import get_frame

from appliance.domain.acquisition import PixelFormat
from appliance.intake.decoders import decode
from appliance.intake.header import read_pixel_format
from appliance.intake.opening import parse, regular_file
from appliance.intake.pixels import FrameReader
from benchmarks.pieces.turns import Piece, by_turns, piece_of
from benchmarks.plan import Workshop
from benchmarks.studies import RAW, write_radiographs

TIMES_THE_FASTEST: Final = 1.1
OURS: Final = "ours"
MAX_FRAME_BYTES: Final = 2**30
Pixels = NDArray[Any]
Decode = Callable[[], Pixels]


def measure_decoding(workshop: Workshop) -> Iterator[Piece]:
    """One piece for each syntax: ours over the fastest of the others, in the same rounds."""
    plan = workshop.plan
    files = write_radiographs(workshop.folder / "dx", rows=plan.rows, columns=plan.columns)
    truth = dcmread(files[RAW]).pixel_array
    for name, file in files.items():
        workshop.say(f"pieces: decoding {name}")
        sides = {OURS: _uncompressed(file)} if name == RAW else {OURS: _ours(file)}
        sides |= dict(_panel(file, compressed=name != RAW))
        wrong = [side for side, run in sides.items() if not _same(run, truth)]
        if OURS in wrong:
            raise ValueError(f"Our decoder of {name} does not give back the pixels.")
        right = {side: run for side, run in sides.items() if side not in wrong}
        found = by_turns(right, rounds=plan.piece_rounds, clock=workshop.clock)
        others = {side: float(np.median([one.cpu_s for one in spent])) for side, spent in found.items()}
        ours_s = others.pop(OURS)
        fastest = min(others, key=lambda side: others[side])
        beside = ", ".join(
            f"{side} {others[side] / ours_s:.2f}" for side in sorted(others, key=others.__getitem__)
        )
        yield piece_of(
            f"decode_{name}",
            f"ours over the fastest of the others ({fastest})",
            found[OURS],
            found[fastest],
            goal=TIMES_THE_FASTEST,
            note=f"times ours: {beside}" + (f"; not the same bits: {', '.join(wrong)}" if wrong else ""),
        )


def _same(run: Decode, truth: Pixels) -> bool:
    try:
        return bool(np.array_equal(run(), truth))
    except Exception:
        return False


def _uncompressed(file: Path) -> Decode:
    """As in the jail: parsed, then from the file into a buffer that is there."""
    with regular_file(file) as stream:
        parsed = parse(stream, largest_inflated_bytes=MAX_FRAME_BYTES)
        shape = (int(parsed.dataset.Rows), int(parsed.dataset.Columns))
        buffer = bytearray(FrameReader(parsed, max_frame_bytes=MAX_FRAME_BYTES).needed_bytes())

    def run() -> Pixels:
        with regular_file(file) as stream:
            reader = FrameReader(
                parse(stream, largest_inflated_bytes=MAX_FRAME_BYTES), max_frame_bytes=MAX_FRAME_BYTES
            )
            reader.read(0, memoryview(buffer))
        return np.frombuffer(buffer, np.uint16).reshape(shape)

    return run


def _ours(file: Path) -> Decode:
    """The decoder alone, into a buffer that is there."""
    pixel_format, codestream = _codestream(file)
    out = np.empty((pixel_format.rows, pixel_format.columns), np.uint16)
    return lambda: decode(codestream, pixel_format, out)


def _codestream(file: Path) -> tuple[PixelFormat, bytes]:
    with regular_file(file) as stream:
        parsed = parse(stream, largest_inflated_bytes=MAX_FRAME_BYTES)
        pixel_format = read_pixel_format(parsed, max_frame_bytes=MAX_FRAME_BYTES)
    return pixel_format, get_frame(dcmread(file).PixelData, 0, number_of_frames=1)


def _panel(file: Path, *, compressed: bool) -> Iterator[tuple[str, Decode]]:
    """Every decoder that is installed; those that do not know the syntax fail and are left out."""
    yield "pydicom pixel_array", lambda: dcmread(file).pixel_array
    yield "gdcm", lambda: _by_gdcm(file)
    if not compressed:
        return
    _, codestream = _codestream(file)
    for name in ("ljpeg", "jpegsof3", "jpegls", "jpeg2k", "htj2k"):
        known: Callable[[bytes], Pixels] = getattr(imagecodecs, f"{name}_decode")
        yield f"imagecodecs {name}", partial(known, codestream)
    yield (
        "imagecodecs jpeg2k, 2 threads",
        lambda: np.asarray(imagecodecs.jpeg2k_decode(codestream, numthreads=2)),
    )
    try:
        charls: Any = importlib.import_module("jpeg_ls")
    except ImportError:
        return
    yield "pyjpegls", lambda: np.asarray(charls.decode(np.frombuffer(codestream, np.uint8)))


def _by_gdcm(file: Path) -> Pixels:
    reader = gdcm.ImageReader()
    reader.SetFileName(str(file))
    if not reader.Read():
        raise ValueError(f"GDCM cannot read {file}.")
    image = reader.GetImage()
    content = image.GetBuffer().encode("utf-8", errors="surrogateescape")
    return np.frombuffer(content, np.uint16).reshape(image.GetDimension(1), image.GetDimension(0))
