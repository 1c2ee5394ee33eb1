# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.monitor.boots import SAFE_AFTER, WITHOUT_AI_AFTER, Boots, say_level
from appliance.monitor.fault import SETTINGS, leave_fault
from appliance.monitor.heartbeat import Heartbeat
from appliance.monitor.silent_folder import silent_words
from ui.health_state import HealthKind, HealthState, checker_down, faults_of, health_of
from ui.records import StoreTrouble


def one(clinic: Any, *, trouble: StoreTrouble | None = None, **counts: Any) -> HealthState:
    board = clinic.read()
    health = board.health
    disk = counts.pop("disk", 0.4)
    changed = replace(health, counts=replace(health.counts, **counts), disk_used_fraction=disk)
    board = replace(board, health=changed)
    return health_of(board, now_ns=clinic.clock.monotonic_ns(), trouble=trouble, engine="")


def test_all_is_well(clinic: Any) -> None:
    assert (one(clinic).kind, one(clinic).word, one(clinic).stale) == (HealthKind.OK, "OK", "")


@pytest.mark.parametrize(
    ("counts", "kind", "word"),
    [
        ({"disk": 0.84}, HealthKind.OK, "OK"),
        ({"disk": 0.86}, HealthKind.ATTENTION, "DISK 86%"),
        ({"disk": 0.95}, HealthKind.DANGER, "DISK 95%"),
        ({"disk": None}, HealthKind.OK, "OK"),
        ({"queued": 20}, HealthKind.OK, "OK"),
        ({"queued": 21}, HealthKind.ATTENTION, "SLOW"),
        ({"failed": 1}, HealthKind.ATTENTION, "FAILED"),
        ({"quarantined_files": 1}, HealthKind.ATTENTION, "SET ASIDE"),
        ({"unsent": 3}, HealthKind.ATTENTION, "SENDING"),
        ({"disk": 0.96, "queued": 99, "failed": 1}, HealthKind.DANGER, "DISK 96%"),
    ],
)
def test_the_worst_is_the_word(clinic: Any, counts: dict[str, Any], kind: HealthKind, word: str) -> None:
    state = one(clinic, **counts)
    assert (state.kind, state.word) == (kind, word)
    assert bool(state.advice) is (kind is not HealthKind.OK)


# Trace: REQ-036
def test_silence_of_a_process_is_said_with_the_time(clinic: Any) -> None:
    clinic.clock.advance(26)
    state = one(clinic)
    assert (state.kind, state.word) == (HealthKind.DANGER, "NOT RECEIVING")
    down = checker_down(clinic.read().health, now_ns=clinic.clock.monotonic_ns())
    assert down is not None
    assert ":00" in down


def test_a_share_that_does_not_answer_is_said_with_its_path_and_the_time(clinic: Any) -> None:
    words = "; ".join(silent_words(Path(path), "14:02") for path in ("/shares/a b", "/shares/c"))
    Heartbeat(clinic.layout.run, "watcher", clinic.clock).beat(f"looking at 3 files in the inbox; {words}")
    board = clinic.read()
    faults = faults_of(board, now_ns=clinic.clock.monotonic_ns(), trouble=None)
    said = [(kind, advice) for kind, word, advice in faults if word == "SHARE SILENT"]
    assert said == [
        (
            HealthKind.ATTENTION,
            f"{path} does not answer since 14:02. Its images wait; all others arrive.",
        )
        for path in ("/shares/a b", "/shares/c")
    ]


def test_processes_that_never_ran_are_not_called_well(clinic: Any) -> None:
    for file in clinic.layout.run.glob("*.beat"):
        file.unlink()
    assert one(clinic).word == "NOT RECEIVING"
    assert checker_down(clinic.read().health, now_ns=clinic.clock.monotonic_ns()) is not None


def test_a_worker_that_loads_is_starting_not_dead(clinic: Any) -> None:
    clinic.signs_of_life(worker="loading models")
    clinic.clock.advance(20)
    assert (one(clinic).kind, one(clinic).word) == (HealthKind.ATTENTION, "STARTING")
    assert checker_down(clinic.read().health, now_ns=clinic.clock.monotonic_ns()) is None
    clinic.clock.advance(101)
    assert checker_down(clinic.read().health, now_ns=clinic.clock.monotonic_ns()) is not None


# Trace: REQ-036
def test_old_data_are_dated(clinic: Any) -> None:
    board = clinic.read()
    now_ns = clinic.clock.monotonic_ns()
    assert health_of(board, now_ns=now_ns + 60 * 10**9, trouble=None, engine="").stale == ""
    assert health_of(board, now_ns=now_ns + 61 * 10**9, trouble=None, engine="").stale.startswith(
        "Data from "
    )


def test_a_closed_store_is_danger_and_dated_at_once(clinic: Any) -> None:
    state = one(clinic, trouble=StoreTrouble(what="The disk is gone.", remedy="Mount it.", since_ns=0))
    assert (state.kind, state.word) == (HealthKind.DANGER, "STORE CLOSED")
    assert state.advice == "The disk is gone. Mount it."
    assert state.stale


def test_the_safe_mode_is_said_with_what_to_do_and_taken_back(clinic: Any) -> None:
    for starts in (WITHOUT_AI_AFTER + 1, SAFE_AFTER + 1):
        say_level(clinic.layout.run, Boots(bad_starts=starts), clock=clinic.clock)
        faults = faults_of(clinic.read(), now_ns=clinic.clock.monotonic_ns(), trouble=None)
        (advice,) = (advice for _, word, advice in faults if word == "SAFE MODE")
        assert f"went down {starts - 1} times in a row" in advice
        assert advice.endswith("`scanside safe-mode off` ends it at once.")
    say_level(clinic.layout.run, Boots(), clock=clinic.clock)
    faults = faults_of(clinic.read(), now_ns=clinic.clock.monotonic_ns(), trouble=None)
    assert "SAFE MODE" not in [word for _, word, _ in faults]


def test_the_last_good_settings_are_said_and_are_no_danger(clinic: Any) -> None:
    leave_fault(clinic.layout.run, SETTINGS, what="port = 0.", remedy="Mend it.", clock=clinic.clock)
    state = one(clinic)
    assert (state.kind, state.word) == (HealthKind.ATTENTION, "OLD SETTINGS")
    assert state.advice == "port = 0. Mend it."
