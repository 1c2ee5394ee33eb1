# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Telling a web address: the notice as JSON, or the site's own text, signed with a shared secret."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Final

from appliance.clock import Clock, SystemClock
from appliance.config import Settings
from appliance.outputs.over_http import WebServer, secret_in
from appliance.outputs.telling import Cooldown, notice_in, plain, text_of
from appliance.receivers import WebhookSettings

SIGNATURE: Final = "X-Scanside-Signature"
SAME_KEY: Final = "Idempotency-Key"
"""The same for the same notice: a receiver that has it can pass over it."""


class Webhook:
    """A `Destination`."""

    def __init__(self, receiver: WebhookSettings, clock: Clock, **timeouts_s: float) -> None:
        self.name = receiver.name
        self._receiver = receiver
        self._cooldown = Cooldown(receiver.cooldown_s, clock)
        self._server = WebServer(receiver, **timeouts_s)

    def deliver(self, path: Path) -> None:
        """Tell one notice, or hold it back. Raises DeliveryError."""
        notice = notice_in(path)
        if self._cooldown.holds_back(notice):
            return
        held_back = self._cooldown.held_back(notice)
        kind = "application/json"
        if self._receiver.template:
            text = text_of(notice, self._receiver, held_back=held_back)
            kind = kind if _is_json(text) else "text/plain; charset=utf-8"
        else:
            text = json.dumps(plain(notice, held_back=held_back))
        body = text.encode("utf-8")
        headers = {"Content-Type": kind, SAME_KEY: hashlib.sha256(path.read_bytes()).hexdigest()}
        if self._receiver.secret_file:
            secret = secret_in(self._receiver.secret_file).encode("ascii")
            headers[SIGNATURE] = f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}"
        answer = self._server.post(body, headers)
        if not 200 <= answer.status < 300:
            raise self._server.refuses(f"HTTP {answer.status}")
        self._cooldown.went_out(notice)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def destination(receiver: WebhookSettings, settings: Settings) -> Webhook:
    """The way out to this receiver."""
    del settings
    return Webhook(receiver, SystemClock())
