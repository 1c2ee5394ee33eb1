# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What the QR code of a slip holds: the result in one line of text, signed by the device that printed it.

    SCANSIDE-SLIP-1;exam=5D1F-0C2A;date=2026-01-02;model=chest_triage@2.1;
    SCT:60046008=high,0.81,0.20,0.70;key=<16 digits>;sig=<Ed25519, base64url>       (without the line break)

A finding stands with its band, score and both thresholds. Signed (RFC 8032) is everything before `;sig=`,
after a context that makes a signature for something else none for a slip. There is one form only, so that
no bit of it can change unseen. No name and no number of the patient stands in it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from appliance.errors import InputError
from appliance.models.keys import fingerprint_of

CONTEXT: Final = b"scanside slip 1\n"
UNKNOWN: Final = "unknown"
KEY_DIGITS: Final = 16
"""Of the key's fingerprint: enough to pick one key out of a drawer; the signature proves the rest."""
WORD: Final = r"[A-Za-z0-9_.@+-]{1,64}"
NO_WORD: Final = re.compile(r"[^A-Za-z0-9_.@+-]")
NUMBER: Final = r"[01]\.\d\d"
_LINE: Final = re.compile(
    rf"SCANSIDE-SLIP-1;exam=(?P<exam>[0-9A-F]{{4}}-[0-9A-F]{{4}});date=(?P<date>\d{{4}}-\d\d-\d\d|{UNKNOWN})"
    rf"(?P<models>(;model={WORD})*)"
    rf"(?P<found>(;{WORD}:{WORD}=(high|raised|below),{NUMBER},{NUMBER},{NUMBER})*)"
    rf"(?P<refused>(;{WORD}=not_analysed)*)(;more=(?P<more>[1-9]\d?))?"
    rf";key=(?P<key>[0-9a-f]{{{KEY_DIGITS}}})"
)
SIGNATURE: Final = ";sig="


@dataclass(frozen=True, slots=True, kw_only=True)
class SlipFinding:
    """One finding on a slip."""

    code: str
    """`scheme:value`."""
    band: str
    """high, raised or below: how the score stands to the thresholds."""
    score: float
    raised_from: float
    high_from: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """What a slip says."""

    exam: str
    """Eight digits by which the device finds the exam: 5D1F-0C2A."""
    date: str | None
    """Of the image; None: nobody knows."""
    models: tuple[str, ...]
    """`task@version` of those that answered."""
    findings: tuple[SlipFinding, ...]
    not_analysed: tuple[str, ...]
    """Tasks that did not answer."""
    more: int = 0
    """Findings below the threshold for which there was no room."""


def word(text: str) -> str:
    """Text as it may stand in the line."""
    return NO_WORD.sub("_", text)[:64] or "_"


def signed(slip: Slip, key: Ed25519PrivateKey) -> str:
    """The line, signed. The same slip of the same device is the same line."""
    parts = ["SCANSIDE-SLIP-1", f"exam={slip.exam}", f"date={slip.date or UNKNOWN}"]
    parts += [f"model={word(model)}" for model in slip.models]
    parts += [
        f"{found.code}={found.band},{found.score:.2f},{found.raised_from:.2f},{found.high_from:.2f}"
        for found in slip.findings
    ]
    parts += [f"{word(task)}=not_analysed" for task in slip.not_analysed]
    parts += [f"more={slip.more}"] if slip.more else []
    statement = ";".join((*parts, f"key={fingerprint_of(key.public_key())[:KEY_DIGITS]}"))
    if _LINE.fullmatch(statement) is None:
        raise InputError(
            "This result does not fit on a slip.", remedy="Read it on the screen or in `scanside results`."
        )
    signature = base64.urlsafe_b64encode(key.sign(CONTEXT + statement.encode("ascii")))
    return statement + SIGNATURE + signature.decode("ascii").rstrip("=")


def verified(text: str, keys: Iterable[Ed25519PublicKey]) -> Slip:
    """What a scanned line says, if one of these keys has signed it. Raises InputError in words."""
    statement, _, signature = text.strip().partition(SIGNATURE)
    line = _LINE.fullmatch(statement)
    if line is None or not re.fullmatch(r"[A-Za-z0-9_-]{86}", signature):
        raise InputError(
            "This is not the text of a slip, or a part of it is missing.", remedy="Scan the whole code again."
        )
    key = next((key for key in keys if fingerprint_of(key)[:KEY_DIGITS] == line["key"]), None)
    if key is None:
        raise InputError(
            f"The slip says that the key {line['key']} signed it, which is none of the given ones.",
            remedy="Ask the site that printed it for the public key of its device (`scanside slip key`).",
        )
    try:
        raw = base64.urlsafe_b64decode(signature + "==")
        key.verify(raw, CONTEXT + statement.encode("ascii"))
    except InvalidSignature as error:
        raise InputError(
            "The signature does not hold: this slip was changed, or was never printed by this device.",
            remedy="Do not act on it. Look the exam up on the device.",
        ) from error
    if base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=") != signature:
        raise InputError(
            "This is not the text of a slip as a device writes it.", remedy="Scan the code again."
        )
    return Slip(
        exam=line["exam"],
        date=None if line["date"] == UNKNOWN else line["date"],
        models=tuple(part.partition("=")[2] for part in _parts(line["models"])),
        findings=tuple(_finding(part) for part in _parts(line["found"])),
        not_analysed=tuple(part.rpartition("=")[0] for part in _parts(line["refused"])),
        more=int(line["more"] or 0),
    )


def _parts(text: str | None) -> list[str]:
    return [part for part in (text or "").split(";") if part]


def _finding(part: str) -> SlipFinding:
    code, _, values = part.rpartition("=")
    band, score, raised_from, high_from = values.split(",")
    return SlipFinding(
        code=code,
        band=band,
        score=float(score),
        raised_from=float(raised_from),
        high_from=float(high_from),
    )
