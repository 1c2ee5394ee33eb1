# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The DICOM door behind TLS: the profile of BCP 195, certificates of both sides, endless handshakes."""

from __future__ import annotations

import ssl
import subprocess
from contextlib import suppress
from pathlib import Path
from shutil import which

import pytest

from appliance.domain.turned_away import Bar
from appliance.layout import Layout
from tests.certificates import Authority
from tests.dicom_door import PATIENCE_S, SHORT, door, trickling
from tests.dicom_wire import (
    associate_rq,
    is_closed,
)


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


# Trace: REQ-040
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


# Trace: REQ-040
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
