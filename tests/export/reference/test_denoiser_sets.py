# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Who judges the denoiser: patients kept aside, and real pairs that never teach it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from export.reference.ct_slices import Slice, SliceSet
from export.reference.denoiser_sets import (
    QUARTER_DOSE_NOISE,
    ROUTINE_NOISE_HU,
    SHRUNK,
    added_noise_pairs,
    one_kernel_pairs,
    real_pairs,
)
from export.reference.low_dose import soft_tissue
from export.reference.low_dose_slices import taught_pairs, write_set

SIDE_PX = 192


@pytest.fixture(scope="module")
def data() -> SliceSet:
    rows, columns = np.mgrid[:SIDE_PX, :SIDE_PX] - SIDE_PX / 2
    body = np.where(np.hypot(rows, columns) < 80, 40, -1000).astype(np.int16)
    return SliceSet(
        slices=tuple(
            Slice(
                file=f"{number}.dcm",
                patient="aside" if number else "taught",
                spacing_mm=1.6,
                own_noise_hu=12.0,
                held_out=number > 0,
                blurs_px=(0.5,),
            )
            for number in range(3)
        ),
        hu=np.stack([body] * 3),
        noise=np.random.default_rng(1).standard_normal((3, 1, SIDE_PX, SIDE_PX)).astype(np.float16),
    )


def test_only_patients_kept_aside_judge(data: SliceSet) -> None:
    for pairs in (added_noise_pairs(data), one_kernel_pairs(data)):
        assert [(pair.name, pair.group) for pair in pairs] == [("1.dcm", "aside"), ("2.dcm", "aside")]


def test_the_added_noise_is_that_of_a_quarter_of_the_dose(data: SliceSet) -> None:
    for pair in added_noise_pairs(data):
        inside = soft_tissue(pair.routine)
        added = (pair.low - pair.routine)[inside]
        assert added.std() == pytest.approx(QUARTER_DOSE_NOISE * 12.0, rel=0.05)


def test_with_one_kernel_both_doses_have_its_noise_and_the_quarter_has_twice_as_much(
    data: SliceSet,
) -> None:
    for pair in one_kernel_pairs(data):
        assert pair.low.shape == (round(SHRUNK * SIDE_PX),) * 2
        inside = np.zeros(pair.low.shape, np.bool_)
        inside[33:63, 33:63] = True
        routine_hu = float(pair.routine[inside].std())
        assert 0.8 * ROUTINE_NOISE_HU[0] < routine_hu < 1.2 * ROUTINE_NOISE_HU[1]
        assert 1.6 < float(pair.low[inside].std()) / routine_hu < 2.4


def test_the_real_pairs_are_of_the_same_slices(real_data: Path) -> None:
    pairs = real_pairs(real_data)
    assert len(pairs) == 12
    for pair in pairs:
        assert np.corrcoef(pair.low.ravel()[::7], pair.routine.ravel()[::7])[0, 1] > 0.98


def test_the_sets_for_int8_keep_those_who_taught_apart_from_those_who_judge(
    data: SliceSet, tmp_path: Path
) -> None:
    taught = write_set(taught_pairs(data), tmp_path / "calibration", source="test")
    aside = write_set(added_noise_pairs(data), tmp_path / "gate", source="test")
    assert (taught.groups, aside.groups) == (("taught",), ("aside", "aside"))
    for entry, pair in zip(aside.entries, added_noise_pairs(data), strict=True):
        np.testing.assert_array_equal(aside.image(entry).grey(), pair.low)
        np.testing.assert_array_equal(aside.reference_image(entry).grey(), pair.routine)
