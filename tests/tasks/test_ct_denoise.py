# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What is denoised, what comes back unchanged, and what no network may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray

from appliance.domain.acquisition import Acquisition, Kind
from appliance.domain.card import ModelCard
from appliance.domain.image import PixelImage
from appliance.errors import EngineError, InputError
from appliance.tasks.base import Frame
from appliance.tasks.ct_denoise import TASK
from appliance.tasks.ct_denoise.noise_bound import BOUND_SD, bounded, noise_sd

MakeAcquisition = Callable[..., Acquisition]
CT: dict[str, Any] = {
    "kind": Kind.VOLUME,
    "count": 3,
    "modality": "CT",
    "sop_class_uid": "1.2.840.10008.5.1.4.1.1.2",
    "image_type": ("ORIGINAL", "PRIMARY", "AXIAL"),
}


def ct_slice(
    stored: NDArray[np.generic], *, padding: tuple[int, int] | None = None, rescale_type: str | None = "HU"
) -> PixelImage:
    return PixelImage(
        stored=stored,
        slope=1.0,
        intercept=-1024.0,
        inverted=False,
        stored_range=(-32768, 32767),
        padding=padding,
        voi=None,
        spacing_mm=(0.7, 0.7),
        rescale_type=rescale_type,
    )


def noisy_disc(size: int = 128, sd: float = 20.0, seed: int = 0) -> NDArray[np.int16]:
    rows, columns = np.mgrid[:size, :size] - size / 2
    body = np.where(np.hypot(rows, columns) < size * 0.45, 40.0, -1000.0)
    noise = np.random.default_rng(seed).normal(0, sd, (size, size))
    return np.asarray(np.round(body + noise) + 1024, dtype=np.int16)


def answer(
    acquisition: Acquisition, image: PixelImage, card: ModelCard, hu: NDArray[np.float32]
) -> NDArray[np.float32]:
    return frame(acquisition, image, card, hu).values


def frame(acquisition: Acquisition, image: PixelImage, card: ModelCard, hu: NDArray[np.float32]) -> Frame:
    return TASK.interpret(acquisition, image, {"denoised": hu[None, None]}, card)


def test_original_axial_ct_is_accepted(make_acquisition: MakeAcquisition, denoise_card: ModelCard) -> None:
    assert TASK.accepts(make_acquisition(**CT), denoise_card) is None


def test_a_silent_header_is_no_reason_but_one_that_speaks_is(
    make_acquisition: MakeAcquisition, denoise_card: ModelCard
) -> None:
    use = replace(denoise_card.intended_use, body_parts=("CHEST",), minimum_age_years=18.0)
    card = replace(denoise_card, intended_use=use)
    assert TASK.accepts(make_acquisition(**CT, body_part=None, patient={"age_years": None}), card) is None
    for known in ({"body_part": "ABDOMEN"}, {"body_part": "CHEST", "patient": {"age_years": 3.0}}):
        assert TASK.accepts(make_acquisition(**CT, **known), card) is not None


# Trace: REQ-021
@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"modality": "MR"}, "The modality is MR"),
        ({"sop_class_uid": "1.2.840.10008.5.1.4.1.1.2.1"}, "single CT images"),
        ({"pixels": {"number_of_frames": 40}}, "single CT images"),
        ({"image_type": ("ORIGINAL", "PRIMARY", "LOCALIZER")}, "localizer"),
        ({"image_type": ("DERIVED", "SECONDARY", "AXIAL")}, "made from other images"),
        ({"pixels": {"photometric_interpretation": "MONOCHROME1"}}, "inverted"),
        ({"pixels": {"photometric_interpretation": "RGB", "samples_per_pixel": 3}}, "RGB picture"),
        ({"kind": Kind.PROJECTION}, "series of slices"),
    ],
)
def test_other_series_are_refused_in_words(
    make_acquisition: MakeAcquisition, denoise_card: ModelCard, known: dict[str, Any], words: str
) -> None:
    refusal = TASK.accepts(make_acquisition(**CT | known), denoise_card)
    assert refusal is not None
    assert words in refusal.reason


def test_prepare_gives_hu_padded_to_the_multiple(
    make_acquisition: MakeAcquisition, denoise_card: ModelCard
) -> None:
    stored = np.arange(30 * 33, dtype=np.int16).reshape(30, 33)
    tensor = TASK.prepare(make_acquisition(**CT), ct_slice(stored), denoise_card)["slice"]
    assert tensor.shape == (1, 1, 32, 36)
    assert tensor.dtype == np.float32
    np.testing.assert_array_equal(tensor[0, 0, :30, :33], stored - 1024.0)
    np.testing.assert_array_equal(tensor[0, 0, 30], tensor[0, 0, 29])
    assert TASK.prepare(make_acquisition(**CT), ct_slice(stored), None) == {}


def test_values_that_are_no_hounsfield_units_are_refused(
    make_acquisition: MakeAcquisition, denoise_card: ModelCard
) -> None:
    image = ct_slice(np.zeros((8, 8), np.int16), rescale_type="US")
    with pytest.raises(InputError, match="US, not HU"):
        TASK.prepare(make_acquisition(**CT), image, denoise_card)


def test_a_denoised_slice_is_less_noisy_and_keeps_its_edges(
    make_acquisition: MakeAcquisition, denoise_card: ModelCard
) -> None:
    image = ct_slice(noisy_disc())
    smooth = cv2.bilateralFilter(np.asarray(image.grey()), 7, 120, 3)
    made = answer(make_acquisition(**CT), image, denoise_card, smooth)
    inside = np.s_[48:80, 48:80]
    assert made[inside].std() < 0.6 * image.grey()[inside].std()
    assert made[inside].mean() == pytest.approx(image.grey()[inside].mean(), abs=0.5)
    assert not made.flags.writeable
    assert made.dtype == np.float32


def test_padding_and_values_beyond_ct_numbers_come_back_as_they_were(
    make_acquisition: MakeAcquisition, denoise_card: ModelCard
) -> None:
    stored = noisy_disc()
    stored[:, :6] = -976  # -2000 HU, undeclared padding
    stored[:, -6:] = 63  # declared padding inside the range of CT numbers
    stored[60:64, 60:64] = 9000  # metal
    image = ct_slice(stored, padding=(63, 63))
    added = noisy_disc().astype(np.float32) - noisy_disc(sd=0.0)
    smooth = np.asarray(image.grey() - np.float32(0.8) * added)
    made = answer(make_acquisition(**CT), image, denoise_card, smooth)
    for place in (np.s_[:, :6], np.s_[:, -6:], np.s_[60:64, 60:64]):
        np.testing.assert_array_equal(made[place], image.grey()[place])
    assert (made != image.grey()).mean() > 0.5


def test_a_float_slice_with_holes_keeps_them(
    make_acquisition: MakeAcquisition, denoise_card: ModelCard
) -> None:
    stored = noisy_disc().astype(np.float32)
    stored[3, 4] = np.nan
    image = ct_slice(stored)
    tensor = TASK.prepare(make_acquisition(**CT), image, denoise_card)["slice"]
    assert np.isfinite(tensor).all()
    made = answer(make_acquisition(**CT), image, denoise_card, tensor[0, 0])
    assert np.isnan(made[3, 4])
    assert np.isnan(made).sum() == 1


# Trace: REQ-026
def test_no_change_is_larger_than_noise(make_acquisition: MakeAcquisition, denoise_card: ModelCard) -> None:
    """A network that erases a nodule and paints another one is held to the noise in both places."""
    stored = noisy_disc(sd=10)
    stored[40:46, 40:46] += 300
    image = ct_slice(stored)
    wish = np.asarray(image.grey()).copy()
    wish[40:46, 40:46] = 40
    wish[80:86, 80:86] = 340
    made = answer(make_acquisition(**CT), image, denoise_card, wish)
    change = np.abs(made - image.grey())
    assert change.max() < BOUND_SD * 10 * 1.5
    assert made[40:46, 40:46].mean() > 300
    assert made[80:86, 80:86].mean() < 80


def test_a_constant_slice_is_not_changed(make_acquisition: MakeAcquisition, denoise_card: ModelCard) -> None:
    image = ct_slice(np.full((64, 64), 1024, np.int16))
    made = answer(make_acquisition(**CT), image, denoise_card, np.full((64, 64), 2, np.float32))
    np.testing.assert_array_equal(made, image.grey())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda hu: hu * np.nan, "not numbers"),
        (lambda hu: hu[:-8], "has the shape"),
        (lambda hu: hu + 8, "shifted the CT numbers by 8"),
    ],
)
def test_a_broken_answer_is_withheld(
    make_acquisition: MakeAcquisition,
    denoise_card: ModelCard,
    change: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    words: str,
) -> None:
    image = ct_slice(noisy_disc())
    with pytest.raises(EngineError, match=words):
        answer(make_acquisition(**CT), image, denoise_card, change(np.asarray(image.grey())))


@pytest.mark.parametrize(("sd", "grain_px"), [(5.0, 0.0), (20.0, 0.0), (20.0, 0.8), (60.0, 0.8)])
def test_the_measured_noise_is_the_planted_noise(sd: float, grain_px: float) -> None:
    noise = np.random.default_rng(3).normal(0, 1, (256, 256)).astype(np.float32)
    if grain_px:
        noise = cv2.GaussianBlur(noise, (0, 0), grain_px)
    noise *= np.float32(sd / noise.std())
    flat = noise + 50
    flat[:, 100:110] += 700  # an edge through some blocks
    measured = noise_sd(flat)
    assert measured.shape == flat.shape
    assert float(np.median(measured)) == pytest.approx(sd, rel=0.2)
    assert measured.max() < 3.0 * sd


def test_small_and_odd_slices_are_measured_too() -> None:
    for shape in ((7, 9), (33, 64), (129, 31)):
        noise = np.random.default_rng(3).normal(0, 10, shape).astype(np.float32)
        assert noise_sd(noise).shape == shape
        assert bounded(noise, noise, noise_sd(noise)).shape == shape


def test_real_noise_is_within_the_bound(real_data: Any) -> None:
    """Quarter and full dose of the same slices: their difference is the noise that was added."""
    pairs = sorted((real_data / "ct" / "ct-lowdose-pairs").rglob("*_QD.dcm"))[::3]
    assert pairs
    for quarter in pairs:
        noisy, clean = (_hu(path) for path in (quarter, quarter.with_name(quarter.name.replace("QD", "FD"))))
        body = np.abs(cv2.blur(clean, (9, 9)) - 40) < 60
        added = (noisy - clean)[body]
        measured = noise_sd(noisy)[body]
        # the full-dose slice carries a quarter of the quarter-dose slice's variance
        true_sd = float(np.sqrt((added**2).mean() * 0.8))
        assert 1.0 < float(np.median(measured)) / true_sd < 1.8
        assert (np.abs(added) * np.sqrt(0.8) > BOUND_SD * measured).mean() < 0.01


def _hu(path: Any) -> NDArray[np.float32]:
    dataset = pydicom.dcmread(path, force=True)
    slope, intercept = float(dataset.RescaleSlope), float(dataset.RescaleIntercept)
    return dataset.pixel_array.astype(np.float32) * np.float32(slope) + np.float32(intercept)
