# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Who answers for a run: the device's own key signs it (Ed25519), within the JSON itself.

Signed are a context, which keeps the signature from counting for a document of another kind, and the run
without its signature as JSON with sorted names and no spaces. The public key is in it: anybody can see that
the numbers are as that device wrote them; whose device it is, its owner says.
"""

from __future__ import annotations

import json
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from appliance.errors import InputError
from appliance.models.keys import fingerprint_of

CONTEXT: Final = b"scanside bench 1\n"
FIELD: Final = "signature"


def sign(report: dict[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """The report with its signature."""
    plain = {name: value for name, value in report.items() if name != FIELD}
    return {
        **plain,
        FIELD: {
            "public_key": key.public_key().public_bytes_raw().hex(),
            "signature": key.sign(CONTEXT + _canonical(plain)).hex(),
        },
    }


def signer_of(report: dict[str, Any], *, name: str) -> str | None:
    """Fingerprint of the key that signed it (SHA-256, hexadecimal); None: nobody did.

    `name`: the file's, for messages. Raises InputError when it is not as it was signed.
    """
    told = report.get(FIELD)
    if told is None:
        return None
    plain = {field: value for field, value in report.items() if field != FIELD}
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(told["public_key"]))
        key.verify(bytes.fromhex(told["signature"]), CONTEXT + _canonical(plain))
    except (InvalidSignature, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{name} is not as the device wrote that signed it.",
            remedy="Somebody or something has changed it; take the file from that device again.",
        ) from error
    return fingerprint_of(key)


def _canonical(plain: dict[str, Any]) -> bytes:
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")
