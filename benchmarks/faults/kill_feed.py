# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Images for an appliance under fire: radiographs, and now and then a short CT series, no two alike."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from pydicom import Dataset, dcmread
from pydicom.uid import UID, generate_uid

from appliance.selftest.phantom_ct import CtPlan, write_ct
from appliance.selftest.phantom_radiograph import Identity, write_chest
from benchmarks.faults.kill_check import Given

A_SERIES_EVERY: Final = 20
SLICES: Final = 4


class Feed:
    """Puts studies into an inbox, one after the other."""

    def __init__(self, inbox: Path, *, seed: int, only_radiographs: bool = False) -> None:
        self._inbox = inbox
        self._seed = seed
        self._only_radiographs = only_radiographs
        self.given: list[Given] = []
        with tempfile.TemporaryDirectory() as folder:
            chest = Path(folder) / "chest.dcm"
            write_chest(chest, identity=Identity(seed=seed), rows=360, columns=300)
            self._chest = dcmread(chest)
            self._slices = [dcmread(path) for path in write_ct(Path(folder), CtPlan(slices=SLICES)).paths]

    def next(self) -> None:
        """One more study."""
        number = len(self.given)
        is_series = number % A_SERIES_EVERY == A_SERIES_EVERY - 1 and not self._only_radiographs
        images = self._slices if is_series else [self._chest]
        study, series = self._uid("study", number), self._uid("series", number)
        names = []
        for index, image in enumerate(images):
            names.append(self._uid("image", number, index))
            self._name(image, study, series, names[-1])
            part = self._inbox / f".{number}-{index}.part"
            image.save_as(part, enforce_file_format=True)
            part.rename(self._inbox / f"{number:04d}-{index}.dcm")
        self.given.append(Given(study_instance_uid=study, sop_instance_uids=tuple(names)))

    def unlanded(self, landed: int) -> int:
        """How many files are not in the store yet."""
        return sum(len(given.sop_instance_uids) for given in self.given) - landed

    def _uid(self, *words: object) -> str:
        return generate_uid(entropy_srcs=[str(word) for word in (self._seed, *words)])

    def _name(self, image: Dataset, study: str, series: str, name: str) -> None:
        image.StudyInstanceUID, image.SeriesInstanceUID, image.SOPInstanceUID = study, series, name
        image.file_meta.MediaStorageSOPInstanceUID = UID(name)
