# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The process inside the jail: parses and decodes foreign bytes, and may die of them.

Started by `appliance.intake.jail_process` with a socket, the bytes of memory it may use, the bytes a frame
may take and its keeper's process id. It writes no files, leaves no core and dies with its keeper.
"""

from __future__ import annotations

import ctypes
import dataclasses
import errno
import json
import logging
import mmap
import os
import resource
import signal
import socket
import sys
import warnings
from pathlib import Path
from typing import Final

import pydicom.config

from appliance.errors import InputError
from appliance.intake.jail_messages import Fault, Reply, Request
from appliance.intake.look import describe
from appliance.intake.open_files import OpenFile
from appliance.intake.same_content import same_content

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NO_NEW_PRIVS: Final = 38
"""From linux/prctl.h."""
_OPEN_FILES: Final = 64
_RECEIVE_BYTES: Final = 65536
_FDS_PER_MESSAGE: Final = 4
_SEND_AGAIN: Final = "Send the image again; if it fails again, keep the file for its manufacturer."


def confine(memory_bytes: int, parent_pid: int) -> None:
    """Give up what a decoder does not need. Nothing of it can be taken back."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != parent_pid:
        sys.exit(0)  # the keeper died before we could ask to die with it
    for limit, value in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
    ):
        resource.setrlimit(limit, (value, value))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the keeper's terminal is not our business


class Server:
    """Answers one request after the other until the keeper hangs up."""

    def __init__(self, channel: socket.socket, *, max_frame_bytes: int) -> None:
        self._channel = channel
        self._max_frame_bytes = max_frame_bytes
        self._pending = b""
        self._descriptors: list[int] = []
        self._slots: dict[int, mmap.mmap] = {}
        self._open: OpenFile | None = None

    def serve(self) -> None:
        """Until end of file."""
        while (line := self._next_line()) is not None:
            self._channel.sendall(_line(self._answer(Request(**json.loads(line)))))

    def _next_line(self) -> bytes | None:
        while b"\n" not in self._pending:
            received, descriptors, _, _ = socket.recv_fds(self._channel, _RECEIVE_BYTES, _FDS_PER_MESSAGE)
            self._descriptors += descriptors
            if not received:
                return None
            self._pending += received
        line, _, self._pending = self._pending.partition(b"\n")
        return line

    def _answer(self, request: Request) -> Reply:
        """The wall: whatever parsing or decoding raises becomes words. Signals end the process instead."""
        try:
            self._map(request)
            path = Path(request.path)
            if request.other_path is not None:
                other = Path(request.other_path)
                return Reply(same=same_content(path, other, max_frame_bytes=self._max_frame_bytes))
            if request.frame_index is None:
                return Reply(description=describe(path, max_frame_bytes=self._max_frame_bytes))
            return self._frame(request)
        except InputError as error:
            return Reply(fault=Fault(what=error.what, remedy=error.remedy))
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001  decoders raise classes of nine kinds, some not even Exception
            self._close_file()
            return Reply(fault=fault_of(error), worn_out=_is_memory_gone(error))

    def _frame(self, request: Request) -> Reply:
        assert request.frame_index is not None
        assert request.slot is not None
        path = Path(request.path)
        if self._open is None or not self._open.is_still(path):
            self._close_file()
            self._open = OpenFile(path, max_frame_bytes=self._max_frame_bytes)
        needed = self._open.needed_bytes()
        if needed > request.slot_bytes:
            return Reply(needed_bytes=needed)
        with memoryview(self._slots[request.slot]) as buffer:
            return Reply(frame=self._open.read(request.frame_index, buffer, halvings=request.halvings))

    def _map(self, request: Request) -> None:
        for slot in request.forget_slots:
            gone = self._slots.pop(slot, None)
            if gone is not None:
                gone.close()
        if request.new_slot:
            assert request.slot is not None
            descriptor = self._descriptors.pop(0)
            self._slots[request.slot] = mmap.mmap(descriptor, request.slot_bytes)
            os.close(descriptor)

    def _close_file(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


def _line(reply: Reply) -> bytes:
    try:
        text = json.dumps(dataclasses.asdict(reply), default=str, allow_nan=False)
    except ValueError as error:  # a number that is none came through after all
        text = json.dumps(dataclasses.asdict(Reply(fault=fault_of(error))))
    return text.encode() + b"\n"


def _is_memory_gone(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM)


def fault_of(error: BaseException) -> Fault:
    """What a library's exception means for the person who sent the file."""
    if _is_memory_gone(error):
        return Fault(
            what="Reading this file takes more memory than its reader is allowed.",
            remedy="Raise reading.memory_bytes if files of this size are real here.",
        )
    if isinstance(error, RecursionError):
        return Fault(what="The header is nested deeper than any real image's.", remedy=_SEND_AGAIN)
    if isinstance(error, OSError) and error.errno is not None:
        return Fault(
            what=f"The file could not be read from its disk: {os.strerror(error.errno)}.",
            remedy="Check the disk, then send the image again.",
        )
    return Fault(
        what="The file is damaged: what it says contradicts itself or makes no sense.", remedy=_SEND_AGAIN
    )


def main(arguments: list[str]) -> None:
    """Confine this process, say that it is ready, serve."""
    descriptor, memory_bytes, max_frame_bytes, parent_pid = (int(one) for one in arguments)
    confine(memory_bytes, parent_pid)
    warnings.simplefilter("ignore")
    logging.disable()  # what a library says about a patient's header goes nowhere
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE  # our own checks follow
    with socket.socket(fileno=descriptor) as channel:
        channel.sendall(READY + b"\n")
        Server(channel, max_frame_bytes=max_frame_bytes).serve()


READY: Final = b'{"ready": true}'
"""The first line: everything is loaded and confined."""

if __name__ == "__main__":
    main(sys.argv[1:])
