# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The DICOM door for reports about steps: N-CREATE and N-SET of Modality Performed Procedure Step.

Beside the images on the same port. A report is acknowledged when it is in the store; one that cannot be
read is refused, and never costs an image.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from typing import Any, Final

from pydicom.dataset import Dataset
from pynetdicom import evt

from appliance.intake.small_message import MESSAGE_FAULTS, is_bearable

SUCCESS: Final = 0x0000
INVALID_VALUE: Final = 0x0106
DUPLICATE: Final = 0x0111
NO_SUCH_STEP: Final = 0x0112
PROCESSING_FAILURE: Final = 0x0110
"""Statuses of PS3.7 annex C."""
PATIENCE_S: Final = 25.0
"""As for images: below the 30 s after which most senders give up."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepReport:
    """A report on its way to the store, and who waits for the answer (a status)."""

    sop_instance_uid: str
    is_new: bool
    content: Dataset
    answer: Future[int] = field(default_factory=Future)


class StepDoor:
    """What the listener does with reports. Called from the threads of associations."""

    def __init__(self, deliver: Callable[[StepReport], None]) -> None:
        self._deliver = deliver

    def handlers(self) -> list[Any]:
        """For the listener's list."""
        return [(evt.EVT_N_CREATE, self._on_create), (evt.EVT_N_SET, self._on_set)]

    def _on_create(self, event: Any) -> tuple[int, Dataset | None]:
        name = str(event.request.AffectedSOPInstanceUID or "")
        return self._hand_over(
            name, is_new=True, raw=event.request.AttributeList, decode=lambda: event.attribute_list
        )

    def _on_set(self, event: Any) -> tuple[int, Dataset | None]:
        name = str(event.request.RequestedSOPInstanceUID or "")
        return self._hand_over(
            name, is_new=False, raw=event.request.ModificationList, decode=lambda: event.modification_list
        )

    def _hand_over(
        self, name: str, *, is_new: bool, raw: Any, decode: Callable[[], Dataset]
    ) -> tuple[int, Dataset | None]:
        if not name or not is_bearable(raw):
            return INVALID_VALUE, None
        try:
            content = decode()
        except MESSAGE_FAULTS:
            return INVALID_VALUE, None
        report = StepReport(sop_instance_uid=name, is_new=is_new, content=content)
        self._deliver(report)
        try:
            status = report.answer.result(timeout=PATIENCE_S)
        except FutureTimeoutError:
            report.answer.cancel()
            return PROCESSING_FAILURE, None
        return status, content if status == SUCCESS else None
