# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Whether anybody has meddled with the audit trail: edits, gaps, insertions, a cut end, another database.

What cannot be found: rows that were cut off at the end together with every anchor that names them. Who can
write the whole data folder can put back an older copy of all of it, and who has the device's key can write
the trail anew; only an anchor on another medium contradicts either, and only from the moment that it names.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from appliance.domain.audit import AuditHead
from appliance.store.audit import BEFORE_THE_FIRST, Trail, hash_of, seal_of

MOST_FAULTS: Final = 20
"""More would say nothing more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailReport:
    """What was found."""

    count: int
    """Rows."""
    hash: str
    """Of the last one."""
    anchors_beside: int
    """Anchors in the data folder that agree."""
    anchors_outside: int
    """Anchors from elsewhere that agree; 0: an older copy of the whole data folder would not be noticed."""
    faults: tuple[str, ...]
    """In words; empty: nothing was found."""


def check_trail(
    trail: Trail,
    *,
    key: bytes | None,
    beside: Iterable[AuditHead | str],
    outside: Iterable[AuditHead | str] = (),
) -> TrailReport:
    """Read every row and every anchor. Raises StoreError when the store cannot be read.

    `key`: None where the device's key is not at hand: the chain is compared, and no seal.
    """
    faults: list[str] = []
    hashes = [BEFORE_THE_FIRST]
    for number, record, row_hash, seal in trail.raw():
        if number != len(hashes):
            faults.append(f"row {len(hashes)} is missing: row {number} stands in its place")
            break
        if row_hash != hash_of(hashes[-1], number, record):
            faults.append(f"row {number} was changed, or does not follow the row before it")
        if key is not None and not hmac.compare_digest(seal, seal_of(key, row_hash)):
            faults.append(f"row {number} was not written by this device")
        hashes.append(row_hash)
        if len(faults) >= MOST_FAULTS:
            break
    whole = not faults
    agreeing: list[int] = []
    for where, anchors in (("beside the store", beside), ("elsewhere", outside)):
        told, good = _against(hashes, anchors, where, whole=whole)
        faults += told[:MOST_FAULTS]
        agreeing.append(good)
    if key is not None and whole and len(hashes) > 1 and agreeing[0] == 0:
        faults.append("no anchor beside the store agrees with the trail: the files were removed or replaced")
    return TrailReport(
        count=len(hashes) - 1,
        hash=hashes[-1],
        anchors_beside=agreeing[0],
        anchors_outside=agreeing[1],
        faults=tuple(faults[:MOST_FAULTS]),
    )


def _against(
    hashes: list[str], anchors: Iterable[AuditHead | str], where: str, *, whole: bool
) -> tuple[list[str], int]:
    faults, good, longest = [], 0, None
    for anchor in anchors:
        if isinstance(anchor, str):
            faults.append(anchor)
        elif anchor.count >= len(hashes):
            if longest is None or anchor.count > longest.count:
                longest = anchor
        elif hashes[anchor.count] == anchor.hash:
            good += 1
        else:
            faults.append(f"row {anchor.count} is not the row of the anchor {where} of {anchor.at_utc} names")
    if longest is not None and whole:
        faults.insert(
            0,
            f"the trail ends at row {len(hashes) - 1}, but the anchor {where} of {longest.at_utc} names row"
            f" {longest.count}: rows were cut off, or an older copy was put back",
        )
    return faults, good
