# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""fscrypt below the data folder, on a real ext4: store and spool work on it, and the disk tells no name."""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.clock import SystemClock
from appliance.intake.claim import Spool
from appliance.layout import Layout
from appliance.store.connection import Database

NAME = b"CANARY^ENCRYPTED"
IMAGE_BYTES = 64 * 1024**2
ADD_KEY, REMOVE_KEY, SET_POLICY = 0xC0506617, 0xC0406618, 0x800C6613
"""linux/fscrypt.h: FS_IOC_ADD_ENCRYPTION_KEY, _REMOVE_ENCRYPTION_KEY, _SET_ENCRYPTION_POLICY."""
AES_256_XTS, AES_256_CTS, PAD_32, IDENTIFIER = 1, 4, 3, 2


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=60)


class Encrypted:
    """A mounted ext4 with an encrypted folder, and the image that it lies in."""

    def __init__(self, folder: Path) -> None:
        self.image = folder / "disk.ext4"
        self.mount = folder / "mounted"
        self.data = self.mount / "data"
        self.mount.mkdir()
        with self.image.open("wb") as file:
            file.truncate(IMAGE_BYTES)
        run("mkfs.ext4", "-q", "-O", "encrypt", str(self.image))
        run("mount", "-o", "loop", str(self.image), str(self.mount))

    def encrypt(self) -> None:
        """A new key and an empty folder that it encrypts. Raises OSError where the kernel cannot."""
        key = os.urandom(64)
        argument = bytearray(struct.pack("<II32sII32x", IDENTIFIER, 0, b"", len(key), 0) + key)
        with self._open(self.mount) as top:
            fcntl.ioctl(top, ADD_KEY, argument, True)
        self.identifier = bytes(argument[8:24])
        self.data.mkdir()
        policy = struct.pack("<BBBB4x16s", 2, AES_256_XTS, AES_256_CTS, PAD_32, self.identifier)
        with self._open(self.data) as folder:
            fcntl.ioctl(folder, SET_POLICY, policy)

    def lock(self) -> None:
        """Take the key away, and what of the files is in memory."""
        argument = bytearray(struct.pack("<II32s24x", IDENTIFIER, 0, self.identifier))
        with self._open(self.mount) as top:
            fcntl.ioctl(top, REMOVE_KEY, argument, True)

    def _open(self, folder: Path) -> Folder:
        return Folder(folder)

    def unmount(self) -> None:
        if self.mount.is_mount():
            run("umount", str(self.mount))


class Folder:
    """A folder's descriptor."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> int:
        self._descriptor = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY)
        return self._descriptor

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Encrypted]:
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("needs root and mkfs.ext4")
    try:
        encrypted = Encrypted(tmp_path)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no loop device can be mounted here: {error.stderr.decode(errors='replace').strip()}")
    try:
        yield encrypted
    finally:
        encrypted.unmount()


def fill(data: Path) -> None:
    """An image in the spool and a row in the store, both with the name, both durable."""
    layout = Layout(data=data)
    layout.create()
    with Spool(layout).receive() as incoming:
        incoming.write(bytes(128) + b"DICM" + NAME)
        part = incoming.finish()
    assert NAME in part.path.read_bytes()
    with Database.open(layout.database, data=data, clock=SystemClock()) as database:
        with database.transaction() as write:
            write("CREATE TABLE canary (name TEXT)")
            write("INSERT INTO canary VALUES (?)", (NAME.decode(),))
        assert database.read("SELECT name FROM canary") == [(NAME.decode(),)]
    ctypes.CDLL(None).sync()


def test_a_plain_disk_tells_the_name(disk: Encrypted) -> None:
    fill(disk.data)
    disk.unmount()
    assert NAME in disk.image.read_bytes()


# Trace: REQ-044
def test_an_encrypted_folder_works_and_its_disk_tells_nothing(disk: Encrypted) -> None:
    try:
        disk.encrypt()
    except OSError as error:
        pytest.skip(f"this kernel has no fscrypt for ext4: {error.strerror}")
    fill(disk.data)
    disk.lock()
    names = {path.name for path in disk.data.rglob("*")}
    assert not names & {"spool", "store", "inbox"}, "names are readable without the key"
    with pytest.raises(OSError, match="Required key not available"):
        (disk.data / "new").write_text("x", encoding="utf-8")
    disk.unmount()
    assert NAME not in disk.image.read_bytes()
