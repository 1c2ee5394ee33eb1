# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Why a process could not start: left behind, read, gone with the first sign of life."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.clock import ManualClock
from appliance.errors import ConfigError, ExitCode
from appliance.monitor.fault import fault_of, leave_fault, read_fault
from appliance.monitor.heartbeat import Heartbeat
from tests.command_line import scanside


def test_a_fault_stays_until_the_process_lives(tmp_path: Path) -> None:
    clock = ManualClock()
    run = tmp_path / "run"
    assert read_fault(run, "worker") is None
    leave_fault(run, "worker", what="It is wrong.", remedy="Mend it.", clock=clock)
    fault = read_fault(run, "worker")
    assert fault is not None
    assert (fault.what, fault.remedy, fault.at_utc) == ("It is wrong.", "Mend it.", clock.now_utc())
    Heartbeat(run, "watcher", clock).beat("waiting")
    assert read_fault(run, "worker") is not None
    Heartbeat(run, "worker", clock).beat("waiting")
    assert read_fault(run, "worker") is None


def test_it_never_raises_and_a_file_that_is_not_whole_is_none(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file, no folder", encoding="utf-8")
    leave_fault(tmp_path / "run", "worker", what="x", remedy="y", clock=ManualClock())
    (tmp_path / "worker.fault").write_text("{", encoding="utf-8")
    assert read_fault(tmp_path, "worker") is None


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (ConfigError("threads = 0.", remedy="Mend it."), "threads = 0."),
        (OSError(28, "No space left on device"), "The system refused: No space left on device."),
        (ValueError("CANARY^JANE"), "A fault of the software (ValueError)."),
    ],
)
def test_only_our_own_words_are_quoted(error: Exception, what: str) -> None:
    assert fault_of(error)[0] == what
    assert fault_of(error)[1]


def test_settings_that_stop_the_whole_appliance_are_left_for_the_screen(tmp_path: Path) -> None:
    config = tmp_path / "settings.toml"
    config.write_text("[worker]\nthreads = 0\n", encoding="utf-8")
    done = scanside("run", "--data", tmp_path / "data", "--config", config, cache=tmp_path / "cache")
    assert done.returncode == ExitCode.CONFIG
    fault = read_fault(tmp_path / "data" / "run", "run")
    assert fault is not None
    assert "threads" in fault.what
