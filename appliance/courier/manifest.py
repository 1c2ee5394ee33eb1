# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a bundle says about itself: who packed it, its number, and each file with size and SHA-256."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from appliance.courier.signing import refused
from appliance.courier.words import CourierRefusedError
from appliance.domain.record import from_json, to_json
from appliance.store.courier import Kind

FORMAT: Final = "scanside courier 1"
MAX_MANIFEST_BYTES: Final = 64 * 1024**2
"""Some 300,000 files: more than a clinic makes in a month."""
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Identifier = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Count = Annotated[int, Field(ge=0, le=2**53)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestEntry:
    """One file. Its name is never told: its number is its name in the bundle, its content outside."""

    kind: Kind
    sha256: Hash
    size_bytes: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The list that is signed."""

    format: Literal["scanside courier 1"]
    device: Hash
    """Fingerprint of the key of the device that packed it."""
    site_name: Annotated[str, Field(max_length=64)]
    bundle: Annotated[int, Field(ge=1, le=2**53)]
    """The device's own number for it, rising."""
    bundle_id: Identifier
    sequence: Annotated[int, Field(ge=1, le=2**31)]
    """Which bundle of one filling of a stick: 1, 2, ..."""
    packed_at_utc: datetime
    studies: Count
    exams: Count
    files: tuple[ManifestEntry, ...]
    """In order of need: positive studies first, then the oldest."""
    without_receipt: tuple[int, ...]
    """Earlier bundles for which no receipt came home yet: one that never came here was lost on the way."""
    receipts: tuple[Hash, ...]
    """Ids of the newest receipts that came home: who wrote them need not write them again."""

    def to_bytes(self) -> bytes:
        """The bytes that are signed."""
        return to_json(self).encode("utf-8")


def read_manifest(content: bytes, *, what: str) -> Manifest:
    """The list in these bytes, whose signature was checked. Raises CourierRefusedError."""
    try:
        return from_json(Manifest, content.decode("utf-8"))
    except ValueError as error:
        raise _not_understood(what) from error


def _not_understood(what: str) -> CourierRefusedError:
    return refused(
        what, "its list is of a form that this version does not know", "Bring this software up to date."
    )
