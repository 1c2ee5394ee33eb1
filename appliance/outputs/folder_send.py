# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Copies in a folder, of this machine or of a share: whole and durable, or not there at all."""

from __future__ import annotations

import filecmp
import os
import shutil
from pathlib import Path
from typing import Final

from appliance.config import Settings
from appliance.durable import PART_SUFFIX, sync_folder
from appliance.errors import DeliveryError
from appliance.receivers import FolderSettings

PROBE: Final = ".scanside-probe"


class FolderCopies:
    """A `Destination` that is a folder. It is never made here: an unmounted share would be a local folder."""

    def __init__(self, *, name: str, folder: Path, mount_point: Path | None) -> None:
        self.name = name
        self._folder = folder
        self._mount_point = mount_point

    def deliver(self, path: Path) -> None:
        """Copy under a name that no other file has; the same file twice is one copy. Raises DeliveryError."""
        self._require_folder()
        copy = self._folder / f"{path.parent.name}-{path.name}"
        try:
            if copy.exists() and filecmp.cmp(path, copy, shallow=False):
                return
            _copy_durably(path, copy)
        except OSError as error:
            raise self._trouble(error, path) from error

    def probe(self) -> None:
        """Can something be written there? Raises DeliveryError."""
        self._require_folder()
        probe = self._folder / PROBE
        try:
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise self._trouble(error, probe) from error

    def _require_folder(self) -> None:
        if self._mount_point is not None and not self._mount_point.is_mount():
            raise DeliveryError(
                f"{self.name}: nothing is mounted at {self._mount_point}.",
                remedy="Mount the share, or look at the network; it is tried again.",
                permanent=False,
            )
        if not self._folder.is_dir():
            raise DeliveryError(
                f"{self.name}: there is no folder {self._folder}.",
                remedy="Mount the share, or make the folder; it is tried again.",
                permanent=False,
            )

    def _trouble(self, error: OSError, path: Path) -> DeliveryError:
        said = error.strerror or str(error)
        if error.filename is not None and Path(os.fsdecode(error.filename)) == path and path.name != PROBE:
            return DeliveryError(
                f"{path.name} cannot be read for sending: {said}.",
                remedy="Look at the disk of this device; the file is tried again.",
                permanent=True,
                this_file_only=True,
            )
        return DeliveryError(
            f"{self.name}: {self._folder} cannot be written ({said}).",
            remedy="Give this device's user the right to write there, or make room; it is tried again.",
            permanent=isinstance(error, PermissionError),
        )


def _copy_durably(path: Path, copy: Path) -> None:
    """Beside it, flushed, renamed, the folder flushed. Raises OSError with nothing changed."""
    part = copy.with_name(copy.name + PART_SUFFIX)
    with path.open("rb") as source, part.open("wb") as target:
        shutil.copyfileobj(source, target)
        target.flush()
        os.fsync(target.fileno())
    part.replace(copy)
    sync_folder(copy.parent)


def destination(receiver: FolderSettings, settings: Settings) -> FolderCopies:
    """The way out to this folder."""
    del settings
    return FolderCopies(name=receiver.name, folder=receiver.folder, mount_point=receiver.mount_point)


def echo(receiver: FolderSettings, settings: Settings) -> str:
    """Is the folder there, and may we write? Raises DeliveryError."""
    destination(receiver, settings).probe()
    return f"{receiver.folder} is there and can be written"
