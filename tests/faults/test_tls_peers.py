# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""DICOM over TLS with receivers that match, and with those that do not: said in words."""

from __future__ import annotations

import gc
import logging
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import DigitalXRayImageStorageForPresentation as Radiograph

from tests.certificates import Authority
from tests.receiver import receiver
from tests.waiting_films import FILMS, QUICK_TO_GIVE_UP, Device, arrived_whole, work_off

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""pynetdicom drops the socket of a broken connection without closing it; Python closes it at once."""


@pytest.fixture(autouse=True)
def dropped_here(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A socket that is dropped is dropped in its own test, not in whichever comes next."""
    caplog.set_level(logging.CRITICAL, "pynetdicom")  # a kept record of a failed handshake would keep it
    yield
    gc.collect()


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
        (
            lambda _us, _them: {"ca_file": "/nowhere/ca.pem"},
            "The TLS files (/nowhere/ca.pem) cannot be used",
            True,
        ),
        (lambda _us, _them: {"tls": False}, "that is no DICOM program, or it wants TLS", False),
    ],
    ids=["we show no certificate", "unknown authority", "another name", "no such file", "in the clear"],
)
def test_tls_that_does_not_match(
    device: Device, tmp_path: Path, case: Case, words: str, needs_person: bool
) -> None:
    hospital, stranger = Authority(tmp_path, "hospital"), Authority(tmp_path, "stranger")
    known = {"tls": True} | case(hospital, stranger)
    with (
        secure_receiver(hospital.certify("pacs"), asks_for=hospital.file) as (port, received),
        device.sender(port, **known) as sender,
    ):
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
