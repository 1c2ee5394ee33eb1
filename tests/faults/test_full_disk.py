# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A disk without room, and one that vanishes: no false acknowledgement, all readable, work resumes."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.faults.full_disk import try_case
from benchmarks.faults.loop_disk import why_not
from benchmarks.faults.sources import Sources

pytestmark = [
    pytest.mark.skipif(why_not() is not None, reason=str(why_not())),
    pytest.mark.timeout(400),
    # A device that starts anew refuses connections for a second; pynetdicom then leaves its socket open.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
OUT_OF_RESOURCES = 0xA700


@pytest.fixture(autouse=True)
def _sockets_of_refused_callers_end_here() -> Iterator[None]:
    """They are the library's: collected while the filter above holds, not in a later test."""
    yield
    gc.collect()


@pytest.mark.parametrize("fault", ["inodes", "vanished"])
def test_nothing_is_acknowledged_and_work_resumes(fault: str, tmp_path: Path) -> None:
    case = try_case(fault, tmp_path / fault, iter(Sources(tmp_path / "sources")))
    assert case.wrong == []
    assert set(case.statuses) == {OUT_OF_RESOURCES}
    assert case.resumed_s is not None
