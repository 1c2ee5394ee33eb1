# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Receivers that refuse, stall, close, die or lie: nothing lost, nothing sent as another object, all said."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import DigitalXRayImageStorageForPresentation as Radiograph
from pynetdicom import AE
from pynetdicom.sop_class import Verification

from appliance.clock import NS_PER_S, SystemClock
from appliance.config import Settings
from appliance.layout import Layout
from appliance.outputs.catalogue import echo
from appliance.selftest.phantom_radiograph import write_chest
from tests.bad_wire import BadWire, Fault
from tests.receiver import receiver
from tests.running import free_port
from tests.waiting_films import (
    FILMS,
    PAUSE_S,
    QUICK_TO_GIVE_UP,
    Device,
    arrived_whole,
    peer_settings,
    recovers,
    work_off,
)

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""pynetdicom drops the socket of a broken connection without closing it; Python closes it at once."""


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
            for thread in threading.enumerate():  # the receiver counts it until its own side has ended, too
                if thread.name.startswith("AcceptorThread"):
                    thread.join(30)
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


def test_a_receiver_that_stops_reading_within_a_large_image(layout: Layout, tmp_path: Path) -> None:
    """Larger than what the system holds back for a connection: our own writing has to end, too."""
    film = tmp_path / "large.dcm"
    write_chest(film, rows=2600, columns=2600)
    device, clock = Device(layout, (film,)), SystemClock()
    with (
        receiver(takes=Radiograph, **QUICK_TO_GIVE_UP) as (port, received),
        BadWire(port, "stalls", after_bytes=60_000) as wire,
        device.sender(wire.port) as sender,
    ):
        began_ns = clock.monotonic_ns()
        work_off(sender)
        took_s = (clock.monotonic_ns() - began_ns) / NS_PER_S
        assert sender.troubles
        assert took_s < 6.0, "one second of silence is what it is given; the wire stalls for ten"
        wire.mend()
        device.clock.advance(PAUSE_S)
        work_off(sender)
        assert device.waiting() == 0
    assert len({content for content, _ in received}) == 1
    device.database.close()


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
    device: Device,
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
