# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Sending to a FHIR server: one transaction per result, all of it or nothing of it.

The server is asked to create only what it does not have, so sending again does no harm.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

from appliance.config import Settings
from appliance.outputs.over_http import Answer, WebServer, content_of, secret_in
from appliance.receivers import FhirSettings

FHIR_JSON: Final = "application/fhir+json"
ISSUE_CODE: Final = re.compile(r"[a-z][a-z-]{1,30}")
"""Codes of OperationOutcome (value set issue-type). Texts beside them may quote the patient."""
MOST_CODES: Final = 3
CREATED_OR_THERE: Final = re.compile(r"2\d\d\b")


class FhirServer:
    """A `Destination`."""

    def __init__(self, receiver: FhirSettings, **timeouts_s: float) -> None:
        self.name = receiver.name
        self._bearer_file = receiver.bearer_file
        self._server = WebServer(receiver, **timeouts_s)

    def deliver(self, path: Path) -> None:
        """Hand over one transaction. Raises DeliveryError."""
        headers = {"Content-Type": FHIR_JSON, "Accept": FHIR_JSON}
        if self._bearer_file:
            headers["Authorization"] = f"Bearer {secret_in(self._bearer_file)}"
        answer = self._server.post(content_of(path), headers)
        if not 200 <= answer.status < 300:
            raise self._server.refuses(f"HTTP {answer.status}{_codes(answer)}")
        statuses = [
            str(_of(entry, "response", "status") or "?") for entry in _of(_json(answer), "entry") or ()
        ]
        failed = [status for status in statuses if not CREATED_OR_THERE.match(status)]
        if failed or not statuses:
            raise self._server.refuses("its answer does not say that everything was stored")


def _json(answer: Answer) -> Any:
    try:
        return json.loads(answer.body)
    except ValueError:
        return None


def _of(value: Any, *names: str) -> Any:
    """The value under these names; None where the answer is not of this form."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _codes(answer: Answer) -> str:
    """Why, by the standard's own codes: ": required, value"."""
    issues = _of(_json(answer), "issue")
    found = [str(_of(issue, "code")) for issue in issues] if isinstance(issues, list) else []
    codes = sorted({code for code in found if ISSUE_CODE.fullmatch(code)})[:MOST_CODES]
    return f": {', '.join(codes)}" if codes else ""


def destination(receiver: FhirSettings, settings: Settings) -> FhirServer:
    """The way out to this receiver."""
    del settings
    return FhirServer(receiver)
