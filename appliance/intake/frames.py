# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The slices of an acquisition, in spatial order, one decoded ahead of the one in use."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.domain.acquisition import Acquisition
from appliance.domain.image import FrameSource, PixelImage
from appliance.errors import InputError
from appliance.intake.jail import Jail, PendingFrame


class JailedFrames:
    """A FrameSource whose files are decoded in the jail. Frames stay as they are while they are kept."""

    def __init__(self, acquisition: Acquisition, jail: Jail) -> None:
        self._places = tuple(
            (acquisition.instances[slice_.instance].path, slice_.frame) for slice_ in acquisition.slices
        )
        self._jail = jail

    def __len__(self) -> int:
        """See `FrameSource`."""
        return len(self._places)

    def __iter__(self) -> Iterator[PixelImage]:
        """See `FrameSource`."""
        for image in self.each():
            if isinstance(image, InputError):
                raise image
            yield image

    def each(self) -> Iterator[PixelImage | InputError]:
        """See `FrameSource`: while one slice is in use, the jail decodes the next."""
        pending = self._begin(0) if self._places else None
        index = 0
        while pending is not None:
            following = self._begin(index + 1) if index + 1 < len(self._places) else None
            try:
                yield self._wait(pending, index)
            except InputError as error:
                yield error
            pending, index = following, index + 1

    def frame(self, index: int) -> PixelImage:
        """See `FrameSource`."""
        return self._wait(self._begin(index), index)

    def _begin(self, index: int) -> PendingFrame:
        path, frame_index = self._places[index]
        return self._jail.begin_frame(path, frame_index)

    def _wait(self, pending: PendingFrame, index: int) -> PixelImage:
        try:
            return pending.image()
        except InputError as error:
            if len(self._places) == 1:
                raise
            raise InputError(
                f"Slice {index + 1} of {len(self._places)}: {error.what}", remedy=error.remedy
            ) from error


def open_frames(acquisition: Acquisition, jail: Jail) -> FrameSource:
    """The slices of `acquisition` in the order of `acquisition.slices`. Decodes nothing yet."""
    return JailedFrames(acquisition, jail)
