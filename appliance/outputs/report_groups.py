# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The groups of a report: one for each quality check, finding and refusal, and one for each further place.

A group with a place is TID 1410, one without is TID 1501. A template has room for one place, so the first one
stands with the measurements, and each of the others in a group of its own beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from highdicom import sr
from pydicom.sr.coding import Code
from pydicom.uid import UID

from appliance.domain.acquisition import Acquisition
from appliance.domain.finding import Decision, Finding, Refusal
from appliance.domain.quality import QualityCheck
from appliance.domain.result import LaneResult
from appliance.outputs.identity import MANUFACTURER, MODEL_NAME, SCHEME, software_version, uid_of
from appliance.outputs.quality_codes import (
    EXPOSURE_INDEX,
    IMAGE_QUALITY,
    LIMIT,
    MEANING_LENGTH,
    NO_UNITS,
    QUALITY_FINDING,
    TARGET_EXPOSURE_INDEX,
    VERDICTS,
    fault_of,
    measured_name,
    own_code,
    unit_of,
)
from appliance.outputs.regions import Region, frame_number_of, regions_of, shown_marks, slices_of
from appliance.outputs.told import models_of, told_refusals

COMMENT: Final = Code("121106", "DCM", "Comment")
FAMILY: Final = Code("123110", "DCM", "Artificial Intelligence")
PROBABILITY: Final = Code("probability", SCHEME, "Calibrated probability")
NOT_ANALYSED: Final = Code("not_analysed", SCHEME, "Not analysed by this device")
FLAGGED: Final = {
    Decision.PRESENT: Code("52101004", "SCT", "Present"),
    Decision.INDETERMINATE: Code("82334004", "SCT", "Indeterminate"),
    Decision.ABSENT: Code("not_flagged", SCHEME, "Not flagged; does not mean absent"),
}
_Group: Any = sr.MeasurementsAndQualitativeEvaluations
_PlacedGroup: Any = sr.PlanarROIMeasurementsAndQualitativeEvaluations


def groups_of(acquisition: Acquisition, result: LaneResult) -> Iterator[Any]:
    """All groups, in the order of the result."""
    models = models_of(result)
    names = _Names(acquisition)
    for check in result.quality:
        yield from _quality(check, acquisition, names)
    for finding in result.findings:
        algorithm = _algorithm(finding, models.get(finding.task), halvings=result.halvings)
        yield from _finding(finding, algorithm, acquisition, names)
    for refusal in told_refusals(result):
        yield _refusal(refusal, names)


class _Names:
    """Tracking identifiers: the same for the same question about an acquisition, whatever the answer."""

    def __init__(self, acquisition: Acquisition) -> None:
        self._acquisition = acquisition
        self._seen: dict[str, int] = {}

    def next(self, what: str) -> str:
        self._seen[what] = self._seen.get(what, 0) + 1
        return f"{what} {self._seen[what]}"

    def tracking(self, name: str) -> sr.TrackingIdentifier:
        uid = uid_of("tracking", self._acquisition.acquisition_id, name)
        return sr.TrackingIdentifier(uid=uid, identifier=name)


def _placed(
    said: dict[str, Any], regions: tuple[Region, ...], name: str, names: _Names, comment: str
) -> Iterator[Any]:
    """The group that says it, at the first place if there is any, and one for each further place."""
    tracking = names.tracking(name)
    if regions:
        without = {key: value for key, value in said.items() if key != "source_images"}
        group = _PlacedGroup(
            tracking_identifier=tracking, referenced_region=_image_region(regions[0]), **without
        )
    else:
        group = _Group(tracking_identifier=tracking, **said)
    yield _commented(group, comment)
    for count, region in enumerate(regions[1:], start=2):
        further = _PlacedGroup(
            tracking_identifier=names.tracking(f"{name} place {count}"),
            referenced_region=_image_region(region),
            finding_type=said["finding_type"],
            finding_category=said.get("finding_category"),
            algorithm_id=said["algorithm_id"],
        )
        yield _commented(further, region.label)


def _quality(check: QualityCheck, acquisition: Acquisition, names: _Names) -> Iterator[Any]:
    code, fault = own_code(check.criterion), fault_of(check)
    evaluations = [sr.QualitativeEvaluation(name=code, value=VERDICTS[check.verdict])]
    if fault is not None:
        evaluations.append(sr.QualitativeEvaluation(name=QUALITY_FINDING, value=fault))
    said = {
        "finding_type": code,
        "finding_category": IMAGE_QUALITY,
        "algorithm_id": sr.AlgorithmIdentification(
            name=f"{MODEL_NAME} quality control", version=software_version(), manufacturer=MANUFACTURER
        ),
        "measurements": list(_measurements(check, acquisition)),
        "qualitative_evaluations": evaluations,
        "source_images": _whole_images(acquisition, slices_of(acquisition, check.marks)) or None,
    }
    yield from _placed(
        said, regions_of(acquisition, check.marks), names.next(check.criterion), names, check.advice
    )


def _measurements(check: QualityCheck, acquisition: Acquisition) -> Iterator[sr.Measurement]:
    values = [(measured_name(check), check.value, unit_of(check)), (LIMIT, check.limit, unit_of(check))]
    if check.criterion == "exposure":
        exposure = acquisition.first.exposure
        values.append((EXPOSURE_INDEX, exposure.exposure_index, NO_UNITS))
        values.append((TARGET_EXPOSURE_INDEX, exposure.target_exposure_index, NO_UNITS))
    for name, value, unit in values:
        if value is not None and np.isfinite(value):
            yield sr.Measurement(name=name, value=float(value), unit=unit)


def _finding(
    finding: Finding, algorithm: sr.AlgorithmIdentification, acquisition: Acquisition, names: _Names
) -> Iterator[Any]:
    code = Code(finding.code.value, finding.code.scheme, finding.code.meaning[:MEANING_LENGTH])
    said = {
        "finding_type": code,
        "algorithm_id": algorithm,
        "measurements": [
            sr.Measurement(name=PROBABILITY, value=round(finding.probability, 4), unit=NO_UNITS)
        ],
        "qualitative_evaluations": [sr.QualitativeEvaluation(name=code, value=FLAGGED[finding.decision])],
    }
    regions = regions_of(acquisition, shown_marks(finding))
    yield from _placed(said, regions, names.next(finding.task), names, "")


def _algorithm(finding: Finding, model: str | None, *, halvings: int) -> sr.AlgorithmIdentification:
    task, _, version = (model or finding.task).partition("@")
    return sr.AlgorithmIdentification(
        name=task,
        version=version or "unknown",
        family=FAMILY,
        parameters=[
            f"sensitive threshold {finding.sensitive_threshold:g}",
            f"specific threshold {finding.specific_threshold:g}",
            *_moved(finding),
            *([f"both sides halved {halvings} times by the wavelet"] if halvings else []),
        ],
        manufacturer=MANUFACTURER,
    )


def _moved(finding: Finding) -> tuple[str, ...]:
    """That the site has moved the operating point: whoever reads the result elsewhere has to know."""
    local = finding.local_threshold
    if local is None:
        return ()
    return (f"sensitive threshold changed at this site, signed {local.signed:g}",)


def _refusal(refusal: Refusal, names: _Names) -> Any:
    code = own_code(refusal.task)
    group = _Group(
        tracking_identifier=names.tracking(names.next(refusal.task)),
        finding_type=code,
        qualitative_evaluations=[sr.QualitativeEvaluation(name=code, value=NOT_ANALYSED)],
    )
    return _commented(group, refusal.reason)


def _image_region(region: Region) -> sr.ImageRegion:
    return sr.ImageRegion(
        graphic_type=sr.GraphicTypeValues.POLYLINE,
        graphic_data=region.points,
        source_image=sr.SourceImageForRegion(
            referenced_sop_class_uid=UID(region.instance.sop_class_uid),
            referenced_sop_instance_uid=UID(region.instance.sop_instance_uid),
            referenced_frame_numbers=None if region.frame_number is None else [region.frame_number],
        ),
    )


def _whole_images(
    acquisition: Acquisition, numbers: tuple[int, ...]
) -> list[sr.SourceImageForMeasurementGroup]:
    """The images that these slices are, each once."""
    places = (acquisition.slices[number] for number in numbers)
    named = {
        (place.instance, frame_number_of(acquisition.instances[place.instance], place.frame)): None
        for place in places
    }
    return [
        sr.SourceImageForMeasurementGroup(
            referenced_sop_class_uid=acquisition.instances[index].sop_class_uid,
            referenced_sop_instance_uid=acquisition.instances[index].sop_instance_uid,
            referenced_frame_numbers=None if frame_number is None else [frame_number],
        )
        for index, frame_number in named
    ]


def _commented(group: Any, text: str) -> Any:
    """Add a sentence for people: TID 1410 and 1501 are extensible."""
    if text:
        group[0].ContentSequence.append(
            sr.TextContentItem(name=COMMENT, value=text, relationship_type=sr.RelationshipTypeValues.CONTAINS)
        )
    return group
