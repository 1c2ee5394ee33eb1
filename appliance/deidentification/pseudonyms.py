# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for what identifies a patient: always the same one for the same thing, and no way back.

Each follows from the original by a keyed hash (HMAC-SHA-256). Without the key nobody can try out names; who
has the key file can, so it never leaves the device.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from appliance.device_key import secret_made_once

KEY_BYTES: Final = 32
NAME_LETTERS: Final = 10
"""Of base 32: 50 bits, so that a million patients share none by accident."""
LONGEST_SHIFT_DAYS: Final = 3650
"""Dates of one patient move back by the same number of days, one to this many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pseudonyms:
    """The stand-ins that one key makes."""

    key: bytes

    def uid(self, original: str) -> str:
        """A UID under 2.25 (PS3.5 annex B.2)."""
        return f"2.25.{uuid.UUID(bytes=self._hash('uid', original)[:16], version=5).int}"

    def patient(self, original: str) -> str:
        """For PatientID and PatientName."""
        return base64.b32encode(self._hash("patient", original)).decode("ascii")[:NAME_LETTERS]

    def shifted(self, day: date, *, patient: str) -> date:
        """The day moved back by this patient's number of days; intervals stay."""
        number = int.from_bytes(self._hash("days", patient)[:8], "big")
        days = 1 + number % LONGEST_SHIFT_DAYS
        return day - timedelta(days=days) if day.toordinal() > days else date.min

    def _hash(self, kind: str, original: str) -> bytes:
        content = f"{kind}\0{original}".encode("utf-8", "backslashreplace")
        return hmac.digest(self.key, content, hashlib.sha256)


def pseudonyms_of(key_file: Path) -> Pseudonyms:
    """With the key of this file, which is made when it is not there.

    Raises ConfigError when others may read the key, OSError when the folder cannot be used.
    """
    return Pseudonyms(key=secret_made_once(key_file, partial(os.urandom, KEY_BYTES)))
