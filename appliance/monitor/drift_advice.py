# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What to do about drift, in sentences: from which features are beyond their bounds, and what came along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from appliance.domain.drift import DriftExam, FeatureDrift
from appliance.monitor.drift_features import QUALITY, SCORE

MOST_SENTENCES: Final = 6
HARDWARE: Final = frozenset(("rows_px", "columns_px", "pixel_spacing_mm", "detector_id"))
EXPOSURE: Final = frozenset(("exposure_index", "kvp", "exposure_mas"))
GREY: Final = frozenset(("grey_mean", "grey_p05", "grey_p95"))
PEOPLE: Final = frozenset(("age_years", "patient_sex", "body_part", "view_position"))


def advise(
    features: Sequence[FeatureDrift], baseline: Sequence[DriftExam], recent: Sequence[DriftExam]
) -> tuple[str, ...]:
    """The most useful first; empty when nothing is beyond its bound."""
    beyond = {one.feature: one for one in reversed(features) if one.is_beyond}
    if not beyond:
        return ()
    detector_since = _new_detector_since(baseline, recent)
    said: list[str] = []
    scores = [one for name, one in beyond.items() if name.startswith(SCORE)]
    inputs = len(beyond) > len(scores)
    said += [_score(one, detector_since, inputs=inputs) for one in scores]
    if detector_since is not None:
        said.append(
            f"The detector is another one since {detector_since}. When its images have been checked with a "
            "phantom, fix a new baseline: scanside drift --fix-baseline."
        )
    elif beyond.keys() & HARDWARE:
        said.append(
            "The images have another size, spacing or detector than before: a new detector or new software? "
            "Ask service what was changed, and fix a new baseline when it was meant."
        )
    if beyond.keys() & EXPOSURE:
        said.append(
            f"{_change(beyond[min(beyond.keys() & EXPOSURE)])} Check automatic exposure control and "
            "technique charts with your physicist; look at rejected images of these days."
        )
    if beyond.keys() & GREY and not beyond.keys() & (EXPOSURE | HARDWARE):
        said.append(
            "Grey levels moved while exposure did not: calibrate the detector (flat field) and check image "
            "processing settings."
        )
    if beyond.keys() & PEOPLE:
        said.append(
            "Other people, body parts or views are examined than in the baseline. If that is meant to stay, "
            "check that the models are made for them, and fix a new baseline."
        )
    measured = [name.removeprefix(QUALITY) for name in beyond if name.startswith(QUALITY)]
    if measured:
        said.append(
            f"Quality control measures otherwise than before: {', '.join(measured[:3])}. Look at images."
        )
    return tuple(said[:MOST_SENTENCES])


def _score(one: FeatureDrift, detector_since: str | None, *, inputs: bool) -> str:
    name = one.feature.removeprefix(SCORE)
    way = _way(one, ups="scores are up", downs="scores are down", other="scores are spread otherwise")
    since = f" since the new detector ({detector_since})" if detector_since is not None else ""
    why = (
        "The images changed, too: the model may answer the machine, not the patient."
        if inputs
        else "The images did not change by these measures: other patients, or another model?"
    )
    return f"{name}: {way}{since}. {why} Compare 20 of its answers with reports before relying on it."


def _change(one: FeatureDrift) -> str:
    way = _way(one, ups="went up", downs="went down", other="is spread otherwise than before")
    return f"{one.feature} {way}."


def _way(one: FeatureDrift, *, ups: str, downs: str, other: str) -> str:
    before, now = one.baseline_mean, one.recent_mean
    if before is None or now is None or before == now:
        return other
    return f"{ups if now > before else downs} ({before:.3g} to {now:.3g})"


def _new_detector_since(baseline: Sequence[DriftExam], recent: Sequence[DriftExam]) -> str | None:
    """The date of the first recent exam of a detector that the baseline does not know, if most are of it."""
    known = {exam.detector for exam in baseline}
    new = [exam for exam in recent if exam.detector and exam.detector not in known]
    return new[0].answered_at_utc[:10] if 2 * len(new) > len(recent) else None
