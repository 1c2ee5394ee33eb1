# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A device whose engine answers nonsense fails its first run."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.clock import SystemClock
from appliance.first_run.answers import Answers, DicomAnswers
from appliance.first_run.checking import check_answers
from appliance.layout import Layout
from appliance.monitor.diagnosis import Health
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
