# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What is fuzzed outside the jail: strangers' bytes that a main process understands by itself.

The functions called are the appliance's own, down to what catches an error; nothing is caught here but its
own errors, whose words are handed back.
"""

from __future__ import annotations

import functools
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias

from pydicom.dataset import Dataset
from pynetdicom.dsutils import decode

from appliance.clock import SystemClock
from appliance.config import ReadingSettings
from appliance.domain.expected import PerformedStep, StepStatus
from appliance.domain.record import from_json, to_json
from appliance.errors import ScansideError
from appliance.intake.commitment_report import commitment_report
from appliance.intake.display import display_table
from appliance.intake.jail import Jail
from appliance.intake.step_door import StepDoor
from appliance.intake.worklist_query import read_answer
from appliance.processes.reports import StepReports
from appliance.worklist import WorklistSettings

Reason: TypeAlias = tuple[str, str | None]
"""What, and what to do."""


@functools.cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="scanside-fuzz-", dir="/dev/shm"))


def in_memory(name: str, data: bytes) -> Path:
    """A file of these bytes that costs no disk."""
    path = _folder() / name
    path.write_bytes(data)
    return path


def said(act: Callable[[], object]) -> Iterator[Reason]:
    """The words of our own error, if it ends in one."""
    try:
        act()
    except ScansideError as error:
        yield error.what, error.remedy


# ------------------------------------------------------------------------------- answers of the jail
def jail_answer(data: bytes) -> Iterator[Reason]:
    """A jail that was taken over may say anything; its keeper makes an image of it, or nothing."""
    jail = Jail(ReadingSettings(), SystemClock())
    try:
        list(said(lambda: _believe(jail, data)))  # the words are that jail's own
    finally:
        jail.close()
    return iter(())


def _believe(jail: Jail, data: bytes) -> None:
    frame = jail.begin_frame(Path("x.dcm"), 0)
    line = data.decode("utf-8", errors="replace").replace("\n", " ")
    try:
        jail._take_reply(frame._task, line)  # noqa: SLF001  (the keeper's side of the wall, without a child)
    except ValueError:
        return  # "it answered, but not in our words": the keeper replaces such a child
    if frame._task.outcome is not None:  # noqa: SLF001
        image = frame.image()
        if image.stored.dtype.kind != "f":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                display_table(image)


def jail_answers(folder: Path) -> Iterator[bytes]:
    """A frame with a table, a demand for a larger buffer, a fault."""
    del folder
    voi = (
        b'"voi":{"function":"TABLE","center":null,"width":null,'
        b'"table":[1,2,3],"table_first":0,"table_bits":8}'
    )
    head = (
        b'"rows":4,"columns":4,"dtype":"uint16","slope":1.0,"intercept":-1024.0,"inverted":false,'
        b'"stored_range":[0,4095],"padding":[0,0],"spacing_mm":[0.1,0.1],"rescale_type":"HU","from_colour":false,'
    )
    yield b'{"frame":{' + head + voi + b'},"worn_out":false}'
    linear = b'"voi":{"function":"LINEAR","center":40.0,"width":400.0}'
    yield b'{"frame":{' + head + linear + b'},"worn_out":false}'
    yield b'{"needed_bytes":33554432}'
    yield b'{"fault":{"what":"The file is damaged.","remedy":"Send it again."},"worn_out":true}'


# ---------------------------------------------------------------------------------- messages of DICOM
@dataclass(slots=True)
class _Message:
    """What the network library hands to a handler, as far as ours look at it."""

    raw: BytesIO
    implicit: bool

    @property
    def request(self) -> Any:
        return self

    AffectedSOPInstanceUID = RequestedSOPInstanceUID = "2.25.9"

    @property
    def AttributeList(self) -> BytesIO:  # noqa: N802  (the library's name)
        return self.raw

    ModificationList = EventInformation = AttributeList

    @property
    def attribute_list(self) -> Dataset:
        return decode(self.raw, self.implicit, is_little_endian=True)

    modification_list = event_information = attribute_list


def _message(data: bytes) -> _Message:
    """Implicit VRs where the first byte, which a group 0008 makes 8, is odd."""
    return _Message(BytesIO(data), implicit=bool(data[:1] and data[0] & 1))


class _Steps:
    """What has been reported so far: nothing, or one step that goes on. Kept as the store keeps it."""

    def __init__(self, *, known: bool) -> None:
        self._known = known

    def find(self, name: str) -> PerformedStep | None:
        if not self._known:
            return None
        return PerformedStep(
            sop_instance_uid=name,
            status=StepStatus.IN_PROGRESS,
            study_instance_uids=(),
            accession_numbers=(),
            images=(),
        )

    def keep(self, step: PerformedStep) -> None:
        from_json(PerformedStep, to_json(step))

    def reported(self) -> None:
        """Nobody waits here."""


def step_report(data: bytes) -> Iterator[Reason]:
    """N-CREATE and N-SET of a step, from the door to the store."""
    for known in (False, True):
        steps: Any = _Steps(known=known)
        reports = StepReports(steps, steps)
        door = StepDoor(reports.take)
        _, handler = door.handlers()[known]
        handler(_message(data))
    return iter(())


def commitment(data: bytes) -> Iterator[Reason]:
    """N-EVENT-REPORT: what a receiver says that it keeps."""
    report = commitment_report(_message(data))
    if report is not None:
        to_json(report)
    return iter(())


def worklist(data: bytes) -> Iterator[Reason]:
    """One answer of a worklist. What the library itself cannot decode it hands over as None."""
    message = _message(data)
    try:
        identifier = message.attribute_list
    except Exception:  # as pynetdicom does it before we are asked
        return iter(())
    step = read_answer(identifier, WorklistSettings())
    if step is not None:
        to_json(step)
    return iter(())
