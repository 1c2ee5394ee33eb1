# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a look into a file found: is it all there, what does its header say, and if not, why not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from appliance.domain.acquisition import Instance


class FileState(str, Enum):
    """What looking into a file can find."""

    WHOLE = "whole"
    """An image; it parses and carries every pixel byte that its own header declares."""
    LEFT_ALONE = "left_alone"
    """A sound DICOM object that holds no image to look at (report, plan, segmentation, DICOMDIR)."""
    UNFINISHED = "unfinished"
    """Good as far as it goes, but bytes are missing: still being written, or cut off for good."""
    UNUSABLE = "unusable"
    """More bytes will not help: not DICOM, not safe, or contradicting itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What `Jail.describe` says about a file."""

    state: FileState
    instance: Instance | None
    """Always there, with its `pixels`, when WHOLE; never when UNUSABLE.

    LEFT_ALONE: with `pixels` None, or None for objects of no patient. UNFINISHED: where the header got
    that far.
    """
    reason: str | None
    """For the screen: why not WHOLE, or what kind of object is left alone. None when WHOLE."""
    remedy: str | None
    """What a person can do about it; None where there is nothing to do."""
    present_bytes: int | None = None
    """Of the pixel data, or of the file where the header is not complete. Set when UNFINISHED."""
    expected_bytes: int | None = None
    """What the header declares; None where it does not say in advance (compressed pixels)."""
