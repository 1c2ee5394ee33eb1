# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What the header of a radiograph must say: who, which view, which side, how much exposure."""

from __future__ import annotations

from typing import Final

import numpy as np

from appliance.domain.acquisition import Instance
from appliance.domain.quality import QualityCheck, Verdict
from appliance.tasks.radiograph_measures.verdicts import not_checked, said

FRONTAL_VIEWS: Final = frozenset({"PA", "AP", "POSTERO-ANTERIOR", "ANTERO-POSTERIOR"})
_LATERAL_VIEWS: Final = frozenset(
    {"LL", "RL", "LATERAL", "LAT", "LLD", "RLD", "LEFT LATERAL", "RIGHT LATERAL"}
)
_CHEST_VIEWS: Final = FRONTAL_VIEWS | _LATERAL_VIEWS | {"LLO", "RLO", "LO", "LORDOTIC", "AXIAL", "OBLIQUE"}
DEVIATION_IN_RANGE: Final = 1.0
"""|DI| up to which nothing has to be done: AAPM TG-116 (S. J. Shepard et al., Med. Phys. 36 (2009) 2898),
table of exposure indicator deviation: below -1 underexposed, above +1 overexposed."""
DEVIATION_STRONG: Final = 3.0
"""|DI| of the outer bands of the same table. AAPM TG-232 (2018) found that deviations of this size are
common and advises against repeating on the number alone; so does this device."""
_AGREEMENT: Final = 0.5
"""How far DeviationIndex may be from the one computed of the two indices before it is called wrong."""


def identity_check(first: Instance) -> QualityCheck:
    """Patient ID and name are there."""
    missing = [
        words
        for words, value in (("patient ID", first.patient.patient_id), ("name", first.patient.patient_name))
        if not (value or "").strip(" ^")
    ]
    if missing:
        return said(
            "identity",
            Verdict.CHECK,
            f"The header gives no {' and no '.join(missing)}. Enter the patient before sending.",
        )
    return said("identity", Verdict.OK, "Patient ID and name are given; compare them with the patient.")


def view_tags_check(first: Instance, *, limb: bool, chest: bool) -> QualityCheck:
    """View position, and for limbs the side, are given and possible."""
    view = (first.view_position or "").strip().upper()
    side = (first.laterality or "").strip().upper()
    wrong = []
    if limb and side not in {"R", "L", "B"}:
        wrong.append("does not say which side this is (R or L)")
    if not view:
        wrong.append("gives no view position")
    elif chest and view not in _CHEST_VIEWS:
        wrong.append(f"calls the view {view}, which is no view of a chest")
    if wrong:
        return said("view_tags", Verdict.CHECK, f"The header {' and '.join(wrong)}. Set it at the console.")
    given = f"View {view}" + (f", side {side}" if limb else "")
    return said("view_tags", Verdict.OK, f"{given} is given; compare it with the marker in the picture.")


def exposure_check(first: Instance, noise_too_high: bool | None) -> QualityCheck:
    """The deviation index of IEC 62494-1, DI = 10 log10(EI / EI_T).

    Beyond the outer band REPEAT only when measured noise confirms underexposure.
    """
    exposure = first.exposure
    index, target = exposure.exposure_index, exposure.target_exposure_index
    computed = 10.0 * float(np.log10(index / target)) if index and target and index > 0 < target else None
    given = exposure.deviation_index
    deviation = computed if computed is not None else given
    if deviation is None:
        return not_checked(
            "exposure",
            "The modality gives no exposure index with its target, so the dose cannot be judged;"
            " noise and saturation were measured.",
        )
    doubt = ""
    if computed is not None and given is not None and abs(computed - given) > _AGREEMENT:
        doubt = f" (the header's own deviation index says {given:+.1f})"
    ratio = 10.0 ** (deviation / 10.0)
    if deviation < -DEVIATION_IN_RANGE:
        advice = f"Underexposed: {ratio:.2g} times the target exposure{doubt}. "
        advice += "Look for noise in the dense parts; check the exposure settings before the next one."
    elif deviation > DEVIATION_IN_RANGE:
        advice = f"Overexposed: {ratio:.2g} times the target exposure{doubt}. Do not repeat for this alone; "
        advice += "lower the exposure next time."
    else:
        advice = f"Exposure is {ratio:.2g} times the target, within range{doubt}."
    verdict = Verdict.OK if abs(deviation) <= DEVIATION_IN_RANGE and not doubt else Verdict.CHECK
    if deviation < -DEVIATION_STRONG and noise_too_high:
        verdict = Verdict.REPEAT
        advice = (
            f"Badly underexposed: {ratio:.2g} times the target exposure{doubt}, and the picture is noisy. "
        )
        advice += "Correct the exposure settings and repeat."
    return QualityCheck(
        criterion="exposure",
        verdict=verdict,
        value=round(deviation, 2),
        unit="1",
        limit=DEVIATION_IN_RANGE,
        advice=advice,
    )
