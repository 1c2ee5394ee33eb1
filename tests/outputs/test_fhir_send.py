# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A FHIR server that validates and creates conditionally; servers that do other things, in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from pydantic import ValidationError

from appliance.config import Settings
from appliance.domain.acquisition import Acquisition, Kind
from appliance.errors import DeliveryError
from appliance.layout import Layout
from appliance.outputs.catalogue import destination
from appliance.outputs.fhir_message import message
from appliance.outputs.fhir_send import FhirServer
from appliance.receivers import FHIR, FhirSettings
from tests.certificates import certificate, server_context
from tests.outputs.sample_results import FLAGGED
from tests.running import free_port
from tests.web_server import Request, Slow, web_server


class Store:
    """As much of a FHIR server as a transaction needs: validates, resolves, creates what is missing."""

    def __init__(self) -> None:
        self.resources: dict[str, dict[str, Any]] = {}
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> tuple[int, bytes]:
        self.requests.append(request)
        bundle = json.loads(request.body)
        try:
            Bundle.model_validate(bundle)
        except ValidationError:
            return 400, b'{"resourceType": "OperationOutcome", "issue": [{"code": "invalid"}]}'
        urls = {entry["fullUrl"] for entry in bundle["entry"]}
        if not references(bundle) <= urls:
            return 400, b'{"resourceType": "OperationOutcome", "issue": [{"code": "not-found"}]}'
        return 200, json.dumps(
            {"resourceType": "Bundle", "type": "transaction-response", "entry": self._create(bundle)}
        ).encode()

    def _create(self, bundle: dict[str, Any]) -> list[dict[str, Any]]:
        answers = []
        for entry in bundle["entry"]:
            condition = entry["request"]["ifNoneExist"]
            system, value = condition.removeprefix("identifier=").split("|")
            assert {"system": system, "value": value} in entry["resource"]["identifier"]
            there = condition in self.resources
            self.resources.setdefault(condition, entry["resource"])
            answers.append({"response": {"status": "200 OK" if there else "201 Created"}})
        return answers


def references(value: Any) -> set[str]:
    """All literal references in a resource."""
    if isinstance(value, list):
        return {found for item in value for found in references(item)}
    if not isinstance(value, dict):
        return set()
    own = {value["reference"]} if isinstance(value.get("reference"), str) else set()
    return own | {found for item in value.values() for found in references(item)}


@pytest.fixture
def report(
    ct_file: Callable[..., Path], acquisition_of: Callable[..., Acquisition], layout: Layout, tmp_path: Path
) -> Path:
    acquisition = acquisition_of(ct_file(0), kind=Kind.PROJECTION)
    (rendered,) = message(FHIR, Settings(), layout).render(acquisition, FLAGGED)
    path = tmp_path / rendered.file_name
    path.write_bytes(rendered.content)
    return path


def server(url: str, *, answer_timeout_s: float = 10.0, **known: Any) -> FhirServer:
    return FhirServer(FhirSettings(name="his", url=url, **known), answer_timeout_s=answer_timeout_s)


def error_of(peer: FhirServer, report: Path) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        peer.deliver(report)
    return caught.value


def test_what_is_sent_twice_is_stored_once(report: Path, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("sesame\n", encoding="ascii")
    store = Store()
    with web_server(store) as url:
        peer = server(url, bearer_file=str(token))
        peer.deliver(report)
        stored = dict(store.resources)
        peer.deliver(report)
    assert store.resources == stored
    kinds = [resource["resourceType"] for resource in stored.values()]
    assert sorted(kinds) == ["Device", "Device", "DiagnosticReport", *["Observation"] * 4]
    headers = store.requests[0].headers
    assert headers["Authorization"] == "Bearer sesame"
    assert headers["Content-Type"] == "application/fhir+json"
    assert store.requests[0].path == "/base"


def test_a_bundle_that_is_not_valid_is_refused_by_the_code_of_the_standard(report: Path) -> None:
    bundle = json.loads(report.read_bytes())
    bundle["entry"][-1]["resource"]["status"] = ["certainly"]
    report.write_bytes(json.dumps(bundle).encode())
    with web_server(Store()) as url:
        error = error_of(server(url), report)
    assert "refuses this one (HTTP 400: invalid)" in error.what
    assert (error.permanent, error.this_file_only) == (True, True)


def test_what_the_server_writes_is_never_repeated(report: Path) -> None:
    words = (
        b'{"issue": [{"code": "CANARY^JANE", "diagnostics": "CANARY^JANE is not known"}, {"code": "value"}]}'
    )
    with web_server(lambda _: (422, words)) as url:
        error = error_of(server(url), report)
    assert "CANARY" not in str(error)
    assert "(HTTP 422: value)" in error.what


@pytest.mark.parametrize(
    ("status", "words", "permanent", "this_file_only"),
    [
        (401, "does not let us in (HTTP 401)", True, False),
        (403, "does not let us in (HTTP 403)", True, False),
        (404, "nothing for us at the address", True, False),
        (307, "nothing for us at the address", True, False),
        (412, "refuses this one (HTTP 412)", True, True),
        (429, "cannot take anything now", False, False),
        (500, "cannot take anything now (HTTP 500)", False, False),
        (503, "cannot take anything now", False, False),
        (200, "does not say that everything was stored", True, True),
    ],
)
def test_answers_in_words(
    report: Path, status: int, words: str, permanent: bool, this_file_only: bool
) -> None:
    with web_server(lambda _: (status, b"")) as url:
        error = error_of(server(url), report)
    assert words in error.what
    assert error.what.startswith(("his (http://127.0.0.1", "There is nothing"))
    assert (error.permanent, error.this_file_only) == (permanent, this_file_only)


def test_a_transaction_of_which_a_part_failed_is_not_sent(report: Path) -> None:
    body = json.dumps({"entry": [{"response": {"status": "201"}}, {"response": {"status": "500"}}]}).encode()
    with web_server(lambda _: (200, body)) as url:
        assert "does not say that everything was stored" in error_of(server(url), report).what


def test_nobody_there_and_somebody_slow_are_told_apart(report: Path) -> None:
    gone = error_of(server(f"http://127.0.0.1:{free_port()}/fhir"), report)
    assert "does not answer." in gone.what
    assert not gone.permanent
    slow = Slow()
    with web_server(slow) as url:
        late = error_of(server(url, answer_timeout_s=0.3), report)
        slow.let_go()
    assert "took the connection but did not answer in time" in late.what


def test_only_a_server_that_we_can_know_is_told(report: Path, tmp_path: Path) -> None:
    ours, key = certificate(tmp_path / "ours")
    other, _ = certificate(tmp_path / "other")
    store = Store()
    with web_server(store, context=server_context(ours, key)) as url:
        wrong = error_of(server(url, ca_file=str(other)), report)
        public = error_of(server(url), report)
        missing = error_of(server(url, ca_file=str(tmp_path / "gone.pem")), report)
        assert store.requests == []
        server(url, ca_file=str(ours)).deliver(report)
    assert "certificate" in wrong.what
    assert "certificate" in public.what
    assert wrong.permanent
    assert "gone.pem" in missing.what
    assert len(store.requests) == 1


def test_a_token_that_cannot_be_read_is_said_and_nothing_is_sent(report: Path, tmp_path: Path) -> None:
    store = Store()
    with web_server(store) as url:
        error = error_of(server(url, bearer_file=str(tmp_path / "gone")), report)
    assert "cannot be read" in error.what
    assert store.requests == []


def test_the_catalogue_knows_the_way() -> None:
    settings = FhirSettings(name="his", url="https://fhir.example.org/r4")
    assert destination(settings, Settings()).name == "his"


def test_patients_do_not_cross_the_network_in_the_clear() -> None:
    with pytest.raises(ValidationError, match="unencrypted"):
        FhirSettings(name="his", url="http://192.0.2.1/fhir")
    assert FhirSettings(name="his", url="http://192.0.2.1/fhir", clear_text=True).clear_text
