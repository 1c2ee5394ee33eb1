# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Slices come in the order of the acquisition, decoded ahead, and a bad one says which it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from appliance.domain.acquisition import Acquisition, Completeness, Instance, Kind, SliceRef, Urgency
from appliance.errors import InputError
from appliance.intake.frames import open_frames
from appliance.intake.jail import Jail

WriteDicom = Callable[..., Path]


def acquisition(instances: list[Instance], order: list[tuple[int, int]]) -> Acquisition:
    return Acquisition(
        acquisition_id="a",
        version=1,
        kind=Kind.VOLUME,
        completeness=Completeness.COMPLETE,
        evidence="made so",
        urgency=Urgency.LIVE,
        instances=tuple(instances),
        slices=tuple(SliceRef(instance=one, frame=frame, position_mm=None) for one, frame in order),
    )


def flat(value: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint16]]:
    return np.full((16, 20), value, np.uint16)


@pytest.fixture
def stack(jail: Jail, write_dicom: WriteDicom) -> Acquisition:
    """Five files in the wrong order of arrival; the last holds two frames."""
    instances = []
    for value in (3, 0, 1, 2):
        found = jail.describe(write_dicom(flat(value), name=f"{value}.dcm", NumberOfFrames="1")).instance
        assert found is not None
        instances.append(found)
    double = jail.describe(write_dicom(np.stack([flat(5), flat(4)]), name="45.dcm")).instance
    assert double is not None
    return acquisition([*instances, double], [(1, 0), (2, 0), (3, 0), (0, 0), (4, 1), (4, 0)])


def test_slices_in_their_order(jail: Jail, stack: Acquisition) -> None:
    frames = open_frames(stack, jail)
    assert len(frames) == 6
    assert [int(image.stored[0, 0]) for image in frames] == [0, 1, 2, 3, 4, 5]
    assert [int(frames.frame(index).stored[3, 3]) for index in (5, 0, 2)] == [5, 0, 2]


def test_all_slices_kept_at_once(jail: Jail, stack: Acquisition) -> None:
    images = list(open_frames(stack, jail))
    assert [set(image.stored.ravel().tolist()) for image in images] == [{index} for index in range(6)]


def test_stopping_in_the_middle_leaves_nothing_behind(jail: Jail, stack: Acquisition) -> None:
    frames = open_frames(stack, jail)
    for image in frames:
        if image.stored[0, 0] == 2:
            break
    assert [int(image.stored[0, 0]) for image in frames] == [0, 1, 2, 3, 4, 5]


def test_a_bad_slice_is_named_and_comes_at_its_turn(jail: Jail, stack: Acquisition) -> None:
    damaged = stack.instances[3].path
    damaged.write_bytes(damaged.read_bytes()[:-100])
    slices = iter(open_frames(stack, jail))
    assert [int(next(slices).stored[0, 0]) for _ in range(2)] == [0, 1]
    with pytest.raises(InputError, match=r"Slice 3 of 6: .* cut off"):
        next(slices)


def test_a_real_series_equals_single_reads(jail: Jail, real_data: Path) -> None:
    folder = real_data / "ct" / "ct-normal-dose" / "covidctmd-normal001"
    instances = [jail.describe(path).instance for path in sorted(folder.glob("*.dcm"))[:6]]
    found = [one for one in instances if one is not None]
    images = list(open_frames(acquisition(found, [(index, 0) for index in range(6)]), jail))
    for instance, image in zip(found, images, strict=True):
        assert np.array_equal(image.stored, jail.frame(instance.path, 0).stored)
