# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""One thing that the doctor looked at, and what was found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

NOT_TRIED: Final = "not tried"
"""What a finding begins with that is none."""


class Health(str, Enum):
    """The word for one check."""

    OK = "OK"
    CHECK = "CHECK"
    """It works, or may work; a person should look."""
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """One thing that was looked at."""

    subject: str
    health: Health
    found: str
    remedy: str = ""
