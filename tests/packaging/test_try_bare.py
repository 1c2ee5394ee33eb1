# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The packages on a bare root that boots: only where SCANSIDE_BARE names a folder for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

REPOSITORY = Path(__file__).resolve().parents[2]
TRY = REPOSITORY / "packaging" / "try_bare" / "try.sh"
BOOTS = ("first", "second", "readonly")
PATIENCE_S = 3600


def limits() -> dict[str, float]:
    """What is promised of an installed device."""
    budgets = tomllib.loads((REPOSITORY / "budgets.toml").read_text(encoding="utf-8"))["budget"]
    return {budget["name"]: budget["limit"] for budget in budgets if budget["name"].startswith("installed_")}


def broken(out: dict[str, Any]) -> list[str]:
    """Promises that a try did not keep; `out`: its JSON files by name."""
    allowed = limits()
    found = []
    if out["sizes"]["installed_mib"] > allowed["installed_size"]:
        found.append(f"installed: {out['sizes']['installed_mib']} MiB")
    for name in BOOTS:
        boot = out[name]
        found += [f"{name}: {unit} is {state}" for unit, state in boot["units"].items() if state != "active"]
        found += [f"{name}: {unit} was started again" for unit, times in boot["restarts"].items() if times]
        if boot["memory_mib"]["everything"] > allowed["installed_memory"]:
            found.append(f"{name}: {boot['memory_mib']['everything']} MiB")
        if boot["boot_to_board_s"] > allowed["installed_boot_to_board"]:
            found.append(f"{name}: board after {boot['boot_to_board_s']} s")
        if boot["first_result_s"] is None:
            found.append(f"{name}: no result")
    # On the first start of all, every model proves itself before it answers.
    if (out["second"]["first_result_s"] or 0) > allowed["installed_first_result"]:
        found.append(f"second: result after {out['second']['first_result_s']} s")
    return found


@pytest.mark.timeout(PATIENCE_S)
@pytest.mark.parametrize("suite", ["bookworm", "noble"])
def test_a_bare_root_becomes_an_appliance(suite: str) -> None:
    folder = os.environ.get("SCANSIDE_BARE")
    if not folder:
        pytest.skip("takes many minutes: set SCANSIDE_BARE to a folder with 6 GB of room")
    if os.geteuid() != 0 or shutil.which("debootstrap") is None or shutil.which("systemd-nspawn") is None:
        pytest.skip("needs root, debootstrap and systemd-nspawn")
    done = subprocess.run(
        ["bash", str(TRY), suite, folder], capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stderr
    out = Path(folder) / f"{suite}.out"
    assert broken({path.stem: json.loads(path.read_text("utf-8")) for path in out.glob("*.json")}) == []


def test_a_promise_that_is_not_kept_is_seen() -> None:
    boot = {
        "units": {"kiosk": "active"},
        "restarts": {"kiosk": 0},
        "memory_mib": {"everything": 900.0},
        "boot_to_board_s": 12.0,
        "first_result_s": 13.0,
    }
    good = {"sizes": {"installed_mib": 680}, **dict.fromkeys(BOOTS, boot)}
    assert broken(good) == []
    late = {**boot, "first_result_s": 21.0, "boot_to_board_s": 61.0, "units": {"kiosk": "failed"}}
    assert broken({**good, "sizes": {"installed_mib": 701}, "second": late}) == [
        "installed: 701 MiB",
        "second: kiosk is failed",
        "second: board after 61.0 s",
        "second: result after 21.0 s",
    ]
