# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with a stick or a bundle, in words."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from appliance.errors import DeliveryError, InputError

BUNDLE_SUFFIX: Final = ".scanside-courier"
RECEIPT_SUFFIX: Final = ".scanside-receipt"
FULL: Final = (errno.ENOSPC, errno.EDQUOT)
GONE: Final = (errno.EIO, errno.ENODEV, errno.ENXIO, errno.ENOENT, errno.ESTALE)


class CourierRefusedError(InputError):
    """A bundle or a receipt is not what it has to be. Nothing of it was used."""


@contextmanager
def stick_in_words(folder: Path) -> Iterator[None]:
    """What the system says about the stick, as a DeliveryError for a person."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            what = f"The stick at {folder} is full."
            remedy = "Take an empty stick, or remove old bundles whose receipts came home; then pack again."
        elif error.errno == errno.EFBIG:
            what = f"The stick at {folder} takes no file this large (FAT32 ends at 4 GiB)."
            remedy = "Give a smaller --max-gib, or format the stick as exFAT; then pack again."
        elif error.errno == errno.EROFS:
            what = f"The stick at {folder} is write-protected."
            remedy = "Move its switch, or mount it for writing; then pack again."
        elif error.errno in GONE:
            what = f"The stick at {folder} is gone or faulty ({error.strerror})."
            remedy = "Put it in again, or take another one; then repeat the command. Nothing was lost."
        else:
            what = f"The stick at {folder} cannot be used: {error.strerror or error}."
            remedy = "Check that it is mounted and that you may write there; then repeat the command."
        raise DeliveryError(what, remedy=remedy, permanent=False) from error
