# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Reading a storage commitment report (N-EVENT-REPORT, PS3.4 section J.3.3), whichever way it came."""

from __future__ import annotations

from typing import Any, Final

from pydicom.dataset import Dataset

from appliance.domain.commitment import CommitmentReport, NotKept
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
        return CommitmentReport(
            transaction_uid=str(told.TransactionUID),
            kept=frozenset(
                str(item.ReferencedSOPInstanceUID) for item in told.get("ReferencedSOPSequence", ())
            ),
            not_kept=tuple(
                NotKept(
                    sop_instance_uid=str(item.ReferencedSOPInstanceUID),
                    failure_reason=item.get("FailureReason"),
                )
                for item in told.get("FailedSOPSequence", ())
            ),
        )
    except Exception:  # noqa: BLE001  (it is a stranger's data set: whatever is wrong with it, it is no report)
        return None
