# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Which slot runs, and what may become of the choice."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from appliance.clock import ManualClock
from appliance.errors import UpdateError
from appliance.updates import steps
from appliance.updates.choice import (
    COMPLETE,
    CONFIRMED,
    FORMAT,
    MOST_TRIES,
    Choice,
    ChoiceError,
    Slot,
    confirm,
    read_choice,
    slot_folder,
    switched,
    way_back,
    write_choice,
)
from appliance.updates.launcher import begin, step_back
from appliance.updates.places import read_software

CLOCK = ManualClock()


def slot_of(name: str, release: int, *, floor: int = 0) -> Slot:
    return Slot(
        name=name,
        bundle=f"{release:064d}",
        version=f"0.{release}.0",
        release=release,
        security_floor=floor,
        changes="All of it.",
        installed_at_utc="2026-12-01T00:00:00+00:00",
    )


def put_slot(root: Path, slot: Slot) -> None:
    folder = slot_folder(root, slot.name)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / COMPLETE).write_text(json.dumps(asdict(slot)), encoding="utf-8")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Release 2 runs from slot a, release 3 waits in b."""
    put_slot(tmp_path, slot_of("a", 2))
    put_slot(tmp_path, slot_of("b", 3))
    write_choice(
        tmp_path,
        Choice(
            format=FORMAT,
            number=1,
            serves="a",
            bundle=slot_of("a", 2).bundle,
            before=None,
            before_bundle=None,
            confirmed=True,
            tries=0,
            settled=True,
            limit_s=0.0,
            highest=2,
            floor=0,
            since_utc="",
            note="",
        ),
    )
    return tmp_path


def choice_of(root: Path) -> Choice:
    choice = read_choice(root)
    assert choice is not None
    return choice


def proved(root: Path) -> Choice:
    steps.switch(root, limit_s=60.0, clock=CLOCK)
    return confirm(root, choice_of(root))


def test_a_change_has_to_prove_itself_and_then_counts(root: Path) -> None:
    steps.switch(root, limit_s=60.0, clock=CLOCK)
    choice = choice_of(root)
    assert (choice.serves, choice.before, choice.confirmed, choice.highest) == ("b", "a", False, 2)
    good = confirm(root, choice)
    assert (good.confirmed, good.highest) == (True, 3)
    assert choice_of(root) == good


# Trace: REQ-059
def test_software_that_never_proves_itself_is_left_after_so_many_starts(root: Path) -> None:
    steps.switch(root, limit_s=60.0, clock=CLOCK)
    for number in range(1, MOST_TRIES + 1):
        choice = begin(root)
        assert choice is not None
        assert (choice.serves, choice.tries) == ("b", number)
        assert choice_of(root).tries == number, "counted before it begins"
    back = begin(root)
    assert back is not None
    assert (back.serves, back.confirmed, back.before) == ("a", True, None)
    assert "3 times" in back.note


def test_nothing_else_is_chosen_while_software_is_on_trial(root: Path) -> None:
    steps.switch(root, limit_s=60.0, clock=CLOCK)
    with pytest.raises(UpdateError, match="not proved itself"):
        steps.switch(root, limit_s=60.0, clock=CLOCK)


def test_going_back_happens_once_and_forward_again_is_a_change(root: Path) -> None:
    proved(root)
    assert steps.go_back(root, clock=CLOCK).version == "0.2.0"
    choice = choice_of(root)
    assert (choice.serves, choice.confirmed, choice.settled) == ("a", True, False)
    with pytest.raises(UpdateError, match="nothing to go back to"):
        steps.go_back(root, clock=CLOCK)
    steps.switch(root, limit_s=60.0, clock=CLOCK)
    assert choice_of(root).serves == "b"


# Trace: REQ-058
def test_below_the_floor_nothing_runs_again(root: Path) -> None:
    put_slot(root, slot_of("b", 3, floor=3))
    good = proved(root)
    assert good.floor == 3
    with pytest.raises(ChoiceError, match="below the security floor 3"):
        way_back(root, good)
    with pytest.raises(UpdateError, match="security floor"):
        steps.go_back(root, clock=CLOCK)
    assert step_back(root, good, "a test") is None
    with pytest.raises(ChoiceError, match="security floor"):
        switched(good, slot_of("a", 2), limit_s=1.0, now_utc="", note="")


def test_the_floor_rises_only_when_the_new_software_has_proved_itself(root: Path) -> None:
    put_slot(root, slot_of("b", 3, floor=3))
    steps.switch(root, limit_s=60.0, clock=CLOCK)
    assert way_back(root, choice_of(root)).release == 2
    back = step_back(root, choice_of(root), "it did not work")
    assert back is not None
    assert (back.serves, back.floor, back.highest) == ("a", 0, 2)


def test_a_slot_that_was_filled_anew_is_no_way_back(root: Path) -> None:
    good = proved(root)
    put_slot(root, slot_of("a", 4))
    with pytest.raises(ChoiceError, match="nothing to go back to"):
        way_back(root, good)


def test_a_slot_that_is_not_whole_does_not_run(root: Path) -> None:
    steps.switch(root, limit_s=60.0, clock=CLOCK)
    (slot_folder(root, "b") / COMPLETE).unlink()
    assert choice_of(root).serves == "a"
    (slot_folder(root, "a") / COMPLETE).write_text("{", encoding="utf-8")
    assert read_choice(root) is None
    assert begin(root) is None


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\x00", b'{"serves": "c"}'])
def test_a_lost_choice_is_made_anew_from_what_has_proved_itself(root: Path, content: bytes) -> None:
    (slot_folder(root, "a") / CONFIRMED).touch()
    (root / "choice.json").write_bytes(content)
    choice = choice_of(root)
    assert (choice.serves, choice.highest, choice.settled) == ("a", 2, False)
    proved(root)
    (root / "choice.json").unlink()
    assert choice_of(root).serves == "b"


def test_what_runs_is_said_in_words(root: Path) -> None:
    steps.switch(root, limit_s=60.0, clock=CLOCK)
    software = read_software(root)
    assert software is not None
    assert (software.version, software.confirmed, software.back_to) == ("0.3.0", False, "0.2.0")
    assert software.changes == ("All of it.",)
    assert not software.runs
    write_choice(root, replace(choice_of(root), before=None))
    software = read_software(root)
    assert software is not None
    assert software.back_to is None
    assert "nothing to go back to" in software.no_way_back
    assert read_software(root / "elsewhere") is None
