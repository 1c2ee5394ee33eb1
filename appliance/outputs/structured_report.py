# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A lane's answer as a DICOM structured report: TID 1500 in a Comprehensive 3D SR, as IHE AI Results asks.

One group per quality check, finding and refusal. A finding that was not flagged is reported as "not
flagged", never as absent: this device does not say "normal". Times are the original's and UIDs follow from
the content, so the same answer is the same object.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from highdicom import sr
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import UID
from pydicom.valuerep import DA, TM

from appliance.domain.acquisition import Acquisition, Instance
from appliance.domain.finding import Decision, Finding, Refusal
from appliance.domain.job import Lane
from appliance.domain.quality import Mark, MarkShape, QualityCheck, Verdict
from appliance.domain.result import LaneResult
from appliance.errors import InputError
from appliance.outputs.base import Rendered
from appliance.outputs.identity import (
    MANUFACTURER,
    MODEL_NAME,
    SERIAL_NUMBER,
    file_meta,
    software_version,
    uid_of,
)
from appliance.outputs.source_header import content_moment, evidence_of

SCHEME: Final = "99SCANSIDE"
"""Our private coding scheme (PS3.16 section 8.2: private designators begin with 99)."""
SERIES_NUMBER: Final = 9001
MEANING_LENGTH: Final = 64
"""Characters of CodeMeaning (VR LO)."""
VALUE_LENGTH: Final = 16
"""Characters of CodeValue (VR SH)."""
COMMENT: Final = Code("121106", "DCM", "Comment")
PROBABILITY: Final = Code("probability", SCHEME, "Calibrated probability")
MEASURED: Final = Code("measured", SCHEME, "Measured value")
LIMIT: Final = Code("limit", SCHEME, "Limit of the check")
NO_UNITS: Final = Code("1", "UCUM", "no units")
NOT_ANALYSED: Final = Code("not_analysed", SCHEME, "Not analysed by this device")
FLAGGED: Final = {
    Decision.PRESENT: Code("52101004", "SCT", "Present"),
    Decision.INDETERMINATE: Code("82334004", "SCT", "Indeterminate"),
    Decision.ABSENT: Code("not_flagged", SCHEME, "Not flagged; does not mean absent"),
}
VERDICTS: Final = {
    Verdict.OK: Code("ok", SCHEME, "OK"),
    Verdict.CHECK: Code("check", SCHEME, "Check before the patient leaves"),
    Verdict.REPEAT: Code("repeat", SCHEME, "Consider repeating"),
    Verdict.NOT_CHECKED: Code("not_checked", SCHEME, "Not checked by this device"),
}
PROCEDURES: Final = {
    "CT": Code("77477000", "SCT", "Computed tomography"),
    "MR": Code("113091000", "SCT", "Magnetic resonance imaging"),
}
RADIOGRAPHY: Final = Code("168537006", "SCT", "Plain radiography")
Group: Any = sr.MeasurementsAndQualitativeEvaluations


class StructuredReport:
    """An `Output`."""

    name = "structured_report"

    def render(self, acquisition: Acquisition, result: LaneResult) -> tuple[Rendered, ...]:
        """One report; none where the lane has nothing to say. Raises InputError when the original is gone."""
        if result.lane is Lane.DENOISE or not (result.quality or result.findings or _refusals(result)):
            return ()
        evidence = [evidence_of(instance) for instance in acquisition.instances]
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", UserWarning
            )  # about names like "Doe": they would stand in the log
            try:
                dataset = self._report(acquisition, result, evidence)
            except KeyError as error:  # the library knows the modules of each standard class by its UID
                raise InputError(
                    f"There are no reports on objects of the class {acquisition.first.sop_class_uid}.",
                    remedy="The results stay on this device: see `scanside results`.",
                ) from error
        date, time = content_moment(evidence[0])
        dataset.ContentDate, dataset.ContentTime = DA(date), TM(time)
        for moment in ("InstanceCreationDate", "InstanceCreationTime", "SeriesDate", "SeriesTime"):
            dataset.pop(moment, None)
        for equipment in dataset.ContributingEquipmentSequence:
            equipment.pop("ContributionDateTime", None)
        dataset.file_meta = file_meta(dataset.SOPClassUID, dataset.SOPInstanceUID)
        uid = uid_of("report", hashlib.sha256(_encoded(dataset)).hexdigest())
        dataset.SOPInstanceUID = uid
        dataset.file_meta = file_meta(dataset.SOPClassUID, uid)
        return (Rendered(file_name=f"report-{result.lane.value}.dcm", content=_encoded(dataset)),)

    @staticmethod
    def _report(acquisition: Acquisition, result: LaneResult, evidence: list[Dataset]) -> Any:
        return sr.Comprehensive3DSR(
            evidence=evidence,
            content=_content(acquisition, result),
            series_instance_uid=uid_of("report series", acquisition.first.series_instance_uid),
            series_number=SERIES_NUMBER,
            sop_instance_uid=uid_of("report", "not known yet"),
            instance_number=list(Lane).index(result.lane) + 1,
            manufacturer=MANUFACTURER,
            is_complete=True,
            is_final=False,
            series_description=f"AI {result.lane.value}",
            manufacturer_model_name=MODEL_NAME,
            device_serial_number=SERIAL_NUMBER,
            software_versions=software_version(),
        )


def _encoded(dataset: Any) -> bytes:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _content(acquisition: Acquisition, result: LaneResult) -> sr.MeasurementReport:
    observer = sr.ObserverContext(
        observer_type=sr.CodedConcept("121007", "DCM", "Device"),
        observer_identifying_attributes=sr.DeviceObserverIdentifyingAttributes(
            uid=uid_of("device", MODEL_NAME), manufacturer_name=MANUFACTURER, model_name=MODEL_NAME
        ),
    )
    return sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=observer),
        procedure_reported=PROCEDURES.get(acquisition.first.modality, RADIOGRAPHY),
        imaging_measurements=list(_groups(acquisition, result)),
        title=Code("126000", "DCM", "Imaging Measurement Report"),
    )


def _groups(acquisition: Acquisition, result: LaneResult) -> Iterator[Any]:
    models = {use.task: use.model for use in result.engines}
    seen: dict[str, int] = {}
    for check in result.quality:
        yield _quality(check, _tracking(acquisition, check.criterion, seen))
    for finding in result.findings:
        tracking = _tracking(acquisition, finding.task, seen)
        yield _finding(finding, models.get(finding.task), acquisition.first, tracking)
    for refusal in _refusals(result):
        yield _refusal(refusal, _tracking(acquisition, refusal.task, seen))


def _refusals(result: LaneResult) -> list[Refusal]:
    """Of models that this device has. That there is none for a kind of image at all is news to nobody."""
    return [refusal for refusal in result.refusals if refusal.task != result.lane.value]


def _tracking(acquisition: Acquisition, what: str, seen: dict[str, int]) -> sr.TrackingIdentifier:
    seen[what] = seen.get(what, 0) + 1
    name = f"{what} {seen[what]}"
    return sr.TrackingIdentifier(uid=uid_of("tracking", acquisition.acquisition_id, name), identifier=name)


def _own_code(name: str) -> Code:
    """A name of ours as a code: the value is shortened by its hash where it is too long."""
    value = name if len(name) <= VALUE_LENGTH else hashlib.sha256(name.encode()).hexdigest()[:VALUE_LENGTH]
    return Code(value, SCHEME, name.replace("_", " ")[:MEANING_LENGTH])


def _commented(group: Any, text: str) -> Any:
    """Add a sentence for people: TID 1501 is extensible."""
    if text:
        group[0].ContentSequence.append(
            sr.TextContentItem(name=COMMENT, value=text, relationship_type=sr.RelationshipTypeValues.CONTAINS)
        )
    return group


def _quality(check: QualityCheck, tracking: sr.TrackingIdentifier) -> Any:
    unit = Code(check.unit, "UCUM", check.unit) if check.unit and check.unit != "1" else NO_UNITS
    values = ((MEASURED, check.value), (LIMIT, check.limit))
    group = Group(
        tracking_identifier=tracking,
        finding_type=_own_code(check.criterion),
        measurements=[
            sr.Measurement(name=name, value=float(value), unit=unit)
            for name, value in values
            if value is not None and np.isfinite(value)
        ],
        qualitative_evaluations=[
            sr.QualitativeEvaluation(name=_own_code(check.criterion), value=VERDICTS[check.verdict])
        ],
    )
    return _commented(group, check.advice)


def _finding(finding: Finding, model: str | None, source: Instance, tracking: sr.TrackingIdentifier) -> Any:
    code = Code(finding.code.value, finding.code.scheme, finding.code.meaning[:MEANING_LENGTH])
    said: dict[str, Any] = {
        "tracking_identifier": tracking,
        "finding_type": code,
        "algorithm_id": _algorithm(finding, model),
        "measurements": [
            sr.Measurement(name=PROBABILITY, value=round(finding.probability, 4), unit=NO_UNITS)
        ],
        "qualitative_evaluations": [sr.QualitativeEvaluation(name=code, value=FLAGGED[finding.decision])],
    }
    boxes = [mark for mark in finding.marks if mark.shape is MarkShape.BOX]
    if boxes:
        return sr.PlanarROIMeasurementsAndQualitativeEvaluations(
            referenced_region=_region(boxes[0], source), **said
        )
    return Group(**said)


def _algorithm(finding: Finding, model: str | None) -> sr.AlgorithmIdentification:
    task, _, version = (model or finding.task).partition("@")
    return sr.AlgorithmIdentification(
        name=task,
        version=version or "unknown",
        parameters=[
            f"sensitive threshold {finding.sensitive_threshold:g}",
            f"specific threshold {finding.specific_threshold:g}",
            *_moved(finding),
        ],
        manufacturer=MANUFACTURER,
    )


def _moved(finding: Finding) -> tuple[str, ...]:
    """That the site has moved the operating point: whoever reads the result elsewhere has to know."""
    local = finding.local_threshold
    if local is None:
        return ()
    return (f"sensitive threshold changed at this site, signed {local.signed:g}",)


def _region(mark: Mark, source: Instance) -> sr.ImageRegion:
    """The box as a closed line; DICOM counts (column, row) from the corner of the first pixel."""
    rows, columns = zip(*mark.points_px, strict=True)
    top, bottom, left, right = (side + 0.5 for side in (min(rows), max(rows), min(columns), max(columns)))
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    return sr.ImageRegion(
        graphic_type=sr.GraphicTypeValues.POLYLINE,
        graphic_data=np.maximum(np.array(corners), 0.0),
        source_image=sr.SourceImageForRegion(
            referenced_sop_class_uid=UID(source.sop_class_uid),
            referenced_sop_instance_uid=UID(source.sop_instance_uid),
        ),
    )


def _refusal(refusal: Refusal, tracking: sr.TrackingIdentifier) -> Any:
    group = Group(
        tracking_identifier=tracking,
        finding_type=_own_code(refusal.task),
        qualitative_evaluations=[sr.QualitativeEvaluation(name=_own_code(refusal.task), value=NOT_ANALYSED)],
    )
    return _commented(group, refusal.reason)


OUTPUT: Final = StructuredReport()
