# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Storage commitment (PS3.4 annex J): a receiver's word that it keeps what it took."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """A DICOM object that a receiver has taken."""

    sop_class_uid: str
    sop_instance_uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotKept:
    """An object that it will not keep."""

    sop_instance_uid: str
    failure_reason: int | None
    """FailureReason (0008,1197); None: it gave none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentReport:
    """What a receiver says about the objects of one transaction; it may come in several parts."""

    transaction_uid: str
    kept: frozenset[str]
    """SOPInstanceUIDs that it keeps."""
    not_kept: tuple[NotKept, ...] = ()
