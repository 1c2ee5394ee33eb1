# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Putting a backup back: all of it is checked before anything is changed; what is newer is never replaced.

Parts go to their places in the data folder where nothing lies yet; the store comes last, by a rename, so that
a restore that was cut off is simply made again. What was there before the store is moved aside, not deleted.
"""

from __future__ import annotations

import filecmp
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from appliance.backup.manifest import SEALED, BackupManifest, BackupPart, BackupRefusedError, read_manifest
from appliance.backup.store_copy import NewerStoreError, checked_store
from appliance.backup.writing import CHUNK_BYTES
from appliance.clock import Clock
from appliance.courier.sealing import unseal
from appliance.courier.stick import Progress
from appliance.courier.words import CourierRefusedError
from appliance.device_key import DEVICE_KEY, audit_key_of, device_key
from appliance.domain.audit import AuditEvent, AuditHead, AuditKind
from appliance.durable import WholeFile, make_folder, sync_folder
from appliance.errors import StoreError
from appliance.layout import Layout
from appliance.models.keys import fingerprint_of, grouped
from appliance.store.anchors import anchors_beside
from appliance.store.aside import move_aside
from appliance.store.audit import note_alone
from appliance.store.connection import Database
from appliance.store.proofs import Proofs

WORK: Final = "restore.part"
KEYS: Final = "keys/"
AUDIT: Final = "audit/"
_WHICH_IDENTITY: Final = "Name the file of the identity that it was sealed for with --identity."
SECRET_MODE: Final = 0o600


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What came of it."""

    device: str
    audit_rows: int
    lost_rows: int
    """Rows of the trail that were written here after the backup and are in no store any more."""
    put_back: int
    """Files."""
    kept: tuple[str, ...]
    """Files that were here already and stayed as they were."""
    missing_images: int
    """Images that the store knows and that are not here: welcome when they come again."""
    old_store: str | None
    """Where the store lies that was here, relative to the data folder."""
    left_out: tuple[str, ...]
    """What the backup does not hold, in its own words."""
    settings: str | None
    """Where the settings file of the backup lies now; to be put in its place by a person."""


def check_backup(folder: Path, *, key_file: Path | None = None, progress: Progress) -> BackupManifest:
    """The list, once every file was read and compared with it. Raises BackupRefusedError."""
    manifest = read_manifest(folder, key_file=key_file)
    for part in manifest.parts:
        file = _file_of(folder, part, manifest)
        found = hashlib.sha256()
        try:
            with file.open("rb") as opened:
                while piece := opened.read(CHUNK_BYTES):
                    found.update(piece)
                    progress(len(piece))
        except OSError as error:
            raise BackupRefusedError(
                f"{part.path} of the backup cannot be read ({error.strerror}).",
                remedy="Take another backup, and look at this medium.",
            ) from error
        if found.hexdigest() != part.sha256:
            raise BackupRefusedError(
                f"{part.path} of the backup is not as it was written: it is damaged, or somebody changed it.",
                remedy="Take another backup, and look at this medium.",
            )
    return manifest


def restore(
    folder: Path,
    layout: Layout,
    clock: Clock,
    *,
    identities: list[Any],
    who: str,
    key_file: Path | None = None,
    new_key: bool = False,
    progress: Progress,
) -> Restored:
    """Check, then put back. Nothing may run on the data folder meanwhile; `who`: for the audit trail.

    `new_key`: go on although the device's key is lost. Raises BackupRefusedError before anything is changed,
    StoreError and OSError.
    """
    manifest = check_backup(folder, key_file=key_file, progress=progress)
    make_folder(layout.data)
    layout.create()
    with _scratch(layout) as work:
        _unpack(folder, manifest, work.data, identities)
        key = _sealing_key(manifest, layout, work, new_key=new_key)
        _require_sound(manifest, work, clock, key=key)
        lost = _rows_beyond(manifest, layout, clock, key=key)
        put_back, kept = _put_back(work, layout)
        aside = _put_store(work, layout, anchors_aside=lost > 0)
    with Database.open(layout.database, data=layout.data, clock=clock) as database:
        missing = _note_missing(Proofs(database))
        facts = (
            ("rows", str(manifest.audit_rows)),
            ("rows lost", str(lost)),
            ("made", manifest.made_at_utc.isoformat()),
        )
        note_alone(database, AuditEvent(kind=AuditKind.STORE_RESTORED, who=who, about=facts))
    named = layout.settings / "named.toml"
    return Restored(
        device=manifest.device,
        audit_rows=manifest.audit_rows,
        lost_rows=lost,
        put_back=put_back,
        kept=tuple(kept),
        missing_images=missing,
        old_store=None if aside is None else str(aside.relative_to(layout.data)),
        left_out=manifest.left_out,
        settings=str(named) if named.exists() else None,
    )


@contextmanager
def _scratch(layout: Layout) -> Iterator[Layout]:
    """A data folder to check in, on the same file system; gone afterwards."""
    with tempfile.TemporaryDirectory(dir=layout.data, prefix=f"{WORK}-") as scratch:
        yield Layout(data=Path(scratch))


def _file_of(folder: Path, part: BackupPart, manifest: BackupManifest) -> Path:
    return folder / (part.path + (SEALED if manifest.is_sealed else ""))


def _unpack(folder: Path, manifest: BackupManifest, target: Path, identities: list[Any]) -> None:
    """Every part in the clear, read back from the disk."""
    if manifest.is_sealed and not identities:
        raise BackupRefusedError(
            "The backup is sealed, and there is no identity here to open it with.", remedy=_WHICH_IDENTITY
        )
    for part in manifest.parts:
        place = target / part.path
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _file_of(folder, part, manifest).open("rb") as source, WholeFile(place) as file:
            if manifest.is_sealed:
                _unseal(source, _Sink(file), identities, what=f"{part.path} of the backup")
            else:
                shutil.copyfileobj(source, file, CHUNK_BYTES)
            file.finish()
        place.chmod(SECRET_MODE if part.path.startswith(KEYS) else 0o640)


def _unseal(source: BinaryIO, sink: _Sink, identities: list[Any], *, what: str) -> None:
    try:
        unseal(source, sink, identities, what=what)
    except CourierRefusedError as error:
        raise BackupRefusedError(error.what, remedy=_WHICH_IDENTITY) from error


class _Sink:
    """A file as `unseal` wants it."""

    def __init__(self, file: WholeFile) -> None:
        self._file = file

    def write(self, piece: bytes) -> int:
        return self._file.write(piece)

    def flush(self) -> None:
        """The file is flushed once, at its end."""


def _sealing_key(manifest: BackupManifest, layout: Layout, work: Layout, *, new_key: bool) -> bytes | None:
    """With what the trail's rows were sealed. Raises BackupRefusedError where this is another device."""
    for keys in (layout.keys, work.keys):
        if (keys / DEVICE_KEY).exists():
            key = device_key(keys)
            found = fingerprint_of(key.public_key())
            if found == manifest.device:
                return audit_key_of(key)
            raise BackupRefusedError(
                f"The backup is of the device {grouped(manifest.device[:16])}; the key in {keys} is of"
                f" {grouped(found[:16])}.",
                remedy="Restore into the data folder of that device, or into an empty one.",
            )
    if new_key:
        return None
    raise BackupRefusedError(
        "The device's secret key is neither here nor in the backup: the audit trail could not be checked"
        " against it, and partners would not know this device any more.",
        remedy="Put the folder keys of the old device in place; if it is lost, restore with --new-key.",
    )


def _require_sound(manifest: BackupManifest, work: Layout, clock: Clock, *, key: bytes | None) -> None:
    beside: list[AuditHead | str] = [] if key is None else list(anchors_beside(work.data, key))
    try:
        found = checked_store(work.database, work.data, clock, key=key, beside=beside)
    except StoreError as error:
        raise BackupRefusedError(
            f"The backup's store does not hold: {error.what}", remedy=error.remedy
        ) from error
    faults = [fault for fault in found.faults if fault not in manifest.trail_faults]
    if (found.head.count, found.head.hash) != (manifest.audit_rows, manifest.audit_hash):
        faults.append("its audit trail ends elsewhere than its list says")
    if faults:
        raise BackupRefusedError(
            f"The audit trail of the backup does not hold: {faults[0]}.", remedy="Take another backup."
        )


def _rows_beyond(manifest: BackupManifest, layout: Layout, clock: Clock, *, key: bytes | None) -> int:
    """Rows written here after the backup. Raises BackupRefusedError where a store still has them."""
    here = 0
    if layout.database.exists():
        try:
            here = checked_store(layout.database, layout.data, clock, key=None, beside=[]).head.count
        except NewerStoreError as error:
            raise BackupRefusedError(f"Nothing was restored: {error.what}", remedy=error.remedy) from error
        except StoreError:
            here = 0  # it cannot be read: that is why somebody restores
        if here > manifest.audit_rows:
            raise BackupRefusedError(
                f"The store at {layout.database} is whole and newer than the backup: its audit trail has"
                f" {here} rows, the backup's {manifest.audit_rows}.",
                remedy="There is nothing to restore. To go back on purpose, move the folder store away.",
            )
    anchors = () if key is None else anchors_beside(layout.data, key)
    told = max((anchor.count for anchor in anchors if isinstance(anchor, AuditHead)), default=0)
    return max(0, told - manifest.audit_rows)


def _put_back(work: Layout, layout: Layout) -> tuple[int, list[str]]:
    """Everything but the store and the anchors; what lies here already stays."""
    put, kept = 0, []
    for file in sorted(path for path in work.data.rglob("*") if path.is_file()):
        relative = file.relative_to(work.data)
        if file == work.database or relative.as_posix().startswith(AUDIT):
            continue
        place = layout.data / relative
        if place.exists():
            if not filecmp.cmp(place, file, shallow=False):
                kept.append(relative.as_posix())
            continue
        make_folder(place.parent)
        file.rename(place)
        sync_folder(place.parent)
        put += 1
    if (layout.keys / DEVICE_KEY).exists():
        layout.keys.chmod(0o700)
    return put, kept


def _put_store(work: Layout, layout: Layout, *, anchors_aside: bool) -> Path | None:
    """Old store and, if they name rows that are lost, old anchors go aside; then the store gets its place."""
    aside = move_aside(layout) if any(layout.database.parent.glob(f"{layout.database.name}*")) else None
    if anchors_aside:
        aside = aside or move_aside(layout)
        layout.audit.rename(aside / layout.audit.name)
        layout.audit.mkdir()
    for file in sorted(work.audit.glob("*")):
        if not (layout.audit / file.name).exists():
            file.rename(layout.audit / file.name)
    sync_folder(layout.audit)
    work.database.rename(layout.database)
    sync_folder(layout.database.parent)
    return aside


def _note_missing(proofs: Proofs) -> int:
    """Images that are not here are said on the screen at once, and taken when they come again."""
    missing = 0
    for file in proofs.all_stored():
        if not file.path.is_file():
            proofs.compared(file, good=False)
            missing += 1
    return missing
