# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A lane's answer as FHIR R4: a DiagnosticReport with an Observation for each thing said, in one transaction.

Every resource is created only where the server has none with its identifier (conditional create), and
identifiers follow from the content: the same bundle sent twice changes nothing. Patient and study are named
by their identifiers; whether they are there as resources is the server's business. Status is preliminary.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator
from typing import Any, Final

from pydicom.dataset import Dataset

from appliance.config import Settings
from appliance.domain.acquisition import Acquisition
from appliance.domain.finding import Finding, Refusal
from appliance.domain.quality import QualityCheck
from appliance.domain.result import LaneResult
from appliance.layout import Layout
from appliance.outputs.base import Rendered
from appliance.outputs.extras import require_extra
from appliance.outputs.identity import MANUFACTURER, MODEL_NAME, SCHEME, software_version, uid_of
from appliance.outputs.quality_codes import VERDICTS
from appliance.outputs.report_groups import FLAGGED, NOT_ANALYSED
from appliance.outputs.source_header import evidence_of
from appliance.outputs.told import (
    AI_NOTE,
    NOTHING_FLAGGED,
    date_of,
    models_of,
    patient_id_of,
    says_something,
    suspicion,
    told_refusals,
)

Resource = dict[str, Any]
URI: Final = "urn:ietf:rfc:3986"
"""System of identifiers that are URIs."""
UCUM: Final = "http://unitsofmeasure.org"
SYSTEMS: Final = {
    "SCT": "http://snomed.info/sct",
    "DCM": "http://dicom.nema.org/resources/ontology/DCM",
    "LN": "http://loinc.org",
    "RADLEX": "http://radlex.org",
    "UCUM": UCUM,
}
"""FHIR's names for coding schemes of DICOM."""
RADIOLOGY: Final = ("http://terminology.hl7.org/CodeSystem/v2-0074", "RAD", "Radiology")
IMAGING: Final = ("http://terminology.hl7.org/CodeSystem/observation-category", "imaging", "Imaging")
IMAGING_STUDY: Final = (SYSTEMS["LN"], "18748-4", "Diagnostic imaging study")
NOT_PERFORMED: Final = (
    "http://terminology.hl7.org/CodeSystem/data-absent-reason",
    "not-performed",
    "Not Performed",
)


class FhirReport:
    """An `Output`."""

    name = "fhir"

    def __init__(self, ending: str, *, site_name: str) -> None:
        self._ending = ending
        self._site_name = site_name

    def render(self, acquisition: Acquisition, result: LaneResult) -> tuple[Rendered, ...]:
        """One transaction; none where there is nothing to say. Raises InputError: the original is gone."""
        from fhir.resources.R4B.bundle import Bundle  # noqa: PLC0415  (an extra, and slow to import)

        if not says_something(result):
            return ()
        evidence = evidence_of(acquisition.first)
        about = _about(acquisition, evidence)
        appliance = _device(MODEL_NAME, software_version(), parent=None, site_name=self._site_name)
        models = {
            task: _device(*_name_and_version(model), parent=appliance, site_name="")
            for task, model in sorted(models_of(result).items())
        }
        observations = [
            _identified(observation)
            for observation in (
                *(_quality(check, about, appliance) for check in result.quality),
                *(_finding(found, about, models.get(found.task, appliance)) for found in result.findings),
                *(_refusal(refusal, about, appliance) for refusal in told_refusals(result)),
            )
        ]
        report = _identified(_report(result, about, observations))
        entries = [_entry(resource) for resource in (appliance, *models.values(), *observations, report)]
        bundle = Bundle.model_validate({"resourceType": "Bundle", "type": "transaction", "entry": entries})
        content = json.dumps(json.loads(bundle.model_dump_json(exclude_none=True)), indent=1).encode()
        return (Rendered(file_name=f"report-{result.lane.value}{self._ending}", content=content),)


def _coded(*codes: tuple[str, str, str]) -> Resource:
    return {
        "coding": [{"system": system, "code": code, "display": meaning} for system, code, meaning in codes],
        "text": codes[0][2],
    }


def _system(scheme: str) -> str:
    return SYSTEMS.get(scheme) or f"urn:oid:{uid_of('coding scheme', scheme)}"


def _of_dicom(code: Any) -> Resource:
    """A code of the SR as FHIR writes it: both say the same."""
    return _coded((_system(code.scheme_designator), code.value, code.meaning))


def _about(acquisition: Acquisition, evidence: Dataset) -> Resource:
    """What every resource says of patient, study and time."""
    about: Resource = {
        "status": "preliminary",
        "study": {
            "type": "ImagingStudy",
            "identifier": {
                "system": "urn:dicom:uid",
                "value": f"urn:oid:{acquisition.first.study_instance_uid}",
            },
        },
        "image": f"urn:oid:{acquisition.first.sop_instance_uid}",
    }
    patient = patient_id_of(evidence)
    if patient:
        about["subject"] = {"type": "Patient", "identifier": {"value": patient}}
    day = date_of(evidence)
    if day is not None:
        about["effectiveDateTime"] = day
    return about


def _common(about: Resource) -> Resource:
    return {key: about[key] for key in ("status", "subject", "effectiveDateTime") if key in about}


def _identified(resource: Resource) -> Resource:
    """The resource with an identifier that follows from all that it says."""
    content = json.dumps(resource, sort_keys=True).encode()
    uid = uid_of("fhir", resource["resourceType"], hashlib.sha256(content).hexdigest())
    return resource | {"identifier": [{"system": URI, "value": f"urn:oid:{uid}"}]}


def _full_url(resource: Resource) -> str:
    """Its name inside the bundle: the UUID that its UID is made of (PS3.5 annex B.2)."""
    root = "urn:oid:2.25."
    return uuid.UUID(int=int(resource["identifier"][0]["value"][len(root) :])).urn


def _entry(resource: Resource) -> Resource:
    identifier = resource["identifier"][0]
    return {
        "fullUrl": _full_url(resource),
        "resource": resource,
        "request": {
            "method": "POST",
            "url": resource["resourceType"],
            "ifNoneExist": f"identifier={identifier['system']}|{identifier['value']}",
        },
    }


def _name_and_version(model: str) -> tuple[str, str]:
    name, _, version = model.partition("@")
    return name, version or "unknown"


def _device(name: str, version: str, *, parent: Resource | None, site_name: str) -> Resource:
    device: Resource = {
        "resourceType": "Device",
        "status": "active",
        "manufacturer": MANUFACTURER,
        "deviceName": [{"name": name, "type": "model-name"}],
        "version": [{"value": version}],
    }
    if site_name:
        device["note"] = [{"text": site_name}]
    if parent is not None:
        device["parent"] = {"reference": _full_url(parent)}
    return _identified(device)


def _observation(about: Resource, device: Resource, *, code: Resource, image: bool = True) -> Resource:
    resource: Resource = {"resourceType": "Observation", "category": [_coded(IMAGING)], "code": code}
    resource |= _common(about) | {"device": {"reference": _full_url(device)}, "derivedFrom": [about["study"]]}
    if image:
        resource["focus"] = [{"identifier": {"system": "urn:dicom:uid", "value": about["image"]}}]
    return resource


def _number(name: str, value: float, unit: str = "1") -> Resource:
    quantity = {"value": round(value, 4), "unit": unit, "system": UCUM, "code": unit}
    return {"code": _coded((_system(SCHEME), name, name.replace("_", " "))), "valueQuantity": quantity}


def _finding(finding: Finding, about: Resource, device: Resource) -> Resource:
    code = _coded((_system(finding.code.scheme), finding.code.value, finding.code.meaning))
    return _observation(about, device, code=code) | {
        "valueCodeableConcept": _of_dicom(FLAGGED[finding.decision]),
        "note": [{"text": AI_NOTE}],
        "component": [
            _number("probability", finding.probability),
            _number("sensitive_threshold", finding.sensitive_threshold),
            _number("specific_threshold", finding.specific_threshold),
        ],
    }


def _quality(check: QualityCheck, about: Resource, device: Resource) -> Resource:
    code = _coded((_system(SCHEME), check.criterion, check.criterion.replace("_", " ")))
    resource = _observation(about, device, code=code)
    resource["valueCodeableConcept"] = _of_dicom(VERDICTS[check.verdict])
    numbers = list(_measured(check))
    if numbers:
        resource["component"] = numbers
    if check.advice:
        resource["note"] = [{"text": check.advice}]
    return resource


def _measured(check: QualityCheck) -> Iterator[Resource]:
    for name, value in (("measured", check.value), ("limit", check.limit)):
        if value is not None and value == value and abs(value) != float("inf"):  # noqa: PLR0124  (no number)
            yield _number(name, value, check.unit or "1")


def _refusal(refusal: Refusal, about: Resource, device: Resource) -> Resource:
    code = _coded((_system(SCHEME), refusal.task, refusal.task.replace("_", " ")))
    return _observation(about, device, code=code) | {
        "dataAbsentReason": _coded(
            NOT_PERFORMED, (_system(SCHEME), NOT_ANALYSED.value, NOT_ANALYSED.meaning)
        ),
        "note": [{"text": refusal.reason}],
    }


def _report(result: LaneResult, about: Resource, observations: list[Resource]) -> Resource:
    said = [suspicion(finding) for finding in result.findings if finding.is_flagged]
    said += [check.advice for check in result.quality if check.advice]
    said += [f"{refusal.task}: not analysed. {refusal.reason}" for refusal in result.refusals]
    if result.findings and not any(finding.is_flagged for finding in result.findings):
        said.insert(0, NOTHING_FLAGGED)
    return {
        "resourceType": "DiagnosticReport",
        "category": [_coded(RADIOLOGY)],
        "code": _coded(IMAGING_STUDY),
        **_common(about),
        "imagingStudy": [about["study"]],
        "result": [{"reference": _full_url(observation)} for observation in observations],
        "conclusion": "\n".join((AI_NOTE, *said)),
    }


def message(ending: str, settings: Settings, layout: Layout) -> FhirReport:
    """What renders files with this ending. Raises ConfigError when the extra is not installed."""
    del layout
    require_extra("fhir", "fhir")
    return FhirReport(ending, site_name=settings.site_name)
