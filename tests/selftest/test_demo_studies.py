# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The demonstration shows what it says it planted."""

from __future__ import annotations

from pathlib import Path

import pydicom

from appliance.selftest.demo_studies import write_demo_studies


def test_six_studies_each_in_its_folder_with_its_own_patient(tmp_path: Path) -> None:
    studies = write_demo_studies(tmp_path, rows=300)
    assert len(studies) == 6
    headers = [
        [pydicom.dcmread(path, stop_before_pixels=True) for path in sorted(study.folder.glob("*.dcm"))]
        for study in studies
    ]
    assert [len(found) for found in headers] == [1, 1, 1, 1, 1, 23]
    assert len({found[0].StudyInstanceUID for found in headers}) == 6
    assert len({found[0].PatientID for found in headers}) == 6
    for study, found in zip(studies, headers, strict=True):
        assert study.planted
        assert all(str(header.PatientName).startswith("PHANTOM^") for header in found)
