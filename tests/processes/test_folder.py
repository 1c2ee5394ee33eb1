# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A watched folder without its thread: each file is handed over once, whatever hints come and when."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.clock import ManualClock
from appliance.config import IntakeSettings
from appliance.intake.claim import Spool
from appliance.layout import Layout
from appliance.processes.claims import Claim
from appliance.processes.folder import SOON_S, WatchedFolder
from appliance.processes.lander import Fate, Outcome

TAKEN = Outcome(fate=Fate.ACCEPTED)
LOOK_S = 0.1


class Turns:
    """A folder, and the clock that its owner moves."""

    def __init__(self, layout: Layout, **settings: bool) -> None:
        self.clock = ManualClock()
        self.asked = 0
        self.folder = WatchedFolder(
            IntakeSettings(events=False, look_interval_s=LOOK_S, **settings),
            folder=layout.inbox,
            spool=Spool(layout, reserve_bytes=0),
            clock=self.clock,
            hint=lambda _: None,
            alive=self._count,
        )

    def _count(self) -> None:
        self.asked += 1

    def claim(self, *, rescan: bool = True) -> list[Claim]:
        """After as many looks as it takes."""
        found: list[Claim] = []
        for _ in range(4):
            if rescan:
                self.folder.notice(None)
            self.clock.advance(max(SOON_S, LOOK_S) * 1.5)
            self.folder.rescan_if_due()
            claims, trouble = self.folder.claim()
            assert trouble is None
            found += claims
        return found


@pytest.fixture
def turns(layout: Layout) -> Turns:
    return Turns(layout)


@pytest.fixture
def file(layout: Layout) -> Path:
    path = layout.inbox / "a.dcm"
    path.write_bytes(b"content")
    return path


def test_a_file_is_handed_over_once_while_its_copy_is_landed_and_after(turns: Turns, file: Path) -> None:
    claims = turns.claim()
    assert [claim.candidate.path for claim in claims] == [file]
    turns.folder.notice(file)  # the kernel's event comes after the listing had found it
    assert turns.claim() == []
    assert turns.folder.any_unread()  # nobody knows what is in it until it is landed
    (remembered,) = turns.folder.answered(claims, [TAKEN])
    assert remembered.path == file
    turns.folder.notice(file)
    assert turns.claim() == []
    assert len(turns.folder) == 0
    assert not turns.folder.any_unread()


def test_what_changes_while_its_copy_is_landed_is_handed_over_again(turns: Turns, file: Path) -> None:
    claims = turns.claim()
    file.write_bytes(b"other content")
    turns.folder.notice(file)
    assert turns.claim() == []
    turns.folder.answered(claims, [TAKEN])
    (again,) = turns.claim()
    assert again.arrival.part.sha256 != claims[0].arrival.part.sha256


def test_what_could_not_be_taken_waits_as_it_was(turns: Turns, file: Path) -> None:
    claims = turns.claim()
    assert turns.folder.answered(claims, None) == []
    (again,) = turns.claim(rescan=False)
    assert again.candidate.path == file
    assert again.candidate.noticed_ns == claims[0].candidate.noticed_ns


def test_what_was_dealt_with_is_not_handed_over_and_is_forgotten_when_gone(
    layout: Layout, turns: Turns, file: Path
) -> None:
    remembered = turns.folder.answered(turns.claim(), [TAKEN])
    later = Turns(layout)
    later.folder.settle(remembered)
    assert later.folder.rescan_if_due() == []
    assert later.claim() == []
    file.unlink()
    latest = Turns(layout)
    latest.folder.settle(remembered)
    assert latest.folder.rescan_if_due() == [file]
    assert latest.folder.rescan_if_due() == []


def test_a_folder_that_is_not_there_forgets_nothing(layout: Layout, turns: Turns, file: Path) -> None:
    remembered = turns.folder.answered(turns.claim(), [TAKEN])
    layout.inbox.rename(layout.data / "away")
    later = Turns(layout)
    later.folder.settle(remembered)
    assert later.folder.rescan_if_due() == []
    (layout.data / "away").rename(layout.inbox)
    assert later.claim() == []


def test_a_file_is_deleted_only_after_it_was_taken_and_if_it_is_the_same(layout: Layout, file: Path) -> None:
    turns = Turns(layout, delete_after_landing=True)
    claims = turns.claim()
    assert file.exists()
    assert turns.folder.answered(claims, [TAKEN]) == []
    assert not file.exists()
    file.write_bytes(b"second")
    claims = turns.claim()
    file.write_bytes(b"second, and more")
    turns.folder.answered(claims, [TAKEN])
    assert file.exists()


def test_each_answer_of_the_file_system_counts_as_life(layout: Layout, turns: Turns) -> None:
    for number in range(50):
        (layout.inbox / f"{number}.dcm").write_bytes(b"1")
    turns.folder.rescan_if_due()
    assert turns.asked >= 50
