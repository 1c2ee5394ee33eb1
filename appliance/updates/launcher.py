# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Starts the software of the chosen slot, and goes back where the new one does not prove itself.

    python3 -I ROOT/launcher.pyz run --data DIR [--config F] [--kiosk]   the appliance, for ever
    python3 -I ROOT/launcher.pyz exec ARGUMENTS                          `scanside ARGUMENTS` of what runs now

The standard library only. A start of software that has not proved itself is counted on the disk before it
begins; after MOST_TRIES, or where its judge says no or says nothing in time, the slot that ran before runs
again. A change of the choice by somebody else, and a wish to go back that the screen left, are seen within
half a second. The appliance is told to stop and has stopped before anything else starts.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time  # noqa: TID251  (runs outside the appliance, which holds the clock)
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import NoReturn

from appliance.updates.child import LOOK_S, dies_with_parent, ended, plain_environment, stop
from appliance.updates.choice import (
    MOST_TRIES,
    Choice,
    ChoiceError,
    alone,
    confirm,
    gone_back,
    python_of,
    read_choice,
    way_back,
    write_choice,
)

SETTLE_LIMIT_S = 900.0
"""Bringing the store to what this software reads: originals may have to be taken in again."""
SETTLE_TRIES = 3
"""A command that still had the store open is gone a moment later."""
JUDGE_GRACE_S = 20.0
"""The judge ends by itself when its time is over; this long after it is killed."""
PAUSE_S = 0.5
"""Between two starts, so that software that dies at once does not spin."""
ALREADY_RUNNING = 75
LOCK_TRIES = 4
"""Whoever only looks whether a launcher runs holds the lock for a moment."""
WISH = "go-back"
"""A file in DATA/update: somebody at the screen wants the software that ran before."""


def say(words: str) -> None:
    """To the journal."""
    print(f"scanside launcher: {words}", file=sys.stderr, flush=True)  # noqa: T201


def now_utc() -> str:
    """For people."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def begin(root: Path) -> Choice | None:
    """The choice of this start, counted; None: no slot is whole. Raises OSError."""
    with alone(root):
        choice = read_choice(root)
        if choice is None or choice.confirmed:
            return choice
        if choice.tries >= MOST_TRIES:
            back = step_back(root, choice, f"it was started {choice.tries} times and never proved itself")
            return choice if back is None else back
        counted = replace(choice, tries=choice.tries + 1)
        write_choice(root, counted)
        return counted


def step_back(root: Path, choice: Choice, why: str) -> Choice | None:
    """Back to what ran before; None: there is no way. Raises OSError."""
    try:
        slot = way_back(root, choice)
    except ChoiceError as error:
        say(f"{why}; {error}")
        return None
    back = gone_back(choice, slot, now_utc=now_utc(), note=f"Back to {slot.version}: {why}.")
    write_choice(root, back)
    say(back.note)
    return back


class Launcher:
    """One data folder. Told to stop, it stops the appliance and ends."""

    def __init__(self, root: Path, *, data: Path, arguments: list[str]) -> None:
        """`arguments`: for the appliance, among them where its data are."""
        self._root = root
        self._wish = data / "update" / WISH
        self._arguments = arguments
        self._stop = False

    def stop(self, *_: object) -> None:
        """Signal handler."""
        self._stop = True

    def run(self) -> int:
        """Until told to stop, or what runs ends by itself and has proved itself. The exit code."""
        while not self._stop:
            choice = begin(self._root)
            if choice is None:
                say("no slot holds whole software: install an update with `scanside update install`")
                return 78
            if not choice.settled and not self._settle(choice):
                continue
            code = self._serve(choice)
            if code is not None:
                return code
            time.sleep(PAUSE_S)
        return 0

    def _settle(self, choice: Choice) -> bool:
        """Let the software that is about to run look at the store first. False: another one is to run."""
        done, words = False, ""
        for _ in range(SETTLE_TRIES):
            child = self._start(choice, "update", "settle")
            done, words = ended(child, limit_s=SETTLE_LIMIT_S, stops=lambda: self._stop)
            if self._stop:
                return False
            if done:
                break
            time.sleep(PAUSE_S)
        with alone(self._root):
            now = read_choice(self._root)
            if now is None or _differs(now, choice):
                return False
            if done:
                write_choice(self._root, replace(now, settled=True))
            elif not now.confirmed:
                return step_back(self._root, now, words or "it could not read the store") is None
            else:
                say(f"the store: {words}")  # the appliance says it on the screen, and it is tried again
        return True

    def _serve(self, choice: Choice) -> int | None:
        """Run it. An exit code: the launcher ends with it; None: there is another start."""
        child = self._start(choice, "run", *self._extra())
        judge = None if choice.confirmed else self._start(choice, "update", "judge", limit_s=choice.limit_s)
        late_s = time.monotonic() + choice.limit_s + JUDGE_GRACE_S
        try:
            while not self._stop:
                time.sleep(LOOK_S)
                code = child.poll()
                if code is not None:
                    return None if self._starts_again(code, on_trial=judge is not None) else code
                if self._wants_back() or self._is_another(choice):
                    return None
                if judge is not None and (judge.poll() is not None or time.monotonic() > late_s):
                    if not self._judged(choice, judge):
                        return None
                    judge = None
            self._uncount(choice)
            return 0
        finally:
            for process in (judge, child):
                if process is not None:
                    stop(process)

    def _is_another(self, choice: Choice) -> bool:
        now = read_choice(self._root)
        return now is None or _differs(now, choice)

    def _starts_again(self, code: int, *, on_trial: bool) -> bool:
        if on_trial:
            say(f"it ended with exit code {code} before it had proved itself")
        return on_trial or code == ALREADY_RUNNING  # whoever is left of an earlier run goes within seconds

    def _uncount(self, choice: Choice) -> None:
        """It was stopped by somebody: that says nothing about this start."""
        with contextlib.suppress(OSError), alone(self._root):
            now = read_choice(self._root)
            if now is not None and not _differs(now, choice) and not now.confirmed and now.tries:
                write_choice(self._root, replace(now, tries=now.tries - 1))

    def _judged(self, choice: Choice, judge: subprocess.Popen[bytes]) -> bool:
        """Keep what the judge found; one that is late has found nothing. False: it goes back."""
        good, words = ended(judge, limit_s=0.0)
        with alone(self._root):
            now = read_choice(self._root)
            if now is None or _differs(now, choice):
                return False
            if good:
                confirm(self._root, now)
                say("it has proved itself")
                return True
            return step_back(self._root, now, words or "it did not prove itself") is None

    def _wants_back(self) -> bool:
        """Somebody left a wish, and it was granted."""
        if not self._wish.exists():
            return False
        self._wish.unlink()
        with alone(self._root):
            now = read_choice(self._root)
            return (
                now is not None and step_back(self._root, now, "a person at the screen wanted it") is not None
            )

    def _extra(self) -> list[str]:
        return [argument for argument in self._arguments if argument == "--kiosk"]

    def _start(self, choice: Choice, *command: str, limit_s: float | None = None) -> subprocess.Popen[bytes]:
        plain = [argument for argument in self._arguments if argument != "--kiosk"]
        limit = [] if limit_s is None else ["--limit-s", str(limit_s)]
        return subprocess.Popen(
            [str(python_of(self._root, choice.serves)), "-I", "-m", "appliance", *command, *plain, *limit],
            env=plain_environment(),
            cwd=self._root,  # `-m` looks there first, in children too
            stdin=subprocess.DEVNULL,
            stdout=None if command[0] == "run" else subprocess.PIPE,
            start_new_session=True,
            preexec_fn=dies_with_parent,  # noqa: PLW1509  (one thread)
        )


def _differs(now: Choice, choice: Choice) -> bool:
    return (now.number, now.bundle) != (choice.number, choice.bundle)


def _exec(root: Path, arguments: list[str]) -> NoReturn:
    choice = read_choice(root)
    if choice is None:
        say("no slot holds whole software")
        sys.exit(78)
    python = str(python_of(root, choice.serves))
    os.execve(python, [python, "-I", "-m", "appliance", *arguments], plain_environment())  # noqa: S606  (no shell)


def main() -> None:
    """Entry point of launcher.pyz."""
    root, command, arguments = Path(sys.argv[0]).resolve().parent, sys.argv[1:2], sys.argv[2:]
    if command == ["exec"]:
        _exec(root, arguments)
    if command != ["run"] or "--data" not in arguments[:-1]:
        say("usage: launcher.pyz run --data DIR [--config F] [--kiosk], or launcher.pyz exec ARGUMENTS")
        sys.exit(2)
    for option in ("--data", "--config"):
        if option in arguments[:-1]:
            at = arguments.index(option) + 1
            arguments[at] = str(Path(arguments[at]).resolve())
    data = Path(arguments[arguments.index("--data") + 1])
    launcher = Launcher(root, data=data, arguments=arguments)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, launcher.stop)
    for _ in range(LOCK_TRIES):
        with contextlib.suppress(BlockingIOError), alone(root, "launcher.lock", wait=False):
            sys.exit(launcher.run())
        time.sleep(PAUSE_S)
    say("another launcher runs this folder already")
    sys.exit(ALREADY_RUNNING)
