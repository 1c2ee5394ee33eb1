# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Buffers that the jail decodes into and the appliance reads from, without a copy in between.

Who may touch a buffer, and when: a buffer is lent to one frame. The array of that frame looks straight into
it, and so does every view made of it. Only when the last of them is gone does the buffer go back and is used
for another frame; somebody who keeps frames makes more buffers, never wrong pixels.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_GRANULE_BYTES: Final = 1 << 20
"""Sizes are rounded up to this, so that frames of nearly one size share their buffers."""
_IDLE_BUFFERS: Final = 3
"""One in use, one being decoded ahead, one that changes hands: more idle ones are given back."""
_SEALS: Final = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
"""The jail can write into a buffer but not resize it: a shrunk one would kill whoever reads it."""


class SharedBuffer:
    """Anonymous memory with a descriptor that another process can map."""

    def __init__(self, number: int, size_bytes: int) -> None:
        self.number = number
        self.size_bytes = size_bytes
        self.descriptor = os.memfd_create("scanside-frame", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.descriptor, size_bytes)
        fcntl.fcntl(self.descriptor, fcntl.F_ADD_SEALS, _SEALS)
        self._memory = mmap.mmap(self.descriptor, size_bytes)

    @property
    def address(self) -> int:
        """Where it is mapped in this process."""
        return int(np.frombuffer(self._memory, np.uint8).ctypes.data)

    def close(self) -> None:
        """Give the memory back. Only when no array looks into it."""
        self._memory.close()
        os.close(self.descriptor)


class _Loan:
    """The base object of a lent array: lives as long as any view of it, then returns the buffer."""

    def __init__(self, pool: BufferPool, buffer: SharedBuffer, shape: tuple[int, int], dtype: str) -> None:
        self._pool = pool
        self._buffer = buffer
        self.__array_interface__ = {
            "version": 3,
            "shape": shape,
            "typestr": np.dtype(dtype).str,
            "data": (buffer.address, True),  # True: read-only
        }

    def __del__(self) -> None:
        self._pool.give_back(self._buffer)


class BufferPool:
    """All buffers of one jail."""

    def __init__(self) -> None:
        self._idle: list[SharedBuffer] = []
        self._next_number = 0
        self._closed = False
        self.forgotten: list[int] = []
        """Numbers of buffers that are gone; the jail is told with the next request."""

    def take(self, size_bytes: int) -> SharedBuffer:
        """A buffer of at least this size that nobody looks into."""
        for buffer in self._idle:
            if buffer.size_bytes >= size_bytes:
                self._idle.remove(buffer)
                return buffer
        for buffer in self._idle:
            self._drop(buffer)
        self._idle.clear()
        self._next_number += 1
        return SharedBuffer(self._next_number, -(-size_bytes // _GRANULE_BYTES) * _GRANULE_BYTES)

    def lend(self, buffer: SharedBuffer, shape: tuple[int, int], dtype: str) -> NDArray[Any]:
        """A read-only array onto the start of the buffer, which comes back by itself."""
        return np.asarray(_Loan(self, buffer, shape, dtype))

    def give_back(self, buffer: SharedBuffer) -> None:
        """Nobody looks into this buffer any more."""
        if self._closed or len(self._idle) >= _IDLE_BUFFERS:
            self._drop(buffer)
        else:
            self._idle.append(buffer)

    def close(self) -> None:
        """Give back what is idle; what is lent follows when its arrays go."""
        self._closed = True
        for buffer in self._idle:
            self._drop(buffer)
        self._idle.clear()

    def _drop(self, buffer: SharedBuffer) -> None:
        self.forgotten.append(buffer.number)
        buffer.close()
