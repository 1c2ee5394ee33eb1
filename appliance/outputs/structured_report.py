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
from appliance.domain.finding import Refusal
from appliance.domain.job import Lane
from appliance.domain.result import LaneResult
from appliance.outputs.base import Rendered
from appliance.outputs.finishing import NOT_KNOWN_YET, finished, making
from appliance.outputs.identity import MANUFACTURER, MODEL_NAME, SERIAL_NUMBER, software_version, uid_of
from appliance.outputs.image_library import image_library
from appliance.outputs.report_groups import groups_of
from appliance.outputs.source_header import evidence_of

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
        refusals = told_refusals(result)
        if result.lane is Lane.DENOISE or not (result.quality or result.findings or refusals):
            return ()
        evidence = [
            evidence_of(instance, more=("FrameOfReferenceUID",)) for instance in acquisition.instances
        ]
        with making("reports"):
            dataset = sr.Comprehensive3DSR(
                evidence=evidence,
                content=_content(acquisition, result, refusals, evidence),
                series_instance_uid=uid_of("report series", acquisition.first.series_instance_uid),
                series_number=SERIES_NUMBER,
                sop_instance_uid=NOT_KNOWN_YET,
                instance_number=list(Lane).index(result.lane) + 1,
                manufacturer=MANUFACTURER,
                is_complete=True,
                is_final=False,
                series_description="AI results, not for diagnosis",
                manufacturer_model_name=MODEL_NAME,
                device_serial_number=SERIAL_NUMBER,
                software_versions=software_version(),
            )
        content = finished(dataset, kind="report", evidence=evidence[0])
        return (Rendered(file_name=f"report-{result.lane.value}.dcm", content=content),)


def told_refusals(result: LaneResult) -> tuple[Refusal, ...]:
    """Of models that this device has. That there is none for a kind of image at all is news to nobody."""
    return tuple(refusal for refusal in result.refusals if refusal.task != result.lane.value)


def device_observer() -> sr.ObserverContext:
    """Who says it: this device (TID 1002, 1004)."""
    return sr.ObserverContext(
        observer_type=sr.CodedConcept("121007", "DCM", "Device"),
        observer_identifying_attributes=sr.DeviceObserverIdentifyingAttributes(
            uid=uid_of("device", MODEL_NAME), manufacturer_name=MANUFACTURER, model_name=MODEL_NAME
        ),
    )


def _content(
    acquisition: Acquisition, result: LaneResult, refusals: tuple[Refusal, ...], evidence: list[Dataset]
) -> Any:
    report = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=device_observer()),
        procedure_reported=PROCEDURES.get(acquisition.first.modality, RADIOGRAPHY),
        imaging_measurements=list(groups_of(acquisition, result, refusals)),
        title=Code("126000", "DCM", "Imaging Measurement Report"),
    )
    items = report[0].ContentSequence
    place = next(place for place, item in enumerate(items) if item.name == IMAGING_MEASUREMENTS)
    items.insert(place, image_library(acquisition, evidence))  # rows 5 and 6 of the template: in this order
    return report


OUTPUT: Final = StructuredReport()
