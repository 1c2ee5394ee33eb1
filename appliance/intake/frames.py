# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The slices of an acquisition, in spatial order, one decoded ahead of the one in use."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.domain.acquisition import Acquisition
from appliance.domain.image import PixelImage
from appliance.errors import InputError
from appliance.intake.jail import Jail, PendingFrame


class NotHalvedError(Exception):
    """A frame cannot be decoded without its finest wavelet levels: the whole one is there instead."""


class JailedFrames:
    """A FrameSource whose files are decoded in the jail. Frames stay as they are while they are kept."""

    def __init__(self, acquisition: Acquisition, jail: Jail) -> None:
        self._places = tuple(
            (acquisition.instances[slice_.instance].path, slice_.frame) for slice_ in acquisition.slices
        )
        self._jail = jail
        self._only: PixelImage | None = None
        """The frame of a projection, once decoded: every lane looks at it, none decodes it again."""
        self._ahead: PendingFrame | None = None
        """The whole frame, being decoded while somebody looks at the halved one."""

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
        if self._only is not None and index == 0:
            return self._only
        pending, self._ahead = self._ahead or self._begin(index), None
        image = self._wait(pending, index)
        if len(self._places) == 1:
            self._only = image
        return image

    def halved(self, halvings: int) -> PixelImage:
        """A projection's frame without its finest wavelet levels; the jail goes on with the whole one.

        Raises InputError when it cannot be decoded, NotHalvedError when only the whole one can.
        """
        image = self._wait(self._begin(0, halvings=halvings), 0)
        if image.halvings == 0:
            self._only = image
            raise NotHalvedError
        self._ahead = self._begin(0)
        return image

    def _begin(self, index: int, *, halvings: int = 0) -> PendingFrame:
        path, frame_index = self._places[index]
        return self._jail.begin_frame(path, frame_index, halvings=halvings)

    def _wait(self, pending: PendingFrame, index: int) -> PixelImage:
        try:
            return pending.image()
        except InputError as error:
            if len(self._places) == 1:
                raise
            raise InputError(
                f"Slice {index + 1} of {len(self._places)}: {error.what}", remedy=error.remedy
            ) from error


class HalvedFrame:
    """A FrameSource of one frame: a projection's, without its finest wavelet levels."""

    def __init__(self, whole: JailedFrames, halvings: int) -> None:
        self._whole = whole
        self._halvings = halvings

    def __len__(self) -> int:
        """See `FrameSource`."""
        return 1

    def __iter__(self) -> Iterator[PixelImage]:
        """See `FrameSource`."""
        yield self.frame(0)

    def each(self) -> Iterator[PixelImage | InputError]:
        """See `FrameSource`."""
        try:
            yield self.frame(0)
        except InputError as error:
            yield error

    def frame(self, index: int) -> PixelImage:
        """See `FrameSource` and `JailedFrames.halved`."""
        del index
        return self._whole.halved(self._halvings)


def open_frames(acquisition: Acquisition, jail: Jail) -> JailedFrames:
    """The slices of `acquisition` in the order of `acquisition.slices`. Decodes nothing yet."""
    return JailedFrames(acquisition, jail)
