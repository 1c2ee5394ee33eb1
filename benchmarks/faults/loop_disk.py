# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A disk whose power can be cut: ext4 on a loop device, shut down by the file system's own ioctl.

EXT4_IOC_SHUTDOWN with NOLOGFLUSH (what xfstests call "godown") drops everything that was not flushed, as the
plug does; unmounting and mounting again is the next boot. It does not show what a disk does with its own
cache when it lies about flushes.
"""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Final

from typing_extensions import Self

EXT4_IOC_SHUTDOWN: Final = 0x8004587D
NO_LOG_FLUSH: Final = 2
"""Both from linux/fs/ext4/ext4.h."""
MIB: Final = 1 << 20


def why_not() -> str | None:
    """Why no such disk can be made here, in words; None: it can."""
    if os.geteuid() != 0:
        return "only root may mount a file system"
    if not Path("/dev/loop-control").exists():
        return "this machine has no loop devices"
    return None


class LoopDisk:
    """One disk. A context manager: unmounted, detached and deleted at the end, whatever happened."""

    def __init__(self, folder: Path, *, size_mib: int, inodes: int | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._image = folder / "disk.img"
        self.root = folder / "disk"
        """Where it is mounted."""
        self._size_bytes = size_mib * MIB
        self._inodes = inodes
        self._device: str | None = None
        self._devices: list[str] = []

    def __enter__(self) -> Self:
        self.root.mkdir(exist_ok=True)
        _try("umount", "--lazy", str(self.root))  # of a run that was killed
        with self._image.open("wb") as image:
            image.truncate(self._size_bytes)
        inodes = ["-N", str(self._inodes)] if self._inodes is not None else []
        _do("mkfs.ext4", "-q", "-F", "-m", "0", *inodes, str(self._image))
        try:
            self._attach()
            self.mount()
        except BaseException:
            self._detach()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _try("umount", "--lazy", str(self.root))
        self._detach()

    def _attach(self) -> None:
        self._device = _do("losetup", "--find", "--show", str(self._image))
        self._devices.append(self._device)

    def _detach(self) -> None:
        for device in self._devices:
            _try("losetup", "--detach", device)
        self._image.unlink(missing_ok=True)

    def mount(self) -> None:
        """Switch it on."""
        assert self._device is not None
        _do("mount", "-o", "errors=remount-ro", self._device, str(self.root))

    def shut_down(self) -> None:
        """The power fails. What is open stays open, and of no use."""
        fd = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(fd, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(fd)

    def come_back(self, *, still_open: bool = False) -> None:
        """The next boot: what was flushed is there. `still_open`: a process has not let go of the old one."""
        _do("umount", *(["--lazy"] if still_open else []), str(self.root))
        if still_open:  # the old device keeps its dead file system: the disk is plugged in as another one
            self._attach()
        self.mount()

    def fail(self) -> None:
        """An error of the file system, after which the kernel lets nobody write (errors=remount-ro)."""
        assert self._device is not None
        trigger = Path("/sys/fs/ext4") / Path(self._device).name / "trigger_fs_error"
        trigger.write_text("put in by the test of faults", encoding="ascii")


def _try(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True)


def _do(*command: str) -> str:
    done = _try(*command)
    if done.returncode != 0:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout.strip()
