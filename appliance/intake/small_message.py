# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Data sets that come in messages (steps, commitment, worklist): read outside the jail, so within limits.

They hold references and words, no pixels. What a few bytes of a stranger's may become in memory is bounded
before the library sees them: no deflation (1:1000), few bytes, few items. What it raises all the same, or
what one of its values raises later, ends as an answer to the stranger and never as the end of a process.
"""

from __future__ import annotations

from io import BytesIO
from typing import Final

from pydicom.errors import InvalidDicomError
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from appliance.intake.header_values import VALUE_FAULTS

MESSAGE_SYNTAXES: Final = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)
"""Without the deflated one, which the network library would offer by itself and inflate without a limit."""
LARGEST_MESSAGE_BYTES: Final = 8 * 1024**2
"""20,000 references of some 200 bytes are 4 MB."""
MOST_ITEMS: Final = 25_000
"""An item of no content takes 8 bytes there and some 1,500 here; 20,000 images and their series fit."""
_ITEM_TAGS: Final = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")
"""(FFFE,E000) in either byte order."""
MESSAGE_FAULTS: Final = (
    *VALUE_FAULTS,
    InvalidDicomError,
    RuntimeError,  # RecursionError is one: sequences within sequences
    EOFError,
    OSError,  # raised by the library for what is cut off
    NameError,  # UnboundLocalError, for a value without an end
    MemoryError,
)
"""What reading a whole data set raises in pydicom 3, at once or when one of its values is looked at."""


def is_bearable(content: BytesIO | None) -> bool:
    """Whether a message that was received is small enough to be read here. None (no content): it is not."""
    if content is None:
        return False
    with content.getbuffer() as view:
        if view.nbytes > LARGEST_MESSAGE_BYTES:
            return False
    whole = content.getvalue()
    return sum(map(whole.count, _ITEM_TAGS)) <= MOST_ITEMS
