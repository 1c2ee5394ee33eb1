# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Where a value of one frame stands: in the frame's own group, in the shared one, or in the data set.

Enhanced multi-frame objects (PS3.3 C.7.6.16) keep per frame what single-frame objects keep at the top.
"""

from __future__ import annotations

from pydicom.dataset import Dataset

from appliance.intake.header_values import item


def frame_group(dataset: Dataset, sequence: str, frame_index: int) -> Dataset:
    """The group (say PixelMeasuresSequence) that holds for a frame; without one, the data set itself."""
    for groups, index in (
        ("PerFrameFunctionalGroupsSequence", frame_index),
        ("SharedFunctionalGroupsSequence", 0),
    ):
        of_frame = item(dataset, groups, index)
        group = item(of_frame, sequence) if of_frame is not None else None
        if group is not None:
            return group
    return dataset
