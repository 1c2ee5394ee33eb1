# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Notices: for what needs somebody and for nothing else, and without the patient unless asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from appliance.config import Settings
from appliance.device_key import device_key, link_of
from appliance.domain.acquisition import Acquisition, Equipment
from appliance.domain.result import LaneResult
from appliance.layout import Layout
from appliance.outputs.notice_message import message
from appliance.receivers import NAMED_NOTICE, NOTICE
from tests.outputs.sample_results import CANARY, FINE, FLAGGED, NOT_FLAGGED, REFUSED, REPEAT

UID = f"1.2.{CANARY}.3"


@pytest.fixture
def acquisition(make_acquisition: Callable[..., Acquisition]) -> Acquisition:
    """The canary sits wherever the patient is."""
    made: Acquisition = make_acquisition(
        acquired_at="20260102101600.000",
        equipment=Equipment(
            manufacturer=None,
            manufacturer_model_name=None,
            station_name="ROOM2",
            device_serial_number=None,
            detector_id=None,
            protocol_name=CANARY,
            convolution_kernel=None,
        ),
        study_instance_uid=UID,
        series_instance_uid=UID,
        sop_instance_uid=UID,
        study_description=CANARY,
        series_description=CANARY,
        patient={
            "patient_id": f"{CANARY}1",
            "patient_name": f"{CANARY}^JANE",
            "patient_sex": "F",
            "patient_birth_date": "19700101",
        },
    )
    return made


def noticed(acquisition: Acquisition, result: LaneResult, layout: Layout, ending: str = NOTICE) -> Any:
    rendered = message(ending, Settings(site_name="Clinic West"), layout).render(acquisition, result)
    if not rendered:
        return None
    (one,) = rendered
    assert one.file_name == f"notice-{result.lane.value}{ending}"
    return json.loads(one.content)


def test_a_flag_says_what_where_and_when_but_not_who(acquisition: Acquisition, layout: Layout) -> None:
    notice = noticed(acquisition, FLAGGED, layout)
    assert notice == {
        "format": 1,
        "kind": "finding",
        "site": "Clinic West",
        "station": "ROOM2",
        "task": "chest_triage",
        "finding": "Pleural effusion (high), Pneumothorax (raised)",
        "band": "high",
        "advice": None,
        "time": "2026-01-02 10:16",
        "link": link_of(device_key(layout.keys), "a"),
        "patient_name": None,
        "patient_id": None,
    }


@pytest.mark.parametrize("result", [FLAGGED, REPEAT])
def test_no_patient_in_any_notice(acquisition: Acquisition, result: LaneResult, layout: Layout) -> None:
    text = json.dumps(noticed(acquisition, result, layout))
    assert CANARY not in text
    assert "1970" not in text


def test_the_patient_is_named_where_somebody_asked_for_it(acquisition: Acquisition, layout: Layout) -> None:
    notice = noticed(acquisition, REPEAT, layout, NAMED_NOTICE)
    assert (notice["patient_name"], notice["patient_id"]) == ("CANARY^JANE", "CANARY1")
    assert (notice["kind"], notice["task"]) == ("repeat", "field_of_view")
    assert notice["advice"] == REPEAT.quality[0].advice


@pytest.mark.parametrize("result", [NOT_FLAGGED, REFUSED, FINE])
def test_nobody_is_called_for_nothing(acquisition: Acquisition, result: LaneResult, layout: Layout) -> None:
    assert noticed(acquisition, result, layout) is None
