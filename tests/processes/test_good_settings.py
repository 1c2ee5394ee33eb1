# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Settings are kept as good once everybody stayed up with them, and serve after a bad edit."""

from __future__ import annotations

import signal
import subprocess
import sys
import time  # noqa: TID251  (a real process is waited for)
from pathlib import Path

from appliance.clock import ManualClock
from appliance.config import Settings
from appliance.configuration.last_good import STARTED_WITH, kept_settings, note_start, settings_for_running
from appliance.errors import ExitCode
from appliance.layout import Layout
from appliance.monitor.boots import GOOD_AFTER_S
from appliance.monitor.fault import SETTINGS, read_fault
from appliance.monitor.heartbeat import Heartbeat, read_beat
from appliance.processes.monitor import NAME, RARELY_S, Monitor
from appliance.processes.table import PROCESSES
from appliance.store.connection import Database

LIMIT_S = 60


def test_only_when_all_stayed_up_they_are_kept(layout: Layout, tmp_path: Path) -> None:
    clock = ManualClock()
    file = tmp_path / "scanside.toml"
    file.write_text("site_name = 'West'\n", encoding="utf-8")
    note_start(layout, settings_for_running(file, layout))
    others = [row.name for row in PROCESSES if row.name != NAME]
    settings = Settings.model_validate({"metrics": {"enabled": False}})
    with (
        Database.open(layout.database, data=layout.data, clock=clock) as database,
        Monitor(settings=settings, layout=layout, clock=clock, database=database) as monitor,
    ):

        def kept_after(seconds: float, *, alive: list[str]) -> bool:
            clock.advance(seconds)
            for name in alive:
                Heartbeat(layout.run, name, clock).beat("waiting")
            monitor.step()
            return bool(kept_settings(layout))

        assert not kept_after(RARELY_S + 1, alive=others)
        assert not kept_after(GOOD_AFTER_S * 2, alive=others[1:])
        assert kept_after(RARELY_S + 1, alive=others)
    assert kept_settings(layout)[0].read_text(encoding="utf-8") == "site_name = 'West'\n"
    assert not (layout.settings / STARTED_WITH).exists()


def test_a_process_starts_with_the_last_good_ones_and_says_so(layout: Layout, tmp_path: Path) -> None:
    layout.settings.mkdir()
    (layout.settings / "last-good-1.toml").write_text("site_name = 'West'\n", encoding="utf-8")
    file = tmp_path / "scanside.toml"
    file.write_text("[worker]\nthreads = 0\n", encoding="utf-8")
    command = [sys.executable, "-m", "appliance.processes", "sender", "--data", str(layout.data)]
    with subprocess.Popen([*command, "--config", str(file)], stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + LIMIT_S
        while (beat := read_beat(layout.run, "sender", ManualClock())) is None and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(LIMIT_S) == ExitCode.OK
    assert beat is not None
    fault = read_fault(layout.run, SETTINGS)
    assert fault is not None
    assert "worker.threads = 0" in fault.what
    assert "last good settings" in fault.what
