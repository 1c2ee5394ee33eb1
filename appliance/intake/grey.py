# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Colour samples to grey ones. Colour carries no measured intensity: what is made here is for looking at."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut

from appliance.domain.acquisition import PixelFormat
from appliance.errors import InputError
from appliance.intake.header_values import VALUE_FAULTS

_LUMA: Final = np.array((0.299, 0.587, 0.114), np.float32)
"""Red, green and blue in the Y of PS3.3 section C.7.6.3.1.2 (ITU-R BT.601)."""


def luminance(samples: NDArray[Any], pixel_format: PixelFormat) -> NDArray[Any]:
    """Brightness of RGB or YBR samples, same depth. What was already reduced to brightness is passed on."""
    if samples.ndim == 2:
        return samples
    is_native_ybr = pixel_format.photometric_interpretation in ("YBR_FULL", "YBR_FULL_422")
    if is_native_ybr:
        return np.ascontiguousarray(samples[..., 0])
    brightness: NDArray[np.float32] = samples[..., :3].astype(np.float32) @ _LUMA
    return np.rint(brightness).astype(samples.dtype)


def palette_grey(samples: NDArray[Any], dataset: Dataset, pixel_format: PixelFormat) -> NDArray[Any]:
    """Brightness of the palette's colours, 8 or 16 bits as its entries are. Raises InputError without one."""
    try:
        colours = apply_color_lut(np.ascontiguousarray(samples), dataset)
    except VALUE_FAULTS as error:
        raise InputError(
            "The image is coded in palette colours, but its palette is missing or damaged.",
            remedy="Ask the sender to export the image again.",
        ) from error
    return luminance(colours, pixel_format)
