# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A lane's answer as a DICOM structured report: TID 1500 in a Comprehensive 3D SR, as IHE AI Results asks.

One group per quality check, finding and refusal (`report_groups`). A finding that was not flagged is reported
as "not flagged", never as absent: this device does not say "normal". Times are the original's and UIDs follow
from the content, so the same answer is the same object.
"""

from __future__ import annotations

from typing import Any, Final

from highdicom import sr
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from appliance.domain.acquisition import Acquisition
from appliance.domain.job import Lane
from appliance.domain.result import LaneResult
from appliance.outputs.base import Rendered
from appliance.outputs.finishing import finished, maker, making
from appliance.outputs.identity import MANUFACTURER, MODEL_NAME, uid_of
from appliance.outputs.image_library import image_library
from appliance.outputs.report_groups import groups_of
from appliance.outputs.source_header import evidence_of
from appliance.outputs.told import says_something

SERIES_NUMBER: Final = 9001
IMAGING_MEASUREMENTS: Final = Code("126010", "DCM", "Imaging Measurements")
PROCEDURES: Final = {
    "CT": Code("77477000", "SCT", "Computed tomography"),
    "MR": Code("113091000", "SCT", "Magnetic resonance imaging"),
}
RADIOGRAPHY: Final = Code("168537006", "SCT", "Plain radiography")


class StructuredReport:
    """An `Output`."""

    name = "structured_report"

    def render(self, acquisition: Acquisition, result: LaneResult) -> tuple[Rendered, ...]:
        """One report; none where the lane has nothing to say. Raises InputError when the original is gone."""
        if not says_something(result):
            return ()
        evidence = [
            evidence_of(instance, more=("FrameOfReferenceUID",)) for instance in acquisition.instances
        ]
        with making("reports"):
            dataset = sr.Comprehensive3DSR(
                evidence=evidence,
                content=_content(acquisition, result, evidence),
                series_instance_uid=uid_of("report series", acquisition.first.series_instance_uid),
                series_number=SERIES_NUMBER,
                instance_number=list(Lane).index(result.lane) + 1,
                is_complete=True,
                is_final=False,
                series_description="AI results, not for diagnosis",
                **maker(),
            )
        content = finished(dataset, kind="report", evidence=evidence[0])
        return (Rendered(file_name=f"report-{result.lane.value}.dcm", content=content),)


def device_observer() -> sr.ObserverContext:
    """Who says it: this device (TID 1002, 1004)."""
    return sr.ObserverContext(
        observer_type=sr.CodedConcept("121007", "DCM", "Device"),
        observer_identifying_attributes=sr.DeviceObserverIdentifyingAttributes(
            uid=uid_of("device", MODEL_NAME), manufacturer_name=MANUFACTURER, model_name=MODEL_NAME
        ),
    )


def _content(acquisition: Acquisition, result: LaneResult, evidence: list[Dataset]) -> Any:
    report = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=device_observer()),
        procedure_reported=PROCEDURES.get(acquisition.first.modality, RADIOGRAPHY),
        imaging_measurements=list(groups_of(acquisition, result)),
        title=Code("126000", "DCM", "Imaging Measurement Report"),
    )
    items = report[0].ContentSequence
    place = next(place for place, item in enumerate(items) if item.name == IMAGING_MEASUREMENTS)
    items.insert(place, image_library(acquisition, evidence))  # rows 5 and 6 of the template: in this order
    return report


OUTPUT: Final = StructuredReport()
