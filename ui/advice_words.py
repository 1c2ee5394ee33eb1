# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the appliance says in English, for a screen in another language. No Qt.

Its sentences carry numbers and places and are made where they are measured. For what is known here the
screen says a short translated sentence and keeps the original below it; what is not known stays as it is.
"""

from __future__ import annotations

from typing import Final

from appliance.domain.finding import Code
from appliance.domain.quality import QualityCheck, Verdict
from ui.language import apart, language, noted, tr
from ui.plain_text import LONGEST_SENTENCE, visible

CRITERIA: Final = {
    "blank_exposure": noted("Blank exposure"),
    "body_part_agrees": noted("Body part agrees"),
    "collimation": noted("Collimation"),
    "completeness": noted("Completeness"),
    "damaged_slices": noted("Damaged slices"),
    "detector_lines": noted("Detector lines"),
    "expected_part": noted("Ordered part"),
    "expected_patient": noted("Expected patient"),
    "expected_side": noted("Ordered side"),
    "expected_view": noted("Ordered view"),
    "exposure": noted("Exposure"),
    "field_of_view": noted("Field of view"),
    "identity": noted("Identity"),
    "inspiration": noted("Inspiration"),
    "metal": noted("Metal"),
    "motion": noted("Motion"),
    "noise": noted("Noise"),
    "orientation": noted("Orientation"),
    "rotation": noted("Rotation"),
    "saturation": noted("Saturation"),
    "scaling": noted("Scaling"),
    "sharpness": noted("Sharpness"),
    "slice_spacing": noted("Slice spacing"),
    "slice_stack": noted("Slice stack"),
    "view_tags": noted("View tags"),
}
ADVICE: Final = {
    ("blank_exposure", Verdict.REPEAT): noted("Blank: check tube, detector and position, then repeat."),
    ("body_part_agrees", Verdict.CHECK): noted("Picture and header disagree on the body part."),
    ("collimation", Verdict.CHECK): noted("Do not repeat. Close the collimator further next time."),
    ("completeness", Verdict.CHECK): noted("Parts of the series may be missing. Look."),
    ("damaged_slices", Verdict.REPEAT): noted("Slices are damaged. Send the series again."),
    ("detector_lines", Verdict.CHECK): noted("The detector has defective lines. Tell service."),
    ("expected_part", Verdict.CHECK): noted("Another body part was ordered. Check the request."),
    ("expected_patient", Verdict.CHECK): noted("Perhaps the wrong patient. Check before they leave."),
    ("expected_side", Verdict.CHECK): noted("Wrong side? Check request, marker and patient."),
    ("expected_view", Verdict.CHECK): noted("Not ordered, or here already. Keep it if it was meant."),
    ("exposure", Verdict.REPEAT): noted("Badly underexposed and noisy. Correct the exposure and repeat."),
    ("field_of_view", Verdict.CHECK): noted("Something may be cut off. Look at the edge."),
    ("field_of_view", Verdict.REPEAT): noted("Cut off at the edge. Correct the position and repeat."),
    ("identity", Verdict.CHECK): noted("Patient ID or name is missing. Enter it."),
    ("metal", Verdict.CHECK): noted("Metal. Look whether streaks hide the organs."),
    ("motion", Verdict.CHECK): noted("Streaks or jumps: motion or metal. Look at the organs."),
    ("noise", Verdict.CHECK): noted("Noisy. Look whether fine detail is seen."),
    ("orientation", Verdict.CHECK): noted("The picture may be turned. Look."),
    ("saturation", Verdict.CHECK): noted("Parts are clipped. Look whether detail is lost."),
    ("scaling", Verdict.CHECK): noted("The CT numbers are wrong. Check the calibration."),
    ("sharpness", Verdict.CHECK): noted("Edges are blurred. Repeat if detail is lost."),
    ("slice_spacing", Verdict.CHECK): noted("Slice distance and header disagree. Count the slices."),
    ("slice_stack", Verdict.CHECK): noted("Slices are missing or doubled. Send the series again."),
    ("view_tags", Verdict.CHECK): noted("View or side is missing or wrong. Correct it."),
}
UNDEREXPOSED: Final = noted("Underexposed. Look for noise in the dense parts.")
OVEREXPOSED: Final = noted("Overexposed. Do not repeat for this alone.")
NOT_JUDGED: Final = noted("Not judged by this device. Look yourself.")
MEANINGS: Final = {
    ("ABNORMAL", "99SCANSIDE"): noted("Any labelled finding"),
    ("125605004", "SCT"): noted("Fracture of bone"),
    ("60046008", "SCT"): noted("Pleural effusion"),
    ("8186001", "SCT"): noted("Cardiomegaly"),
    ("87433001", "SCT"): noted("Pulmonary emphysema"),
    ("36118008", "SCT"): noted("Pneumothorax"),
    ("233645004", "SCT"): noted("Tension pneumothorax"),
    ("1386000", "SCT"): noted("Intracranial haemorrhage"),
    ("59282003", "SCT"): noted("Pulmonary embolism"),
}
"""Labels of the shipped models, and the findings that cannot wait."""
LABELS: Final = (
    noted("exposed field"),
    noted("cut off"),
    noted("motion"),
    noted("metal"),
    noted("gap"),
    noted("doubled"),
    noted("damaged slice"),
    noted("defective row"),
    noted("defective column"),
)
TRIED_AGAIN: Final = noted("It is tried again; call service if it stays.")
NOT_TAKEN: Final = noted("The store did not take it.")
REASONS: Final = (
    noted("No model for this task is installed."),
    noted("The model that compares picture and header is not installed or does not serve here."),
    noted("This task looks at single radiographs, not at series of slices."),
    noted("This is a colour picture, not a radiograph as the detector took it."),
    TRIED_AGAIN,
    NOT_TAKEN,
)
"""Sentences without numbers, word by word as the appliance and the poller give them."""


def criterion_title(criterion: str) -> str:
    """The name of a criterion: "Field of view"."""
    known = CRITERIA.get(criterion)
    return apart(visible(criterion.replace("_", " ").capitalize())) if known is None else tr(known)


def advice_in_words(check: QualityCheck) -> tuple[str, str]:
    """What to do, and the original below it ("" where the original itself is shown)."""
    original = visible(check.advice, limit=LONGEST_SENTENCE)
    known = _known_advice(check)
    if language() == "en" or known is None:
        return apart(original), ""
    return tr(known), original


def reason_in_words(reason: str) -> str:
    """Why a task gave no answer."""
    return tr(reason) if reason in REASONS else apart(visible(reason, limit=LONGEST_SENTENCE))


def meaning_in_words(code: Code) -> str:
    """The name of a finding. English stays as the model wrote it."""
    known = MEANINGS.get((code.value, code.scheme))
    return apart(visible(code.meaning)) if known is None or language() == "en" else tr(known)


def label_in_words(label: str) -> str:
    """The name of a mark on the picture."""
    return tr(label) if label in LABELS else apart(visible(label))


def _known_advice(check: QualityCheck) -> str | None:
    if check.verdict is Verdict.NOT_CHECKED:
        return NOT_JUDGED
    if check.criterion == "exposure" and check.verdict is Verdict.CHECK and check.value:
        return UNDEREXPOSED if check.value < 0 else OVEREXPOSED
    return ADVICE.get((check.criterion, check.verdict))
