# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a header asks to see of its image: VOI table or window. Runs inside the jail."""

from __future__ import annotations

from typing import Final

import numpy as np
from pydicom.dataset import Dataset

from appliance.domain.image import Voi, VoiFunction
from appliance.intake.header_values import item, number, word
from appliance.intake.lut import read_table


def read_voi(source: Dataset, *, little_endian: bool, first_is_signed: bool) -> Voi | None:
    """What the header asks to see: its VOI table, else its first valid window, else None.

    `source` is the data set, or the FrameVOILUTSequence item of a frame. A table wins over a window, as in
    pydicom's `apply_voi_lut`; a window that PS3.3 C.11.2.1.2 forbids (width below 1, not finite) is none.
    """
    table_item = item(source, "VOILUTSequence")
    if table_item is not None:
        table = read_table(table_item, little_endian=little_endian, first_is_signed=first_is_signed)
        if table is not None:
            return Voi(
                function=VoiFunction.TABLE,
                center=None,
                width=None,
                table=table.values,
                table_first=table.first,
                table_bits=table.bits,
            )
    center, width = number(source, "WindowCenter"), number(source, "WindowWidth")
    name = word(source, "VOILUTFunction")
    function = VoiFunction(name) if name in _WINDOW_FUNCTIONS else VoiFunction.LINEAR
    narrowest = 1.0 if function is VoiFunction.LINEAR else np.finfo(np.float32).tiny
    if center is None or width is None or width < narrowest:
        return None
    return Voi(function=function, center=center, width=width)


_WINDOW_FUNCTIONS: Final = frozenset({"LINEAR", "LINEAR_EXACT", "SIGMOID"})
