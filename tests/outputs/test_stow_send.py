# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""STOW-RS to a real Orthanc, and to a web server that answers what the test says."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from appliance.config import Settings
from appliance.errors import DeliveryError
from appliance.outputs.stow_send import destination, echo
from appliance.receivers import StowSettings
from tests.certificates import Authority
from tests.orthanc import RunningOrthanc
from tests.running import free_port

MakeFile = Callable[..., Path]


def settings(url: str, **known: Any) -> StowSettings:
    return StowSettings(**{"name": "cloud", "url": url, "answer_timeout_s": 20.0} | known)


def deliver(path: Path, known: StowSettings) -> None:
    with closing(destination(known, Settings())) as opened:
        opened.deliver(path)


@contextmanager
def web(status: int, body: bytes = b"", tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[Any]]]:
    """A server that answers this to everybody; what it was asked."""
    asked: list[Any] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            asked.append((self.path, dict(self.headers), self.rfile.read(length)))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815  (the library finds its methods by these names)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}/dicom-web", asked
        finally:
            server.shutdown()
            thread.join()


def test_orthanc_has_the_file_byte_by_byte_and_once(ct_file: MakeFile, tmp_path: Path) -> None:
    paths = [ct_file(number) for number in range(2)]
    with RunningOrthanc(tmp_path / "orthanc", plugins=("libOrthancDicomWeb.so",)) as orthanc:
        known = settings(f"{orthanc.url}/dicom-web")
        for path in (*paths, paths[0]):
            deliver(path, known)
        held = [orthanc.file(instance) for instance in orthanc.instances()]
        assert echo(known, Settings()) == "answers DICOMweb questions"
    assert sorted(held) == sorted(path.read_bytes() for path in paths)


def test_orthanc_that_cannot_read_the_file_refuses_it(ct_file: MakeFile, tmp_path: Path) -> None:
    broken = tmp_path / "broken.dcm"
    broken.write_bytes(ct_file(0).read_bytes()[:200])
    with RunningOrthanc(tmp_path / "orthanc", plugins=("libOrthancDicomWeb.so",)) as orthanc:
        with pytest.raises(DeliveryError, match=r"broken\.dcm") as error:
            deliver(broken, settings(f"{orthanc.url}/dicom-web"))
        assert orthanc.instances() == []
    assert error.value.what.startswith("cloud (")


@pytest.mark.parametrize(
    ("status", "body", "permanent", "this_file_only", "words"),
    [
        (401, b"", True, False, "does not let us in"),
        (403, b"", True, False, "does not let us in"),
        (404, b"", True, False, "is no DICOMweb service"),
        (302, b"", True, False, "is no DICOMweb service"),
        (409, b"", True, True, r"refuses 0\.dcm \(HTTP 409\)"),
        (400, b"no json", True, True, "refuses"),
        (503, b"", False, False, "cannot take .* now"),
        (429, b"", False, False, "cannot take .* now"),
        (507, b"", False, False, "has no room"),
        (409, b'{"00081198":{"vr":"SQ","Value":[{"00081197":{"vr":"US","Value":[42752]}}]}}', False, False,
         "has no room .*0xA700"),
        (409, b'{"00081198":{"vr":"SQ","Value":[{"00081197":{"vr":"US","Value":[49152]}}]}}', True, True,
         "refuses .*0xC000"),
        (202, b'{"00081198":{"vr":"SQ","Value":[{"00081197":{"vr":"US","Value":[49152]}}]}}', True, True,
         "refuses .*0xC000"),
    ],
)  # fmt: skip
def test_what_it_answers_is_said(
    ct_file: MakeFile, status: int, body: bytes, permanent: bool, this_file_only: bool, words: str
) -> None:
    with web(status, body) as (url, _), pytest.raises(DeliveryError, match=words) as error:
        deliver(ct_file(0), settings(url))
    assert (error.value.permanent, error.value.this_file_only) == (permanent, this_file_only)


def test_the_message_holds_the_file_and_the_secret_of_a_file(ct_file: MakeFile, tmp_path: Path) -> None:
    token, password = tmp_path / "token", tmp_path / "password"
    token.write_text("abc\n", encoding="utf-8")
    password.write_text("secret\n", encoding="utf-8")
    with web(200) as (url, asked):
        deliver(ct_file(0), settings(url, token_file=str(token)))
        deliver(ct_file(0), settings(f"{url}/", user="device", password_file=str(password)))
    (path, headers, body), (_, basic, _) = asked
    assert path == "/dicom-web/studies"
    assert headers["Authorization"] == "Bearer abc"
    assert basic["Authorization"].startswith("Basic ")
    assert headers["Content-Type"].startswith('multipart/related; type="application/dicom"; boundary=')
    assert body.split(b"\r\n\r\n", 1)[1].rsplit(b"\r\n--", 1)[0] == ct_file(0).read_bytes()
    with pytest.raises(DeliveryError, match=r"secret for cloud .* cannot be read"):
        deliver(ct_file(0), settings("http://127.0.0.1:9/x", token_file=str(tmp_path / "gone")))


def test_nobody_there_is_worth_waiting_for(ct_file: MakeFile) -> None:
    with pytest.raises(DeliveryError, match="does not answer: Connection refused") as error:
        deliver(ct_file(0), settings(f"http://127.0.0.1:{free_port()}/x"))
    assert not error.value.permanent
    with pytest.raises(DeliveryError, match="does not answer") as error:
        deliver(ct_file(0), settings("http://pacs.invalid/x"))
    assert not error.value.permanent


def test_tls_is_checked_against_the_authority_of_the_settings(ct_file: MakeFile, tmp_path: Path) -> None:
    hospital, stranger = Authority(tmp_path, "hospital"), Authority(tmp_path, "stranger")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*hospital.certify("pacs"))
    with web(200, tls=context) as (url, asked):
        deliver(ct_file(0), settings(url, ca_file=str(hospital.file)))
        with pytest.raises(DeliveryError, match="do not agree on TLS") as error:
            deliver(ct_file(0), settings(url, ca_file=str(stranger.file)))
        with pytest.raises(DeliveryError, match="could not be asked"):
            deliver(ct_file(0), settings(url, ca_file=str(tmp_path / "gone.pem")))
    assert error.value.permanent
    assert len(asked) == 1


def test_a_file_that_is_gone_is_only_this_file(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="cannot be read") as error:
        deliver(tmp_path / "gone.dcm", settings("http://127.0.0.1:9/x"))
    assert error.value.this_file_only


def test_doctor_asks_for_a_study_that_nobody_has() -> None:
    with web(404) as (url, asked):
        assert "shows with the first one" in echo(settings(url), Settings())
    assert asked[0][0] == "/dicom-web/studies?StudyInstanceUID=2.25.0"
    with web(401) as (url, _), pytest.raises(DeliveryError, match="does not let us in"):
        echo(settings(url), Settings())
