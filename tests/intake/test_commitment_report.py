# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Reports of what receivers keep, as a receiver may get them wrong."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pynetdicom.dsutils import decode

from appliance.domain.record import from_json, to_json
from appliance.intake.commitment_report import CommitmentReport, commitment_report


@dataclass
class Said:
    """An N-EVENT-REPORT, as far as it is looked at."""

    raw: bytes

    @property
    def request(self) -> Any:
        return self

    @property
    def EventInformation(self) -> BytesIO:  # noqa: N802  (the library's name)
        return BytesIO(self.raw)

    @property
    def event_information(self) -> Dataset:
        return decode(BytesIO(self.raw), is_implicit_vr=False, is_little_endian=True)


def written(**elements: Any) -> bytes:
    lost = Dataset()
    lost.ReferencedSOPInstanceUID, lost.FailureReason = "2.25.7", 0x0110
    told = Dataset()
    told.TransactionUID, told.FailedSOPSequence = "2.25.3", [lost]
    for keyword, value in elements.items():
        setattr(told, keyword, value)
    out = BytesIO()
    pydicom.dcmwrite(out, told, implicit_vr=False, little_endian=True)
    return out.getvalue()


def test_what_is_said_is_read() -> None:
    report = commitment_report(Said(written()))
    assert report is not None
    assert (report.transaction_uid, report.kept) == ("2.25.3", frozenset())
    assert [(lost.sop_instance_uid, lost.failure_reason) for lost in report.not_kept] == [("2.25.7", 0x0110)]


def test_a_reason_of_another_type_is_unknown() -> None:
    """A text there ended whoever turned it into words."""
    raw = written().replace(b"\x08\0\x97\x11US\2\0\x10\1", b"\x08\0\x97\x11LO\2\0no")
    report = commitment_report(Said(raw))
    assert report is not None
    assert [lost.failure_reason for lost in report.not_kept] == [None]
    assert from_json(CommitmentReport, to_json(report)) == report


@pytest.mark.parametrize("raw", [b"", b"\x08\0", b"\xff" * 50])
def test_what_is_no_report_is_none(raw: bytes) -> None:
    assert commitment_report(Said(raw)) is None
