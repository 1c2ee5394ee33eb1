# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The display table against pydicom's LUT functions, on every value that 16 bits can hold."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut, apply_voi_lut

from appliance.domain.image import PixelImage, VoiFunction
from appliance.intake.display import display_table
from appliance.intake.jail import Jail

WriteDicom = Callable[..., Path]
EVERY_VALUE = np.arange(65536, dtype=np.uint16).reshape(256, 256)


def shown(image: PixelImage) -> NDArray[np.uint8]:
    return display_table(image)[image.stored.view(f"u{image.stored.dtype.itemsize}")]


def reference(path: Path, values: NDArray[Any] | None = None) -> NDArray[np.float64]:
    """pydicom's picture of its pixels, or of these stored values; 0..255, not rounded."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path)
        modality = apply_modality_lut(dataset.pixel_array, dataset) if values is None else values
        if values is not None and "ModalityLUTSequence" not in dataset:
            modality = apply_modality_lut(values, dataset)
        picture = np.asarray(apply_voi_lut(modality, dataset), np.float64)
    bits, signed = dataset.BitsStored, dataset.PixelRepresentation == 1
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    slope, intercept = float(dataset.get("RescaleSlope", 1)), float(dataset.get("RescaleIntercept", 0))
    low, high = low * slope + intercept, high * slope + intercept
    if "ModalityLUTSequence" in dataset:
        low, high = 0, 2 ** dataset.ModalityLUTSequence[0].LUTDescriptor[2] - 1
    if "VOILUTSequence" in dataset:
        low, high = 0, 2 ** dataset.VOILUTSequence[0].LUTDescriptor[2] - 1
    picture = np.clip((picture - low) / (high - low), 0, 1) * 255
    return 255 - picture if dataset.PhotometricInterpretation == "MONOCHROME1" else picture


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID", None])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("dtype", [np.uint16, np.int16])
def test_windows_equal_pydicom(
    jail: Jail, write_dicom: WriteDicom, function: str | None, photometric: str, dtype: type[np.integer[Any]]
) -> None:
    path = write_dicom(
        EVERY_VALUE.view(dtype),
        PhotometricInterpretation=photometric,
        RescaleSlope="0.5",
        RescaleIntercept="-1024",
        WindowCenter=["1040.5", "1"],
        WindowWidth=["1801", "2"],
        **({} if function is None else {"VOILUTFunction": function}),
    )
    image = jail.frame(path, 0)
    assert image.voi is not None
    assert image.voi.function.value == (function or "LINEAR")
    assert np.abs(shown(image) - reference(path)).max() <= 0.5 + 1e-6


@pytest.mark.parametrize(("bits", "first"), [(10, 1000), (12, -500), (16, 0)])
def test_voi_tables_equal_pydicom(jail: Jail, write_dicom: WriteDicom, bits: int, first: int) -> None:
    table = Dataset()
    entries = 3000
    table.add_new("LUTDescriptor", "SS" if first < 0 else "US", [entries, first, bits])
    rising = np.linspace(0, 2**bits - 1, entries).astype(int)
    table.add_new("LUTData", "US", rising.tolist())
    path = write_dicom(EVERY_VALUE.view(np.int16 if first < 0 else np.uint16), VOILUTSequence=[table])
    image = jail.frame(path, 0)
    assert image.voi is not None
    assert image.voi.function is VoiFunction.TABLE
    assert image.voi.table_first == first
    assert np.abs(shown(image) - reference(path)).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("packed", [True, False])
def test_eight_bit_voi_tables_hold_beyond_their_ends(
    jail: Jail, write_dicom: WriteDicom, packed: bool
) -> None:
    """Entries one to a word, or two; pydicom counts them in eight bits, so the truth is written out here."""
    table = Dataset()
    table.LUTDescriptor = [4, 1000, 8]
    entries = bytes([3, 80, 170, 250])
    table.LUTData = entries if packed else b"".join(bytes([one, 0]) for one in entries)
    image = jail.frame(write_dicom(EVERY_VALUE, VOILUTSequence=[table]), 0)
    found = display_table(image)
    assert found[[0, 999, 1000, 1001, 1002, 1003, 1004, 65535]].tolist() == [3, 3, 3, 80, 170, 250, 250, 250]


def test_real_headers_equal_pydicom_on_every_value(jail: Jail, real_data: Path) -> None:
    compared = 0
    for path in sorted((real_data / "ct" / "dx-cr").glob("*.dcm")):
        image = jail.frame(path, 0)
        if image.voi is None:
            continue
        values = np.arange(65536, dtype=np.uint16).view(image.stored.dtype)
        assert np.abs(display_table(image) - reference(path, values)).max() <= 0.5 + 1e-6, path.name
        compared += 1
    assert compared >= 4


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
def test_eight_bit_samples_index_by_their_pattern(
    jail: Jail, write_dicom: WriteDicom, dtype: type[np.integer[Any]]
) -> None:
    values = np.arange(256, dtype=np.uint8).view(dtype).reshape(16, 16)
    path = write_dicom(values, WindowCenter="10", WindowWidth="100")
    assert np.abs(shown(jail.frame(path, 0)) - reference(path)).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("width", ["0", "0.5", "-3"])
def test_an_impossible_window_is_none(jail: Jail, write_dicom: WriteDicom, width: str) -> None:
    image = jail.frame(write_dicom(EVERY_VALUE, WindowCenter="100", WindowWidth=width), 0)
    assert image.voi is None
    assert shown(image).min() == 0
    assert shown(image).max() == 255


def test_without_a_window_the_anatomy_is_shown_and_padding_is_not_counted(
    jail: Jail, write_dicom: WriteDicom
) -> None:
    """A picture between 1000 and 2000, half of the frame padding at 0, a few dead pixels at 65535."""
    rng = np.random.default_rng(8)
    picture = rng.integers(1000, 2001, (400, 400), dtype=np.uint16)
    picture[:200] = 0
    picture[300, :20] = 65535
    image = jail.frame(write_dicom(picture, PixelPaddingValue=0), 0)
    table = display_table(image)
    assert table[1000] <= 3
    assert table[2000] >= 252
    assert table[1500] == pytest.approx(127.5, abs=3)
    assert not table.flags.writeable


def test_a_flat_frame_and_a_floating_point_one(jail: Jail, write_dicom: WriteDicom) -> None:
    flat = jail.frame(write_dicom(np.full((9, 9), 7, np.uint16)), 0)
    assert set(np.unique(display_table(flat))) <= set(range(256))
    floating = PixelImage(
        stored=np.zeros((2, 2), np.float32),
        slope=1.0,
        intercept=0.0,
        inverted=False,
        stored_range=(0, 1),
        padding=None,
        voi=None,
        spacing_mm=None,
        rescale_type=None,
    )
    with pytest.raises(ValueError, match="floating-point"):
        display_table(floating)


def test_colour_images_are_shown_as_they_were_drawn(jail: Jail, write_dicom: WriteDicom) -> None:
    grey = np.linspace(50, 60, 64).astype(np.uint8).reshape(8, 8)
    colours = np.repeat(grey[..., np.newaxis], 3, axis=2)
    path = write_dicom(
        grey, raw=colours.tobytes(), SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0
    )
    assert np.array_equal(shown(jail.frame(path, 0)), grey)
