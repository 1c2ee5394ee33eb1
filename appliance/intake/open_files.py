# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A file kept open between requests for its frames: its header is parsed once. Runs inside the jail."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from appliance.errors import InputError
from appliance.intake.frame_header import FrameHeader
from appliance.intake.nifti_volume import NiftiVolume, is_nifti
from appliance.intake.opening import CutShortError, Stream, parse, regular_file
from appliance.intake.pixels import FrameReader


class Frames(Protocol):
    """Whatever holds frames: a DICOM file, a NIfTI volume."""

    def needed_bytes(self) -> int:
        """How large the buffer of any frame must be."""

    def read(self, index: int, buffer: memoryview, *, halvings: int = 0) -> FrameHeader:
        """Decode frame `index` into `buffer`. Raises InputError.

        `halvings`: without so many finest wavelet levels where that can be done right; the header says
        whether it was.
        """


class OpenFile:
    """One open file and its frames. Raises InputError where it cannot be read."""

    def __init__(self, path: Path, *, max_frame_bytes: int) -> None:
        self._path = path
        self._stack = ExitStack()
        with ExitStack() as opening:
            stream = opening.enter_context(regular_file(path))
            self._identity = _identity(os.fstat(stream.fileno()))
            self._frames = _frames(path, stream, max_frame_bytes)
            self._stack = opening.pop_all()

    def is_still(self, path: Path) -> bool:
        """True where `path` names the same, unchanged file."""
        try:
            return path == self._path and _identity(path.lstat()) == self._identity
        except OSError:
            return False  # opening it will say why

    def needed_bytes(self) -> int:
        """See `Frames`."""
        return self._frames.needed_bytes()

    def read(self, index: int, buffer: memoryview, *, halvings: int = 0) -> FrameHeader:
        """See `Frames`."""
        return self._frames.read(index, buffer, halvings=halvings)

    def close(self) -> None:
        """Give the file back."""
        self._stack.close()


def _frames(path: Path, stream: Stream, max_frame_bytes: int) -> Frames:
    if is_nifti(path):
        return NiftiVolume(path, max_frame_bytes=max_frame_bytes)
    try:
        file = parse(stream, largest_inflated_bytes=max_frame_bytes)
    except CutShortError as error:
        raise InputError(
            "The file ends inside its header.", remedy="Send the image again from the modality."
        ) from error
    return FrameReader(file, max_frame_bytes=max_frame_bytes)


def _identity(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
