# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""As many different radiographs as a figure needs: one phantom, its UIDs counted up in the bytes."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from pydicom import dcmread

from appliance.durable import sync_folder
from appliance.layout import Layout
from appliance.selftest.phantom_radiograph import Identity, write_chest

ROWS, COLUMNS = 96, 80
"""Small: the bytes of an image are not what is tested."""
_DIGITS = 9


class Sources:
    """Radiographs, each of another study."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.first = folder / "template.dcm"
        write_chest(self.first, identity=Identity(seed=7), rows=ROWS, columns=COLUMNS)
        header = dcmread(self.first, stop_before_pixels=True)
        self._uids = [str(header[name].value) for name in _NAMES]
        self._content = self.first.read_bytes()
        self._numbers = itertools.count(1)

    def __iter__(self) -> Iterator[bytes]:
        return (self._image(number) for number in self._numbers)

    def put(self, layout: Layout, count: int) -> None:
        """Lay the next ones into the inbox, durably: they are the sender's, who keeps them."""
        for content in itertools.islice(self, count):
            name = f"{next(self._numbers):09d}.dcm"
            with (layout.inbox / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        sync_folder(layout.inbox)

    def _image(self, number: int) -> bytes:
        content = self._content
        for uid in self._uids:
            other = uid[:-_DIGITS] + f"1{number:0{_DIGITS - 1}d}"
            content = content.replace(uid.encode(), other.encode())
        return content


_NAMES = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
