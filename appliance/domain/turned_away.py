# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Who was turned away at the DICOM door, and why: addresses and reasons, nothing of any patient."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

REPEATEDLY: Final = 3
"""One refusal is a mistyped name; from the third on somebody should know."""


class Bar(str, Enum):
    """What kept a caller out."""

    CALLED_TITLE = "called_title"
    CALLING_TITLE = "calling_title"
    TOO_MANY = "too_many"
    TOO_MANY_FROM_HOST = "too_many_from_host"
    TOO_OFTEN = "too_often"
    TLS = "tls"
    TOO_SLOW = "too_slow"
    TOO_LARGE = "too_large"
    NOT_DICOM = "not_dicom"

    @property
    def words(self) -> str:
        """For the log and for `doctor`."""
        return _WORDS[self][0]

    @property
    def remedy(self) -> str:
        """What a person may do about it where the caller is a friend."""
        return _WORDS[self][1]


_WORDS: Final = {
    Bar.CALLED_TITLE: (
        "it calls us by another name",
        "Correct the called AE title there, or add it to listener.called_ae_titles.",
    ),
    Bar.CALLING_TITLE: (
        "its AE title is not one of those that may send",
        "If it may send, add its AE title to listener.calling_ae_titles.",
    ),
    Bar.TOO_MANY: (
        "as many associations are open as may be",
        "Raise listener.max_associations if that many devices send at once here.",
    ),
    Bar.TOO_MANY_FROM_HOST: (
        "it has as many associations open as one machine may have",
        "Let it send over fewer at once, or raise listener.max_associations_per_host.",
    ),
    Bar.TOO_OFTEN: (
        "it connects too often",
        "Let it send many images over one association, or raise listener.associations_per_min.",
    ),
    Bar.TLS: (
        "TLS could not be agreed on",
        "Check that it speaks TLS 1.2 or 1.3 to us, trusts our certificate, and shows one that we trust.",
    ),
    Bar.TOO_SLOW: (
        "it let us wait in the middle of what it was saying",
        "Check the network between it and this device.",
    ),
    Bar.TOO_LARGE: (
        "it announced or sent more than is allowed",
        "Check what it sends; listener.max_held_bytes and intake.max_file_bytes are the limits.",
    ),
    Bar.NOT_DICOM: (
        "what it sent is not DICOM",
        "Find out which program that is; a scanner of the network, or TLS where none is spoken.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnedAway:
    """One machine and one reason."""

    host: str
    bar: Bar
    ae_title: str = ""
    """What it calls itself; empty: it did not come that far."""
    count: int
    """Since the last hour without."""
    last_ns: int
    """Monotonic, of this boot."""

    @property
    def is_repeated(self) -> bool:
        """Often enough to be told to a person."""
        return self.count >= REPEATEDLY

    @property
    def words(self) -> str:
        """For people."""
        title = f" ({self.ae_title})" if self.ae_title else ""
        return f"{self.host}{title} was turned away {self.count} times: {self.bar.words}"
