# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Look-up tables as DICOM stores them (PS3.3 C.11.1.1 and C.11.2.1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from appliance.intake.header_values import VALUE_FAULTS, raw_value

_ENTRIES_FOR_ZERO: Final = 65536
"""An entry count of 0 means 2**16, which does not fit its 16-bit field."""
_FEWEST_BITS: Final = 8
_MOST_BITS: Final = 16
_SIGN_BIT: Final = 0x8000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LookUpTable:
    """A table: input `first` is mapped to `values[0]`; beyond its ends the end values hold."""

    values: NDArray[np.uint16]
    """Read-only."""
    first: int
    bits: int
    """Range of the outputs: 0 to 2**bits - 1."""


def read_table(source: Dataset, *, little_endian: bool, first_is_signed: bool) -> LookUpTable | None:
    """The table of an item with LUTDescriptor and LUTData, or None where it is not a valid one.

    The second value of the descriptor is signed or not as the input of the table is, whatever VR a writer
    gave it.
    """
    descriptor = raw_value(source, "LUTDescriptor")
    data = raw_value(source, "LUTData")
    try:
        entries, first, bits = (int(one) for one in descriptor)
        values = _entries(data, little_endian=little_endian)
    except VALUE_FAULTS:
        return None
    entries = entries or _ENTRIES_FOR_ZERO
    if first_is_signed and first >= _SIGN_BIT:
        first -= 2 * _SIGN_BIT
    if not _FEWEST_BITS <= bits <= _MOST_BITS or entries < 1:
        return None
    if bits == _FEWEST_BITS and values.size == (entries + 1) // 2:
        values = values.astype("<u2").view(np.uint8).astype(np.uint16)  # two 8-bit entries in each word
    if values.size < entries or int(values[:entries].max()) >= 2**bits:
        return None
    values = values[:entries].copy()
    values.flags.writeable = False
    return LookUpTable(values=values, first=first, bits=bits)


def _entries(data: object, *, little_endian: bool) -> NDArray[np.uint16]:
    if isinstance(data, bytes):
        return np.frombuffer(data[: len(data) // 2 * 2], "<u2" if little_endian else ">u2").astype(np.uint16)
    return np.asarray(data, dtype=np.uint16).reshape(-1)
