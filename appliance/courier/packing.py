# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Handing over: what waits for the courier goes onto the stick, bundle by bundle, in order of need.

A bundle is written under a part name, flushed and read back; its sum is in the store before it gets its name;
and only then its files count as handed over. So whatever is interrupted, the next run can tell which bundles
are whole, and packs the rest again under a new number. What goes twice ends as one: files are told apart by
content, and by their UIDs in the archive.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.clock import Clock
from appliance.courier.archive import CHUNK_BYTES, ArchiveSource, ChangedFileError, room_for
from appliance.courier.manifest import FORMAT, Manifest, ManifestEntry
from appliance.courier.sealing import read_recipients
from appliance.courier.stick import Progress, give_name, hash_of, part_of, remove, room_on, write_part
from appliance.courier.words import BUNDLE_SUFFIX, stick_in_words
from appliance.device_key import device_key
from appliance.errors import ConfigError, DeliveryError, InputError, ScansideError
from appliance.layout import Layout
from appliance.models.keys import fingerprint_of
from appliance.receivers import CourierSettings
from appliance.store.connection import Database
from appliance.store.courier import CourierFile, CourierItem, CourierOutbox
from appliance.store.courier_receipts import CourierReceipts
from appliance.store.courier_standing import CourierStandings

RECEIPTS_TOLD: Final = 1000
"""Receipts that a bundle says have come home."""
SHORT: Final = 8
"""Digits of the device's fingerprint in a file name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedBundle:
    """A bundle that lies whole on the stick."""

    bundle: int
    file_name: str
    files: int
    exams: int
    studies: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftBehind:
    """A file that cannot go, and why."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackReport:
    """What became of a filling of a stick."""

    bundles: tuple[HandedBundle, ...]
    completed: tuple[int, ...]
    """Numbers of bundles of an earlier run that were found whole on this stick."""
    abandoned: tuple[int, ...]
    """Numbers of bundles of an earlier run that were not: their files were packed again or wait."""
    waiting_files: int
    left_behind: tuple[LeftBehind, ...]
    trouble: ScansideError | None
    """Why it ended before everything was on the stick; None: it did not."""


class Packer:
    """One filling of one stick."""

    def __init__(
        self,
        *,
        settings: CourierSettings,
        site_name: str,
        layout: Layout,
        database: Database,
        clock: Clock,
        folder: Path,
        progress: Progress,
    ) -> None:
        """`folder`: where the stick is mounted. Raises ConfigError when nobody is named who may read it."""
        if not settings.enabled:
            raise ConfigError(
                "No recipient is named: nobody could open the bundle.",
                remedy="Set courier.recipients to what `scanside courier keys` shows at the hospital.",
            )
        self._settings = settings
        self._site_name = site_name
        self._layout = layout
        self._clock = clock
        self._folder = folder
        self._progress = progress
        self._recipients: list[Any] = read_recipients(settings.recipients)
        self._key: Ed25519PrivateKey = device_key(layout.keys).signing
        self._outbox = CourierOutbox(database, peer=settings.name, instead_of=settings.instead_of)
        self._receipts = CourierReceipts(database, peer=settings.name)
        self._standings = CourierStandings(database, peer=settings.name)
        self._left_behind: dict[Path, LeftBehind] = {}

    def run(self, *, max_bytes: int, models: tuple[Path, ...] = ()) -> PackReport:
        """Fill the stick with bundles of at most so many bytes each; `models` go along in the first one."""
        handed: list[HandedBundle] = []
        completed, abandoned = self.finish_started()
        self._outbox.catch_up()
        trouble: ScansideError | None = None
        along = tuple(_model(path) for path in models)
        try:
            while items := self._choose(along, max_bytes=max_bytes):
                handed.append(self._hand(items, sequence=len(handed) + 1))
                along = ()
        except (DeliveryError, ChangedFileError) as error:
            trouble = error
        return PackReport(
            bundles=tuple(handed),
            completed=completed,
            abandoned=abandoned,
            waiting_files=len(self._outbox.waiting()),
            left_behind=tuple(self._left_behind.values()),
            trouble=trouble,
        )

    def give_up_on(self, bundles: tuple[int, ...]) -> None:
        """Bundles that were lost: their files wait again. Raises ConfigError for one not on its way."""
        for bundle in bundles:
            if bundle not in self._standings.without_receipt():
                raise ConfigError(
                    f"Bundle {bundle} is not on its way.",
                    remedy="`scanside courier status` shows those without a receipt.",
                )
            self._outbox.abandoned(bundle, reason=f"bundle {bundle} was lost on its way")

    def finish_started(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Bundles of a run that was interrupted: numbers of those found whole here, and of those given up."""
        completed, abandoned = [], []
        for started in self._outbox.started():
            file = self._folder / started.file_name
            with stick_in_words(self._folder):
                if started.sha256 is not None and hash_of(part_of(file)) == started.sha256:
                    give_name(file)
                whole = started.sha256 is not None and hash_of(file) == started.sha256
            if whole:
                self._outbox.handed(started.bundle)
                completed.append(started.bundle)
            else:
                for left in (part_of(file), file):  # a torn one under its name would only be refused later
                    remove(left)
                self._outbox.abandoned(started.bundle)
                abandoned.append(started.bundle)
        return tuple(completed), tuple(abandoned)

    def _choose(self, along: tuple[CourierFile, ...], *, max_bytes: int) -> tuple[CourierItem, ...]:
        """The files of the next bundle, hashed; none: nothing waits. Raises DeliveryError: no room."""
        with stick_in_words(self._folder):
            room = room_on(self._folder)
        limit = min(max_bytes, room)
        items: list[CourierItem] = []
        total_bytes = 0
        for file in self._candidates(along):
            try:
                size_bytes = (self._layout.data / file.path).stat().st_size
            except OSError as error:
                self._stays(file, f"it cannot be read: {error.strerror}")
                continue
            if room_for(size_bytes, 1) > max_bytes:
                self._stays(file, f"it takes {size_bytes} bytes, more than a bundle may: raise --max-gib")
                continue
            if room_for(total_bytes + size_bytes, len(items) + 1) > limit:
                break
            item = self._hashed(file, size_bytes)
            if item is not None:
                items.append(item)
                total_bytes += size_bytes
        else:
            return tuple(items)
        if not items:
            raise DeliveryError(
                f"The stick at {self._folder} is full.",
                remedy="Go on with another stick: the same command packs the rest.",
                permanent=False,
            )
        return tuple(items)

    def _candidates(self, along: tuple[CourierFile, ...]) -> Iterator[CourierFile]:
        yield from along
        yield from (file for file in self._outbox.waiting() if file.path not in self._left_behind)

    def _hashed(self, file: CourierFile, size_bytes: int) -> CourierItem | None:
        digest = hashlib.sha256()
        try:
            with (self._layout.data / file.path).open("rb") as opened:
                while piece := opened.read(CHUNK_BYTES):
                    digest.update(piece)
        except OSError as error:
            self._stays(file, f"it cannot be read: {error.strerror}")
            return None
        sha256 = digest.hexdigest()
        if file.kind == "original" and sha256 != file.path.stem:
            self._stays(file, "it is not what landed here: the disk has damaged it")
            return None
        return CourierItem(file=file, sha256=sha256, size_bytes=size_bytes)

    def _stays(self, file: CourierFile, reason: str) -> None:
        self._left_behind[file.path] = LeftBehind(file=str(file.path), reason=reason)
        self._outbox.cannot_go(file, reason=reason)

    def _hand(self, items: tuple[CourierItem, ...], *, sequence: int) -> HandedBundle:
        """One bundle onto the stick. Raises DeliveryError, ChangedFileError: its files wait as before."""
        fingerprint = fingerprint_of(self._key.public_key())
        bundle_id = secrets.token_hex(16)
        pattern = f"scanside-{fingerprint[:SHORT]}-{{bundle:06d}}{BUNDLE_SUFFIX}"
        bundle = self._outbox.start(items, bundle_id=bundle_id, file_name=pattern)
        file = self._folder / pattern.format(bundle=bundle)
        manifest = Manifest(
            format=FORMAT,
            device=fingerprint,
            site_name=self._site_name,
            bundle=bundle,
            bundle_id=bundle_id,
            sequence=sequence,
            packed_at_utc=self._clock.now_utc(),
            studies=len({item.file.study for item in items if item.file.kind != "model"}),
            exams=len({item.file.acquisition_id for item in items} - {None}),
            files=tuple(
                ManifestEntry(kind=item.file.kind, sha256=item.sha256, size_bytes=item.size_bytes)
                for item in items
            ),
            without_receipt=self._standings.without_receipt(),
            receipts=self._receipts.newest(RECEIPTS_TOLD),
        )
        source = ArchiveSource(manifest, tuple(self._layout.data / i.file.path for i in items), self._key)
        try:
            with stick_in_words(self._folder):
                sha256, size_bytes = write_part(file, source, self._recipients, progress=self._progress)
                self._outbox.packed(bundle, sha256=sha256, size_bytes=size_bytes)
                give_name(file)
        except (DeliveryError, InputError):
            remove(part_of(file))
            self._outbox.abandoned(bundle)
            raise
        self._outbox.handed(bundle)
        return HandedBundle(
            bundle=bundle,
            file_name=file.name,
            files=len(items),
            exams=manifest.exams,
            studies=manifest.studies,
            size_bytes=size_bytes,
        )


def _model(path: Path) -> CourierFile:
    """A bundle of a model, by its absolute path: it lies where its owner keeps it."""
    return CourierFile(path=path.absolute(), kind="model", study=str(path), acquisition_id=None)
