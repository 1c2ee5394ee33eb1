# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The question to a worklist, put to DCMTK, to Orthanc, and to servers that misbehave."""

from __future__ import annotations

import gc
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    ModalityWorklistInformationFind,
    Verification,
)

from appliance.clock import ManualClock, SystemClock
from appliance.errors import WorklistError
from appliance.intake.worklist_query import WHOLE_ANSWER_FACTOR, WorklistAnswer, ask_worklist
from appliance.worklist import WorklistSettings
from tests.certificates import Authority
from tests.orthanc import RunningOrthanc
from tests.running import free_port
from tests.worklist_server import RunningWlmscpfs, worklist_item, write_items

TODAY = datetime(2026, 3, 2, 8, 0, tzinfo=timezone.utc)
PENDING = 0xFF00

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""pynetdicom drops the socket of a broken connection without closing it; Python closes it at once."""


@pytest.fixture(autouse=True)
def dropped_here(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A socket that is dropped is dropped in its own test, not in whichever comes next."""
    caplog.set_level(logging.CRITICAL, "pynetdicom")  # a kept record would keep it
    yield
    gc.collect()


def ask(port: int, ae_title: str = "RIS", **settings: Any) -> WorklistAnswer:
    known = {"host": "127.0.0.1", "port": port, "ae_title": ae_title, "timeout_s": 5.0}
    return ask_worklist(
        WorklistSettings.model_validate(known | settings),
        own_ae_title="SCANSIDE",
        clock=ManualClock(start_utc=TODAY),
    )


WRIST = worklist_item()
CHEST = worklist_item(
    AccessionNumber="A2",
    PatientName="ÅKESSON^Åsa",
    PatientID="P2",
    StudyInstanceUID="1.2.4",
    ScheduledProcedureStepDescription="Chest PA",
    ScheduledStationAETitle="ROOM1",
    Modality="CR",
)
TOMORROW = worklist_item(AccessionNumber="A3", PatientID="P3", ScheduledProcedureStepStartDate="20260303")


def test_dcmtk_tells_who_is_expected(tmp_path: Path) -> None:
    with RunningWlmscpfs(tmp_path) as server:
        write_items(server.files, WRIST, CHEST, TOMORROW)
        answer = ask(server.port)
        assert (answer.whole, answer.unread) == (True, 0)
        wrist, chest = sorted(answer.steps, key=lambda step: step.accession_number or "")
        assert (wrist.patient_id, wrist.patient_name, wrist.patient_birth_date, wrist.patient_sex) == (
            "P1",
            "MWANGI^Grace",
            "19800102",
            "F",
        )
        assert (wrist.study_instance_uid, wrist.scheduled_procedure_step_id) == ("1.2.3", "S1")
        assert (wrist.body_part, wrist.laterality, wrist.views) == ("WRIST", "R", ("PA", "LAT"))
        assert wrist.scheduled_at == datetime(2026, 3, 2, 7, 20)  # noqa: DTZ001  (the clinic's own clock)
        assert wrist.scheduled_station_name == "Room 2"
        assert (chest.patient_name, chest.body_part, chest.views) == ("ÅKESSON^Åsa", "CHEST", ("PA",))
        assert [step.patient_id for step in ask(server.port, station_ae_title="ROOM2").steps] == ["P1"]
        assert [step.patient_id for step in ask(server.port, modality="CR").steps] == ["P2"]
        assert len(ask(server.port, days_ahead=1).steps) == 3


def test_orthanc_tells_who_is_expected(tmp_path: Path) -> None:
    files = tmp_path / "worklists"
    write_items(files, WRIST, CHEST, TOMORROW)
    settings = {"Worklists": {"Enable": True, "Database": str(files)}, "DicomAlwaysAllowFindWorklist": True}
    with RunningOrthanc(tmp_path, plugins=("libModalityWorklists.so",), **settings) as orthanc:
        answer = ask(orthanc.dicom_port, "ORTHANC")
    assert sorted((step.patient_id, step.views) for step in answer.steps) == [
        ("P1", ("PA", "LAT")),
        ("P2", ("PA",)),
    ]


def test_nobody_listens() -> None:
    with pytest.raises(WorklistError, match="does not answer") as caught:
        ask(free_port())
    assert "network cable" in caught.value.remedy


@contextmanager
def serving(
    on_find: Callable[[Any], Iterator[tuple[Any, Dataset | None]]], *, ae_title: str = "RIS"
) -> Iterator[int]:
    """A worklist server that answers as the test says."""
    server, port = AE(ae_title=ae_title), free_port()
    server.add_supported_context(ModalityWorklistInformationFind)
    server.require_called_aet = True
    running = server.start_server(("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_FIND, on_find)])
    try:
        yield port
    finally:
        running.shutdown()


def flood(count: int) -> Callable[[Any], Iterator[tuple[Any, Dataset | None]]]:
    def on_find(event: Any) -> Iterator[tuple[Any, Dataset | None]]:
        item = worklist_item()
        for number in range(count):
            if event.is_cancelled or not event.assoc.is_established:
                return
            item.PatientID = f"P{number}"
            yield PENDING, item

    return on_find


def test_ten_thousand_answers_are_too_many_and_it_is_said() -> None:
    with serving(flood(10_000)) as port:
        answer = ask(port, most_steps=300)
    assert (len(answer.steps), answer.whole) == (300, False)


def test_exactly_as_many_as_are_taken_is_a_whole_list() -> None:
    with serving(flood(30)) as port:
        answer = ask(port, most_steps=30)
    assert (len(answer.steps), answer.whole) == (30, True)


def test_orthanc_is_asked_over_tls_with_certificates_of_both(tmp_path: Path) -> None:
    hospital = Authority(tmp_path, "hospital")
    (server, server_key), (device, device_key) = hospital.certify("ris"), hospital.certify("device")
    files = tmp_path / "worklists"
    write_items(files, WRIST)
    settings = {
        "Worklists": {"Enable": True, "Database": str(files)},
        "DicomAlwaysAllowFindWorklist": True,
        "DicomTlsEnabled": True,
        "DicomTlsCertificate": server,
        "DicomTlsPrivateKey": server_key,
        "DicomTlsTrustedCertificates": str(hospital.file),
    }
    ours = {"ca_file": str(hospital.file), "certificate_file": device, "key_file": device_key}
    stranger = Authority(tmp_path, "stranger")
    with RunningOrthanc(tmp_path, plugins=("libModalityWorklists.so",), **settings) as orthanc:
        answer = ask(orthanc.dicom_port, "ORTHANC", tls=True, **ours)
        assert [step.patient_id for step in answer.steps] == ["P1"]
        for wrong in ({"tls": False}, {"ca_file": str(stranger.file)}, {"server_name": "ris.example"}):
            with pytest.raises(WorklistError, match="does not answer"):
                ask(orthanc.dicom_port, "ORTHANC", **({"tls": True} | ours | wrong))


def test_a_certificate_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorklistError, match="cannot be asked: The TLS files") as caught:
        ask(free_port(), tls=True, ca_file=str(tmp_path / "none.pem"))
    assert "PEM files" in caught.value.remedy


def test_a_title_that_is_not_the_server_s_is_refused() -> None:
    with serving(flood(1), ae_title="OTHER") as port, pytest.raises(WorklistError, match="refuses") as caught:
        ask(port)
    assert "worklist.ae_title" in caught.value.remedy


def test_a_server_of_another_service_is_named() -> None:
    server, port = AE(ae_title="RIS"), free_port()
    server.add_supported_context(Verification)
    running = server.start_server(("127.0.0.1", port), block=False)
    try:
        with pytest.raises(WorklistError, match="offers no modality worklist"):
            ask(port)
    finally:
        running.shutdown()


def test_a_status_of_failure_is_no_empty_list() -> None:
    def refuse(event: Any) -> Iterator[tuple[int, None]]:
        del event
        yield 0xA700, None

    with serving(refuse) as port, pytest.raises(WorklistError, match="0xA700"):
        ask(port)


def test_one_answer_that_is_nobody_costs_no_other() -> None:
    nobody, empty = worklist_item(PatientID="", AccessionNumber="", StudyInstanceUID=""), Dataset()
    empty.PatientComments = "hello"
    odd = worklist_item(PatientID="P9", ScheduledProcedureStepDescription="R\u202eTSIRW")

    def on_find(event: Any) -> Iterator[tuple[int, Dataset | None]]:
        del event
        yield from ((PENDING, item) for item in (nobody, empty, odd, WRIST))

    with serving(on_find) as port:
        answer = ask(port)
    assert [step.patient_id for step in answer.steps] == ["P9", "P1"]
    assert answer.unread == 2
    assert "\u202e" not in answer.steps[0].procedure, "what could hide is shown as a mark"


def test_a_server_that_is_pending_for_ever_is_left() -> None:
    go_on = threading.Event()

    def on_find(event: Any) -> Iterator[tuple[int, Dataset | None]]:
        while event.assoc.is_established and not go_on.wait(0.15):
            yield PENDING, WRIST

    started_ns = SystemClock().monotonic_ns()
    settings = WorklistSettings(host="127.0.0.1", timeout_s=0.5, ae_title="RIS")
    with serving(on_find) as port, pytest.raises(WorklistError, match="had not ended its list after 3 s"):
        ask_worklist(settings.model_copy(update={"port": port}), own_ae_title="SCANSIDE", clock=SystemClock())
    go_on.set()
    took_s = (SystemClock().monotonic_ns() - started_ns) / 1e9
    assert took_s < 2 * WHOLE_ANSWER_FACTOR * 0.5


def test_a_server_that_falls_silent_is_left() -> None:
    go_on = threading.Event()

    def on_find(event: Any) -> Iterator[tuple[int, Dataset | None]]:
        del event
        yield PENDING, WRIST
        go_on.wait(3)

    with serving(on_find) as port, pytest.raises(WorklistError, match="fell silent after 1 answers"):
        ask(port, timeout_s=0.5)
    go_on.set()


@pytest.mark.parametrize(
    "words",
    [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x02\x00" + b"\xff" * 52],
    ids=["nothing", "http", "no_end"],
)
def test_what_speaks_no_dicom_is_left(words: bytes) -> None:
    """It takes the connection, says this, and hangs."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def accept() -> None:
            connection, _ = server.accept()
            held.append(connection)
            connection.sendall(words)

        thread = threading.Thread(target=accept)
        thread.start()
        with pytest.raises(WorklistError, match=r"does not answer|refuses the connection"):
            ask(server.getsockname()[1], timeout_s=0.5)
        thread.join()
        for connection in held:
            connection.close()
