# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The other end: a bundle is checked from its first to its last byte before anything of it is written.

It is read twice for that, and checked both times: in between, a stick is in somebody's hand. Files get names
made of their content alone, in one folder; what lies there already is not written again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from appliance.clock import Clock
from appliance.courier.archive import ArchiveSink
from appliance.courier.manifest import Manifest
from appliance.courier.sealing import unseal
from appliance.courier.signing import refused
from appliance.courier.stick import Progress, hash_of, open_new, open_plain, part_of, remove, sync_folder
from appliance.courier.words import BUNDLE_SUFFIX, CourierRefusedError, stick_in_words
from appliance.errors import StoreError
from appliance.models.keys import Trust
from appliance.store.courier_opened import CourierOpened, OpenedBundle, OpenedFile

SUFFIXES: Final = {"original": ".dcm", "result": ".dcm", "model": ".zip"}
MODELS: Final = "models"
"""Folder for them beside the images: who imports images must not meet a model."""
DAMAGED: Final = "the bundle was damaged on its way"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A bundle that was checked whole and lies in the folder."""

    manifest: Manifest
    before: bool
    """It was opened here before."""
    paths: tuple[Path, ...]
    """Of each file, in the order of the bundle."""
    never_came: tuple[int, ...]
    """Earlier bundles of this device that it has no receipt for and that were never opened here."""


class _Checked:
    """The first reading: only the list is kept."""

    def __init__(self, progress: Progress) -> None:
        self.manifest: Manifest | None = None
        self.sha256 = ""
        self._progress = progress

    def on_manifest(self, manifest: Manifest, content: bytes) -> None:
        self.manifest = manifest
        self.sha256 = hashlib.sha256(content).hexdigest()

    def on_piece(self, item: int, piece: bytes) -> None:
        del item
        self._progress(len(piece))

    def on_file(self, item: int) -> None:
        del item


class _Written:
    """The second reading: what is not there yet is written under a part name, and named once it is right."""

    def __init__(self, sha256: str, paths: tuple[Path, ...], *, what: str, progress: Progress) -> None:
        self._sha256 = sha256
        self._paths = paths
        self._what = what
        self._progress = progress
        self._file: BinaryIO | None = None
        self._item = -1

    def on_manifest(self, manifest: Manifest, content: bytes) -> None:
        if hashlib.sha256(content).hexdigest() != self._sha256:
            raise refused(self._what, "it changed while it was read", "Find out who has the stick.")
        del manifest

    def on_piece(self, item: int, piece: bytes) -> None:
        self._progress(len(piece))
        with _folder_in_words(self._paths[item].parent):
            file = self._opened(item)
            if file is not None:
                file.write(piece)

    def on_file(self, item: int) -> None:
        with _folder_in_words(self._paths[item].parent):
            file = self._opened(item)
            if file is not None:
                file.flush()
                os.fsync(file.fileno())
                file.close()
                self._file = None
                part_of(self._paths[item]).rename(self._paths[item])

    def _opened(self, item: int) -> BinaryIO | None:
        """The part file of this one; None: it lies there already, by its content."""
        if item != self._item:
            self._item = item
            path = self._paths[item]
            if hash_of(path) != path.stem:
                self._file = open_new(part_of(path))
        return self._file

    def give_up(self) -> None:
        """Nothing half-written stays."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            remove(part_of(self._paths[self._item]))


class Opener:
    """Opens bundles of devices that this machine trusts."""

    def __init__(
        self,
        *,
        out: Path,
        opened: CourierOpened,
        trust: Trust,
        identities: list[Any],
        clock: Clock,
        progress: Progress,
    ) -> None:
        self._out = out
        self._opened = opened
        self._trust = trust
        self._identities = identities
        self._clock = clock
        self._progress = progress

    def open(self, bundle: Path) -> Arrival:
        """Check it whole, then write its files and remember it. Doing so twice does no harm.

        Raises CourierRefusedError: then nothing of it was written; DeliveryError when the stick cannot be
        read, StoreError when the folder cannot be written.
        """
        what = f"The bundle {bundle.name!r}"
        if not bundle.name.endswith(BUNDLE_SUFFIX):
            raise refused(
                what,
                f"its name does not end in {BUNDLE_SUFFIX}",
                "A .part file is half a bundle: pack again.",
            )
        checked = _Checked(self._progress)
        try:
            self._read(bundle, checked, what)
        except CourierRefusedError:
            self._say_damaged(checked)
            raise
        manifest = checked.manifest
        assert manifest is not None  # the sink has seen the end
        before = self._compare(manifest, checked.sha256, what)
        self._remember(manifest, checked.sha256)
        paths = self._paths(manifest)
        self._write(bundle, checked.sha256, paths, what)
        return Arrival(manifest=manifest, before=before, paths=paths, never_came=self._never_came(manifest))

    def _read(self, bundle: Path, visitor: _Checked | _Written, what: str) -> None:
        with stick_in_words(bundle.parent):
            source = open_plain(bundle)
        if source is None:
            raise refused(what, "it is no plain file", "A link or a folder is no bundle: remove it.")
        sink = ArchiveSink(visitor, trust=self._trust, what=what)
        with source, stick_in_words(bundle.parent):
            unseal(source, sink, self._identities, what=what)
        if not sink.finished:
            raise refused(what, "its end is missing", "Ask its sender to pack these files again.")

    def _compare(self, manifest: Manifest, sha256: str, what: str) -> bool:
        """Was it here before? Raises CourierRefusedError for another one of the same number."""
        known = self._opened.find(manifest.device, manifest.bundle)
        if known is not None and known.manifest_sha256 != sha256:
            raise refused(
                what,
                f"another bundle with number {manifest.bundle} of this device was opened here"
                f" on {known.opened_at_utc[:10]}",
                "Ask the sender: either their device was set up anew, or somebody has a copy of its key.",
            )
        return known is not None

    def _say_damaged(self, checked: _Checked) -> None:
        """The list holds, but not what follows: its sender is told by a receipt, and packs it again."""
        manifest = checked.manifest
        if manifest is None or self._opened.find(manifest.device, manifest.bundle) is not None:
            return
        self._remember(manifest, checked.sha256)
        self._opened.refused(manifest.device, manifest.bundle, None, reason=DAMAGED)

    def _remember(self, manifest: Manifest, sha256: str) -> None:
        self._opened.remember(
            OpenedBundle(
                device=manifest.device,
                bundle=manifest.bundle,
                bundle_id=manifest.bundle_id,
                manifest_sha256=sha256,
                site_name=manifest.site_name,
                opened_at_utc=self._clock.now_utc().isoformat(),
            ),
            (
                OpenedFile(item=item, sha256=entry.sha256, size_bytes=entry.size_bytes)
                for item, entry in enumerate(manifest.files)
            ),
            receipts=manifest.receipts,
        )

    def _paths(self, manifest: Manifest) -> tuple[Path, ...]:
        return tuple(
            (self._out / MODELS if entry.kind == "model" else self._out)
            / f"{entry.sha256}{SUFFIXES[entry.kind]}"
            for entry in manifest.files
        )

    def _write(self, bundle: Path, sha256: str, paths: tuple[Path, ...], what: str) -> None:
        with _folder_in_words(self._out):
            self._out.mkdir(parents=True, exist_ok=True)
            for folder in {path.parent for path in paths} - {self._out}:
                folder.mkdir(exist_ok=True)
        written = _Written(sha256, paths, what=what, progress=self._progress)
        try:
            self._read(bundle, written, what)
        finally:
            written.give_up()
        with _folder_in_words(self._out):
            for folder in {path.parent for path in paths}:
                sync_folder(folder)  # before anything counts as accepted

    def _never_came(self, manifest: Manifest) -> tuple[int, ...]:
        here = {opened.bundle for opened in self._opened.every(manifest.device)}
        return tuple(bundle for bundle in manifest.without_receipt if bundle not in here)


@contextmanager
def _folder_in_words(folder: Path) -> Iterator[None]:
    """Trouble with our own folder is not the stick's."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{folder} cannot be written: {error.strerror or error}.",
            remedy="Make room there or name another folder with --out; then open the bundle again.",
        ) from error
