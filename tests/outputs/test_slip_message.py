# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Slips: readable, no patient, never "all is well", and a code that a camera reads and a key confirms."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from appliance.config import Settings
from appliance.device_key import device_key, link_of
from appliance.domain.acquisition import Acquisition
from appliance.domain.result import LaneResult
from appliance.layout import Layout
from appliance.outputs.slip_message import COLUMNS, DOTS, message
from appliance.outputs.slip_payload import Slip, verified
from appliance.receivers import SLIP
from tests.outputs.sample_results import CANARY, FLAGGED, NEVER_SAID, NOT_FLAGGED, REFUSED, REPEAT

RASTER = b"\x1dv0\x00"
"""GS v 0: a picture follows, its width in bytes and its height in dots as little-endian words."""
COMMANDS = re.compile(rb"\x1b@|\x1b[!Eat].|\x1b[d].", re.DOTALL)


def parts(content: bytes) -> tuple[str, Any]:
    """The words of a slip, and its picture as a camera would see it."""
    before, _, rest = content.partition(RASTER)
    width, height = (int.from_bytes(rest[at : at + 2], "little") for at in (0, 2))
    dots = np.unpackbits(np.frombuffer(rest[4 : 4 + width * height], np.uint8)).reshape(height, width * 8)
    after = rest[4 + width * height :]
    text = COMMANDS.sub(b"", before + b"\n" + after).decode("cp437")
    return text, np.where(dots == 1, 0, 255).astype(np.uint8)


@pytest.fixture
def acquisition(make_acquisition: Callable[..., Acquisition]) -> Acquisition:
    made: Acquisition = make_acquisition(
        acquired_at="20260102101600",
        study_description=CANARY,
        patient={"patient_id": f"{CANARY}1", "patient_name": f"{CANARY}^JANE"},
    )
    return made


def printed(acquisition: Acquisition, result: LaneResult, layout: Layout) -> bytes:
    (rendered,) = message(SLIP, Settings(site_name="Clinic West"), layout).render(acquisition, result)
    assert rendered.file_name == "slip-v1.slip"
    return rendered.content


def scanned(picture: Any, layout: Layout) -> Slip:
    """Through a detector that was made for pictures of the world, then the key."""
    seen = cv2.copyMakeBorder(picture, 40, 40, 40, 40, cv2.BORDER_CONSTANT, value=255)
    text, _, _ = cv2.QRCodeDetector().detectAndDecode(cv2.resize(seen, None, fx=2, fy=2))
    return verified(text, [device_key(layout.keys).public_key()])


def test_a_flagged_image_says_what_to_do_and_its_code_says_the_same(
    acquisition: Acquisition, layout: Layout
) -> None:
    content = printed(acquisition, FLAGGED, layout)
    text, picture = parts(content)
    exam = link_of(device_key(layout.keys), "a")[:8].upper()
    words = " ".join(text.split())
    for said in (
        "Clinic West",
        "Not a diagnosis",
        f"Exam {exam[:4]}-{exam[4:]}",
        "Date 2026-01-02",
        "HIGH SCORE",
        "Pleural effusion: high, score 81. Raised from 20, high from 70.",
        "Cardiomegaly: below, score 11",
        "Have this image read by a clinician today",
        "Model chest_triage@2.1",
    ):
        assert said in words
    assert all(len(line) <= COLUMNS for line in text.splitlines())
    assert picture.shape[1] == DOTS
    slip = scanned(picture, layout)
    assert (slip.exam, slip.date, slip.models) == (
        f"{exam[:4]}-{exam[4:]}",
        "2026-01-02",
        ("chest_triage@2.1",),
    )
    assert [(found.code, found.band, found.score) for found in slip.findings] == [
        ("SCT:60046008", "high", 0.81),
        ("SCT:36118008", "raised", 0.31),
        ("SCT:8186001", "below", 0.11),
    ]


def test_no_answer_is_said_in_large_letters(acquisition: Acquisition, layout: Layout) -> None:
    text, picture = parts(printed(acquisition, REFUSED, layout))
    words = " ".join(text.split())
    assert "NOT ANALYSED" in words
    assert "Age 3: below the age that this model was tested for." in words
    assert "Have it read by a person." in words
    assert scanned(picture, layout).not_analysed == ("chest_triage",)


@pytest.mark.parametrize("result", [FLAGGED, NOT_FLAGGED, REFUSED])
def test_no_patient_and_nobody_called_healthy(
    acquisition: Acquisition, result: LaneResult, layout: Layout
) -> None:
    content = printed(acquisition, result, layout)
    text = parts(content)[0].lower()
    assert CANARY.encode() not in content
    assert not [word for word in NEVER_SAID if word in text]
    assert ("does not mean that nothing" in " ".join(text.split())) == (result is NOT_FLAGGED)


def test_the_same_answer_is_the_same_slip(acquisition: Acquisition, layout: Layout) -> None:
    assert printed(acquisition, FLAGGED, layout) == printed(acquisition, FLAGGED, layout)


def test_other_lanes_print_nothing(acquisition: Acquisition, layout: Layout) -> None:
    assert message(SLIP, Settings(), layout).render(acquisition, REPEAT) == ()
