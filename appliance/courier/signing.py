# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Who answers for a bundle's list or a receipt: two lines of text beside the bytes that they speak of.

    key <SHA-256 of the raw public key, 64 hexadecimal digits>
    signature <Ed25519, 128 hexadecimal digits>

Signed are a context, which says what kind of document it is, and the bytes of the document. The context
keeps a signature from counting for a document of another kind.
"""

from __future__ import annotations

import re
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.courier.words import CourierRefusedError
from appliance.models.keys import Signer, Trust, fingerprint_of, grouped

MANIFEST: Final = b"scanside courier manifest 1\n"
RECEIPT: Final = b"scanside courier receipt 1\n"
SIGNATURE_BYTES: Final = len("key \nsignature \n") + 64 + 128
_FORM: Final = re.compile(rb"key (?P<key>[0-9a-f]{64})\nsignature (?P<signature>[0-9a-f]{128})\n")
PAGE: Final = "docs/courier.md tells who needs whose key."


def sign(content: bytes, key: Ed25519PrivateKey, *, context: bytes) -> bytes:
    """The two lines."""
    return (
        f"key {fingerprint_of(key.public_key())}\nsignature {key.sign(context + content).hex()}\n"
    ).encode("ascii")


def check(content: bytes, signature: bytes, trust: Trust, *, context: bytes, what: str) -> Signer:
    """Who signed it, if it is somebody whom this machine trusts. `what`: its name, for messages.

    Raises CourierRefusedError.
    """
    match = _FORM.fullmatch(signature)
    if match is None:
        raise refused(what, "its signature is damaged", "Copy it again from where it was made.")
    fingerprint = match["key"].decode("ascii")
    if fingerprint in trust.revoked:
        raise refused(
            what,
            f"it is signed with the key {grouped(fingerprint)}, which was revoked",
            f"Ask its owner for their new key. {PAGE}",
        )
    known = trust.keys.get(fingerprint)
    if known is None:
        raise refused(
            what,
            f"it is signed with the key {grouped(fingerprint)}, which nobody here has been told to trust",
            "If you know whose key that is, compare the digits with them by telephone, then run "
            f"`scanside courier trust` with their key file. {PAGE}",
        )
    try:
        known.key.verify(bytes.fromhex(match["signature"].decode("ascii")), context + content)
    except InvalidSignature as error:
        raise refused(
            what,
            f"it is not as {known.signer.name} signed it",
            "Somebody or something has changed it. Ask them to send it again.",
        ) from error
    return known.signer


def refused(what: str, why: str, remedy: str) -> CourierRefusedError:
    """The one form of such messages."""
    return CourierRefusedError(f"{what} is refused: {why}.", remedy=remedy)
