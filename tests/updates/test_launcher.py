# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The launcher with real processes: slots whose software is a few lines that do what the test needs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time  # noqa: TID251  (a test waits for real processes)
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.clock import SystemClock
from appliance.updates import steps
from appliance.updates.choice import LAUNCHER, Choice, confirm, read_choice, slot_folder, write_choice
from appliance.updates.slot_build import launcher_file
from tests.updates.test_choice import put_slot, slot_of

SOFTWARE = """#!/bin/sh
# stands where a slot's Python stands; called: -I -m appliance COMMAND...
shift 3
here={here}
echo "$@" >> {log}
case "$1$2" in
updatesettle) echo settled; exit {settle} ;;
updatejudge) {judge} ;;
run*) trap 'exit 0' TERM; {run}; while :; do sleep 0.1; done ;;
*) echo "{name} $*" ;;
esac
"""


LOADS = """
import sys
sys.path.insert(0, sys.argv[1])
from appliance.updates import launcher
names = {module.partition(".")[0] for module in sys.modules}
print(*names - {"appliance"} - sys.stdlib_module_names)
"""


class Bench:
    """Two slots under a launcher."""

    def __init__(self, folder: Path) -> None:
        self.root, self.data, self.log = folder / "root", folder / "data", folder / "log"
        self.root.mkdir()
        self.data.mkdir()
        (self.root / LAUNCHER).write_bytes(launcher_file())
        self._process: subprocess.Popen[bytes] | None = None

    def put(self, name: str, release: int, *, settle: int = 0, judge: str = "exit 0", run: str = ":") -> None:
        put_slot(self.root, slot_of(name, release))
        program = slot_folder(self.root, name) / "bin" / "python"
        program.parent.mkdir(exist_ok=True)
        program.write_text(
            SOFTWARE.format(here=self.root, log=self.log, settle=settle, judge=judge, run=run, name=name),
            encoding="utf-8",
        )
        program.chmod(0o755)

    @property
    def choice(self) -> Choice:
        choice = read_choice(self.root)
        assert choice is not None
        return choice

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(self.root / LAUNCHER), "run", "--data", str(self.data)],
            stdin=subprocess.DEVNULL,
        )

    def stop(self) -> int:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)

    def wait(self, limit_s: float = 30.0) -> int:
        assert self._process is not None
        return self._process.wait(limit_s)

    def until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < deadline, (self.choice, self.said())
            time.sleep(0.05)

    def said(self) -> list[str]:
        """What the slots' software was called for."""
        return self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.put("a", 2)
    made.put("b", 3)
    choice = made.choice
    assert choice.serves == "b", "without a record the newest"
    shutil.rmtree(slot_folder(made.root, "b"))
    write_choice(made.root, made.choice)
    confirm(made.root, made.choice)
    yield made
    made.close()


def change(bench: Bench, limit_s: float = 30.0) -> None:
    steps.switch(bench.root, limit_s=limit_s, clock=SystemClock())


def test_new_software_that_proves_itself_stays(bench: Bench) -> None:
    bench.put("b", 3)
    bench.start()
    bench.until(lambda: bench.choice.settled)
    change(bench)
    bench.until(lambda: bench.choice.serves == "b" and bench.choice.confirmed)
    assert bench.choice.highest == 3
    assert bench.stop() == 0
    data = f"--data {bench.data}"
    assert bench.said() == [
        *(f"update settle {data}", f"run {data}"),
        *(f"update settle {data}", f"run {data}", f"update judge {data} --limit-s 30.0"),
    ]


# Trace: REQ-059
@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"judge": "echo 'no process works'; exit 1"}, "no process works"),
        ({"settle": 1}, "settled"),
        ({"run": "exit 3", "judge": "sleep 60"}, "started 3 times"),
        ({"judge": "kill -9 $$"}, "did not prove itself"),
    ],
)
def test_new_software_that_does_not_work_is_left_again(
    bench: Bench, broken: dict[str, str], words: str
) -> None:
    bench.put("b", 3, **broken)  # type: ignore[arg-type]
    bench.start()
    bench.until(lambda: bench.choice.settled)
    change(bench)
    bench.until(lambda: bench.choice.serves == "a" and bench.choice.settled)
    assert words in bench.choice.note
    assert (bench.choice.highest, bench.choice.confirmed) == (2, True)
    assert bench.stop() == 0


def test_a_wish_at_the_screen_is_granted_once(bench: Bench) -> None:
    bench.put("b", 3)
    change(bench)
    confirm(bench.root, bench.choice)
    bench.start()
    bench.until(lambda: bench.choice.settled)
    wish = bench.data / "update" / "go-back"
    wish.parent.mkdir()
    wish.touch()
    bench.until(lambda: bench.choice.serves == "a" and bench.choice.settled)
    assert not wish.exists()
    assert "person at the screen" in bench.choice.note
    wish.touch()  # there is nothing before it any more
    bench.until(lambda: not wish.exists())
    assert bench.choice.serves == "a"


def test_an_orderly_stop_is_no_try(bench: Bench) -> None:
    bench.put("b", 3, judge="sleep 60")
    change(bench)
    bench.start()
    bench.until(lambda: bench.choice.tries == 1 and any("judge" in line for line in bench.said()))
    bench.stop()
    assert (bench.choice.serves, bench.choice.tries) == ("b", 0)


def test_confirmed_software_that_ends_ends_the_launcher(bench: Bench) -> None:
    bench.put("a", 2, run="exit 74")
    bench.start()
    assert bench.wait() == 74


def test_two_launchers_do_not_run_one_root(bench: Bench) -> None:
    bench.start()
    bench.until(lambda: bench.choice.settled)
    second = Bench.__new__(Bench)
    second.root, second.data = bench.root, bench.data
    second.start()
    assert second.wait() == 75


def test_a_command_goes_to_what_runs_and_to_nothing_beside_it(bench: Bench) -> None:
    done = subprocess.run(
        [sys.executable, "-I", str(bench.root / LAUNCHER), "exec", "results", "--json"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(bench.root)},
    )
    assert done.stdout == "a results --json\n"


def test_without_a_slot_it_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / LAUNCHER).write_bytes(launcher_file())
    done = subprocess.run(
        [sys.executable, "-I", str(tmp_path / LAUNCHER), "run", "--data", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 78
    assert "scanside update install" in done.stderr


def test_the_launcher_needs_nothing_but_python() -> None:
    """Every module that it loads comes with Python itself; a slot may hold anything."""
    found = subprocess.run(
        [
            *(sys.executable, "-I", "-S", "-c"),
            LOADS,
            str(Path(__file__).resolve().parents[2]),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(found.stdout.split()) <= {"__main__", "sitecustomize"}
