# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.machine import describe_machine, first_difference, plain_machine, read_power_mode


def test_this_machine_is_described_as_it_is() -> None:
    machine = describe_machine()
    assert machine.cores == len(os.sched_getaffinity(0))
    assert machine.memory_bytes > 2**28
    assert machine.python == sys.version.split()[0]
    assert machine.libraries["numpy"] == np.__version__
    assert os.uname().release.startswith(machine.kernel)


def test_a_jetson_is_asked_for_its_power_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_power_mode("there-is-no-such-command") is None
    command = tmp_path / "nvpmodel"
    command.write_text(
        "#!/bin/sh\n[ \"$1\" = -q ] && echo 'NV Power Mode: MAXN_SUPER' && echo 2\n", encoding="ascii"
    )
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert read_power_mode() == "MAXN_SUPER"
    command.write_text("#!/bin/sh\nexit 1\n", encoding="ascii")
    assert read_power_mode() is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("cpu", "x"), ("cores", 99), ("memory_bytes", 1), ("power_mode", "15W"), ("gpu", {"name": "A2"})],
)
def test_another_machine_is_told_from_this_one(name: str, value: object) -> None:
    here = plain_machine()
    assert first_difference(here, {**here, "load_1min": 99.0, "kernel": "1.0", "temperature_c": 90.0}) is None
    found = first_difference(here, {**here, name: value})
    assert found is not None
    assert name.partition("_")[0] in found
