# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A slice as a network looks at it: the one preparation of the card's kind `slice`."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.domain.image import GreyArray

LOWEST_HU: Final = -1024.0
"""Below lies what scanners write outside the reconstructed circle (-2000, -2048, -3024): no CT numbers."""
HIGHEST_HU: Final = 3071.0
"""Above a 12-bit scanner says only "very dense"; metal is not for a denoiser."""


def slice_tensor(grey: GreyArray, *, multiple_of_px: int) -> NDArray[np.float32]:
    """float32 [1, 1, rows, columns]: the slice in its own units, padded by reflection to a multiple."""
    if not np.isfinite(grey).all():
        grey = np.nan_to_num(grey, nan=LOWEST_HU, posinf=HIGHEST_HU, neginf=LOWEST_HU)
    rows, columns = grey.shape
    padded = np.pad(grey, ((0, -rows % multiple_of_px), (0, -columns % multiple_of_px)), mode="symmetric")
    return padded[None, None]
