# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Results through the real sender to real receivers: made if somebody takes it, told once, no patient."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from appliance.cli import app
from appliance.clock import ManualClock
from appliance.config import Settings
from appliance.domain.acquisition import Acquisition
from appliance.domain.finding import Decision
from appliance.domain.job import Lane
from appliance.domain.quality import QualityCheck, Verdict
from appliance.domain.result import LaneResult
from appliance.layout import Layout
from appliance.processes.sender import Sender
from appliance.receivers import (
    EmailSettings,
    FhirSettings,
    MllpSettings,
    PrinterSettings,
    ReceiverSettings,
    SenderSettings,
    WebhookSettings,
)
from appliance.store.connection import Database
from appliance.store.jobs import Jobs
from appliance.store.results import Results
from tests.outputs.sample_results import ENGINE, suspected
from tests.outputs.test_fhir_send import Store
from tests.outputs.test_mllp_send import Engine
from tests.outputs.test_printer_send import Paper
from tests.running import free_port
from tests.smtp_server import MailServer
from tests.tcp_server import tcp_server
from tests.web_server import Request, web_server

Land = Callable[..., Acquisition]
LONGEST_PAUSE_S = 5.0


@contextmanager
def sender_to(
    layout: Layout, database: Database, clock: ManualClock, **receivers: tuple[ReceiverSettings, ...]
) -> Iterator[Sender]:
    sender = SenderSettings.model_validate(receivers | {"retry_longest_s": LONGEST_PAUSE_S})
    settings = Settings(site_name="Clinic West", sender=sender)
    with Sender(settings=settings, layout=layout, clock=clock, database=database) as opened:
        yield opened


def work_off(sender: Sender) -> None:
    while sender.step() or sender.wait_for_a_peer():
        pass


def answer(database: Database, *, flagged: bool = True) -> None:
    """What a worker would say to all that is queued."""
    jobs = Jobs(database, max_attempts=3)
    while (job := jobs.lease(worker="test", lease_s=60)) is not None:
        verdict = Verdict.REPEAT if flagged else Verdict.OK
        check = QualityCheck(
            criterion="exposure", verdict=verdict, value=0.1, unit="1", limit=3.0, advice="Look."
        )
        finding = suspected("Pleural effusion", Decision.PRESENT if flagged else Decision.ABSENT, 0.81)
        result = LaneResult(
            acquisition_id=job.acquisition_id,
            version=job.version,
            lane=job.lane,
            quality=(check,) if job.lane is Lane.QUALITY else (),
            findings=(finding,) if job.lane is Lane.TRIAGE else (),
            engines=(ENGINE,) if job.lane is Lane.TRIAGE else (),
        )
        assert Results(database).commit(job, result)


def made(layout: Layout) -> set[str]:
    return {path.name for path in layout.results.rglob("*") if path.is_file() and path.suffix != ".dcm"}


def test_what_nobody_takes_is_not_made(
    layout: Layout, database: Database, land: Land, chest_file: Path
) -> None:
    land([chest_file])
    answer(database)
    silent = WebhookSettings(name="ward", url="https://example.org/", results=False)
    with sender_to(layout, database, ManualClock(), webhooks=(silent,)) as sender:
        work_off(sender)
    assert made(layout) == set()


def test_every_receiver_gets_its_own_and_only_the_clinic_learns_the_name(
    layout: Layout, database: Database, land: Land, chest_file: Path
) -> None:
    exam = land([chest_file])
    assert "CANARY" in str(exam.first.patient.patient_name)
    answer(database)
    store, engine, paper, mail = Store(), Engine("AA"), Paper(), MailServer()
    told: list[Request] = []

    def ward(request: Request) -> tuple[int, bytes]:
        told.append(request)
        return 200, b""

    with (
        web_server(store) as fhir_url,
        web_server(ward) as ward_url,
        tcp_server(engine) as mllp_port,
        tcp_server(paper) as printer_port,
        tcp_server(mail) as mail_port,
        capture_logs() as logs,
        sender_to(
            layout,
            database,
            ManualClock(),
            fhir=(FhirSettings(name="fhir", url=fhir_url),),
            mllp=(MllpSettings(name="mllp", host="127.0.0.1", port=mllp_port),),
            webhooks=(WebhookSettings(name="ward", url=ward_url),),
            emails=(
                EmailSettings(
                    name="on call",
                    host="127.0.0.1",
                    port=mail_port,
                    security="none",
                    sender="a@example.org",
                    to=("b@example.org",),
                    patient_data=True,
                ),
            ),
            printers=(PrinterSettings(name="desk", host="127.0.0.1", port=printer_port),),
        ) as sender,
    ):
        work_off(sender)
    assert made(layout) >= {
        "report-quality.fhir.json",
        "report-triage.fhir.json",
        "result-quality.hl7",
        "result-triage.hl7",
        "notice-quality.notice.json",
        "notice-triage.notice.json",
        "notice-quality.notice-named.json",
        "notice-triage.notice-named.json",
        "slip-v1.slip",
    }
    assert database.read("SELECT count(*) FROM outbox WHERE done = 0") == [(0,)]
    assert len(store.requests) == len(engine.received) == len(told) == len(mail.mails) == 2
    assert [b"HIGH SCORE" in sheet for sheet in paper.sheets] == [True]
    assert all(b"CANARY" in content for content in (*engine.received, *mail.mails))
    patient = exam.first.patient
    for secret in filter(None, (patient.patient_name, patient.patient_id, exam.first.study_instance_uid)):
        assert secret not in str(logs)
        for content in (*(request.body for request in told), *paper.sheets):
            assert secret.encode() not in content
        assert not any(secret in str(request.headers) for request in told)
    link = json.loads(told[0].body)["link"]
    found = CliRunner().invoke(app, ["notices", "find", link, "--data", str(layout.data), "--json"])
    assert json.loads(found.stdout)["study_instance_uid"] == exam.first.study_instance_uid


def test_a_receiver_that_is_away_gets_it_when_it_is_back_and_only_once(
    layout: Layout, database: Database, land: Land, chest_file: Path
) -> None:
    land([chest_file])
    answer(database)
    port, paper, clock = free_port(), Paper(), ManualClock()
    printers = (PrinterSettings(name="desk", host="127.0.0.1", port=port),)
    with sender_to(layout, database, clock, printers=printers) as sender, capture_logs() as logs:
        for _ in range(3):
            work_off(sender)
            clock.advance(LONGEST_PAUSE_S)
        with tcp_server(paper, port=port):
            work_off(sender)
    database.read(
        "UPDATE outbox SET done = 0 WHERE step = 'send'"
    )  # the power went before it was written down
    with tcp_server(paper, port=port), sender_to(layout, database, clock, printers=printers) as sender:
        work_off(sender)
    assert len(paper.sheets) == 1
    assert b"COPY" not in paper.sheets[0]
    assert [entry["event"] for entry in logs] == ["peer does not take files", "peer takes files again"]


@pytest.mark.parametrize("flagged", [True, False])
def test_nobody_is_called_for_nothing(
    layout: Layout, database: Database, land: Land, chest_file: Path, flagged: bool
) -> None:
    land([chest_file])
    answer(database, flagged=flagged)
    told: list[Request] = []

    def ward(request: Request) -> tuple[int, bytes]:
        told.append(request)
        return 200, b""

    with (
        web_server(ward) as url,
        sender_to(layout, database, ManualClock(), webhooks=(WebhookSettings(name="w", url=url),)) as sender,
    ):
        work_off(sender)
    assert len(told) == (2 if flagged else 0)
