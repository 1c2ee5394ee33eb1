# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""HL7 receivers that accept, find faults, reject, mix up, fall silent or hang up: told apart in words."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from appliance.config import Settings
from appliance.domain.acquisition import Acquisition
from appliance.errors import DeliveryError
from appliance.layout import Layout
from appliance.outputs.catalogue import destination
from appliance.outputs.hl7_message import message
from appliance.outputs.mllp_send import END, START, MllpReceiver
from appliance.receivers import HL7, MllpSettings
from tests.certificates import certificate, server_context
from tests.outputs.sample_results import FLAGGED
from tests.running import free_port
from tests.tcp_server import tcp_server

OUR_ID = "(ours)"


@pytest.fixture
def result(
    ct_file: Callable[..., Path], acquisition_of: Callable[..., Acquisition], layout: Layout, tmp_path: Path
) -> Path:
    (rendered,) = message(HL7, Settings(), layout).render(acquisition_of(ct_file(0)), FLAGGED)
    path = tmp_path / rendered.file_name
    path.write_bytes(rendered.content)
    return path


class Engine:
    """An interface engine that keeps what it gets and answers with one code."""

    def __init__(self, code: str, *, about: str = OUR_ID, error: str = "") -> None:
        self.code, self.about, self.error = code, about, error
        self.received: list[bytes] = []

    def __call__(self, connection: socket.socket) -> None:
        frame = bytearray()
        while END not in frame:
            chunk = connection.recv(4096)
            if not chunk:
                return
            frame += chunk
        self.received.append(bytes(frame))
        ours = frame.decode("utf-8").split("|")[9]
        about = ours if self.about == OUR_ID else self.about
        answer = (
            f"MSH|^~\\&|HIS||SCANSIDE||20260102||ACK^R01^ACK|1|P|2.5.1\rMSA|{self.code}|{about}|CANARY^JANE\r"
        )
        if self.error:
            answer += f"ERR|||{self.error}|E||||CANARY^JANE is not known\r"
        framed = START + answer.encode() + END
        connection.sendall(framed[:5])  # an answer may come in pieces
        connection.sendall(framed[5:])


def receiver(port: int, *, answer_timeout_s: float = 10.0, **known: Any) -> MllpReceiver:
    settings = MllpSettings(name="his", host="127.0.0.1", port=port, **known)
    return MllpReceiver(settings, answer_timeout_s=answer_timeout_s)


def error_of(way_out: MllpReceiver, result: Path) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        way_out.deliver(result)
    return caught.value


@pytest.mark.parametrize("code", ["AA", "CA"])
def test_an_accepted_message_arrives_framed_and_whole(result: Path, code: str) -> None:
    engine = Engine(code)
    with tcp_server(engine) as port:
        receiver(port).deliver(result)
        receiver(port).deliver(result)
    assert engine.received == [START + result.read_bytes() + END] * 2


@pytest.mark.parametrize(
    ("engine", "words", "permanent", "this_file_only"),
    [
        (
            Engine("AE", error="101^Required field missing^HL70357"),
            "fault in this message (AE, HL7 error 101)",
            True,
            True,
        ),
        (Engine("CE"), "fault in this message (CE)", True, True),
        (Engine("AR", error="203"), "rejects such messages (AR, HL7 error 203)", True, False),
        (Engine("CR", error="CANARY"), "rejects such messages (CR)", True, False),
        (Engine("AA", about="SOMETHING"), "acknowledged another message than ours", False, False),
        (Engine("XX"), "no acknowledgement", False, False),
        (Engine("AA|\rMSA|AA"), "no acknowledgement", False, False),
    ],
    ids=lambda value: value.code[:2] + value.error[:3] if isinstance(value, Engine) else None,
)
def test_acknowledgements_are_told_apart(
    result: Path, engine: Engine, words: str, permanent: bool, this_file_only: bool
) -> None:
    with tcp_server(engine) as port:
        error = error_of(receiver(port), result)
    assert words in error.what
    assert "CANARY" not in str(error)
    assert (error.permanent, error.this_file_only) == (permanent, this_file_only)


def test_what_is_no_hl7_is_no_acknowledgement(result: Path) -> None:
    with tcp_server(lambda connection: connection.sendall(START + b"\xff\x00 hello" + END)) as port:
        assert "no acknowledgement" in error_of(receiver(port), result).what


def test_a_receiver_that_hangs_up_has_not_taken_it(result: Path) -> None:
    def take_and_go(connection: socket.socket) -> None:
        connection.recv(1 << 20)
        connection.shutdown(socket.SHUT_WR)

    with tcp_server(take_and_go) as port:
        error = error_of(receiver(port), result)
    assert "broke off without an acknowledgement" in error.what or "does not answer." in error.what
    assert not error.permanent


def not_a_word(let_go: Event) -> None:
    let_go.wait(10)


def test_nobody_there_and_somebody_silent(result: Path) -> None:
    assert "does not answer." in error_of(receiver(free_port()), result).what
    let_go = Event()
    with tcp_server(lambda _: not_a_word(let_go)) as port:
        error = error_of(receiver(port, answer_timeout_s=0.3), result)
        let_go.set()
    assert "does not answer in time" in error.what


def test_tls_is_for_a_receiver_that_we_can_know(result: Path, tmp_path: Path) -> None:
    ours, key = certificate(tmp_path / "ours")
    other, _ = certificate(tmp_path / "other")
    engine = Engine("AA")
    with tcp_server(engine, context=server_context(ours, key)) as port:
        wrong = error_of(receiver(port, tls=True, ca_file=str(other)), result)
        missing = error_of(receiver(port, tls=True, ca_file=str(tmp_path / "gone.pem")), result)
        assert engine.received == []
        receiver(port, tls=True, ca_file=str(ours)).deliver(result)
    assert "do not agree on encryption" in wrong.what
    assert wrong.permanent
    assert "gone.pem" in missing.what
    assert len(engine.received) == 1
    with tcp_server(Engine("AA")) as port:
        plain = error_of(receiver(port, tls=True, ca_file=str(ours), answer_timeout_s=1), result)
    assert "encryption" in plain.what or "does not answer" in plain.what


def test_the_catalogue_knows_the_way() -> None:
    assert destination(MllpSettings(name="his", host="192.0.2.1", port=2575), Settings()).name == "his"
