# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Messages of strangers over the real port: what inflates, nests or lies ends in a status, and no process."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.dimse_primitives import N_CREATE
from pynetdicom.sop_class import ModalityPerformedProcedureStep  # type: ignore[attr-defined]

from appliance.intake.small_message import LARGEST_MESSAGE_BYTES, MOST_ITEMS, is_bearable
from appliance.intake.step_door import INVALID_VALUE, SUCCESS, StepDoor, StepReport
from appliance.layout import Layout
from tests.processes.test_watcher import listens, running, settings
from tests.running import free_port

ITEM = b"\xfe\xff\x00\xe0\0\0\0\0"


def nested(levels: int) -> bytes:
    """A sequence of known length, so that it is only read when it is looked at; then, one in the other."""
    deep = b"\x40\0\x40\3SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * levels
    return (
        b"\x40\0\x40\3SQ\0\0"
        + struct.pack("<I", 8 + len(deep))
        + ITEM[:4]
        + struct.pack("<I", len(deep))
        + deep
    )


def test_what_is_bearable() -> None:
    assert is_bearable(BytesIO(b"\x08\0\x05\0CS\0\0"))
    assert is_bearable(BytesIO(ITEM * MOST_ITEMS))
    assert not is_bearable(None)
    assert not is_bearable(BytesIO(ITEM * (MOST_ITEMS + 1)))
    assert not is_bearable(BytesIO(b"\xff\xfe\xe0\x00\0\0\0\0" * (MOST_ITEMS + 1)))
    assert not is_bearable(BytesIO(bytes(LARGEST_MESSAGE_BYTES + 1)))


HOSTILE = {
    "sequences within sequences": nested(3000),
    "a wrong length": b"\x40\0\x70\2SQ\0\0"
    + struct.pack("<I", 8 + 13)
    + ITEM[:4]
    + struct.pack("<I", 13)
    + b"\x20\0\x0d\0UL\5\0hello",
    "a value without an end": b"\x40\0\x40\3UN\0\0\xff\xff\xff\xff\x01",
}


class Stranger:
    """Sends bytes as they are in an N-CREATE."""

    def __init__(self, port: int, syntax: str) -> None:
        client = AE(ae_title="CT1")
        client.add_requested_context(ModalityPerformedProcedureStep, syntax)
        self.association: Any = client.associate("127.0.0.1", port, ae_title="SCANSIDE")

    def says(self, content: bytes) -> int | None:
        message = N_CREATE()
        message.MessageID, message.AffectedSOPClassUID = 1, ModalityPerformedProcedureStep
        message.AffectedSOPInstanceUID, message.AttributeList = "1.2.9", BytesIO(content)
        self.association._reactor_checkpoint.clear()
        self.association.dimse.send_msg(message, self.association.accepted_contexts[0].context_id)
        _, answer = self.association.dimse.get_msg(block=True)
        self.association._reactor_checkpoint.set()
        return None if answer is None else int(answer.Status)


def test_the_watcher_outlives_every_report(layout: Layout) -> None:
    chosen = settings(port=free_port())
    with running(layout, chosen) as watcher:
        watcher.until(lambda: listens(chosen.listener.port))
        for name, content in HOSTILE.items():
            stranger = Stranger(chosen.listener.port, ExplicitVRLittleEndian)
            assert stranger.association.is_established
            expected = (
                SUCCESS if name == "a wrong length" else INVALID_VALUE
            )  # that one value counts as absent
            assert stranger.says(content) == expected, name
            stranger.association.release()
        assert listens(chosen.listener.port)


def test_nobody_may_deflate(layout: Layout) -> None:
    """A thousand bytes would become a million here, and sixteen megabytes sixteen gigabytes."""
    chosen = settings(port=free_port())
    with running(layout, chosen) as watcher:
        watcher.until(lambda: listens(chosen.listener.port))
        stranger = Stranger(chosen.listener.port, DeflatedExplicitVRLittleEndian)
        assert not stranger.association.is_established
    packed = zlib.compress(bytes(2**20))
    assert len(packed) < 2**11


@pytest.mark.parametrize("content", [ITEM * (MOST_ITEMS + 1), bytes(LARGEST_MESSAGE_BYTES + 1)])
def test_what_is_too_much_is_refused_before_it_is_read(content: bytes) -> None:
    delivered: list[StepReport] = []

    class Event:
        class request:  # noqa: N801
            AffectedSOPInstanceUID = "1.2.9"
            AttributeList = BytesIO(content)

        @property
        def attribute_list(self) -> Dataset:
            raise AssertionError("it was read")

    (_, create), _ = StepDoor(delivered.append).handlers()
    assert create(Event()) == (INVALID_VALUE, None)
    assert not delivered
