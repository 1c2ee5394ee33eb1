# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The unit of a device whose software lies in slots."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.processes.table import EVERY_ROW, KIOSK
from appliance.updates.child import STOP_PATIENCE_S
from appliance.updates.choice import LAUNCHER
from appliance.updates.places import DEFAULT_ROOT

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
FOLDER, DEB = PACKAGING / "systemd", PACKAGING / "deb"
UNIT = FOLDER / "slots" / "scanside-software.service"
MOST_EXPOSED = 1.5


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_it_starts_the_launcher_and_waits_until_it_has_stopped_everything() -> None:
    text = UNIT.read_text(encoding="utf-8")
    assert f"ExecStart=/usr/bin/python3 -I {DEFAULT_ROOT / LAUNCHER} run --data /var/lib/scanside " in text
    patience = re.search(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)
    assert patience is not None
    assert int(patience[1]) > STOP_PATIENCE_S
    assert f"StateDirectory=scanside {DEFAULT_ROOT.name}\n" in text


# Trace: REQ-042
def test_it_is_hardened() -> None:
    done = analyze("security", "--offline=true", "--no-pager", str(UNIT))
    score = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert score is not None, done.stdout + done.stderr
    assert float(score[1]) <= MOST_EXPOSED, done.stdout


def test_systemd_understands_every_line(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8").replace("/usr/bin/python3", sys.executable)
    unit.write_text(text, encoding="utf-8")
    folder = tmp_path / f"{UNIT.name}.d"
    folder.mkdir()
    screen = (FOLDER / "drop-ins" / "software-screen.conf").read_text(encoding="utf-8")
    (folder / "screen.conf").write_text(screen.replace("/usr/bin/python3", sys.executable), encoding="utf-8")
    done = analyze("verify", "--man=no", "--recursive-errors=no", str(unit))
    assert [line for line in done.stderr.splitlines() if UNIT.name in line] == []


def test_it_starts_when_what_the_package_runs_has_stopped() -> None:
    """Without this, stopping the target says that it is done while its services still end."""
    found = re.findall(r"^After=(.*)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)
    services = {f"scanside-{row.name}.service" for row in (*EVERY_ROW, KIOSK)}
    assert services <= set(" ".join(found).split())
    assert "Conflicts=scanside.target\n" in UNIT.read_text(encoding="utf-8")


def test_the_screen_of_the_slot_draws_where_the_compositor_listens() -> None:
    kiosk = (FOLDER / "scanside-kiosk.service").read_text(encoding="utf-8")
    assert "RuntimeDirectory=scanside-kiosk\n" in kiosk
    screen = (FOLDER / "drop-ins" / "software-screen.conf").read_text(encoding="utf-8")
    assert "XDG_RUNTIME_DIR=/run/scanside-kiosk WAYLAND_DISPLAY=wayland-0\n" in screen
    plain = re.search(r"^ExecStart=(.*)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)
    assert plain is not None
    assert f"ExecStart=\nExecStart={plain[1]} --kiosk\n" in screen


def test_the_package_brings_it_and_does_not_enable_it() -> None:
    build = (DEB / "build.sh").read_text(encoding="utf-8")
    assert "packaging/systemd/slots/*.service" in build
    rules = (DEB / "debian" / "rules").read_text(encoding="utf-8")
    named = [line.split() for line in rules.splitlines() if line.startswith("\tdh_installsystemd")]
    # Without a name debhelper enables every unit of a package.
    assert all(words[-1].startswith("scanside") and words[-1] != UNIT.name for words in named)
    assert len(named) == 2
    assert '"$appliance/etc/scanside/update-keys"' in build


@pytest.mark.parametrize(("package", "unit"), [("scanside", UNIT.stem), ("scanside-kiosk", "scanside-kiosk")])
def test_removing_the_package_stops_what_debhelper_does_not(package: str, unit: str) -> None:
    script = (DEB / "debian" / f"{package}.prerm").read_text(encoding="utf-8")
    condition, _, then = script.partition('if [ "$1" = remove ] && [ -d /run/systemd/system ]; then\n')
    assert condition.endswith("\n")
    assert then.lstrip().startswith(f"deb-systemd-invoke stop {unit}.service || true\n")


@pytest.mark.parametrize(
    ("in_charge", "command", "ran"),
    [
        (True, "update status", "slot: update status"),
        (True, "update trust KEY", "package: update trust KEY"),
        (True, "pin set", "package: pin set"),
        (False, "update status", "package: update status"),
    ],
)
def test_the_command_is_that_of_the_software_which_runs(
    tmp_path: Path, in_charge: bool, command: str, ran: str
) -> None:
    """Older software must not open a newer store; root runs nothing that the appliance's user may write."""
    launcher = tmp_path / LAUNCHER
    launcher.touch()
    programs = {
        "python": 'shift 2; echo "package: $*"',
        "python3": 'shift 3; echo "slot: $*"',
        "systemctl": f"exit {0 if in_charge else 1}",
        "id": "echo 1000",
    }
    for name, does in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    text = (DEB / "scanside").read_text(encoding="utf-8")
    for there, here in (
        ("/opt/scanside/current/bin/python", "python"),
        ("/usr/bin/python3", "python3"),
        (str(DEFAULT_ROOT / LAUNCHER), LAUNCHER),
    ):
        assert there in text
        text = text.replace(there, str(tmp_path / here))
    done = subprocess.run(
        ["/bin/sh", "-c", text, "scanside", *command.split()],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )
    assert done.stdout.strip() == ran, done.stderr
