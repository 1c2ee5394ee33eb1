# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The DICOM door against callers that stall, flood, lie about lengths or speak something else."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from shutil import which

import psutil
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, ImplicitVRLittleEndian
from pynetdicom import AE
from structlog.testing import capture_logs

from appliance.clock import SystemClock
from appliance.config import ListenerSettings
from appliance.domain.turned_away import Bar
from appliance.intake.claim import Spool
from appliance.intake.listener import SUCCESS, Answer, AssociationEnded, Listener, Received
from appliance.layout import Layout
from tests.certificates import Authority
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
from tests.running import free_port

PATIENCE_S = 15.0
"""For what should happen after a second; a busy machine takes longer."""
SHORT = {"request_timeout_s": 1.0, "network_timeout_s": 1.0, "image_timeout_s": 2.5}
CANARY = "CANARY^PATIENT"


class Door:
    """An open door and what came in."""

    def __init__(self, layout: Layout, **settings: object) -> None:
        self.port = free_port()
        self.received: list[Received] = []
        self.listener = Listener(
            ListenerSettings.model_validate({"port": self.port, **settings}),
            max_bytes=1_000_000,
            spool=Spool(layout),
            deliver=self._deliver,
            clock=SystemClock(),
        )

    def _deliver(self, message: Received | AssociationEnded) -> None:
        if isinstance(message, Received):
            self.received.append(message)
            message.answer.set_result(Answer(status=SUCCESS))

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)

    def associated(self, *, calling: str = "CT1") -> socket.socket:
        connection = self.connect()
        connection.sendall(associate_rq(calling=calling))
        assert read_pdu(connection)[0] == ACCEPTED
        return connection

    def bars(self) -> dict[Bar, int]:
        return {one.bar: one.count for one in self.listener.turned_away()}

    def wait_for(self, condition: Callable[[], bool]) -> None:
        clock = SystemClock()
        for _ in range(round(PATIENCE_S / 0.05)):
            if condition():
                return
            clock.sleep(0.05)
        raise AssertionError(f"not within {PATIENCE_S} s; turned away: {self.bars()}")

    def takes_an_image(self, calling: str = "GOOD", tls: tuple[ssl.SSLContext, str] | None = None) -> bool:
        """A well-behaved sender comes, sends and goes."""
        sender = AE(ae_title=calling)
        sender.acse_timeout = sender.network_timeout = sender.dimse_timeout = PATIENCE_S
        sender.add_requested_context(CTImageStorage, ImplicitVRLittleEndian)
        association = sender.associate("127.0.0.1", self.port, ae_title="SCANSIDE", tls_args=tls)
        if not association.is_established:
            return False
        image = Dataset()
        image.SOPClassUID, image.SOPInstanceUID = CTImageStorage, "1.2.3.4"
        image.PatientName = CANARY
        image.file_meta = Dataset()
        image.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
        image.set_original_encoding(is_implicit_vr=True, is_little_endian=True)
        status = association.send_c_store(image)
        association.release()
        return "Status" in status and status.Status == SUCCESS


@contextmanager
def door(layout: Layout, **settings: object) -> Iterator[Door]:
    opened = Door(layout, **settings)
    with opened.listener:
        yield opened


def trickle(connection: socket.socket, content: bytes, stop: threading.Event) -> None:
    """A byte every tenth of a second, until it is cut off."""
    with suppress(OSError):
        for index in range(len(content)):
            if stop.wait(0.1):
                return
            connection.sendall(content[index : index + 1])


@contextmanager
def trickling(connection: socket.socket, content: bytes) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=trickle, args=(connection, content, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_bytes_that_trickle_before_the_request_is_whole(layout: Layout) -> None:
    with door(layout, **SHORT) as there, there.connect() as slow, trickling(slow, associate_rq()):
        assert there.takes_an_image()
        assert is_closed(slow, within_s=PATIENCE_S)
        assert there.bars() == {Bar.TOO_SLOW: 1}


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


# TLS


class Certified:
    """Certificates of both sides, and contexts of callers."""

    def __init__(self, folder: Path) -> None:
        self.ours, self.strangers = Authority(folder, "ours"), Authority(folder, "strangers")
        self.server = self.ours.certify("device")
        self.client = self.ours.certify("scanner")
        self.stranger = self.strangers.certify("stranger")

    @property
    def settings(self) -> dict[str, object]:
        certificate, key = self.server
        return {"tls": True, "certificate_file": certificate, "key_file": key}

    def caller(self, shown: tuple[str, str] | None = None, **versions: ssl.TLSVersion) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.ours.file))
        if shown:
            context.load_cert_chain(*shown)
        for name, version in versions.items():
            setattr(context, name, version)
        return context


@pytest.fixture
def certified(tmp_path: Path) -> Certified:
    return Certified(tmp_path)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_images_come_over_tls(layout: Layout, certified: Certified, version: ssl.TLSVersion) -> None:
    caller = certified.caller(minimum_version=version, maximum_version=version)
    with door(layout, **certified.settings) as there:
        assert there.takes_an_image(tls=(caller, "127.0.0.1"))
        assert len(there.received) == 1


def test_plain_dicom_is_not_spoken_where_tls_is(layout: Layout, certified: Certified) -> None:
    with door(layout, **certified.settings) as there, there.connect() as caller:
        caller.sendall(associate_rq())
        assert is_closed(caller, within_s=PATIENCE_S)
        there.wait_for(lambda: there.bars() == {Bar.TLS: 1})


def test_mutual_tls_wants_a_certificate_of_the_authority(layout: Layout, certified: Certified) -> None:
    with door(layout, **certified.settings, client_ca_file=str(certified.ours.file)) as there:
        assert there.takes_an_image(tls=(certified.caller(certified.client), "127.0.0.1"))
        for shown in (None, certified.stranger):
            with pytest.raises(OSError, match=r"alert|reset|EOF"), there.connect() as plain:  # noqa: PT012
                caller = certified.caller(shown).wrap_socket(plain, server_hostname="127.0.0.1")
                with caller:
                    caller.sendall(associate_rq())
                    caller.recv(1)
        there.wait_for(lambda: there.bars() == {Bar.TLS: 2})
        assert len(there.received) == 1


def test_a_handshake_that_is_never_finished_holds_up_nobody(layout: Layout, certified: Certified) -> None:
    with door(layout, **certified.settings, **SHORT) as there, there.connect() as silent:
        assert there.takes_an_image(tls=(certified.caller(), "127.0.0.1"))
        assert is_closed(silent, within_s=PATIENCE_S)
        assert there.bars() == {Bar.TOO_SLOW: 1}


@pytest.mark.parametrize(
    ("options", "agreed"),
    [
        (("-tls1_3",), True),
        (("-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"), True),
        (("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"), True),
        (("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0"), False),
        (("-tls1_2", "-cipher", "AES128-GCM-SHA256:@SECLEVEL=0"), False),
        (("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), False),
        (("-tls1", "-cipher", "ALL:@SECLEVEL=0"), False),
    ],
)
def test_only_the_profile_of_bcp_195_is_agreed_on(
    layout: Layout, certified: Certified, options: tuple[str, ...], agreed: bool
) -> None:
    openssl = which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    with door(layout, **certified.settings) as there:
        done = subprocess.run(
            [
                openssl,
                "s_client",
                "-connect",
                f"127.0.0.1:{there.port}",
                "-CAfile",
                str(certified.ours.file),
                *options,
            ],
            input=b"",
            capture_output=True,
            timeout=30,
            check=False,
        )
    assert (b"Verify return code: 0 (ok)" in done.stdout and b"Cipher is (NONE)" not in done.stdout) == agreed


def test_tls_behind_which_nothing_is_said_is_cut(layout: Layout, certified: Certified) -> None:
    with (
        door(layout, **certified.settings, **SHORT) as there,
        certified.caller().wrap_socket(there.connect(), server_hostname="127.0.0.1") as slow,
        trickling(slow, associate_rq()),
    ):
        assert there.takes_an_image(tls=(certified.caller(), "127.0.0.1"))
        assert is_closed(slow, within_s=PATIENCE_S)
        assert there.bars() == {Bar.TOO_SLOW: 1}


def test_a_huge_length_behind_tls_is_not_waited_for(layout: Layout, certified: Certified) -> None:
    with (
        door(layout, **certified.settings) as there,
        certified.caller().wrap_socket(there.connect(), server_hostname="127.0.0.1") as liar,
    ):
        with suppress(OSError):
            liar.sendall(b"\x01\0\xff\xff\xff\xf0" + bytes(100_000))
        assert is_closed(liar, within_s=PATIENCE_S)
        there.wait_for(lambda: there.bars() == {Bar.TOO_LARGE: 1})


def test_an_abort_instead_of_a_request(layout: Layout) -> None:
    with door(layout, **SHORT) as there, there.connect() as caller:
        caller.sendall(pdu(ABORTED, bytes(4)))
        assert is_closed(caller, within_s=PATIENCE_S)
        assert there.takes_an_image()
