# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Making a backup while the appliance runs: the store through SQLite's own copy, everything else as it lies.

Nothing has the backup's name before all of it was written, flushed, read back and its store was checked. The
order keeps the copy sound: first where the audit trail ended, then the store, then images, so that the store
never names less than the rest.
"""

from __future__ import annotations

import importlib.metadata
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from appliance.backup.manifest import SEALED, BackupManifest, BackupPart, read_manifest, write_manifest
from appliance.backup.store_copy import CheckedStore, checked_store, copy_store
from appliance.clock import Clock
from appliance.config import Settings
from appliance.courier.sealing import read_recipients, seal
from appliance.courier.stick import Counted, Progress
from appliance.device_key import audit_key_of, device_key
from appliance.domain.audit import AuditHead
from appliance.durable import WholeFile, make_folder, sync_folder
from appliance.errors import ConfigError, StoreError
from appliance.layout import Layout
from appliance.models.keys import fingerprint_of
from appliance.store.anchors import anchors_beside

CHUNK_BYTES: Final = 1 << 20
ROOM_BYTES: Final = 64 * 1024**2
"""Beside the files: the list, and what a file system needs itself."""
NAMED_SETTINGS: Final = "settings/named.toml"
"""The file that --config named."""
FOLDERS_ALWAYS: Final = ("audit", "models", "releases", "settings", "proofs", "bench")
FOLDERS_OF_IMAGES: Final = ("spool", "quarantine", "results")
UNFINISHED: Final = (".part", ".lock")
NOT_IN: Final = (
    "PINs of the screen: set them again with `scanside pin set`",
    "compiled engines and views: they are made again",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupWish:
    """What is asked for."""

    images: bool = False
    keys: bool = False
    recipients: tuple[str, ...] = ()
    """Who can read it: age or ssh recipients. Empty: it is not sealed."""
    settings_file: Path | None = None


def make_backup(
    folder: Path, wish: BackupWish, *, settings: Settings, layout: Layout, clock: Clock, progress: Progress
) -> tuple[Path, BackupManifest]:
    """Write a backup into a new folder below `folder`; returns that and its list.

    Raises ConfigError for a wish that cannot be fulfilled, StoreError when there is no store, its copy is not
    sound, or there is no room, and OSError.
    """
    if wish.keys and not wish.recipients:
        raise ConfigError(
            "The device's secret keys are never copied in the clear.",
            remedy="Name who may read them: --recipient age1... (`scanside courier keys` shows one's own).",
        )
    recipients = read_recipients(wish.recipients)
    if not layout.database.exists():
        raise StoreError(
            f"There is no store at {layout.database}.", remedy="Name the data folder with --data."
        )
    make_folder(folder)
    _require_room(folder, wish, layout)
    name = f"scanside-backup-{clock.now_utc():%Y%m%dT%H%M%SZ}"
    final = next(path for path in _names(folder, name) if not path.exists())
    part = final.with_name(f"{final.name}.part")
    part.mkdir(mode=0o700)
    try:
        manifest = _Writer(part, wish, recipients, settings, layout, clock, progress).write()
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    part.rename(final)
    sync_folder(folder)
    return final, manifest


def _names(folder: Path, name: str) -> Iterator[Path]:
    yield folder / name
    yield from (folder / f"{name}-{number}" for number in range(2, 10_000))


def files_of(layout: Layout, folders: tuple[str, ...]) -> Iterator[Path]:
    """Whole files below these folders of the data folder, by name."""
    for folder in folders:
        yield from (
            path
            for path in sorted((layout.data / folder).rglob("*"))
            if path.is_file() and not path.is_symlink() and not path.name.endswith(UNFINISHED)
        )


def _require_room(folder: Path, wish: BackupWish, layout: Layout) -> None:
    folders = FOLDERS_ALWAYS + (FOLDERS_OF_IMAGES if wish.images else ())
    wal = layout.database.with_name(f"{layout.database.name}-wal")
    files = (*files_of(layout, folders), layout.database, *((wal,) if wal.exists() else ()))
    needed = ROOM_BYTES + sum(_size(path) for path in files)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StoreError(
            f"{folder} has {free / 1024**2:.0f} MiB free; the backup needs {needed / 1024**2:.0f} MiB.",
            remedy="Take a larger medium, or leave --images out.",
        )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # it went meanwhile


class _Writer:
    """One backup that is being made."""

    def __init__(
        self,
        part: Path,
        wish: BackupWish,
        recipients: list[Any],
        settings: Settings,
        layout: Layout,
        clock: Clock,
        progress: Progress,
    ) -> None:
        self._part = part
        self._wish = wish
        self._recipients = recipients
        self._settings = settings
        self._layout = layout
        self._clock = clock
        self._progress = progress
        self._parts: list[BackupPart] = []
        self._gone = 0

    def write(self) -> BackupManifest:
        """Everything; the list last."""
        layout, wish = self._layout, self._wish
        key = device_key(layout.keys)
        self._take_folders(("audit",))
        beside = list(anchors_beside(layout.data, audit_key_of(key)))
        store = self._take_store(audit_key_of(key), beside)
        self._take_folders(tuple(folder for folder in FOLDERS_ALWAYS if folder != "audit"))
        if wish.settings_file is not None:
            self._take(wish.settings_file, NAMED_SETTINGS)
        if wish.keys:
            self._take_folders(("keys",))
        if wish.images:
            self._take_folders(FOLDERS_OF_IMAGES)
        manifest = BackupManifest(
            format="scanside backup 1",
            device=fingerprint_of(key.public_key()),
            site_name=self._settings.site_name,
            made_at_utc=self._clock.now_utc(),
            software=importlib.metadata.version("scanside"),
            store_version=store.version,
            audit_rows=store.head.count,
            audit_hash=store.head.hash,
            trail_faults=store.faults,
            is_sealed=bool(self._recipients),
            has_images=wish.images,
            has_keys=wish.keys,
            parts=tuple(self._parts),
            left_out=tuple(self._left_out()),
        )
        write_manifest(self._part, manifest, key)
        read_manifest(self._part)
        for folder in {self._part, *(path for path in self._part.rglob("*") if path.is_dir())}:
            sync_folder(folder)
        return manifest

    def _left_out(self) -> Iterator[str]:
        if not self._wish.images:
            yield "images and DICOM results: ask for them with --images"
        if not self._wish.keys:
            yield "the device's secret keys: ask for them with --keys and --recipient"
        if self._wish.settings_file is None:
            yield "the settings file: name it with --config"
        if self._gone:
            yield f"{self._gone} files that were removed while the backup was made"
        yield from NOT_IN

    def _take_folders(self, folders: tuple[str, ...]) -> None:
        for path in files_of(self._layout, folders):
            try:
                self._take(path, path.relative_to(self._layout.data).as_posix())
            except FileNotFoundError:
                self._gone += 1

    def _take_store(self, key: bytes, beside: list[AuditHead | str]) -> CheckedStore:
        """A copy as of one moment; what others write meanwhile is not in it, and waits for nothing."""
        relative = self._layout.database.relative_to(self._layout.data)
        with tempfile.TemporaryDirectory(dir=self._part, prefix="store-") as scratch:
            data = Path(scratch)
            copy = data / relative
            copy.parent.mkdir()
            copy_store(self._layout.database, copy)
            found = checked_store(copy, data, self._clock, key=key, beside=beside)
            self._take(copy, relative.as_posix())
        return found

    def _take(self, source: Path, path: str) -> None:
        target = self._part / (path + (SEALED if self._recipients else ""))
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with source.open("rb") as opened, WholeFile(target) as file:
            counted = Counted(file, self._progress)
            if self._recipients:
                seal(opened, counted, self._recipients)
            else:
                shutil.copyfileobj(opened, counted, CHUNK_BYTES)
            file.finish()
        target.chmod(0o600)
        entry = BackupPart(path=path, sha256=counted.digest.hexdigest(), size_bytes=counted.size_bytes)
        self._parts.append(entry)
