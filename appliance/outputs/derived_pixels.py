# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The pixels of a derived image: in the original's stored integers, shown as the original is shown."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from appliance.domain.image import GreyArray, PixelImage
from appliance.errors import InputError
from appliance.outputs.source_header import take_over

WINDOW: Final = ("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation", "VOILUTFunction")
BITS_ALLOCATED: Final = 16
LEAST_BITS_STORED: Final = 12
"""PS3.3 C.8.2.1.1: a CT image allocates 16 bits and stores 12 to 16."""
REMEDY: Final = "The series is not denoised; the original is untouched."


def stored_values(image: PixelImage, grey: GreyArray) -> NDArray[Any]:
    """A new frame in the original's stored integers; pixels that did not change keep theirs exactly.

    Rounded to the nearest step and held within what the stored format can express.
    """
    if image.stored.dtype.kind == "f":
        raise InputError("The original stores floating-point values; it cannot be repeated.", remedy=REMEDY)
    low, high = image.stored_range
    wanted = (grey - np.float32(image.intercept)) / np.float32(image.slope)
    if image.inverted:
        wanted = np.float32(low + high) - wanted
    same = grey == image.grey()
    rounded = np.clip(np.rint(np.where(same, np.float32(low), wanted)), low, high).astype(image.stored.dtype)
    return np.where(same, image.stored, rounded)


def describe_pixels(
    dataset: Dataset, header: Dataset, image: PixelImage, stored: NDArray[Any], pixels: bytes
) -> None:
    """The Image Pixel, Modality LUT and VOI LUT modules: as the original's, with these pixels."""
    signed = stored.dtype.kind == "i"
    low, high = image.stored_range
    bits_stored = max(high.bit_length(), (-low - 1).bit_length()) + 1 if signed else high.bit_length()
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME1" if image.inverted else "MONOCHROME2"
    dataset.Rows, dataset.Columns = stored.shape
    dataset.BitsAllocated = BITS_ALLOCATED
    dataset.BitsStored = min(max(bits_stored, LEAST_BITS_STORED), BITS_ALLOCATED)
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(signed)
    dataset.RescaleIntercept = f"{image.intercept:.10g}"
    dataset.RescaleSlope = f"{image.slope:.10g}"
    dataset.RescaleType = image.rescale_type or "HU"
    if image.padding is not None:
        dataset.PixelPaddingValue = image.padding[0]
        if image.padding[1] != image.padding[0]:
            dataset.PixelPaddingRangeLimit = image.padding[1]
    take_over(header, dataset, WINDOW, always=False)
    if "WindowCenter" not in dataset or "WindowWidth" not in dataset:
        for keyword in WINDOW:
            dataset.pop(keyword, None)
    dataset.PixelData = pixels
    dataset["PixelData"].VR = "OW"


def strength_of(image: PixelImage, stored: NDArray[Any]) -> str:
    """How much was taken away in this slice, in words with numbers: the change of its values."""
    change = (stored.astype(np.float32) - image.stored.astype(np.float32)) * np.float32(abs(image.slope))
    rms, most = float(np.sqrt(np.mean(np.square(change)))), float(np.abs(change).max())
    unit = image.rescale_type or "HU"
    return f"changed by {rms:.1f} {unit} root mean square and {most:.0f} {unit} at most"
