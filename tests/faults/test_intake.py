# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What is put there is taken, once: while events are lost, or never come, or the folder goes away."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks.faults import intake
from benchmarks.faults.intake_site import Site
from benchmarks.faults.share import why_no_share

FILES = 400
BURST = 1_500
QUEUE = 64
OUTAGE_S = 4.0


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with ExitStack() as stack:
        with intake.short_queue(QUEUE):  # only while its queue is made: the setting is the whole machine's
            opened = stack.enter_context(Site(tmp_path))
        yield opened


@pytest.mark.timeout(240)
def test_events_are_lost_and_the_folder_is_replaced(site: Site) -> None:
    counts = intake.burst(site, BURST)
    assert counts["lost_or_double"] == 0, counts
    if intake.may_shorten():
        assert counts["overflows"] > 0  # the fault was there
    assert intake.root_again(site, FILES)["lost_or_double"] == 0


@pytest.mark.timeout(240)
@pytest.mark.skipif(why_no_share() is not None, reason=why_no_share() or "")
def test_a_share_gives_no_events_goes_away_and_stops_answering(site: Site) -> None:
    assert intake.no_events(site, FILES)["lost_or_double"] == 0
    away = intake.outage(site, FILES, seconds=OUTAGE_S)
    assert away["lost_or_double"] == 0, away
    assert away["lines_of_log"] <= 1  # said when it starts, not for each file
    silent = intake.silence(site, FILES, seconds=OUTAGE_S)
    assert silent["lost_or_double"] == 0, silent
    assert math.isfinite(silent["said_s"])  # in the sign of life, with the folder's path
    assert math.isfinite(silent["other_folder_s"])  # a file in the inbox was taken meanwhile,
    assert silent["sent"]  # and an image from the DICOM door,
    assert silent["beat_age_s"] < intake.SILENCE_S  # and the loop went on
    assert silent["lines_of_log"] == [1, 1]  # said once, and that it is over
