# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The jail's keeper: every byte that came from outside is parsed and decoded in a child process.

Native decoders abort, loop and run over their buffers when a file tells them to. So they live in one warm
process of bounded memory that may die; the keeper gives it file names, takes headers and pixels, holds it
to its time and replaces it. What a file does to that process ends as an InputError about that file and
touches no other.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections import deque
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Final, TypeAlias

from appliance.clock import NS_PER_S, Clock
from appliance.config import ReadingSettings
from appliance.domain.image import PixelImage
from appliance.domain.record import from_json
from appliance.errors import EngineError, InputError, ScansideError
from appliance.intake.description import Description, FileState
from appliance.intake.frame_header import FrameHeader
from appliance.intake.jail_messages import Reply, Request
from appliance.intake.jail_process import JailProcess, ProcessGoneError
from appliance.intake.shared_memory import BufferPool, SharedBuffer

_FIRST_BUFFER_BYTES: Final = 16 * 1024**2
"""A radiograph of 2500 x 3000 pixels of 16 bits fits; untouched pages cost nothing."""
_MOST_IN_FLIGHT: Final = 64
"""Requests sent before their answers are read; they fit into the socket with room to spare."""
_MOST_CRASHES: Final = 2
"""A process may be killed for reasons of its own (memory of the whole machine); twice is the file's doing."""
TERMS: Final = 2
"""How often a file gets its time, if its reader could not use it: see `_starved`."""
_OWN_SHARE: Final = 0.5
"""Of its time. A reader that has computed for less was kept waiting, not kept busy by the file."""
_MOST_BYTES_PER_STORED: Final = 2
"""A modality table turns 8-bit samples into 16-bit ones."""
_DTYPES: Final = frozenset({"uint8", "int8", "uint16", "int16", "float32"})
_KEEP_FILE: Final = "Send the image again; if it happens again, keep the file for its manufacturer."


_Answer: TypeAlias = Description | PixelImage | bool
_Outcome: TypeAlias = _Answer | ScansideError


class _Task:
    """One request on its way."""

    def __init__(
        self,
        path: Path,
        frame_index: int | None,
        timeout_s: float,
        *,
        other_path: Path | None = None,
        halvings: int = 0,
    ) -> None:
        self.path = path
        self.frame_index = frame_index
        self.halvings = halvings
        self.other_path = other_path
        self.timeout_ns = round(timeout_s * NS_PER_S)
        self.buffer: SharedBuffer | None = None
        self.deadline_ns: int | None = None
        """Set when its turn comes; before that it waits for others."""
        self.term = 1
        self.computed_before_s = 0.0
        """What its reader had computed before this term."""
        self.is_sent = False
        self.crashes = 0
        self.outcome: _Outcome | None = None


class PendingFrame:
    """A frame that is being decoded while its caller does something else."""

    def __init__(self, jail: Jail, task: _Task) -> None:
        self._jail = jail
        self._task = task

    def image(self) -> PixelImage:
        """Wait for it. Raises InputError when it cannot be decoded."""
        outcome = self._jail.finish(self._task)
        assert isinstance(outcome, PixelImage)
        return outcome


class PendingDescription:
    """A file that is being looked into while its caller does something else."""

    def __init__(self, jail: Jail, task: _Task, sha256: str) -> None:
        self._jail = jail
        self._task = task
        self._sha256 = sha256

    def description(self) -> Description:
        """Wait for it. See `Jail.describe`."""
        outcome = self._jail.finish(self._task)
        assert isinstance(outcome, Description)
        if outcome.instance is None:
            return outcome
        instance = dataclasses.replace(outcome.instance, path=self._task.path, sha256=self._sha256)
        return dataclasses.replace(outcome, instance=instance)


class Jail:
    """Reads files in a child process. A context manager; one owner, one thread.

    The child dies with the thread that started it, so enter and use a jail in one long-lived thread.
    """

    def __init__(self, settings: ReadingSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._pool = BufferPool()
        self._tasks: deque[_Task] = deque()
        """In the order in which the child answers."""
        self._process: JailProcess | None = None
        self._frame_bytes = _FIRST_BUFFER_BYTES

    def __enter__(self) -> Jail:  # noqa: PYI034  typing.Self needs Python 3.11
        """Start the child; it loads while the caller goes on."""
        self._process = JailProcess(self._settings, self._clock)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """End the child. Frames that were handed out stay valid."""
        self._end_process()
        self._tasks.clear()
        self._pool.close()

    @property
    def child_pid(self) -> int | None:
        """Of the process that is inside now; None while there is none."""
        return None if self._process is None else self._process.pid

    def describe(self, path: Path, *, sha256: str = "") -> Description:
        """Look into a file: is it whole, and what does its header say.

        Whatever is wrong with the file is in the answer: one that cannot be opened, crashes its reader or
        takes too long is UNUSABLE. `path` and `sha256` come back in the instance as they were given. Raises
        EngineError where no child can be started.
        """
        return self.begin_describe(path, sha256=sha256).description()

    def begin_describe(self, path: Path, *, sha256: str = "") -> PendingDescription:
        """Ask what a file is and come back for it later; several are answered in the order of asking."""
        return PendingDescription(self, self._begin(path, None, self._settings.parse_timeout_s), sha256)

    def same_content(self, one: Path, other: Path) -> bool:
        """Whether two files are one image, differently written (see `appliance.intake.same_content`).

        False also where that cannot be found out: a file that cannot be read, crashes its reader or takes
        too long. Raises EngineError where no child can be started.
        """
        timeout_s = self._settings.decode_timeout_s  # every byte of both is read, as when decoding
        outcome = self.finish(self._queue(_Task(one, None, timeout_s, other_path=other)))
        assert isinstance(outcome, bool)
        return outcome

    def frame(self, path: Path, frame_index: int) -> PixelImage:
        """Decode one frame. `stored` looks into shared memory and stays as it is for as long as it is kept.

        Raises InputError where the file does not give it, EngineError where no child can be started.
        """
        return self.begin_frame(path, frame_index).image()

    def begin_frame(self, path: Path, frame_index: int, *, halvings: int = 0) -> PendingFrame:
        """Ask for a frame and come back for it later; several are answered in the order of asking.

        `halvings`: without so many finest wavelet levels. Where that cannot be done right, the whole frame
        comes: the image says which it is.
        """
        timeout_s = self._settings.parse_timeout_s + self._settings.decode_timeout_s
        return PendingFrame(self, self._begin(path, frame_index, timeout_s, halvings=halvings))

    def finish(self, task: _Task) -> _Answer:
        """Wait until a request is answered, and those before it. Raises what it ended with."""
        while task.outcome is None:
            self._step()
        if isinstance(task.outcome, ScansideError):
            raise task.outcome
        return task.outcome

    def _begin(self, path: Path, frame_index: int | None, timeout_s: float, *, halvings: int = 0) -> _Task:
        task = _Task(path, frame_index, timeout_s, halvings=halvings)
        if frame_index is not None:
            task.buffer = self._pool.take(self._frame_bytes)
        return self._queue(task)

    def _queue(self, task: _Task) -> _Task:
        self._tasks.append(task)
        if self._process is not None and not self._process.has_ended():
            with suppress(ProcessGoneError):  # the next step finds the process gone and asks its successor
                self._send_some(self._process)
        return task

    def _step(self) -> None:
        """Bring the first request one answer further."""
        task = self._tasks[0]
        try:
            process = self._running_process()
        except EngineError as error:
            self._settle(task, error)
            return
        try:
            self._send_some(process)
            if task.deadline_ns is None:
                self._give_time(task, process)
                assert task.deadline_ns is not None
            line = process.receive(task.deadline_ns)
            if line is None and task.term < TERMS and self._starved(task, process):
                task.term += 1
                self._give_time(task, process)
                return
            if line is None:
                self._end_process()
                self._settle(task, self._too_slow(task))
                return
            self._take_reply(task, line)
        except (ProcessGoneError, ValueError):  # ValueError: it answered, but not in our words
            self._crashed(task, process)

    def _give_time(self, task: _Task, process: JailProcess) -> None:
        task.deadline_ns = self._clock.monotonic_ns() + task.timeout_ns
        task.computed_before_s = process.computed_s()

    def _starved(self, task: _Task, process: JailProcess) -> bool:
        """Whether its reader was kept waiting: by a busy processor, a slow disk, a machine that stood still.

        That is not the file's doing, and no reason to set an image aside.
        """
        computed_s = process.computed_s() - task.computed_before_s
        return computed_s < _OWN_SHARE * task.timeout_ns / NS_PER_S

    def _running_process(self) -> JailProcess:
        if self._process is not None and self._process.has_ended():
            self._end_process()
        if self._process is None:
            self._process = JailProcess(self._settings, self._clock)
        self._process.wait_until_ready()
        return self._process

    def _send_some(self, process: JailProcess) -> None:
        """Keep the child busy, never so much that both sides wait for the other to read."""
        for task in islice(self._tasks, _MOST_IN_FLIGHT):
            if not task.is_sent:
                self._send(process, task)

    def _send(self, process: JailProcess, task: _Task) -> None:
        request = Request(
            path=_absolute(task.path),
            frame_index=task.frame_index,
            halvings=task.halvings,
            other_path=None if task.other_path is None else _absolute(task.other_path),
        )
        descriptors: tuple[int, ...] = ()
        if task.buffer is not None:
            is_new = task.buffer.number not in process.known_buffers
            request = dataclasses.replace(
                request,
                slot=task.buffer.number,
                slot_bytes=task.buffer.size_bytes,
                new_slot=is_new,
                forget_slots=tuple(self._pool.forgotten),
            )
            self._pool.forgotten.clear()
            if is_new:
                descriptors = (task.buffer.descriptor,)
                process.known_buffers.add(task.buffer.number)
        process.send(json.dumps(dataclasses.asdict(request)).encode() + b"\n", descriptors)
        task.is_sent = True

    def _take_reply(self, task: _Task, line: str) -> None:
        reply = from_json(Reply, line)
        if reply.needed_bytes is not None:
            self._enlarge(task, reply.needed_bytes)
        elif reply.fault is not None:
            self._settle(task, InputError(reply.fault.what, remedy=reply.fault.remedy))
        elif reply.same is not None and task.other_path is not None:
            self._settle(task, reply.same)
        elif reply.description is not None and task.frame_index is None and task.other_path is None:
            self._settle(task, reply.description)
        elif reply.frame is not None and task.buffer is not None:
            self._settle(task, self._image(task, reply.frame))
        else:
            raise ValueError("an answer to another question")
        if reply.worn_out:
            self._end_process()

    def _image(self, task: _Task, header: FrameHeader) -> PixelImage:
        """The frame in its buffer. Raises ValueError where the header does not fit the buffer."""
        buffer = task.buffer
        assert buffer is not None
        if header.dtype not in _DTYPES or header.rows < 1 or header.columns < 1:
            raise ValueError("not a frame")
        if header.size_bytes > buffer.size_bytes:
            raise ValueError("a frame larger than its buffer")
        if header.halvings not in (0, task.halvings) or (header.whole_px is None) != (header.halvings == 0):
            raise ValueError("a frame of another size than was asked for")
        task.buffer = None
        stored = self._pool.lend(buffer, (header.rows, header.columns), header.dtype)
        return header.image(stored)

    def _enlarge(self, task: _Task, needed_bytes: int) -> None:
        """Ask once more with a larger buffer; it is answered after those that were asked in between."""
        buffer = task.buffer
        most = _MOST_BYTES_PER_STORED * self._settings.max_frame_bytes
        if buffer is None or not buffer.size_bytes < needed_bytes <= most:
            raise ValueError("a senseless demand")
        self._pool.give_back(buffer)
        task.buffer = self._pool.take(needed_bytes)
        self._frame_bytes = needed_bytes
        task.is_sent = False
        task.deadline_ns = None
        self._tasks.popleft()
        self._tasks.append(task)

    def _crashed(self, task: _Task, process: JailProcess) -> None:
        process.kill()
        words = process.end_words()
        self._end_process()
        task.crashes += 1
        if task.crashes < _MOST_CRASHES:
            return
        part = "header" if task.frame_index is None else "image data"
        fault = InputError(
            f"The {part} of this file made its reader crash ({words}); everything else goes on.",
            remedy=_KEEP_FILE,
        )
        self._settle(task, fault)

    def _too_slow(self, task: _Task) -> InputError:
        seconds = task.timeout_ns / NS_PER_S
        part = "header" if task.frame_index is None else "image data"
        what = f"The {part} of this file took longer than {seconds:g} s to read and was given up."
        return InputError(what, remedy=_KEEP_FILE)

    def _settle(self, task: _Task, outcome: _Outcome) -> None:
        if isinstance(outcome, InputError) and task.other_path is not None:
            outcome = False
        elif isinstance(outcome, InputError) and task.frame_index is None:
            outcome = Description(
                state=FileState.UNUSABLE, instance=None, reason=outcome.what, remedy=outcome.remedy
            )
        task.outcome = outcome
        self._tasks.remove(task)
        if task.buffer is not None:
            self._pool.give_back(task.buffer)
            task.buffer = None

    def _end_process(self) -> None:
        """Kill the child; what it had not answered will be asked again of the next one."""
        if self._process is not None:
            self._process.kill()
            self._process = None
        for task in self._tasks:
            task.is_sent = False
            task.deadline_ns = None


def _absolute(path: Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100  no links resolved
