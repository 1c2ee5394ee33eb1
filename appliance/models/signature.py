# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
r"""The file SIGNATURE: who answers for a bundle, and for which release of which model.

Five lines of text and the signature, in one form only, so that no bit of it can change unseen:

    scanside bundle signature 1
    task chest_triage
    name Chest radiograph triage
    release 4
    key <SHA-256 of the raw public key, 64 hexadecimal digits>
    signature <Ed25519, 128 hexadecimal digits>

Signed are the context "scanside bundle 1\n", these five lines, and the bytes of SHA256SUMS, which name
every other file. Task, name and release stand here beside the card so that an old release is recognised
before a parser has seen anything of it. Ed25519 (RFC 8032) by the library `cryptography`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.errors import ModelBundleError
from appliance.models.keys import Signer, Trust, fingerprint_of, grouped

CONTEXT: Final = b"scanside bundle 1\n"
"""Set before what is signed: a signature made for something else is none for a bundle."""
MAX_SIGNATURE_BYTES: Final = 1024
"""The five lines with the longest name take some 800."""
MAX_NAME: Final = 100
"""Characters of a model's name: it stands on one line of a screen."""
_STATEMENT: Final = re.compile(
    r"scanside bundle signature 1\n"
    r"task (?P<task>[a-z][a-z0-9_]{0,63})\n"
    r"name (?P<name>[^\n]{1,100})\n"
    r"release (?P<release>0|[1-9][0-9]{0,8})\n"
    r"key (?P<key>[0-9a-f]{64})\n"
)
_FILE: Final = re.compile(rf"(?P<statement>{_STATEMENT.pattern})signature (?P<signature>[0-9a-f]{{128}})\n")
PAGE: Final = "docs/model-signing.md tells who holds which key."


class Named(Protocol):
    """What a signature speaks of; a ModelCard is one."""

    @property
    def task(self) -> str:
        """Of the card."""

    @property
    def name(self) -> str:
        """Of the card."""

    @property
    def release(self) -> int:
        """Of the card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signature that holds: who, and for what."""

    signer: Signer
    task: str
    name: str
    release: int


def sign(sums: bytes, key: Ed25519PrivateKey, *, of: Named) -> bytes:
    """The content of SIGNATURE for a bundle whose SHA256SUMS holds `sums`.

    Raises ModelBundleError when task, name or release cannot stand in it.
    """
    fingerprint = fingerprint_of(key.public_key())
    statement = (
        f"scanside bundle signature 1\ntask {of.task}\nname {of.name}\nrelease {of.release}\n"
        f"key {fingerprint}\n"
    )
    if not _STATEMENT.fullmatch(statement) or not of.name.isprintable():
        raise ModelBundleError(
            f"A bundle cannot be signed as release {of.release} of {of.name!r} for {of.task!r}.",
            remedy="Mend the card: the task in lower case, a name of one line, a release from 0 on.",
        )
    signature = key.sign(CONTEXT + statement.encode() + sums)
    return statement.encode() + f"signature {signature.hex()}\n".encode("ascii")


def check_signature(
    sums: bytes,
    signature: bytes | None,
    trusted: Trust,
    *,
    bundle: str,
    kind: str = "model bundle",
    trust_with: str = "scanside models trust",
) -> Signed:
    """Who signed these sums, if it is somebody whom this device trusts.

    For messages: `bundle`, its name; `kind`, what it is; `trust_with`, the command that takes a key.

    Raises ModelBundleError: there is no signature, it is by somebody else or by a revoked key, or the
    sums or a line of the signature are not what was signed.
    """
    named = f"{kind} {bundle!r}"
    if signature is None:
        raise _refused(
            named,
            "it is not signed",
            f"Ask whoever made it for a signed one, or sign it yourself if you answer for it. {PAGE}",
        )
    match = _FILE.fullmatch(_text(signature))
    if match is None:
        raise _refused(
            named, "its SIGNATURE is damaged", "Get the bundle again from where it was made, whole."
        )
    fingerprint = match["key"]
    if fingerprint in trusted.revoked:
        raise _refused(
            named,
            f"it is signed with the key {grouped(fingerprint)}, which was revoked",
            f"Ask whoever made it for one that is signed with their new key. {PAGE}",
        )
    key = trusted.keys.get(fingerprint)
    if key is None:
        raise _refused(
            named,
            f"it is signed with the key {grouped(fingerprint)}, which this device does not trust",
            "If you know whose key that is, compare these digits with what they tell you by telephone, "
            f"then run `{trust_with}` with their key file. {PAGE}",
        )
    try:
        key.key.verify(bytes.fromhex(match["signature"]), CONTEXT + match["statement"].encode() + sums)
    except InvalidSignature as error:
        raise _refused(
            named,
            f"it is not as {key.signer.name} signed it",
            "Somebody or something has changed it. Get it again from where it was made.",
        ) from error
    return Signed(signer=key.signer, task=match["task"], name=match["name"], release=int(match["release"]))


def _text(signature: bytes) -> str:
    """Its text; empty, which is no signature, when it is none."""
    if len(signature) > MAX_SIGNATURE_BYTES:
        return ""
    try:
        return signature.decode("utf-8")
    except UnicodeDecodeError:
        return ""


def _refused(named: str, why: str, remedy: str) -> ModelBundleError:
    return ModelBundleError(f"The {named} is refused: {why}.", remedy=remedy)
