# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""FHIR: valid resources that say what was found and no more, with identifiers that follow from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from appliance.config import Settings
from appliance.domain.acquisition import Acquisition, Kind
from appliance.domain.job import Lane
from appliance.domain.result import LaneResult, StageTiming
from appliance.errors import ConfigError
from appliance.layout import Layout
from appliance.outputs import extras
from appliance.outputs.fhir_message import message
from appliance.receivers import FHIR
from tests.outputs.sample_results import FLAGGED, NEVER_SAID, NOT_FLAGGED, REFUSED, REPEAT

MakeFile = Callable[..., Path]


@pytest.fixture
def acquisition(ct_file: MakeFile, acquisition_of: Callable[..., Acquisition]) -> Acquisition:
    made: Acquisition = acquisition_of(ct_file(0), kind=Kind.PROJECTION)
    return made


@pytest.fixture
def bundle_of(layout: Layout) -> Callable[[Acquisition, LaneResult], dict[str, Any]]:
    def build(acquisition: Acquisition, result: LaneResult) -> dict[str, Any]:
        (rendered,) = message(FHIR, Settings(site_name="Clinic West"), layout).render(acquisition, result)
        assert rendered.file_name == f"report-{result.lane.value}.fhir.json"
        plain = json.loads(rendered.content)
        Bundle.model_validate(plain)
        return dict(plain)

    return build


BundleOf = Callable[[Acquisition, LaneResult], dict[str, Any]]


def resources(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]


def test_a_report_and_its_observations_are_preliminary_and_point_at_study_patient_and_model(
    acquisition: Acquisition, bundle_of: BundleOf
) -> None:
    bundle = bundle_of(acquisition, FLAGGED)
    (report,) = resources(bundle, "DiagnosticReport")
    observations = resources(bundle, "Observation")
    appliance, model = resources(bundle, "Device")
    assert report["status"] == "preliminary"
    assert report["category"][0]["coding"][0]["code"] == "RAD"
    assert report["imagingStudy"][0]["identifier"] == {
        "system": "urn:dicom:uid",
        "value": f"urn:oid:{acquisition.first.study_instance_uid}",
    }
    assert report["subject"]["identifier"]["value"] == "P1"
    assert report["effectiveDateTime"] == "2026-01-02"
    assert len(report["result"]) == len(observations) == 4
    urls = {entry["fullUrl"]: entry["resource"]["resourceType"] for entry in bundle["entry"]}
    assert [urls[result["reference"]] for result in report["result"]] == ["Observation"] * 4
    assert {observation["status"] for observation in observations} == {"preliminary"}
    effusion = observations[0]
    assert effusion["code"]["coding"] == [
        {"system": "http://snomed.info/sct", "code": "60046008", "display": "Pleural effusion"}
    ]
    assert effusion["valueCodeableConcept"]["coding"][0]["code"] == "52101004"
    assert [part["valueQuantity"]["value"] for part in effusion["component"]] == [0.8123, 0.2, 0.7]
    assert (model["deviceName"][0]["name"], model["version"][0]["value"]) == ("chest_triage", "2.1")
    assert urls[model["parent"]["reference"]] == "Device"
    assert appliance["note"][0]["text"] == "Clinic West"
    refused = observations[3]
    assert "valueCodeableConcept" not in refused
    assert refused["dataAbsentReason"]["coding"][0]["code"] == "not-performed"


def test_measured_values_have_their_unit_and_what_is_no_number_is_left_out(
    acquisition: Acquisition, bundle_of: BundleOf
) -> None:
    observations = resources(bundle_of(acquisition, REPEAT), "Observation")
    values = [
        [(part["valueQuantity"]["value"], part["valueQuantity"]["code"]) for part in one.get("component", ())]
        for one in observations
    ]
    assert values == [[(12.0, "mm"), (0.0, "mm")], [(3.0, "1")], []]
    assert observations[0]["note"][0]["text"] == REPEAT.quality[0].advice


@pytest.mark.parametrize("result", [FLAGGED, NOT_FLAGGED, REFUSED, REPEAT])
def test_nobody_is_called_healthy(acquisition: Acquisition, result: LaneResult, bundle_of: BundleOf) -> None:
    bundle = bundle_of(acquisition, result)
    text = json.dumps(bundle).lower().replace("does not mean", "")
    assert not [word for word in NEVER_SAID if word in text]
    (report,) = resources(bundle, "DiagnosticReport")
    assert report["conclusion"].startswith("Made by software; no person has read it.")
    assert ("does not mean that nothing is there" in report["conclusion"]) == (result is NOT_FLAGGED)


def test_the_same_answer_has_the_same_identifiers_and_another_one_has_others(
    acquisition: Acquisition, bundle_of: BundleOf
) -> None:
    timed = replace(FLAGGED, timings=(StageTiming(stage="inferred", duration_ms=3.0),))
    first = bundle_of(acquisition, FLAGGED)
    assert first == bundle_of(acquisition, timed)
    asked = [entry["request"]["ifNoneExist"] for entry in first["entry"]]
    assert len(set(asked)) == len(asked)
    assert all(condition.startswith("identifier=urn:ietf:rfc:3986|urn:oid:2.25.") for condition in asked)
    (report,) = resources(first, "DiagnosticReport")
    (other,) = resources(bundle_of(acquisition, NOT_FLAGGED), "DiagnosticReport")
    assert report["identifier"] != other["identifier"]


def test_what_nobody_knows_is_left_out(
    ct_file: MakeFile, acquisition_of: Callable[..., Acquisition], bundle_of: BundleOf
) -> None:
    unknown = {"PatientID": "", "ContentDate": "", "AcquisitionDate": "", "StudyDate": ""}
    bundle = bundle_of(acquisition_of(ct_file(0, **unknown)), FLAGGED)
    for resource in (*resources(bundle, "Observation"), *resources(bundle, "DiagnosticReport")):
        assert not {"subject", "effectiveDateTime"} & resource.keys()


def test_nothing_to_say_is_no_message(acquisition: Acquisition, layout: Layout) -> None:
    output = message(FHIR, Settings(), layout)
    for lane in Lane:
        assert output.render(acquisition, LaneResult(acquisition_id="a1", version=1, lane=lane)) == ()


def test_a_missing_extra_is_said() -> None:
    with pytest.raises(ConfigError, match=r"no_such_package, which is not installed.*scanside\[fhir\]"):
        extras.require_extra("fhir", "no_such_package")
