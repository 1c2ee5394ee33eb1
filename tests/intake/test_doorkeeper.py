# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The DICOM door against callers that stall, flood, lie about lengths or speak something else."""

from __future__ import annotations

import threading
from contextlib import ExitStack, suppress

import psutil
import pytest
from structlog.testing import capture_logs

from appliance.domain.turned_away import Bar
from appliance.layout import Layout
from tests.dicom_door import CANARY, PATIENCE_S, SHORT, door, trickling
from tests.dicom_wire import (
    ABORTED,
    ACCEPTED,
    REJECTED,
    associate_rq,
    is_closed,
    p_data,
    pdu,
    read_pdu,
    store_rq,
)


def test_bytes_that_trickle_before_the_request_is_whole(layout: Layout) -> None:
    with door(layout, **SHORT) as there, there.connect() as slow, trickling(slow, associate_rq()):
        assert there.takes_an_image()
        assert is_closed(slow, within_s=PATIENCE_S)
        assert there.bars() == {Bar.TOO_SLOW: 1}


# Trace: REQ-041
def test_bytes_that_trickle_in_the_middle_of_a_packet(layout: Layout) -> None:
    packet = p_data(store_rq(), is_command=True, is_last=True)
    with door(layout, **SHORT) as there, there.associated() as slow, trickling(slow, packet):
        assert there.takes_an_image()
        assert is_closed(slow, within_s=PATIENCE_S)
        assert there.bars() == {Bar.TOO_SLOW: 1}
        assert len(there.received) == 1


def test_an_image_whose_packets_trickle(layout: Layout) -> None:
    """Each packet is whole and in time; the image never ends."""
    packet = p_data(b"\0" * 16, is_command=False, is_last=False)
    with door(layout, **SHORT) as there, there.associated() as slow:
        slow.sendall(p_data(store_rq(), is_command=True, is_last=True))
        with trickling(slow, b""):
            stop = threading.Event()

            def send() -> None:
                with suppress(OSError):
                    while not stop.wait(0.2):
                        slow.sendall(packet)

            thread = threading.Thread(target=send)
            thread.start()
            try:
                assert is_closed(slow, within_s=PATIENCE_S)
            finally:
                stop.set()
                thread.join()
        assert there.bars() == {Bar.TOO_SLOW: 1}
        assert there.takes_an_image()


def test_an_idle_association_is_ended(layout: Layout) -> None:
    with door(layout, **SHORT) as there, there.associated() as idle:
        assert is_closed(idle, within_s=PATIENCE_S)


def test_an_old_association_is_ended_between_images(layout: Layout) -> None:
    with door(layout, association_limit_s=0.5) as there, there.associated() as old:
        assert is_closed(old, within_s=PATIENCE_S)
        assert there.bars() == {}


# Trace: REQ-041
@pytest.mark.parametrize("kind", [0x01, 0x02, 0x04, 0x05])
def test_a_huge_announced_length_is_not_waited_for(layout: Layout, kind: int) -> None:
    before = psutil.Process().memory_info().rss
    with door(layout) as there, there.connect() as liar:
        with suppress(OSError):
            liar.sendall(bytes([kind, 0]) + b"\xff\xff\xff\xf0")
            for _ in range(256):
                liar.sendall(b"\0" * 262144)
        assert is_closed(liar, within_s=PATIENCE_S)
        there.wait_for(lambda: there.bars() == {Bar.TOO_LARGE: 1})
        assert psutil.Process().memory_info().rss - before < 32 * 1024**2
        assert there.takes_an_image()


def test_a_packet_just_over_the_limit_is_cut(layout: Layout) -> None:
    with door(layout, max_pdu_bytes=16384) as there, there.associated() as liar:
        with suppress(OSError):
            liar.sendall(pdu(0x04, b"\0" * 20000))
        assert is_closed(liar, within_s=PATIENCE_S)
        there.wait_for(lambda: there.bars() == {Bar.TOO_LARGE: 1})


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        bytes(range(256)) * 4,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        pdu(0x01, b"\xff" * 200),
        pdu(0x04, b"\xff" * 64),
        pdu(0x01, b""),
        b"\x09\0\0\0\0\x04abcd",
    ],
)
def test_garbage_is_answered_with_an_end(layout: Layout, garbage: bytes) -> None:
    with door(layout, **SHORT) as there, there.connect() as stranger:
        stranger.sendall(garbage)
        assert is_closed(stranger, within_s=PATIENCE_S)
        assert there.takes_an_image()


def test_what_is_not_dicom_is_said(layout: Layout) -> None:
    with door(layout) as there, there.connect() as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert is_closed(stranger, within_s=PATIENCE_S)
        there.wait_for(lambda: there.bars() == {Bar.NOT_DICOM: 1})


def test_who_only_connects_takes_nobodys_place(layout: Layout) -> None:
    with door(layout, max_associations=2, max_associations_per_host=2) as there, ExitStack() as silent:
        for _ in range(3):
            silent.enter_context(there.connect())
        assert there.takes_an_image()


# Trace: REQ-041
def test_connections_without_a_request_are_bounded(layout: Layout) -> None:
    with door(layout, max_associations=4, max_associations_per_host=2) as there, ExitStack() as silent:
        connections = [silent.enter_context(there.connect()) for _ in range(12)]
        there.wait_for(lambda: there.bars() == {Bar.TOO_MANY_FROM_HOST: 8})
        threads = [thread for thread in threading.enumerate() if "AcceptorThread" in thread.name]
        assert len(threads) == 4
        assert sum(is_closed(connection, within_s=0.3) for connection in connections) == 8


def test_the_next_association_of_a_machine_is_told_to_come_back(layout: Layout) -> None:
    with door(layout, max_associations_per_host=2) as there, ExitStack() as held:
        for _ in range(2):
            held.enter_context(there.associated())
        third = held.enter_context(there.connect())
        third.sendall(associate_rq())
        kind, content = read_pdu(third)
        assert (kind, content[1:]) == (REJECTED, bytes([2, 3, 2]))
        assert there.bars() == {Bar.TOO_MANY_FROM_HOST: 1}


def test_the_next_association_of_all_is_told_to_come_back(layout: Layout) -> None:
    with door(layout, max_associations=1) as there, there.associated(), there.connect() as second:
        second.sendall(associate_rq())
        assert read_pdu(second)[0] == REJECTED
        assert there.bars() == {Bar.TOO_MANY: 1}


def test_who_connects_too_often_waits(layout: Layout) -> None:
    with door(layout, associations_per_min=5) as there:
        for _ in range(5):
            with there.associated() as one:
                one.sendall(pdu(0x05, bytes(4)))
                read_pdu(one)
        with there.connect() as sixth:
            assert is_closed(sixth, within_s=PATIENCE_S)
        assert there.bars() == {Bar.TOO_OFTEN: 1}


# Trace: REQ-039
@pytest.mark.parametrize(
    ("called", "calling", "reason", "bar"),
    [("OTHER", "CT1", 7, Bar.CALLED_TITLE), ("SCANSIDE", "CT2", 3, Bar.CALLING_TITLE)],
)
def test_titles_are_kept_to(layout: Layout, called: str, calling: str, reason: int, bar: Bar) -> None:
    with (
        door(layout, calling_ae_titles=("CT1",), called_ae_titles=("ALSO US",)) as there,
        there.connect() as caller,
    ):
        caller.sendall(associate_rq(called=called, calling=calling))
        kind, content = read_pdu(caller)
        assert (kind, content[1:]) == (REJECTED, bytes([1, 1, reason]))
        assert there.bars() == {bar: 1}
        with there.connect() as good:
            good.sendall(associate_rq(called="ALSO US"))
            assert read_pdu(good)[0] == ACCEPTED


def test_refusals_are_logged_when_they_start_and_without_patients(layout: Layout) -> None:
    with (
        capture_logs() as logs,
        door(
            layout, calling_ae_titles=("CT1", "GOOD"), max_associations=50, max_associations_per_host=50
        ) as there,
    ):
        assert there.takes_an_image()
        for _ in range(12):
            with there.connect() as caller:
                caller.sendall(associate_rq(calling="CT2"))
                assert read_pdu(caller)[0] == REJECTED
        with there.associated() as broken:
            broken.sendall(p_data(store_rq() + CANARY.encode(), is_command=True, is_last=True) + b"\x42" * 9)
            assert is_closed(broken, within_s=PATIENCE_S)
    assert [line["count"] for line in logs if line.get("ae_title") == "CT2"] == [1, 10]
    assert CANARY not in str(logs)
    assert "CANARY" not in str(there.listener.turned_away())


def test_the_door_closes_while_somebody_trickles(layout: Layout) -> None:
    with door(layout) as there:
        slow = there.associated()
        slow.sendall(b"\x04\0\0\0\1\0half")
    assert is_closed(slow, within_s=PATIENCE_S)
    slow.close()


def test_an_abort_instead_of_a_request(layout: Layout) -> None:
    with door(layout, **SHORT) as there, there.connect() as caller:
        caller.sendall(pdu(ABORTED, bytes(4)))
        assert is_closed(caller, within_s=PATIENCE_S)
        assert there.takes_an_image()
