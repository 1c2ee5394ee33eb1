# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A device whose engine answers nonsense fails its first run."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

import pytest

from appliance.clock import SystemClock
from appliance.config import Settings
from appliance.first_run.answers import Answers, DicomAnswers
from appliance.first_run.checking import check_answers, check_door, check_inbox, check_receivers
from appliance.layout import Layout
from appliance.monitor.diagnosis import NOT_TRIED, Health
from appliance.monitor.heartbeat import Heartbeat
from tests.running import free_port


def test_an_engine_that_answers_nonsense_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCANSIDE__WORKER__ENGINES", '["null"]')
    monkeypatch.setenv("SCANSIDE__WORKER__PRECISIONS", '["fp32"]')
    answers = Answers(dicom=DicomAnswers(port=free_port()))
    said: list[str] = []
    found = {
        one.subject: one
        for one in check_answers(answers, Layout(data=tmp_path / "data"), SystemClock(), progress=said.append)
    }
    assert found["model chest_triage"].health is Health.FAIL
    assert found["test exposure"].health is Health.FAIL
    assert "chest_triage" in found["test exposure"].found
    assert found["test exposure"].remedy
    assert said[-1] == "test exposure"


def test_a_port_that_the_running_appliance_may_have_is_no_fault(tmp_path: Path) -> None:
    layout, clock = Layout(data=tmp_path / "data"), SystemClock()
    layout.create()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings.model_validate({"listener": {"port": taken.getsockname()[1]}})
        assert check_door(settings, layout, clock).health is Health.FAIL
        Heartbeat(layout.run, "watcher", clock).beat("waiting")
        found = check_door(settings, layout, clock)
    assert found.health is Health.CHECK
    assert str(layout.data) in found.found


def test_what_may_use_no_network_says_that_it_tried_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As under RestrictAddressFamilies= and ProtectSystem= of the screen's unit."""
    peer = {"name": "pacs", "host": "192.0.2.1", "port": 104, "ae_title": "PACS"}
    settings = Settings.model_validate({"sender": {"peers": [peer]}})

    def no_family(*_: object) -> None:
        raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")

    def read_only(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "write_bytes", read_only)
    (mounted,) = check_inbox(Answers(inbox=str(tmp_path)))
    assert mounted.health is Health.FAIL  # whoever has a network sees the disk as it is
    monkeypatch.setattr(socket, "socket", no_family)
    (inbox,) = check_inbox(Answers(inbox=str(tmp_path)))
    (receiver,) = check_receivers(settings)
    door = check_door(settings, Layout(data=tmp_path), SystemClock())
    for found in (inbox, receiver, door):
        assert (found.health, found.found.startswith(NOT_TRIED)) == (Health.CHECK, True)
        assert "sudo scanside first-run" in found.remedy
