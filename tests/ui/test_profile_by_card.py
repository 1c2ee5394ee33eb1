# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A model whose card draws no location shows none, whatever its result holds."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.domain.finding import Finding
from appliance.domain.record import from_json, to_json
from ui.findings_state import findings_of
from ui.picture_state import picture_of


@pytest.mark.parametrize(
    ("draws", "profile", "places"),
    [(False, "Flag only: no place is shown", 0), (True, "Reader aid", 1), (None, "", 1)],
)
def test_only_a_reader_aid_points_at_something(
    clinic: Any, make: Any, draws: bool | None, profile: str, places: int
) -> None:
    finding = make.finding("Nodule", 0.9, box=(1, 1, 9, 9), heatmap=True, draws_location=draws)
    clinic.answer(clinic.land("a"), triage=clinic.triage(finding))
    exam = clinic.read().exams[0]
    (line,) = findings_of(exam, ai_down=None).lines
    picture = picture_of(exam)
    assert (line.question, line.profile, line.has_heatmap) == ("Nodule?", profile, places == 1)
    assert (len(picture.marks), len(picture.heatmap_codes)) == (places, places)


def test_a_stored_result_of_before_the_profile_was_kept_still_reads(make: Any) -> None:
    finding = make.finding("Nodule", 0.9, draws_location=True)
    older = to_json(finding).replace(',"draws_location":true', "")
    assert "draws_location" not in older
    assert from_json(Finding, older).draws_location is None
    assert from_json(Finding, to_json(finding)) == finding
