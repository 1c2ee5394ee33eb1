# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What is fuzzed inside the jail, and the table of all targets.

A target takes bytes and gives the reasons that a person would read. What it raises would have ended a
process of the appliance; that is what fuzzing looks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

from appliance.config import MIB
from appliance.errors import InputError
from appliance.intake.jail_child import fault_of
from appliance.intake.look import describe
from appliance.intake.open_files import OpenFile
from appliance.intake.same_content import same_content
from benchmarks.faults import fuzz_files as files
from benchmarks.faults import fuzz_outside as outside
from benchmarks.faults.fuzz_outside import Reason, in_memory
from benchmarks.faults.fuzz_seeds import images, messages, volumes

FRAME_BYTES: Final = 64 * MIB
FRAMES_AT_MOST: Final = 2
Target: TypeAlias = Callable[[bytes], Iterable[Reason]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """One target."""

    run: Target
    seeds: Callable[[Path], Iterator[bytes]]
    """Sound inputs, made in a folder."""
    share: float
    """Of the executions of a whole run."""
    is_dicom: bool = False
    """Damaged as DICOM, too (`fuzz_mutation`), not only as bytes."""


def _walled(read: Callable[[], Iterator[Reason]]) -> Iterator[Reason]:
    """As the jail's wall does it: whatever is raised becomes words."""
    try:
        yield from read()
    except InputError as error:
        yield error.what, error.remedy
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # the same catch as in appliance.intake.jail_child
        fault = fault_of(error)
        yield fault.what, fault.remedy


def image(data: bytes) -> Iterator[Reason]:
    """The header is described, and the first frames decoded."""
    return _walled(lambda: _read(in_memory("x.dcm", data)))


def volume(data: bytes) -> Iterator[Reason]:
    """The same of a NIfTI file."""
    return _walled(lambda: _read(in_memory("x.nii", data)))


def _read(path: Path) -> Iterator[Reason]:
    found = describe(path, max_frame_bytes=FRAME_BYTES)
    if found.reason is not None:
        yield found.reason, found.remedy or "There is nothing to do."
        return
    assert found.instance is not None
    assert found.instance.pixels is not None
    opened = OpenFile(path, max_frame_bytes=FRAME_BYTES)
    try:
        buffer = memoryview(bytearray(opened.needed_bytes()))
        for index in range(min(FRAMES_AT_MOST, found.instance.pixels.number_of_frames)):
            opened.read(index, buffer)
    finally:
        opened.close()


def comparison(data: bytes) -> Iterator[Reason]:
    """Two files that may be one: the data, and the same with one bit changed."""
    changed = bytearray(data)
    if changed:
        changed[len(changed) // 2] ^= 1

    def read() -> Iterator[Reason]:
        one, other = in_memory("one.dcm", data), in_memory("other.dcm", bytes(changed))
        same_content(one, other, max_frame_bytes=FRAME_BYTES)
        yield from ()

    return _walled(read)


def _messages(folder: Path) -> Iterator[bytes]:
    del folder
    return messages()


TARGETS: Final[MappingProxyType[str, Aim]] = MappingProxyType(
    {
        "image": Aim(run=image, seeds=images, share=0.44, is_dicom=True),
        "comparison": Aim(run=comparison, seeds=images, share=0.04, is_dicom=True),
        "volume": Aim(run=volume, seeds=volumes, share=0.04),
        "jail_answer": Aim(run=outside.jail_answer, seeds=outside.jail_answers, share=0.10),
        "step_report": Aim(run=outside.step_report, seeds=_messages, share=0.10, is_dicom=True),
        "commitment": Aim(run=outside.commitment, seeds=_messages, share=0.06, is_dicom=True),
        "worklist": Aim(run=outside.worklist, seeds=_messages, share=0.08, is_dicom=True),
        "courier": Aim(run=files.courier, seeds=files.courier_archives, share=0.04),
        "courier_list": Aim(run=files.courier_list, seeds=files.courier_lists, share=0.02),
        "receipt": Aim(run=files.receipt, seeds=files.receipts, share=0.02),
        "outcomes": Aim(run=files.outcomes, seeds=files.outcome_files, share=0.02),
        "slip": Aim(run=files.slip, seeds=files.slips, share=0.02),
        "signature": Aim(run=files.signature, seeds=files.signatures, share=0.01),
        "settings": Aim(run=files.settings, seeds=files.settings_files, share=0.01),
    }
)
