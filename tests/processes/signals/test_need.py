# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What is needed follows what is so: urgent, undecided, down, proved, over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.clock import ManualClock
from appliance.domain.acquisition import Acquisition
from appliance.domain.finding import Code, Decision
from appliance.domain.quality import Verdict
from appliance.layout import Layout
from appliance.monitor.fault import leave_fault
from appliance.monitor.need import Need, Needs
from appliance.outputs.stack_light import LightState
from appliance.settings_for_people import LightSettings
from appliance.store.connection import Database
from appliance.store.decisions import Choice, Decisions
from appliance.store.opinions import Act, Opinions
from appliance.store.outbox import Outbox, Send
from tests.processes.signals.watched import EFFUSION, PNEUMOTHORAX, Device, work_off

Land = Callable[..., Acquisition]


@pytest.fixture
def look(layout: Layout, watching: Database, clock: ManualClock) -> Callable[..., Need]:
    settings = LightSettings(kind="gpio", red_pin=1)
    needs = Needs(settings=settings, peers=("pacs",), run=layout.run, database=watching, clock=clock)
    any_high = Needs(
        settings=settings.model_copy(update={"any_high": True}),
        peers=(),
        run=layout.run,
        database=watching,
        clock=clock,
    )
    return lambda *, any_flag=False: (any_high if any_flag else needs).look()


def test_green_is_for_a_device_that_proved_itself_and_has_nothing_to_do(
    device: Device, look: Callable[..., Need], database: Database, land: Land, film: Path
) -> None:
    assert look().state is LightState.GREEN
    land([film])
    assert look().state is LightState.WORKING
    work_off(database, decision=Decision.ABSENT, verdict=Verdict.OK)
    assert look().state is LightState.GREEN


def test_red_until_somebody_says_that_they_told(
    device: Device, look: Callable[..., Need], database: Database, land: Land, film: Path
) -> None:
    exam = land([film])
    work_off(database, code=PNEUMOTHORAX, decision=Decision.PRESENT, verdict=Verdict.OK)
    need = look()
    assert (need.state, need.calling) == (LightState.RED, {exam.acquisition_id})
    assert "CANARY" not in need.why
    opinions = Opinions(database)
    opinions.did(exam.acquisition_id, exam.version, Act.SEEN)
    assert look().calling
    opinions.did(exam.acquisition_id, exam.version, Act.ESCALATED)
    assert (look().state, look().calling) == (LightState.RED, frozenset())
    opinions.did(exam.acquisition_id, exam.version, Act.TOLD)
    assert look().state is LightState.GREEN


@pytest.mark.parametrize(
    ("code", "decision", "states"),
    [
        (PNEUMOTHORAX, Decision.INDETERMINATE, (LightState.GREEN, LightState.GREEN)),
        (EFFUSION, Decision.PRESENT, (LightState.GREEN, LightState.RED)),
    ],
)
def test_what_can_wait_is_not_red(
    device: Device,
    look: Callable[..., Need],
    database: Database,
    land: Land,
    film: Path,
    code: Code,
    decision: Decision,
    states: tuple[LightState, LightState],
) -> None:
    """The second state: where a site wants red for every flag."""
    land([film])
    work_off(database, code=code, decision=decision, verdict=Verdict.OK)
    assert (look().state, look(any_flag=True).state) == states


@pytest.mark.parametrize("verdict", [Verdict.REPEAT, Verdict.CHECK])
def test_amber_until_somebody_decides_or_the_patient_is_long_gone(
    device: Device,
    look: Callable[..., Need],
    database: Database,
    land: Land,
    film: Path,
    clock: ManualClock,
    verdict: Verdict,
) -> None:
    exam = land([film])
    work_off(database, decision=Decision.ABSENT, verdict=verdict)
    assert look().state is LightState.AMBER
    Decisions(database).decide(exam.acquisition_id, exam.version, Choice.KEEP, reason=None)
    assert look().state is LightState.GREEN
    Decisions(database).decide(exam.acquisition_id, exam.version, Choice.WITHDRAWN, reason=None)
    assert look().state is LightState.AMBER
    clock.advance(15 * 60)
    device.lives()
    device.proves()
    assert look().state is LightState.GREEN


def test_a_device_that_cannot_be_counted_on_is_never_green(
    device: Device, look: Callable[..., Need], clock: ManualClock, layout: Layout
) -> None:
    device.proves(passed=False)
    assert (look().state, look().trouble) == (
        LightState.AI_OFF,
        "AI OFF: the device could not prove that its answers are right.",
    )
    device.proves()
    clock.advance(26)
    device.lives("watcher", "sender")
    assert look().why == "AI OFF: no image is checked: it gives no sign of life."
    device.lives()
    clock.advance(1801)
    device.lives()
    assert look().why == "AI OFF: the device has not proved itself lately."
    (layout.run / "proof.json").unlink()
    assert (look().state, look().trouble) == (LightState.AI_OFF, ""), "not proved yet is no news"
    leave_fault(layout.run, "sender", what="The disk is full.", remedy="Free some.", clock=clock)
    assert look().trouble == "No results leave the device: The disk is full."


def test_a_receiver_that_stays_away_is_amber(
    device: Device, look: Callable[..., Need], database: Database, clock: ManualClock
) -> None:
    send = Send(outbox_id=1, path=database.data / "a", peer="pacs", attempts=0)
    Outbox(database).not_sent(send, reason="gone")
    assert look().state is LightState.GREEN
    clock.advance(601)
    device.lives()
    assert (look().state, look().trouble) == (LightState.AMBER, "No results reach pacs.")
    Outbox(database).sent(send)
    assert look().state is LightState.GREEN
