# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Where the audit trail ended, kept outside the database: beside it, and on a medium of its own.

Beside the database one line is appended after each commit. It is not flushed on purpose: a line that a power
cut takes does no harm, as a line is never ahead of the database, and one that is torn says nothing. On the
medium of the setting `audit.anchor_folder` the line is signed: anybody with the public key can check it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from appliance.domain.audit import AuditHead
from appliance.layout import Layout

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ANCHORS_A_FILE: Final = 100_000
"""Rows of the trail after which a new file begins: about 15 MB."""
SEAL_DIGITS: Final = 32
DEVICE_DIGITS: Final = 16
OUTSIDE_SUFFIX: Final = ".anchors"


def append_anchor(data: Path, key: bytes, head: AuditHead) -> None:
    """One line beside the database. What it is about is committed, so a full disk is no error here.

    The next line makes up for one that is missing.
    """
    folder = Layout(data=data).audit
    line = f"{head.count} {head.hash} {head.at_utc} {_seal(key, head)}\n"
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"anchors-{head.count // ANCHORS_A_FILE:06d}.txt"
        _append(file, line, mode=0o640)


def anchors_beside(data: Path, key: bytes) -> Iterator[AuditHead | str]:
    """What stands in the files, in their order; a text for a line that this device did not write."""
    for file in sorted(Layout(data=data).audit.glob("anchors-*.txt")):
        for position, line in enumerate(file.read_bytes().split(b"\n"), start=1):
            parts = _read(line)
            if parts is None:  # torn: that is what a power cut does
                continue
            head, seal = parts
            genuine = hmac.compare_digest(seal, _seal(key, head))
            yield head if genuine else f"{file.name}, line {position}: not written by this device"


def outside_file(folder: Path, key: Ed25519PrivateKey) -> Path:
    """The file of this device there, called by 16 digits of the hash of its public key."""
    from appliance.device_key import public_pem  # noqa: PLC0415  (who only reads the store loads no keys)

    name = hashlib.sha256(public_pem(key)).hexdigest()[:DEVICE_DIGITS]
    return folder / f"scanside-{name}{OUTSIDE_SUFFIX}"


def signed_line(key: Ed25519PrivateKey, head: AuditHead) -> str:
    """The end of the trail, signed: to be kept, mailed or printed by somebody else."""
    signature = base64.b64encode(key.sign(_text(head))).decode("ascii")
    return json.dumps({**asdict(head), "signature": signature}, sort_keys=True)


def append_outside(folder: Path, key: Ed25519PrivateKey, head: AuditHead) -> Path:
    """One signed line on the medium, durable when this returns. Raises OSError: it is not there, or full."""
    file = outside_file(folder, key)
    _append(file, f"{signed_line(key, head)}\n", mode=0o644, durably=True)
    return file


def anchors_in(file: Path, key: Ed25519PublicKey) -> Iterator[AuditHead | str]:
    """The signed lines of a file; a text for one that this device did not sign. Raises OSError."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415

    for position, line in enumerate(file.read_bytes().split(b"\n"), start=1):
        try:
            content = json.loads(line)
            head = AuditHead(
                count=int(content["count"]), hash=str(content["hash"]), at_utc=str(content["at_utc"])
            )
            signature = base64.b64decode(content["signature"], validate=True)
        except (ValueError, KeyError, TypeError):
            continue  # torn
        try:
            key.verify(signature, _text(head))
        except InvalidSignature:
            yield f"{file.name}, line {position}: not signed by this device"
        else:
            yield head


def _append(file: Path, line: str, *, mode: int, durably: bool = False) -> None:
    """One line at the end; on a new line where a power cut has torn the last one. Raises OSError."""
    handle = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, mode)
    try:
        size_bytes = os.fstat(handle).st_size
        torn = size_bytes > 0 and os.pread(handle, 1, size_bytes - 1) != b"\n"
        os.write(handle, ("\n" * torn + line).encode("ascii"))
        if durably:
            os.fsync(handle)
    finally:
        os.close(handle)


def _text(head: AuditHead) -> bytes:
    return f"scanside audit 1\n{head.count}\n{head.hash}\n{head.at_utc}".encode()


def _seal(key: bytes, head: AuditHead) -> str:
    return hmac.new(key, _text(head), hashlib.sha256).hexdigest()[:SEAL_DIGITS]


def _read(line: bytes) -> tuple[AuditHead, str] | None:
    """The anchor and its seal; None where the line is not whole."""
    try:
        count, row_hash, at_utc, seal = line.decode("ascii").split(" ")
        head = AuditHead(count=int(count), hash=row_hash, at_utc=at_utc)
    except ValueError:
        return None
    return (head, seal) if len(seal) == SEAL_DIGITS else None
