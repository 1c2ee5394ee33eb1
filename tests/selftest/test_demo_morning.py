# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pydicom
import pytest

from appliance.selftest.demo_morning import PRIOR_DAYS, morning, write_arrival

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=timezone.utc)
PROFILES = ["scanner", "rural", "fracture"]


@pytest.mark.parametrize("profile", PROFILES)
def test_everybody_is_obviously_invented(profile: str) -> None:
    arrivals = morning(profile)
    assert all(arrival.person.name.startswith("PHANTOM^") for arrival in arrivals)
    assert len({arrival.folder for arrival in arrivals}) == len(arrivals)
    assert {arrival.planted for arrival in arrivals} - {"nothing"}, "something is wrong with some of them"
    assert sum(arrival.stat for arrival in arrivals) == 1
    assert all(arrival.after_s <= 60 for arrival in arrivals)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_morning_as_files(tmp_path: Path, profile: str) -> None:
    images = []
    for arrival in morning(profile):
        write_arrival(arrival, tmp_path / arrival.folder, now=NOW, rows=200)
        for file in sorted((tmp_path / arrival.folder).iterdir()):
            dataset = pydicom.dcmread(file)
            assert str(dataset.PatientName) == arrival.person.name
            assert (dataset.get("RequestedProcedurePriority") == "STAT") == arrival.stat
            assert (dataset.StudyDate == "20260302") == (arrival.days_ago == 0)
            images.append(dataset)
    assert len({image.SOPInstanceUID for image in images}) == len(images)


def test_two_views_are_one_study_and_the_earlier_image_is_another(tmp_path: Path) -> None:
    of_ben = [arrival for arrival in morning("fracture") if arrival.person.name == "PHANTOM^BEN"]
    for arrival in of_ben:
        write_arrival(arrival, tmp_path / arrival.folder, now=NOW, rows=200)
    files = [next((tmp_path / arrival.folder).iterdir()) for arrival in of_ben]
    earlier, palmar, oblique = (pydicom.dcmread(file) for file in files)
    assert palmar.StudyInstanceUID == oblique.StudyInstanceUID != earlier.StudyInstanceUID
    assert (palmar.ViewPosition, oblique.ViewPosition) == ("PA", "OBL")
    assert palmar.PixelData != oblique.PixelData, "another exposure, not the same one sent twice"
    assert earlier.StudyDate == "20250126"
    assert PRIOR_DAYS == 400
