# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every test of the screen may ask for: an empty clinic, or one with every kind of exam."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from PyQt6.QtCore import QCoreApplication, QEvent

from appliance.domain.acquisition import (
    Completeness,
)
from appliance.domain.quality import Mark, MarkShape, Verdict
from tests.ui.clinic import Clinic, check, chest_like, finding, geometry, head_like, patient


@pytest.fixture(autouse=True)
def _windows_end_with_their_test() -> Iterator[None]:
    """Closed windows are deleted here and now, not by the garbage collector while another one paints."""
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture(autouse=True)
def _a_disk_with_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """The screen says it when the disk fills up, and the disk of this machine is no part of any test."""
    used = SimpleNamespace(total=256 * 10**9, used=64 * 10**9, free=192 * 10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: used)


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    opened = Clinic(tmp_path)
    yield opened
    opened.database.close()


@pytest.fixture
def make() -> Any:
    """The makers of checks, findings, patients and geometries, for tests of any file."""

    class Makers:
        check = staticmethod(check)
        finding = staticmethod(finding)
        patient = staticmethod(patient)
        geometry = staticmethod(geometry)
        chest = staticmethod(chest_like)

    return Makers


@pytest.fixture(scope="session")
def full_clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """Every kind of exam that the screen knows. Shared: to be read, not changed."""
    opened = Clinic(tmp_path_factory.mktemp("full"))
    fill(opened)
    yield opened
    opened.database.close()


@pytest.fixture
def busy_clinic(clinic: Clinic) -> Clinic:
    """The same exams for one test alone: what it opens and answers is written down."""
    fill(clinic)
    return clinic


def fill(clinic: Clinic) -> None:
    ok, chk, rep, nc = Verdict.OK, Verdict.CHECK, Verdict.REPEAT, Verdict.NOT_CHECKED
    passed = [check(name, ok, "", 1.0, "1") for name in ("exposure", "sharpness", "noise", "detector_lines")]
    unjudged = [
        check("rotation", nc, "Not judged by this device yet; look yourself."),
        check("inspiration", nc, "Not judged by this device yet; look yourself."),
    ]
    clinic.clock.advance(1)
    good = clinic.land(
        "good",
        patient=patient("OTIENO^Peter", patient_id="10-4460", age_years=51),
        geometry=geometry(("L", "F")),
    )
    clinic.answer(
        good,
        quality=clinic.quality(*passed, *unjudged),
        triage=clinic.triage(finding("Pneumothorax", 0.05), finding("Pleural effusion", 0.11)),
        denoise=clinic.quality(),
    )
    clinic.view(good)
    clinic.clock.advance(250)
    wrist = clinic.land(
        "wrist",
        patient=patient("SILVA^Ana Maria", patient_id="10-4466", age_years=8),
        geometry=geometry(None),
        body_part="WRIST",
        view_position="LAT",
        laterality="R",
    )
    clinic.answer(
        wrist,
        quality=clinic.quality(*passed),
        triage=clinic.triage(
            finding("Fracture of wrist", 0.55, code="2", box=(250, 160, 330, 250)),
            fallback="openvino failed its proof.",
        ),
        denoise=clinic.quality(),
    )
    clinic.view(wrist)
    clinic.clock.advance(60)
    head = clinic.land(
        "head",
        slices=24,
        modality="CT",
        body_part="HEAD",
        view_position=None,
        laterality=None,
        patient=patient("DUPONT^Jean", patient_id="10-4468", age_years=67),
        geometry=geometry(
            None,
            image_orientation_patient=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
            pixel_spacing_source="PixelSpacing",
        ),
        completeness=Completeness.INCOMPLETE,
        evidence="a gap of 6 mm after slice 11.",
    )
    streaks = Mark(label="motion", shape=MarkShape.SLICES, points_px=((8, 12),))
    clinic.answer(
        head,
        quality=clinic.quality(
            check("motion", chk, "Motion at slices 9 to 13. Scan these again.", 3.2, "1", 2.0, (streaks,)),
            check("slice_stack", chk, "One slice is missing after slice 11.", 6, "mm", 3),
            check("scaling", ok, "", -1001, "HU"),
        ),
        triage=clinic.triage(refusal="This device has no triage model for CT series."),
        denoise=clinic.quality(),
    )
    volume, clean = head_like()
    clinic.view(head, volume, denoised=clean, stored_low=-1024, voi=(40.0, 400.0), spacing_mm=(0.9, 0.9))
    clinic.clock.advance(40)
    cut = clinic.land("cut", patient=patient("MWANGI^Grace"), geometry=geometry(("L", "F")))
    edge = Mark(label="base cut off", shape=MarkShape.LINE, points_px=((598, 60), (598, 220)))
    angle = Mark(label="detector line", shape=MarkShape.LINE, points_px=((40, 330), (560, 330)))
    clinic.answer(
        cut,
        quality=clinic.quality(
            check(
                "field_of_view",
                rep,
                "Right base cut off, 12 mm at the detector. Lower the detector 3 cm.",
                12,
                "mm",
                0,
                (edge,),
            ),
            check("detector_lines", chk, "One dead line. Tell service.", 1, "1", 0, (angle,)),
            *passed[:3],
            *unjudged,
        ),
        triage=clinic.triage(
            finding("Pneumothorax", 0.86, code="36118008", box=(70, 70, 260, 200), heatmap=True),
            finding("Lung opacity", 0.44, code="3", box=(300, 320, 420, 430)),
        ),
        denoise=clinic.quality(),
    )
    blob = np.zeros((600, 500), np.float32)
    blob[80:240, 80:190] = 255
    heat = cv2.GaussianBlur(blob, (0, 0), 40).astype(np.uint8)
    clinic.view(cut, heat={"36118008": heat})
    clinic.clock.advance(20)
    side = clinic.land(
        "side",
        patient=patient("RAO^Sunita", patient_id=None, age_years=None),
        body_part="SKULL",
        view_position="LAT",
        laterality=None,
        geometry=geometry(None),
    )
    clinic.answer(
        side,
        quality=clinic.quality(refusal="Side views of the skull are not supported yet."),
        triage=clinic.triage(refusal="This model was tested on chest images only."),
        denoise=clinic.quality(),
    )
    clinic.view(side)
    clinic.clock.advance(10)
    clinic.land("new", patient=patient("KAMAU^John", patient_id="10-4472", age_years=29))
    clinic.clock.advance(2)
    clinic.signs_of_life()
