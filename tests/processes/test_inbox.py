# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Folders and their threads: one that does not answer is said and left, and keeps nobody waiting."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Event

import pytest

from appliance.clock import SystemClock
from appliance.config import IntakeSettings
from appliance.errors import StoreError
from appliance.intake.claim import Spool
from appliance.intake.notices import Notices
from appliance.layout import Layout
from appliance.processes import folder_thread
from appliance.processes.folder_thread import Found
from appliance.processes.inbox import Inbox
from appliance.processes.lander import Fate, Outcome
from appliance.store.connection import Database
from appliance.store.settled import SettledFiles

CLOCK = SystemClock()
PATIENCE_S = 30.0


class Loop:
    """What the intake loop is to its folders."""

    def __init__(self, layout: Layout, *folders: Path) -> None:
        self.mail: SimpleQueue[Found | StoreError] = SimpleQueue()
        self.database = Database.open(layout.database, data=layout.data, clock=CLOCK)
        self.inbox = Inbox(
            IntakeSettings(folders=folders, rescan_interval_s=0.2),
            inbox=layout.inbox,
            spool=Spool(layout, reserve_bytes=0),
            settled_files=SettledFiles(self.database),
            clock=CLOCK,
            deliver=self.mail.put,
        )

    def found(self) -> Found:
        message = self.mail.get(timeout=PATIENCE_S)
        assert isinstance(message, Found)
        return message

    def take(self, found: Found) -> list[Path]:
        found.answer([Outcome(fate=Fate.ACCEPTED)] * len(found.claims))
        self.inbox.landed(found)
        return [claim.candidate.path for claim in found.claims]

    def until(self, condition: Callable[[], bool]) -> None:
        waiter = Event()
        for _ in range(round(PATIENCE_S / 0.02)):
            if condition():
                return
            waiter.wait(0.02)
        pytest.fail("not in time")


@contextmanager
def running(layout: Layout, *folders: Path) -> Iterator[Loop]:
    loop = Loop(layout, *folders)
    with loop.database, loop.inbox:
        yield loop


def test_files_come_with_their_copies_and_are_remembered_over_a_restart(layout: Layout) -> None:
    (layout.inbox / "a.dcm").write_bytes(b"1")
    with running(layout) as loop:
        found = loop.found()
        assert found.claims[0].arrival.part.path.read_bytes() == b"1"
        assert loop.inbox.any_unread()
        assert len(loop.inbox) == 1
        assert loop.take(found) == [layout.inbox / "a.dcm"]
        loop.until(lambda: not loop.inbox.any_unread() and len(loop.inbox) == 0)
        loop.inbox.stop()
        loop.inbox.remember()
    (layout.inbox / "b.dcm").write_bytes(b"2")
    with running(layout) as loop:
        assert loop.take(loop.found()) == [layout.inbox / "b.dcm"]
        (layout.inbox / "a.dcm").unlink()
    with running(layout) as loop:
        loop.take(loop.found())  # b.dcm again: nobody wrote it down
        loop.inbox.remember()
        loop.until(lambda: not loop.inbox.any_unread())
        loop.inbox.remember()
        assert [file.path.name for file in SettledFiles(loop.database).every()] == ["b.dcm"]


def test_what_cannot_be_taken_comes_again(layout: Layout) -> None:
    (layout.inbox / "a.dcm").write_bytes(b"1")
    with running(layout) as loop:
        found = loop.found()
        found.answer(None)
        loop.inbox.landed(found)
        assert loop.take(loop.found()) == [layout.inbox / "a.dcm"]


def test_a_folder_within_another_is_listed_once(layout: Layout) -> None:
    (layout.inbox / "deep").mkdir()
    (layout.inbox / "deep" / "a.dcm").write_bytes(b"1")
    with running(layout, layout.inbox / "deep") as loop:
        assert loop.take(loop.found()) == [layout.inbox / "deep" / "a.dcm"]
        loop.until(lambda: not loop.inbox.any_unread())
        assert loop.mail.empty()


def test_a_folder_that_does_not_answer_is_said_once_and_not_waited_for(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder hangs in the kernel's own way: listing it waits until somebody lets it go on."""
    share, answers = tmp_path / "share", Event()
    share.mkdir()
    (share / "s.dcm").write_bytes(b"1")
    scandir = os.scandir

    def hanging(path: str) -> object:
        if str(path) == str(share):
            answers.wait(PATIENCE_S)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", hanging)
    monkeypatch.setattr(folder_thread, "SILENT_S", 0.5)
    with running(layout, share) as loop:
        loop.until(lambda: len(loop.inbox.silent()) == 1)
        (words,) = loop.inbox.silent()
        assert words.startswith(f"The share {share} does not answer since ")
        (layout.inbox / "a.dcm").write_bytes(b"2")
        assert loop.take(loop.found()) == [layout.inbox / "a.dcm"]
        loop.until(lambda: not loop.inbox.any_unread())  # a series may be settled
        answers.set()
        assert loop.take(loop.found()) == [share / "s.dcm"]
        loop.until(lambda: loop.inbox.silent() == ())


def test_a_fault_of_a_thread_ends_the_loop(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with running(layout) as loop:
        monkeypatch.setattr(Notices, "rescan", broken)
        with pytest.raises(ZeroDivisionError):
            loop.until(lambda: bool(loop.inbox.silent()))
