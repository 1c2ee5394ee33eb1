# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Reading a storage commitment report (N-EVENT-REPORT, PS3.4 section J.3.3), whichever way it came."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pydicom.dataset import Dataset

from appliance.domain.commitment import CommitmentReport, NotKept
from appliance.intake.header_values import item, raw_value, uid, whole_number
from appliance.intake.small_message import is_bearable

SUCCESS: Final = 0x0000
INVALID_ARGUMENT: Final = 0x0115
"""PS3.7 annex C: it names no transaction."""


def commitment_report(event: Any) -> CommitmentReport | None:
    """What the N-EVENT-REPORT of this pynetdicom event says; None when it is no report."""
    if not is_bearable(event.request.EventInformation):
        return None
    try:
        told: Dataset = event.event_information
        transaction_uid = uid(told, "TransactionUID")
        if transaction_uid is None:
            return None
        return CommitmentReport(
            transaction_uid=transaction_uid,
            kept=frozenset(name for name, _ in _references(told, "ReferencedSOPSequence")),
            not_kept=tuple(
                NotKept(sop_instance_uid=name, failure_reason=whole_number(reference, "FailureReason"))
                for name, reference in _references(told, "FailedSOPSequence")
            ),
        )
    except Exception:  # noqa: BLE001  (it is a stranger's data set: whatever is wrong with it, it is no report)
        return None


def _references(told: Dataset, sequence: str) -> Iterator[tuple[str, Dataset]]:
    """The instances that a sequence names; what is no sequence, or names none, is passed over."""
    for index in range(len(raw_value(told, sequence) or ())):
        reference = item(told, sequence, index)
        name = None if reference is None else uid(reference, "ReferencedSOPInstanceUID")
        if reference is not None and name is not None:
            yield name, reference
