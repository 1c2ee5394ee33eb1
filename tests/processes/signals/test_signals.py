# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The light and the device's own notices: shown, flashed, buzzed, told once, unplugged."""

from __future__ import annotations

import json
import os
import pty
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

from structlog.testing import capture_logs

from appliance.clock import ManualClock
from appliance.config import Settings
from appliance.domain.acquisition import Acquisition
from appliance.domain.finding import Decision
from appliance.domain.quality import Verdict
from appliance.layout import Layout
from appliance.processes.signals import LASTS_S, Signals, run_signals
from appliance.receivers import SenderSettings, WebhookSettings
from appliance.settings_for_people import LightSettings
from appliance.store.connection import Database
from appliance.store.opinions import Act, Opinions
from tests.processes.signals.watched import PNEUMOTHORAX, Device, work_off

Land = Callable[..., Acquisition]


@contextmanager
def line(tmp_path: Path) -> Iterator[tuple[Path, Callable[[], list[str]]]]:
    """A serial line; what came over it since it was asked last."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    device = tmp_path / "ttyUSB0"
    device.symlink_to(os.ttyname(slave))

    def came() -> list[str]:
        try:
            return os.read(master, 65536).decode("ascii").splitlines()
        except BlockingIOError:
            return []

    try:
        yield device, came
    finally:
        os.close(master)
        os.close(slave)


def signals(layout: Layout, clock: ManualClock, database: Database, **settings: Any) -> Signals:
    return Signals(settings=Settings(**settings), layout=layout, clock=clock, database=database)


def test_the_light_shows_flashes_buzzes_for_a_while_and_is_told_that_we_live(
    device: Device,
    layout: Layout,
    clock: ManualClock,
    database: Database,
    watching: Database,
    land: Land,
    film: Path,
    tmp_path: Path,
) -> None:
    with line(tmp_path) as (tty_file, came):
        light = LightSettings(kind="serial", device=str(tty_file), buzz_s=2)
        with signals(layout, clock, watching, light=light) as process:
            process.step()
            assert came() == ["LIGHT green 0 0 1 0"]
            process.step()
            assert came() == []
            clock.advance(1)
            process.step()
            assert came() == ["LIGHT green 0 0 1 0"], "a sign of life"
            exam = land([film])
            work_off(database, code=PNEUMOTHORAX, decision=Decision.PRESENT, verdict=Verdict.OK)
            process.step()
            assert came() == ["LIGHT red 1 0 0 1"]
            clock.advance(2)
            process.step()
            assert came() == ["LIGHT red 1 0 0 0"], "nobody can bear it for long"
            Opinions(database).did(exam.acquisition_id, exam.version, Act.TOLD)
            device.proves(passed=False)
            seen = set()
            for _ in range(4):
                process.step()
                clock.advance(0.5)
                seen |= set(came())
            assert seen == {"LIGHT ai_off 0 1 0 0", "LIGHT ai_off 0 0 0 0"}
        assert came() == ["LIGHT dark 0 0 0 0"]
    beat = json.loads((layout.run / "signals.beat").read_bytes())
    assert beat["state"].startswith("ai_off: AI OFF")


def test_a_light_that_is_unplugged_is_said_once_and_works_again(
    device: Device, layout: Layout, clock: ManualClock, database: Database, tmp_path: Path
) -> None:
    light = LightSettings(kind="serial", device=str(tmp_path / "ttyUSB0"))
    with signals(layout, clock, database, light=light) as process, capture_logs() as logs:
        for _ in range(20):
            process.step()
            clock.advance(0.5)
        beat = json.loads((layout.run / "signals.beat").read_bytes())
        assert "cannot be opened" in beat["state"]
        with line(tmp_path) as (_, came):
            for _ in range(20):
                process.step()
                clock.advance(0.5)
            assert set(came()) == {"LIGHT green 0 0 1 0"}
            process.__exit__(None, None, None)
    assert [entry["event"] for entry in logs] == ["light does not work", "light works again"]


def test_who_asked_for_it_is_told_of_trouble_that_lasts_and_of_its_end(
    device: Device, layout: Layout, clock: ManualClock, database: Database
) -> None:
    ward = WebhookSettings(name="ward", url="https://example.org/", cooldown_s=0)
    quiet = WebhookSettings(name="quiet", url="https://example.org/", device_events=False)
    settings = {"site_name": "Clinic West", "sender": SenderSettings(webhooks=(ward, quiet))}
    told: list[str] = []
    with signals(layout, clock, database, **settings) as process:

        def pass_time(seconds: float) -> list[str]:
            clock.advance(seconds)
            device.lives()
            process.step()
            rows = database.read("SELECT path, peer FROM outbox ORDER BY outbox_id")
            new = [json.loads((layout.data / path).read_bytes())["advice"] for path, peer in rows]
            assert {peer for _, peer in rows} <= {"ward"}
            told[:], fresh = new, new[len(told) :]
            return fresh

        assert pass_time(60) == []
        device.proves(passed=False)
        assert pass_time(1) == []
        device.proves()
        assert pass_time(LASTS_S) == [], "it did not last"
        device.proves(passed=False)
        assert pass_time(1) == []
        assert pass_time(LASTS_S) == ["AI OFF: the device could not prove that its answers are right."]
        assert pass_time(60) == []
        device.proves()
        assert pass_time(1) == []
        assert pass_time(LASTS_S) == ["The device needs nobody any more."]


def test_the_process_ends_when_told_to(layout: Layout, clock: ManualClock) -> None:
    stop = Event()
    stop.set()
    run_signals(Settings(), layout, clock, stop)
    assert not (layout.run / "signals.beat").exists()
