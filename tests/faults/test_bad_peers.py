# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Receivers that refuse, stall, close, die or lie: nothing lost, nothing sent as another object, all said."""

from __future__ import annotations

import gc
import hashlib
import shutil
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import DigitalXRayImageStorageForPresentation as Radiograph
from pynetdicom import AE
from pynetdicom.sop_class import Verification

from appliance.clock import ManualClock, SystemClock
from appliance.config import Settings
from appliance.layout import Layout
from appliance.outputs.catalogue import echo
from appliance.processes.sender import Sender
from appliance.receivers import PeerSettings, SenderSettings
from appliance.selftest.phantom_radiograph import Identity, write_chest
from appliance.store.connection import Database
from appliance.store.outbox import queue_originals
from appliance.store.peers import Peers, PeerStanding
from tests.bad_wire import BadWire, Fault
from tests.certificates import Authority
from tests.receiver import receiver
from tests.running import free_port
from ui.device_faults import peer_faults

FILMS = 3
PAUSE_S = 2.0
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=timezone.utc)
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""pynetdicom drops the socket of a broken connection without closing it; Python closes it at once."""
QUICK_TO_GIVE_UP = {"acse_timeout": 1, "network_timeout": 2}


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    folder = tmp_path_factory.mktemp("films")
    for number in range(FILMS):
        write_chest(folder / f"{number}.dcm", identity=Identity(seed=number), rows=360, columns=300)
    return tuple(sorted(folder.iterdir()))


class Device:
    """A data folder with films that wait for one receiver, and the sender that works on them."""

    def __init__(self, layout: Layout, films: tuple[Path, ...]) -> None:
        layout.create()
        self.clock = ManualClock()
        self._layout = layout
        self.database = Database.open(layout.database, data=layout.data, clock=self.clock)
        for film in films:
            copy = layout.spool / f"{hashlib.sha256(film.read_bytes()).hexdigest()}.dcm"
            shutil.copyfile(film, copy)
            with self.database.transaction() as write:
                queue_originals(write, path=copy.relative_to(layout.data), peers=("PACS",))

    @contextmanager
    def sender(self, port: int, **known: Any) -> Iterator[Sender]:
        settings = Settings(
            sender=SenderSettings(
                peers=(peer_settings(port, **known),), retry_first_s=PAUSE_S, retry_longest_s=PAUSE_S
            )
        )
        with Sender(
            settings=settings, layout=self._layout, clock=self.clock, database=self.database
        ) as sender:
            yield sender

    def waiting(self) -> int:
        return int(self.database.read("SELECT count(*) FROM outbox WHERE done = 0")[0][0])

    def standing(self) -> PeerStanding:
        return Peers(self.database).of("PACS")

    def screen(self) -> tuple[str, str]:
        """The health word of the kiosk for this receiver, and its advice."""
        (fault,) = peer_faults(self.standing(), now_utc=NOW)
        return fault.word, fault.advice


@pytest.fixture
def device(layout: Layout, films: tuple[Path, ...]) -> Iterator[Device]:
    made = Device(layout, films)
    yield made
    made.database.close()
    gc.collect()  # what pynetdicom dropped is seen here, and not in a test of somebody else


def peer_settings(port: int, **known: Any) -> PeerSettings:
    common = {"name": "PACS", "host": "127.0.0.1", "port": port, "ae_title": "ARCHIVE"}
    return PeerSettings(**common | {"answer_timeout_s": 1.0} | known)


def work_off(sender: Sender) -> None:
    while sender.step() or sender.wait_for_a_peer():
        pass


def arrived_whole(received: list[tuple[bytes, str]]) -> None:
    """Every film, as often as it may be, but never in two forms."""
    assert len({content for content, _ in received}) == FILMS


def recovers(device: Device, sender: Sender, received: list[tuple[bytes, str]]) -> None:
    device.clock.advance(PAUSE_S)
    work_off(sender)
    assert device.waiting() == 0
    assert sender.troubles == ()
    assert list(peer_faults(device.standing(), now_utc=NOW)) == []
    arrived_whole(received)


def test_a_receiver_with_no_association_left(device: Device) -> None:
    with receiver(takes=Radiograph, maximum_associations=1) as (port, received):
        other = AE()
        other.add_requested_context(Verification)
        taken = other.associate("127.0.0.1", port)
        with device.sender(port) as sender:
            work_off(sender)
            assert "refuses the connection: Local limit exceeded" in sender.troubles[0]
            assert not device.standing().needs_person
            assert device.screen()[0] == "PACS OFFLINE"
            assert device.waiting() == FILMS
            taken.release()
            taken.join(5)
            recovers(device, sender, received)


@pytest.mark.parametrize(
    ("rules", "known", "words"),
    [
        ({"require_calling_aet": ["OTHER"]}, {}, "does not know the AE title SCANSIDE"),
        ({"require_called_aet": True}, {"ae_title": "PACS9"}, "is not called PACS9"),
    ],
)
def test_a_wrong_ae_title_is_for_a_person_to_mend(
    device: Device, rules: dict[str, Any], known: dict[str, Any], words: str
) -> None:
    with (
        receiver(takes=Radiograph, **rules) as (port, received),
        device.sender(port, **known) as sender,
    ):
        work_off(sender)
        assert words in sender.troubles[0]
        word, advice = device.screen()
        assert word == "PACS REFUSES"
        assert words in advice
        assert f"{FILMS} files wait. Nothing is lost." in advice
    assert (received, device.waiting()) == ([], FILMS)


def test_a_full_archive(device: Device) -> None:
    full = [True]
    with (
        receiver(takes=Radiograph, status=lambda _: 0xA700 if full[0] else 0) as (port, received),
        device.sender(port) as sender,
    ):
        work_off(sender)
        assert "has no room" in sender.troubles[0]
        assert device.screen()[0] == "PACS OFFLINE"
        assert device.waiting() == FILMS
        assert len(received) == 1, "nobody hammers a full archive"
        full[0] = False
        recovers(device, sender, received)


@pytest.mark.parametrize("fault", ["stalls", "closes its half", "is cut"])
@pytest.mark.parametrize("after_bytes", [200, 60_000])
def test_a_wire_that_breaks(device: Device, fault: Fault, after_bytes: int) -> None:
    """In the negotiation, and within the first file."""
    with (
        receiver(takes=Radiograph, **QUICK_TO_GIVE_UP) as (port, received),
        BadWire(port, fault, after_bytes=after_bytes) as wire,
        device.sender(wire.port) as sender,
    ):
        work_off(sender)
        assert wire.broke
        assert sender.troubles
        assert not device.standing().needs_person
        assert device.screen()[0] == "PACS OFFLINE"
        assert 0 < device.waiting() <= FILMS
        wire.mend()
        recovers(device, sender, received)


@pytest.mark.parametrize("fault", ["stalls", "closes its half", "is cut"])
def test_a_connection_that_breaks_within_a_later_file_is_opened_again_at_once(
    device: Device, fault: Fault
) -> None:
    with (
        receiver(takes=Radiograph, **QUICK_TO_GIVE_UP) as (port, received),
        BadWire(port, fault, after_bytes=300_000) as wire,
        device.sender(wire.port) as sender,
    ):
        work_off(sender)
        assert wire.broke
        assert sender.troubles == ()
    assert device.waiting() == 0
    arrived_whole(received)


def test_an_idle_connection_that_the_receiver_closed_is_no_trouble(
    device: Device, films: tuple[Path, ...]
) -> None:
    with receiver(takes=Radiograph, network_timeout=0.3) as (port, received), device.sender(port) as sender:
        work_off(sender)
        SystemClock().sleep(1.0)
        device.database.read("UPDATE outbox SET done = 0")
        work_off(sender)
        assert sender.troubles == ()
    assert len(received) == 2 * FILMS
    arrived_whole(received)


def test_nobody_listens(device: Device) -> None:
    port = free_port()
    with device.sender(port) as sender:
        work_off(sender)
        assert "nothing listens at that port" in sender.troubles[0]
        assert device.screen()[0] == "PACS OFFLINE"
        with receiver(takes=Radiograph, port=port) as (_, received):
            recovers(device, sender, received)


def test_a_name_that_does_not_resolve(device: Device) -> None:
    with device.sender(104, host="pacs.invalid") as sender:
        work_off(sender)
        assert "has a name that cannot be resolved: pacs.invalid" in sender.troubles[0]
        assert device.screen()[0] == "PACS OFFLINE"
    assert device.waiting() == FILMS


def test_an_archive_that_drops_is_not_found_without_commitment_and_that_is_said() -> None:
    """With commitment it is: tests/processes/test_confirmations.py."""
    with receiver(takes=Radiograph) as (port, _):
        assert "nobody asks whether it keeps what it took" in (echo(peer_settings(port), Settings()) or "")
        asked = echo(peer_settings(port, commitment=True), Settings()) or ""
    assert "nobody asks" not in asked


@contextmanager
def secure_receiver(certificate: tuple[str, str], *, asks_for: Path | None) -> Iterator[tuple[int, Any]]:
    """A storage SCP behind TLS; `asks_for`: who comes must show a certificate of this authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    if asks_for is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(asks_for)
    with receiver(takes=Radiograph, tls=context) as opened:
        yield opened


Case = Callable[[Authority, Authority], dict[str, Any]]


def test_with_certificates_both_sides_know_each_other(device: Device, tmp_path: Path) -> None:
    hospital = Authority(tmp_path, "hospital")
    certificate, key = hospital.certify("device")
    known = {"ca_file": str(hospital.file), "certificate_file": certificate, "key_file": key}
    with (
        secure_receiver(hospital.certify("pacs"), asks_for=hospital.file) as (port, received),
        device.sender(port, tls=True, **known) as sender,
    ):
        work_off(sender)
        assert sender.troubles == ()
    assert device.waiting() == 0
    arrived_whole(received)


@pytest.mark.parametrize(
    ("case", "words", "needs_person"),
    [
        (lambda us, _: {"ca_file": str(us.file)}, "refuses our TLS certificate (tlsv", True),
        (lambda _, them: {"ca_file": str(them.file)}, "shows a certificate that is not trusted", True),
        (
            lambda us, _: {"ca_file": str(us.file), "server_name": "pacs.example"},
            "shows a certificate that is not trusted: Hostname mismatch",
            True,
        ),
        (lambda _us, _them: {"ca_file": "/nowhere/ca.pem"}, "cannot be used (/nowhere/ca.pem)", True),
        (lambda _us, _them: {"tls": False}, "that is no DICOM program, or it wants TLS", False),
    ],
    ids=["we show no certificate", "unknown authority", "another name", "no such file", "in the clear"],
)
def test_tls_that_does_not_match(
    device: Device, tmp_path: Path, case: Case, words: str, needs_person: bool
) -> None:
    hospital, stranger = Authority(tmp_path, "hospital"), Authority(tmp_path, "stranger")
    known = {"tls": True} | case(hospital, stranger)
    with ExitStack() as stack:
        port, received = stack.enter_context(
            secure_receiver(hospital.certify("pacs"), asks_for=hospital.file)
        )
        with device.sender(port, **known) as sender:
            work_off(sender)
            assert words in sender.troubles[0]
            assert device.standing().needs_person is needs_person
            assert device.screen()[0] == ("PACS REFUSES" if needs_person else "PACS OFFLINE")
    assert (received, device.waiting()) == ([], FILMS)


def test_tls_to_a_receiver_that_speaks_none(device: Device, tmp_path: Path) -> None:
    hospital = Authority(tmp_path, "hospital")
    with (
        receiver(takes=Radiograph, **QUICK_TO_GIVE_UP) as (port, received),
        device.sender(port, tls=True, ca_file=str(hospital.file)) as sender,
    ):
        work_off(sender)
        assert "TLS" in sender.troubles[0]
    assert (received, device.waiting()) == ([], FILMS)
