# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The acquisition that the worker has in hand: its lanes come one after the other, its frames once."""

from __future__ import annotations

from appliance.domain.acquisition import Acquisition
from appliance.domain.job import Job
from appliance.intake.frames import JailedFrames, open_frames
from appliance.intake.jail import Jail
from appliance.processes.between import LeaseLostError
from appliance.store.landing import Landings


class AtHand:
    """Keeps one acquisition with its frames until another is opened, or it is put away."""

    def __init__(self, landings: Landings) -> None:
        self._landings = landings
        self._kept: tuple[tuple[str, int], Acquisition, JailedFrames] | None = None

    def open(self, job: Job, jail: Jail, *, keep: bool) -> tuple[Acquisition, JailedFrames]:
        """The job's acquisition and its frames; those of the lane before are still here.

        Raises LeaseLostError when there is no such version any more.
        """
        key = (job.acquisition_id, job.version)
        if self._kept is not None and self._kept[0] == key:
            return self._kept[1:]
        acquisition = self._landings.acquisition(job.acquisition_id)
        if acquisition is None or acquisition.version != job.version:
            raise LeaseLostError
        frames = open_frames(acquisition, jail)
        if keep:
            self._kept = (key, acquisition, frames)
        return acquisition, frames

    def put_away(self) -> None:
        """Give the pixels back."""
        self._kept = None
