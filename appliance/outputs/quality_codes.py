# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How quality checks are said in codes: standard ones (PS3.16) where there are any, else our own.

A criterion's own name is neutral ("motion: OK"); the standard's reject reasons (CID 7011) name a fault, so
they are said only where a check has found one.
"""

from __future__ import annotations

import hashlib
from typing import Final

from pydicom.sr.coding import Code

from appliance.domain.quality import QualityCheck, Verdict
from appliance.outputs.identity import SCHEME

MEANING_LENGTH: Final = 64
"""Characters of CodeMeaning (VR LO)."""
VALUE_LENGTH: Final = 16
"""Characters of CodeValue (VR SH)."""
IMAGE_QUALITY: Final = Code("111101", "DCM", "Image Quality")
QUALITY_FINDING: Final = Code("111052", "DCM", "Quality Finding")
EXPOSURE_INDEX: Final = Code("113845", "DCM", "Exposure Index")
TARGET_EXPOSURE_INDEX: Final = Code("113846", "DCM", "Target Exposure Index")
NO_UNITS: Final = Code("1", "UCUM", "no units")
MEASURED: Final = Code("measured", SCHEME, "Measured value")
LIMIT: Final = Code("limit", SCHEME, "Limit of the check")
VERDICTS: Final = {
    Verdict.OK: Code("ok", SCHEME, "OK"),
    Verdict.CHECK: Code("check", SCHEME, "Check before the patient leaves"),
    Verdict.REPEAT: Code("repeat", SCHEME, "Consider repeating"),
    Verdict.NOT_CHECKED: Code("not_checked", SCHEME, "Not checked by this device"),
}
UNITS: Final = {
    "mm": Code("mm", "UCUM", "millimeter"),
    "%": Code("%", "UCUM", "percent"),
    "[hnsf'U]": Code("[hnsf'U]", "UCUM", "Hounsfield unit"),
    "1": NO_UNITS,
}
_MEASURED: Final = {
    "exposure": Code("113847", "DCM", "Deviation Index"),
    "slice_spacing": Code("112226", "DCM", "Spacing between slices"),
}
"""What the number of a criterion is, where the standard has a name for it."""
POSITIONING: Final = Code("111209", "DCM", "Positioning")
MOTION_BLUR: Final = Code("111210", "DCM", "Motion blur")
UNDER_EXPOSED: Final = Code("111211", "DCM", "Under exposed")
OVER_EXPOSED: Final = Code("111212", "DCM", "Over exposed")
NO_IMAGE: Final = Code("111213", "DCM", "No image")
DETECTOR_ARTIFACT: Final = Code("111214", "DCM", "Detector artifact(s)")
OTHER_ARTIFACT: Final = Code("111215", "DCM", "Artifact(s) other than grid or detector artifact")
_FAULTS: Final = {
    "field_of_view": POSITIONING,
    "orientation": POSITIONING,
    "rotation": POSITIONING,
    "inspiration": POSITIONING,
    "motion": MOTION_BLUR,
    "sharpness": MOTION_BLUR,
    "detector_lines": DETECTOR_ARTIFACT,
    "metal": OTHER_ARTIFACT,
    "blank_exposure": NO_IMAGE,
    "saturation": OVER_EXPOSED,
}


def own_code(name: str) -> Code:
    """A name of ours as a code: the value is shortened by its hash where it is too long."""
    value = name if len(name) <= VALUE_LENGTH else hashlib.sha256(name.encode()).hexdigest()[:VALUE_LENGTH]
    return Code(value, SCHEME, name.replace("_", " ")[:MEANING_LENGTH])


def unit_of(check: QualityCheck) -> Code:
    """The unit of the check's numbers."""
    unit = check.unit or "1"
    return UNITS.get(unit, Code(unit, "UCUM", unit))


def measured_name(check: QualityCheck) -> Code:
    """What the check's number is called."""
    return _MEASURED.get(check.criterion, MEASURED)


def fault_of(check: QualityCheck) -> Code | None:
    """The standard's name of the fault that this check has found; None: no fault, or none with a name."""
    if check.verdict not in {Verdict.CHECK, Verdict.REPEAT}:
        return None
    if check.criterion == "exposure":
        if check.value is None or check.value == 0:
            return None
        return OVER_EXPOSED if check.value > 0 else UNDER_EXPOSED
    return _FAULTS.get(check.criterion)
