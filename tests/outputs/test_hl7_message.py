# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""HL7: messages that hl7apy validates, that nobody's name can break, and that say no more than was found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message

from appliance.config import Settings
from appliance.domain.acquisition import Acquisition, Kind
from appliance.domain.job import Lane
from appliance.domain.result import LaneResult
from appliance.layout import Layout
from appliance.outputs.hl7_message import escaped, message
from appliance.receivers import HL7
from tests.outputs.sample_results import FLAGGED, NEVER_SAID, NOT_FLAGGED, REFUSED, REPEAT

MakeFile = Callable[..., Path]
Told = Callable[..., str]


@pytest.fixture
def told(ct_file: MakeFile, acquisition_of: Callable[..., Acquisition], layout: Layout) -> Told:
    def build(result: LaneResult, **header: Any) -> str:
        acquisition = acquisition_of(ct_file(0, **header), kind=Kind.PROJECTION)
        (rendered,) = message(HL7, Settings(site_name="Clinic & West"), layout).render(acquisition, result)
        assert rendered.file_name == f"result-{result.lane.value}.hl7"
        text = rendered.content.decode("utf-8")
        assert parse_message(text, validation_level=VALIDATION_LEVEL.STRICT).validate()
        return text

    return build


def fields(text: str, segment: str) -> list[list[str]]:
    return [line.split("|") for line in text.split("\r") if line.startswith(segment + "|")]


def test_findings_are_coded_observations_with_their_probability(told: Told) -> None:
    text = told(FLAGGED)
    (header,), (patient,), (order,) = (fields(text, name) for name in ("MSH", "PID", "OBR"))
    assert header[8] == "ORU^R01^ORU_R01"
    assert (header[3], header[11], header[17]) == ("Clinic \\T\\ West", "2.5.1", "UNICODE UTF-8")
    assert (patient[3], patient[5], patient[7]) == ("P1", "PHANTOM^Möbius", "19700101")
    assert (order[18], order[25], order[7]) == ("A1", "P", "20260102101700")
    observations = fields(text, "OBX")
    assert {observation[11] for observation in observations} == {"P"}
    assert {observation[8] for observation in observations} == {""}, "no abnormal flag, so no N for normal"
    said = [(observation[3], observation[5]) for observation in observations[1:4]]
    assert said == [
        ("60046008^Pleural effusion^SCT", "52101004^Present^SCT"),
        ("60046008^Pleural effusion: calibrated probability^SCT", "0.8123"),
        ("36118008^Pneumothorax^SCT", "82334004^Indeterminate^SCT"),
    ]
    assert "chest_triage@2.1" in text
    assert "The body part is CHEST; tested for HAND." in text


def test_quality_has_its_values_and_advice(told: Told) -> None:
    text = told(REPEAT)
    numbers = [(line[5], line[6]) for line in fields(text, "OBX") if line[2] == "NM"]
    assert numbers == [("12", "mm^mm^UCUM")], "what is no number is not written as one"
    assert REPEAT.quality[0].advice in text


@pytest.mark.parametrize("result", [FLAGGED, NOT_FLAGGED, REFUSED, REPEAT])
def test_nobody_is_called_healthy(told: Told, result: LaneResult) -> None:
    text = told(result).lower()
    assert not [word for word in NEVER_SAID if word in text]
    assert "no person has read it" in text


def test_a_name_breaks_nothing(told: Told) -> None:
    text = told(FLAGGED, PatientName="O'Neil&Sons^A|B^^Dr^~Jr", PatientID="A^B~D")
    (patient,) = fields(text, "PID")
    assert patient[3] == "A\\S\\B\\R\\D"
    assert patient[5] == "O'Neil\\T\\Sons^A\\F\\B^^\\R\\Jr^Dr"
    assert escaped("a\rOBX|1\nb") == "a OBX\\F\\1 b"


def test_what_nobody_knows_is_empty(told: Told) -> None:
    text = told(FLAGGED, PatientID="", ContentDate="", AcquisitionDate="", StudyDate="", AccessionNumber="")
    assert fields(text, "PID") == []
    (order,) = fields(text, "OBR")
    assert (order[7], order[18]) == ("", "")


def test_the_control_id_follows_from_the_content(told: Told) -> None:
    first, again, other = told(FLAGGED), told(FLAGGED), told(NOT_FLAGGED)
    assert first == again
    ids = [fields(text, "MSH")[0][9] for text in (first, other)]
    assert len(set(ids)) == 2
    assert all(len(control_id) == 20 for control_id in ids)


def test_nothing_to_say_is_no_message(
    ct_file: MakeFile, acquisition_of: Callable[..., Acquisition], layout: Layout
) -> None:
    output = message(HL7, Settings(), layout)
    for lane in Lane:
        empty = LaneResult(acquisition_id="a1", version=1, lane=lane)
        assert output.render(acquisition_of(ct_file(0)), empty) == ()
