# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""E-mail to a real, small mail server: encrypted or not at all, logged in, refused, silent; said in words."""

from __future__ import annotations

import email
import email.policy
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from appliance.clock import ManualClock
from appliance.config import Settings
from appliance.domain.record import to_json
from appliance.errors import DeliveryError
from appliance.outputs.catalogue import destination
from appliance.outputs.email_send import Mailbox
from appliance.receivers import EmailSettings
from tests.certificates import certificate, server_context
from tests.outputs.test_telling import FLAG, REPEAT
from tests.running import free_port
from tests.smtp_server import MailServer
from tests.tcp_server import tcp_server


@pytest.fixture
def notice(tmp_path: Path) -> Path:
    file = tmp_path / "notice-triage.notice.json"
    file.write_text(to_json(FLAG), encoding="utf-8")
    return file


def mailbox(port: int, **known: Any) -> Mailbox:
    settings = {"sender": "scanside@example.org", "to": ("oncall@example.org",), "security": "none"} | known
    timeout_s = settings.pop("timeout_s", 5.0)
    receiver = EmailSettings.model_validate({"name": "on call", "host": "127.0.0.1", "port": port} | settings)
    return Mailbox(receiver, ManualClock(), timeout_s=timeout_s)


def error_of(way_out: Mailbox, notice: Path) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        way_out.deliver(notice)
    return caught.value


def test_a_mail_is_encrypted_logged_in_and_the_same_when_it_comes_again(notice: Path, tmp_path: Path) -> None:
    ours, key = certificate(tmp_path / "ours")
    password = tmp_path / "password"
    password.write_text("sesame\n", encoding="ascii")
    server = MailServer(context=server_context(ours, key))
    with tcp_server(server) as port:
        way_out = mailbox(
            port, security="starttls", ca_file=str(ours), user="scanside", password_file=str(password)
        )
        way_out.deliver(notice)
        way_out.deliver(notice)
    assert server.in_the_clear == [b"ehlo scanside", b"STARTTLS"] * 2
    assert server.logins == [("scanside", "sesame")] * 2
    assert server.mails[0] == server.mails[1]
    mail = email.message_from_bytes(server.mails[0], policy=email.policy.default)
    assert mail["Subject"] == "Please look: Pneumothorax (high)? AI, not confirmed"
    assert (mail["From"], mail["To"]) == ("scanside@example.org", "oncall@example.org")
    assert mail["Message-ID"].endswith("@example.org>")
    assert mail["Auto-Submitted"] == "auto-generated"
    body = mail.get_content()
    assert "Station: ROOM2" in body
    assert "Exam: 5d1f" in body


def test_a_server_that_is_encrypted_at_once(notice: Path, tmp_path: Path) -> None:
    ours, key = certificate(tmp_path / "ours")
    server = MailServer(context=server_context(ours, key), encrypted_at_once=True)
    with tcp_server(server) as port:
        mailbox(port, security="tls", ca_file=str(ours)).deliver(notice)
    assert len(server.mails) == 1


def test_nothing_goes_to_a_server_that_we_cannot_know_or_that_does_not_encrypt(
    notice: Path, tmp_path: Path
) -> None:
    ours, key = certificate(tmp_path / "ours")
    other, _ = certificate(tmp_path / "other")
    server = MailServer(context=server_context(ours, key))
    with tcp_server(server) as port:
        wrong = error_of(mailbox(port, security="starttls", ca_file=str(other)), notice)
        missing = error_of(mailbox(port, security="starttls", ca_file=str(tmp_path / "gone")), notice)
    plain = MailServer(offers=())
    with tcp_server(plain) as port:
        without = error_of(mailbox(port, security="starttls", ca_file=str(ours)), notice)
    assert "do not agree on encryption" in wrong.what
    assert "cannot be read" in missing.what
    assert "does not offer what is asked for" in without.what
    assert all(error.permanent for error in (wrong, missing, without))
    assert server.mails == plain.mails == []


@pytest.mark.parametrize(
    ("replies", "words", "permanent"),
    [
        ({"AUTH": b"535 CANARY\r\n"}, "does not let us in (SMTP 535)", True),
        ({"MAIL": b"451 CANARY\r\n"}, "does not take the message (SMTP 451)", False),
        ({"DATA": b"554 CANARY\r\n"}, "does not take the message (SMTP 554)", True),
        ({"RCPT": b"550 CANARY\r\n"}, "does not take mail for somebody in the list (SMTP 550)", True),
        ({"RCPT": b"450 CANARY\r\n"}, "does not take mail for somebody in the list (SMTP 450)", False),
        ({"EHLO": b"502 no\r\n", "HELO": b"502 no\r\n"}, "does not take the message (SMTP 502)", True),
    ],
)
def test_answers_in_words(
    notice: Path, tmp_path: Path, replies: dict[str, bytes], words: str, permanent: bool
) -> None:
    password = tmp_path / "password"
    password.write_text("sesame", encoding="ascii")
    with tcp_server(MailServer(replies=replies)) as port:
        error = error_of(mailbox(port, user="scanside", password_file=str(password)), notice)
    assert words in error.what
    assert "CANARY" not in str(error)
    assert error.permanent == permanent


def test_a_list_of_which_one_is_refused_reaches_the_others_once(notice: Path) -> None:
    server = MailServer(replies={"gone@example.org": b"550 CANARY\r\n"})
    with tcp_server(server) as port, capture_logs() as logs:
        mailbox(port, to=("oncall@example.org", "gone@example.org")).deliver(notice)
    assert server.recipients == ["oncall@example.org"]
    assert [(entry["event"], entry["count"]) for entry in logs] == [("mail for some was refused", 1)]
    assert "CANARY" not in str(logs)
    assert "gone@" not in str(logs)


def test_nobody_there_somebody_silent_and_somebody_who_hangs_up(notice: Path) -> None:
    assert "does not answer." in error_of(mailbox(free_port()), notice).what
    let_go = Event()

    def silent(_: object) -> None:
        let_go.wait(10)

    with tcp_server(silent) as port:
        assert "does not answer in time" in error_of(mailbox(port, timeout_s=0.3), notice).what
        let_go.set()
    with tcp_server(lambda connection: connection.sendall(b"220 hello\r\n")) as port:
        error = error_of(mailbox(port), notice)
    assert "does not answer" in error.what
    assert not error.permanent


def test_what_repeats_is_held_back(tmp_path: Path) -> None:
    file = tmp_path / "notice-quality.notice.json"
    file.write_text(to_json(REPEAT), encoding="utf-8")
    server = MailServer()
    with tcp_server(server) as port:
        way_out = mailbox(port)
        way_out.deliver(file)
        way_out.deliver(file)
    assert len(server.mails) == 1


def test_an_address_cannot_bring_a_header() -> None:
    with pytest.raises(ValidationError):
        mailbox(1, to=("a@example.org\nBcc: b@example.org",))
    settings = EmailSettings(name="on call", host="192.0.2.1", sender="a@b.example", to=("c@d.example",))
    assert destination(settings, Settings()).name == "on call"
