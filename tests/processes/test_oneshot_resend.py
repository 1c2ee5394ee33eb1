# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""One shot: an image that was named twice is answered once, however it was written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import ImplicitVRLittleEndian

from appliance.clock import SystemClock
from appliance.config import Settings
from appliance.layout import Layout
from appliance.models.registry import Registry
from appliance.processes.oneshot import process_files
from appliance.selftest.phantom_radiograph import write_limb

Answers = Callable[..., list[tuple[str, str | None, str | None]]]


@pytest.fixture
def answers(layout: Layout, tmp_path: Path) -> Answers:
    """Name, completeness and reason of each line."""

    def process(*files: Path) -> list[tuple[str, str | None, str | None]]:
        clock = SystemClock()
        with Registry((), engines=(), threads=1, cache=layout.engine_cache) as registry:
            lines = process_files(
                list(files),
                settings=Settings(),
                out=layout,
                registry=registry,
                clock=clock,
                progress=lambda *_: None,
            )
            return [(Path(line["files"][0]).name, line["completeness"], line["reason"]) for line in lines]

    return process


def test_the_same_image_in_other_bytes_came_under_another_name(answers: Answers, tmp_path: Path) -> None:
    write_limb(tmp_path / "hand.dcm", rows=360, columns=300)
    dataset = dcmread(tmp_path / "hand.dcm")
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    dataset.save_as(tmp_path / "sent.dcm", implicit_vr=True, little_endian=True)
    (tmp_path / "copy.dcm").write_bytes((tmp_path / "hand.dcm").read_bytes())
    told = answers(tmp_path / "hand.dcm", tmp_path / "sent.dcm", tmp_path / "copy.dcm")
    again = "The same image came under another name."
    assert told == [("sent.dcm", None, again), ("copy.dcm", None, again), ("hand.dcm", "COMPLETE", None)]


def test_an_edited_image_is_answered_beside_the_other(answers: Answers, tmp_path: Path) -> None:
    write_limb(tmp_path / "hand.dcm", rows=360, columns=300)
    dataset = dcmread(tmp_path / "hand.dcm")
    dataset.PatientName = "Somebody^Else"
    dataset.save_as(tmp_path / "edited.dcm")
    told = answers(tmp_path / "hand.dcm", tmp_path / "edited.dcm")
    assert [line[:2] for line in told] == [("hand.dcm", "CONFLICT"), ("edited.dcm", "CONFLICT")]
