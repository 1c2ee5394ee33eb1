# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The units: one for each row of the process table, well-formed, hardened, and bearable for the jail."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from threading import Thread

import pytest
from pydicom import dcmread, examples
from pydicom.uid import JPEGLSLossless

from appliance.config import Settings
from appliance.errors import ExitCode
from appliance.layout import Layout
from appliance.processes.supervisor import STOP_PATIENCE_S
from appliance.processes.table import EVERY_ROW, rows_for

FOLDER = Path(__file__).resolve().parents[2] / "packaging" / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))
MOST_EXPOSED = 1.5
"""0 is sealed, 10 is bare; the units of a usual distribution score around 9."""
PROGRAM = "/opt/scanside/current/bin/python"


def settings_of(text: str) -> dict[str, list[str]]:
    """Key to all its values, in order; sections do not matter here."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in text.splitlines():
        key, is_setting, value = line.partition("=")
        if is_setting and not line.startswith(("#", ";")):
            found[key].append(value)
    return found


def unit(name: str) -> dict[str, list[str]]:
    return settings_of((FOLDER / f"scanside-{name}.service").read_text(encoding="utf-8"))


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_units_and_process_table_are_of_one_mind() -> None:
    names = {path.stem.removeprefix("scanside-") for path in UNITS}
    assert names == {row.name for row in EVERY_ROW} | {"kiosk"}
    for row in EVERY_ROW:
        found = unit(row.name)
        assert found["ExecStart"][0].startswith(f"{PROGRAM} -m appliance.processes {row.name} --data ")
        assert found["WatchdogSec"] == [f"{row.silent_limit_s:g}"]
        assert found["Description"] == [f"Scanside {row.name}: " + found["Description"][0].partition(": ")[2]]


def test_the_target_wants_every_row_that_no_setting_asks_for() -> None:
    target = settings_of((FOLDER / "scanside.target").read_text(encoding="utf-8"))
    assert target["Wants"][0].split() == [f"scanside-{row.name}.service" for row in rows_for(Settings())]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_is_supervised_like_the_table_says(path: Path) -> None:
    found = settings_of(path.read_text(encoding="utf-8"))
    assert found["Type"] == ["notify"]
    assert found["Restart"] == ["always"]
    assert found["StartLimitIntervalSec"] == ["0"], "systemd must never give up on it"
    assert str(int(ExitCode.CONFIG)) in found["RestartPreventExitStatus"][0].split()
    assert float(found["TimeoutStopSec"][0]) <= STOP_PATIENCE_S
    assert found["LimitCORE"] == ["0"], "a core file holds images"


# Trace: REQ-042
@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_is_hardened(path: Path) -> None:
    done = analyze("security", "--offline=true", "--no-pager", str(path))
    score = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert score is not None, done.stdout + done.stderr
    assert float(score[1]) <= MOST_EXPOSED, done.stdout


def test_an_unhardened_unit_would_be_seen(tmp_path: Path) -> None:
    bare = tmp_path / "scanside-bare.service"
    bare.write_text("[Service]\nExecStart=/bin/true\n", encoding="utf-8")
    done = analyze("security", "--offline=true", "--no-pager", str(bare))
    score = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert score is not None
    assert float(score[1]) > MOST_EXPOSED


def test_systemd_understands_every_line(tmp_path: Path) -> None:
    """The programs of the packages are not on this machine; this Python stands for them."""
    for path in (*UNITS, FOLDER / "scanside.target", *(FOLDER / "x11").glob("*.service")):
        text = path.read_text(encoding="utf-8")
        for program in (PROGRAM, "/usr/bin/cage", "/usr/lib/xorg/Xorg"):
            text = text.replace(program, sys.executable)
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    for path in (*(FOLDER / "drop-ins").iterdir(), *(FOLDER / "x11").glob("*.conf")):
        folder = tmp_path / f"scanside-{path.stem.partition('-')[0]}.service.d"
        folder.mkdir(exist_ok=True)
        shutil.copy(path, folder)
    done = analyze(
        "verify",
        "--man=no",
        "--recursive-errors=no",
        *map(str, sorted(path for path in tmp_path.iterdir() if path.is_file())),
    )
    said = [line for line in done.stderr.splitlines() if "scanside-" in line or "drop-in" in line]
    assert said == []
    assert done.returncode == 0, done.stderr


def test_a_misspelt_line_would_be_seen(tmp_path: Path) -> None:
    path = tmp_path / "scanside-wrong.service"
    path.write_text("[Service]\nExecStart=/bin/true\nProtectSytem=strict\n", encoding="utf-8")
    assert "ProtectSytem" in analyze("verify", "--man=no", str(path)).stderr


JAILED = """
# 65: PR_SET_MDWE (linux/prctl.h, Linux 6.3), the kernel's own form of MemoryDenyWriteExecute=, inherited
import ctypes, mmap, sys
from pathlib import Path
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(65, 1, 0, 0, 0) != 0:
    sys.exit(77)
try:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    sys.exit("memory may still become code")
except PermissionError:
    pass
libc.prctl(38, 1, 0, 0, 0)
import resource
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
from appliance.clock import SystemClock
from appliance.config import ReadingSettings
from appliance.intake.jail import Jail
with Jail(ReadingSettings(), clock=SystemClock()) as jail:
    frame = jail.frame(Path(sys.argv[1]), 0)
    assert frame is not None
"""


@pytest.mark.parametrize("syntax", ["raw", "jpeg"])
def test_the_jail_decodes_where_memory_may_not_become_code(tmp_path: Path, syntax: str) -> None:
    """What the unit's seccomp filter does to it, by the kernel's own switch: systemd is not needed."""
    source = Path(str(examples.get_path("ct")))
    file = tmp_path / "a.dcm"
    dataset = dcmread(source)
    if syntax == "jpeg":
        dataset.compress(JPEGLSLossless)
    dataset.save_as(file)
    done = subprocess.run(
        [sys.executable, "-c", JAILED, str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(FOLDER.parents[1])},
    )
    if done.returncode == 77:
        pytest.skip("this kernel has no PR_SET_MDWE (Linux 6.3)")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["watcher", "worker"])
def test_the_jails_own_calls_are_allowed(name: str) -> None:
    """prctl and prlimit64 confine it, memfd_create and socketpair carry its pixels."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    allowed: set[str] = set()
    for line in unit(name)["SystemCallFilter"]:
        calls = {call for group in line.removeprefix("~").split() for call in calls_of(group)}
        allowed = allowed - calls if line.startswith("~") else allowed | calls
    for call in (
        "prctl",
        "prlimit64",
        "memfd_create",
        "socketpair",
        "sendmsg",
        "recvmsg",
        "execve",
        "mmap",
        "kill",
    ):
        assert call in allowed, call
    for call in ("mount", "ptrace", "init_module", "reboot", "bpf", "setuid", "chroot", "swapon"):
        assert call not in allowed, call


def calls_of(group: str) -> set[str]:
    """The system calls of a set, those of sets inside it too."""
    if not group.startswith("@"):
        return {group}
    done = analyze("syscall-filter", "--no-pager", group)
    names = [line.strip() for line in done.stdout.splitlines()[1:] if line.strip() and "#" not in line]
    return {call for name in names for call in calls_of(name)}


@pytest.mark.parametrize("name", ["keeper", "monitor"])
def test_a_process_starts_where_its_unit_has_set_its_rank(name: str, layout: Layout) -> None:
    """The units' filters refuse the calls that would change it once more (@resources)."""
    if shutil.which("strace") is None or shutil.which("chrt") is None:
        pytest.skip("strace and chrt are not installed")
    address = layout.run / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.settimeout(120)
        refused = "inject=sched_setscheduler,setpriority,ioprio_set:error=EPERM"
        command = [
            "chrt",
            "--idle",
            "0",
            "nice",
            "-n",
            "19",
            "strace",
            "-f",
            "-o",
            "/dev/null",
            "-e",
            refused,
        ]
        command += [sys.executable, "-m", "appliance.processes", name, "--data", str(layout.data)]
        environment = {
            **os.environ,
            "NOTIFY_SOCKET": str(address),
            "PYTHONPATH": str(FOLDER.parents[1]),
            "SCANSIDE__METRICS__ENABLED": "false",
        }
        command = ["timeout", "--signal=TERM", "100", *command]
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
            ended = Thread(target=lambda: (process.wait(), tell_end(address)))
            ended.start()
            said = manager.recv(4096)
            process.terminate()
            ended.join()
            assert said == b"READY=1", process.stderr.read() if process.stderr else ""


def tell_end(address: Path) -> None:
    """So that nobody waits for the word of a process that is gone."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.sendto(b"it ended", str(address))
