# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The summary page: one grey picture with the answer in words, for archives that show no reports.

Every page says that a machine wrote it, which model, and that it is not for diagnosis; findings are
questions. All text is ours: nothing from the header is drawn into pixels, where nobody could remove it.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from textwrap import wrap
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import SecondaryCaptureImageStorage

from appliance.domain.acquisition import Acquisition
from appliance.domain.finding import Decision, Finding, Refusal
from appliance.domain.job import Lane
from appliance.domain.quality import QualityCheck, Verdict, worst
from appliance.domain.result import LaneResult
from appliance.outputs.base import WHOLE_LANE, Rendered
from appliance.outputs.identity import MANUFACTURER, MODEL_NAME, file_meta, software_version, uid_of
from appliance.outputs.source_header import content_moment, evidence_of, patient_and_study

ROWS_PX: Final = 1024
COLUMNS_PX: Final = 1280
MARGIN_PX: Final = 48
LINE_PX: Final = 44
HEADLINE_PX: Final = 80
LINE_CHARACTERS: Final = 62
"""What fits between the margins at the text size below."""
TEXT_SCALE: Final = 0.9
HEADLINE_SCALE: Final = 1.8
FOOTER_LINES: Final = 2
WHITE: Final = 255
GREY: Final = 170
SERIES_NUMBER: Final = 9002
STAMP: Final = "AI - NOT FOR DIAGNOSIS"
VERDICT_WORDS: Final = {
    Verdict.OK: "No fault found by the checks below",
    Verdict.CHECK: "CHECK before the patient leaves",
    Verdict.REPEAT: "Consider a REPEAT",
    Verdict.NOT_CHECKED: "NOT CHECKED",
}
ANSWERS: Final = {Decision.PRESENT: "suspected", Decision.INDETERMINATE: "uncertain"}


class SecondaryCapture:
    """An `Output`."""

    name = "secondary_capture"

    def render(self, acquisition: Acquisition, result: LaneResult) -> tuple[Rendered, ...]:
        """One page; none where the lane has nothing to say. Raises InputError when the original is gone."""
        said = result.quality or result.findings or refused_as_a_whole(result)
        if result.lane is Lane.DENOISE or not said:
            return ()
        page = draw_page(result)
        pixels = page.tobytes()
        first = acquisition.first
        evidence = evidence_of(first)
        dataset = Dataset()
        patient_and_study(evidence, dataset, first)
        dataset.Modality = "OT"
        dataset.SeriesInstanceUID = uid_of("summary series", first.series_instance_uid)
        dataset.SeriesNumber = SERIES_NUMBER
        dataset.SeriesDescription = "AI summary, not for diagnosis"
        dataset.InstanceNumber = list(Lane).index(result.lane) + 1
        dataset.Laterality = dataset.PatientOrientation = None
        dataset.Manufacturer, dataset.ManufacturerModelName = MANUFACTURER, MODEL_NAME
        dataset.SoftwareVersions = software_version()
        dataset.ConversionType = "WSD"
        dataset.SecondaryCaptureDeviceManufacturer = MANUFACTURER
        dataset.ImageType = ["DERIVED", "SECONDARY"]
        dataset.ContentDate, dataset.ContentTime = content_moment(evidence)
        dataset.DerivationDescription = f"Summary in words of: {', '.join(_models(result)) or 'measurements'}"
        dataset.BurnedInAnnotation = "NO"  # PS3.3 C.7.6.1: that is, none that says who the patient is
        source = Dataset()
        source.ReferencedSOPClassUID = evidence.SOPClassUID
        source.ReferencedSOPInstanceUID = evidence.SOPInstanceUID
        dataset.SourceImageSequence = [source]
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.Rows, dataset.Columns = page.shape
        dataset.BitsAllocated = dataset.BitsStored = 8
        dataset.HighBit, dataset.PixelRepresentation = 7, 0
        dataset.WindowCenter, dataset.WindowWidth = 128, 256  # as it is, at archives that choose a window
        dataset.PixelData = pixels
        dataset["PixelData"].VR = "OW"
        digest = hashlib.sha256(pixels).hexdigest()
        uid = uid_of("summary", acquisition.acquisition_id, result.lane.value, first.sha256, digest)
        dataset.SOPClassUID, dataset.SOPInstanceUID = SecondaryCaptureImageStorage, uid
        dataset.file_meta = file_meta(SecondaryCaptureImageStorage, uid)
        buffer = io.BytesIO()
        dataset.save_as(buffer, enforce_file_format=True)
        return (Rendered(file_name=f"summary-{result.lane.value}.dcm", content=buffer.getvalue()),)


def refused_as_a_whole(result: LaneResult) -> tuple[Refusal, ...]:
    """Why the image was not analysed, where nothing was: without a page, silence would pass for "no finding".

    That a triage model is for other images is in the report; an image that nothing could be measured on,
    and a lane that broke, have a page.
    """
    if result.quality or result.findings:
        return ()
    whole = result.lane is Lane.QUALITY
    return tuple(one for one in result.refusals if whole or one.task == WHOLE_LANE)


def _models(result: LaneResult) -> tuple[str, ...]:
    return tuple(dict.fromkeys(use.model for use in result.engines))


def page_lines(result: LaneResult) -> tuple[str, tuple[str, ...]]:
    """The headline and the lines below it, in words."""
    flagged = [found for found in result.findings if found.is_flagged]
    if refused_as_a_whole(result):
        headline = "NOT ANALYSED by this device"
    elif result.quality:
        headline = VERDICT_WORDS[worst(result.quality)]
    elif flagged:
        headline = "Look at this image soon?"
    else:
        headline = "No finding flagged"
    return headline, tuple(_lines(result, flagged))


def _lines(result: LaneResult, flagged: list[Finding]) -> Iterator[str]:
    for refusal in refused_as_a_whole(result):
        yield f"{refusal.task.replace('_', ' ')}: {refusal.reason}"
    if refused_as_a_whole(result):
        yield "This does not mean normal. Nothing was looked for."
    for found in flagged:
        percent = round(100 * found.probability)
        yield f"{found.code.meaning}?  {ANSWERS[found.decision]}, {percent} %"
    if result.findings:
        rest = [found.code.meaning for found in result.findings if found not in flagged]
        if rest:
            yield f"Not flagged: {', '.join(rest)}."
        yield "This does not mean normal. Anything else was not looked for."
    for check in sorted(result.quality, key=_worst_first):
        yield f"{check.criterion.replace('_', ' ')}: {check.verdict.value.replace('_', ' ')}. {check.advice}"


def _worst_first(check: QualityCheck) -> int:
    return (Verdict.REPEAT, Verdict.CHECK, Verdict.NOT_CHECKED, Verdict.OK).index(check.verdict)


def draw_page(result: LaneResult) -> NDArray[np.uint8]:
    """The page as 8-bit grey, [1024, 1280]. What does not fit is said to be in the report."""
    page = np.zeros((ROWS_PX, COLUMNS_PX), dtype=np.uint8)

    def write(text: str, row_px: int, scale: float, grey: int) -> None:
        drawable = text.encode("ascii", errors="replace").decode("ascii")  # what the stroke font has
        place = (MARGIN_PX, row_px)
        cv2.putText(page, drawable, place, cv2.FONT_HERSHEY_SIMPLEX, scale, grey, 2, cv2.LINE_AA)

    headline, lines = page_lines(result)
    cv2.rectangle(page, (8, 8), (COLUMNS_PX - 9, ROWS_PX - 9), WHITE, 2)
    write(STAMP, MARGIN_PX + LINE_PX, TEXT_SCALE * 1.3, WHITE)
    row_px = MARGIN_PX + LINE_PX + HEADLINE_PX
    write(headline, row_px, HEADLINE_SCALE, WHITE)
    row_px += HEADLINE_PX
    last_px = ROWS_PX - MARGIN_PX - 2 * LINE_PX
    wrapped = [part for line in lines for part in wrap(line, LINE_CHARACTERS, subsequent_indent="   ")]
    room = (last_px - row_px) // LINE_PX
    shown = wrapped if len(wrapped) <= room else [*wrapped[: room - 1], "... the rest is in the report."]
    for part in shown:
        write(part, row_px, TEXT_SCALE, WHITE)
        row_px += LINE_PX
    made_by = ", ".join(_models(result)) or "measurements without a model"
    footer = wrap(f"{MODEL_NAME} {software_version()}: {made_by}", LINE_CHARACTERS)[:FOOTER_LINES]
    for count, part in enumerate(reversed(footer)):
        write(part, ROWS_PX - MARGIN_PX - count * LINE_PX, TEXT_SCALE, GREY)
    return page


OUTPUT: Final = SecondaryCapture()
