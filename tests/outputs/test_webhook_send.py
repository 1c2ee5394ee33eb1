# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Webhooks: JSON or a site's text, signed, once for each sort, and bad servers in words."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.clock import ManualClock
from appliance.config import Settings
from appliance.domain.record import to_json
from appliance.errors import DeliveryError
from appliance.outputs.catalogue import destination
from appliance.outputs.webhook_send import Webhook
from appliance.receivers import WebhookSettings
from tests.certificates import certificate, server_context
from tests.outputs.test_telling import FLAG, REPEAT
from tests.running import free_port
from tests.web_server import Request, Slow, web_server

Write = Callable[..., Path]


@pytest.fixture
def notice(tmp_path: Path) -> Path:
    file = tmp_path / "notice-triage.notice.json"
    file.write_text(to_json(FLAG), encoding="utf-8")
    return file


class Ward:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Request] = []

    def __call__(self, request: Request) -> tuple[int, bytes]:
        self.told.append(request)
        return 204, b""


def webhook(url: str, clock: ManualClock | None = None, **known: Any) -> Webhook:
    return Webhook(
        WebhookSettings(name="ward", url=url, **known), clock or ManualClock(), answer_timeout_s=0.5
    )


def error_of(way_out: Webhook, notice: Path) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        way_out.deliver(notice)
    return caught.value


def test_a_notice_comes_as_json_with_a_signature_that_can_be_checked(notice: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("sesame\n", encoding="ascii")
    ward = Ward()
    with web_server(ward) as url:
        way_out = webhook(url, secret_file=str(secret))
        way_out.deliver(notice)
        way_out.deliver(notice)
    first, again = ward.told
    assert json.loads(first.body) == json.loads(to_json(FLAG)) | {"held_back": 0}
    expected = hmac.new(b"sesame", first.body, hashlib.sha256).hexdigest()
    assert first.headers["X-Scanside-Signature"] == f"sha256={expected}"
    assert first.headers["Content-Type"] == "application/json"
    assert first.headers["Idempotency-Key"] == again.headers["Idempotency-Key"]


def test_without_a_secret_there_is_no_signature(notice: Path) -> None:
    ward = Ward()
    with web_server(ward) as url:
        webhook(url).deliver(notice)
    assert "X-Scanside-Signature" not in ward.told[0].headers


@pytest.mark.parametrize(
    ("template", "kind"),
    [
        ('{"text": {{ finding | tojson }}}', "application/json"),
        ("{{ finding }}!", "text/plain; charset=utf-8"),
    ],
)
def test_a_site_has_its_own_text(notice: Path, tmp_path: Path, template: str, kind: str) -> None:
    file = tmp_path / "text.jinja"
    file.write_text(template, encoding="utf-8")
    ward = Ward()
    with web_server(ward) as url:
        webhook(url, template=str(file)).deliver(notice)
    assert b"Pneumothorax (high)" in ward.told[0].body
    assert ward.told[0].headers["Content-Type"] == kind


def test_what_repeats_is_held_back_and_counted(tmp_path: Path) -> None:
    file = tmp_path / "notice-quality.notice.json"
    file.write_text(to_json(REPEAT), encoding="utf-8")
    clock, ward = ManualClock(), Ward()
    with web_server(ward) as url:
        way_out = webhook(url, clock, cooldown_s=60)
        for _ in range(3):
            way_out.deliver(file)
        clock.advance(61)
        way_out.deliver(file)
    assert [json.loads(request.body)["held_back"] for request in ward.told] == [0, 2]


@pytest.mark.parametrize(
    ("status", "words", "permanent", "this_file_only"),
    [
        (401, "does not let us in (HTTP 401)", True, False),
        (400, "refuses this one (HTTP 400)", True, True),
        (404, "nothing for us", True, False),
        (500, "cannot take anything now (HTTP 500)", False, False),
    ],
)
def test_answers_in_words(
    notice: Path, status: int, words: str, permanent: bool, this_file_only: bool
) -> None:
    with web_server(lambda _: (status, b"CANARY")) as url:
        error = error_of(webhook(url), notice)
    assert words in error.what
    assert "CANARY" not in str(error)
    assert (error.permanent, error.this_file_only) == (permanent, this_file_only)


def test_nobody_there_somebody_slow_and_somebody_else(notice: Path, tmp_path: Path) -> None:
    assert "does not answer." in error_of(webhook(f"http://127.0.0.1:{free_port()}/"), notice).what
    slow = Slow()
    with web_server(slow) as url:
        assert "did not answer in time" in error_of(webhook(url), notice).what
        slow.let_go()
    ward = Ward()
    with web_server(ward, context=server_context(*certificate(tmp_path / "other"))) as url:
        assert "certificate" in error_of(webhook(url), notice).what
    assert ward.told == []


def test_the_catalogue_knows_the_way() -> None:
    assert destination(WebhookSettings(name="ward", url="https://example.org/"), Settings()).name == "ward"
