# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Tampering with the audit trail: every way is found, and an untouched trail is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.faults.audit import look, make_scene
from benchmarks.faults.tampering import WAYS, Scene, meddle

TAMPERINGS = 100


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return make_scene(tmp_path_factory.mktemp("scene"))


def test_every_tampering_is_found(scene: Scene, tmp_path: Path) -> None:
    missed, ways = [], set()
    for number in range(TAMPERINGS):
        copy = scene.copied_to(tmp_path / "copy")
        way = meddle(copy, number)
        ways.add(way)
        if not look(copy).faults:
            missed.append((number, way))
    assert missed == []
    assert len(ways) == len(WAYS)


def test_an_untouched_trail_is_whole(scene: Scene, tmp_path: Path) -> None:
    report = look(scene.copied_to(tmp_path / "copy"))
    assert report.faults == ()
    assert (report.count, report.anchors_beside, report.anchors_outside) == (120, 120, 3)
