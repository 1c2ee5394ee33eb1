# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What passes between the jail and its keeper: one JSON object per line, either way.

Requests hold file names and numbers, replies hold nouns without pixels. The keeper reads replies strictly:
what comes out of the jail has been near foreign bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.intake.description import Description
from appliance.intake.frame_header import FrameHeader


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A file to look into, a frame to decode (`frame_index`), or two files to compare (`other_path`)."""

    path: str
    """Absolute. Undecodable names pass as Python's surrogate escapes."""
    frame_index: int | None = None
    halvings: int = 0
    """Of the frame: so many finest wavelet levels may be left out. A wish; the answer says what it is."""
    other_path: str | None = None
    """Absolute."""
    slot: int | None = None
    """Which shared buffer to decode into."""
    slot_bytes: int = 0
    new_slot: bool = False
    """The descriptor of the buffer comes along with this message."""
    forget_slots: tuple[int, ...] = ()
    """Buffers that are gone: unmap them first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why there is no other answer: an InputError, across the wall."""

    what: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Exactly one of the first five is set."""

    description: Description | None = None
    frame: FrameHeader | None = None
    same: bool | None = None
    """Whether two files say the same."""
    fault: Fault | None = None
    needed_bytes: int | None = None
    """The buffer is too small: ask again with one of this size."""
    worn_out: bool = False
    """Memory ran out on the way: the process should be replaced before the next request."""
