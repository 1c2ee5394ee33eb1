# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The slots of a device: which installed bundle answers for a task, which did before, which is its shadow.

    models/<task>/releases/<first 16 digits of its list's hash>/    a bundle, copied whole and checked
    models/<task>/slots.json                                        which of them does what

One small file says all of it and is replaced by a rename, so a power cut leaves the old choice or the new
one. Without it, or where it names no release, the bundles of the folders (site's and shipped) answer.
"""

from __future__ import annotations

import fcntl
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from appliance.domain.record import from_json, to_json
from appliance.durable import sync_folder, write_durably, write_whole
from appliance.errors import ModelBundleError, StoreError
from appliance.models.bundle import Bundle, read_bundle
from appliance.models.contents import SIGNATURE
from appliance.models.keys import Trust

RELEASES: Final = "releases"
SLOTS: Final = "slots.json"
LOCK: Final = ".lock"
KEY_DIGITS: Final = 16
"""Of the hash of a bundle's list: 64 bits tell the releases of one device apart."""
RELEASE_NAME: Final = re.compile(rf"[0-9a-f]{{{KEY_DIGITS}}}")
FOLDERS: Final = "shipped"
"""How a person names what answers without a slot: `activate TASK@shipped`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """What one task's file says. None in `active`: the bundle of the folders answers."""

    active: str | None = None
    previous: str | None = None
    may_roll_back: bool = False
    """False: there is no step back from here (none was made yet, or it has been gone)."""
    shadow: str | None = None
    left_release: int | None = None
    """Release number of what was rolled back from: a folder's bundle up to it stays out by itself."""
    note: str = ""
    """What the appliance did to the slots by itself, and why; empty after a person's next choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMark:
    """Changes when a slots file was replaced. Compared, never read."""

    inode: int
    mtime_ns: int
    size_bytes: int


def key_of(bundle: Bundle) -> str:
    """The name of the bundle's release folder."""
    return bundle.sums_sha256[:KEY_DIGITS]


class SlotFolder:
    """`models` of a data folder. Any process may read it; whoever changes it holds the task's lock."""

    def __init__(self, folder: Path, *, trust: Trust | None = None) -> None:
        """`trust`: whose bundles are taken; None: those signed with the shipped keys."""
        self._folder = folder
        self._trust = trust

    def tasks(self) -> tuple[str, ...]:
        """Tasks that ever had a bundle installed here."""
        if not self._folder.is_dir():
            return ()
        return tuple(sorted(path.name for path in self._folder.iterdir() if (path / RELEASES).is_dir()))

    def mark(self, task: str) -> FileMark | None:
        """One look at the task's file, without reading it; None when there is none."""
        try:
            status = (self._folder / task / SLOTS).stat()
        except OSError:
            return None
        return FileMark(inode=status.st_ino, mtime_ns=status.st_mtime_ns, size_bytes=status.st_size)

    def marks(self) -> dict[str, FileMark | None]:
        """Of all tasks."""
        return {task: self.mark(task) for task in self.tasks()}

    def read(self, task: str) -> Slots:
        """What the file says. Raises ModelBundleError when it cannot be understood."""
        file = self._folder / task / SLOTS
        try:
            slots = from_json(Slots, file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Slots()
        except (OSError, ValueError) as error:
            raise ModelBundleError(
                f"{file} cannot be read: {error}.",
                remedy=f"Choose again with `scanside models activate {task}@VERSION`.",
            ) from error
        named = (slots.active, slots.previous, slots.shadow)
        if any(name is not None and RELEASE_NAME.fullmatch(name) is None for name in named):
            raise ModelBundleError(
                f"{file} names something that is no release.",
                remedy=f"Choose again with `scanside models activate {task}@VERSION`.",
            )
        return slots

    def release(self, task: str, key: str) -> Path:
        """Where that release lies, or would."""
        return self._folder / task / RELEASES / key

    def bundle(self, task: str, key: str) -> Bundle:
        """That release, verified. Raises ModelBundleError."""
        bundle = read_bundle(self.release(task, key), trust=self._trust)
        if bundle.card.task != task or key_of(bundle) != key:
            raise ModelBundleError(
                f"The release {key} of {task} holds {bundle.card.identity}, or was changed.",
                remedy=f"Choose another with `scanside models activate {task}@VERSION`.",
            )
        return bundle

    def installed(self, task: str) -> tuple[tuple[str, Bundle], ...]:
        """Key and bundle of each installed release that is whole, the newest release first."""
        folder = self._folder / task / RELEASES
        found = []
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if RELEASE_NAME.fullmatch(path.name) is not None:
                try:
                    found.append((path.name, self.bundle(task, path.name)))
                except ModelBundleError:
                    continue  # named in the slots, it is told by whoever loads it; else nobody asks for it
        return tuple(sorted(found, key=lambda entry: entry[1].card.release, reverse=True))

    def install(self, bundle: Bundle) -> tuple[Path, bool]:
        """Copy a bundle in, durably. Nothing serves from it yet. False: it was there already.

        What was copied is checked again before it gets its name. Raises ModelBundleError, StoreError.
        """
        task = bundle.card.task
        target = self.release(task, key_of(bundle))
        with self._locked(task), _disk_in_words(target):
            if target.is_dir() and self._is_whole(task, target.name):
                signature = (bundle.folder / SIGNATURE).read_bytes()
                if (target / SIGNATURE).read_bytes() == signature:
                    return target, False
                read_bundle(bundle.folder, trust=self._trust)  # the same files, signed with another key
                write_durably(target / SIGNATURE, signature)
                return target, True
            shutil.rmtree(target, ignore_errors=True)
            part = target.with_name(f".{target.name}.part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            try:
                for file in sorted(bundle.folder.iterdir()):
                    write_whole(part / file.name, file.read_bytes())
                sync_folder(part)
                self._check_copy(part, bundle)
                part.replace(target)
                for folder in (target.parent, target.parent.parent, self._folder):
                    sync_folder(folder)
            except BaseException:
                shutil.rmtree(part, ignore_errors=True)
                raise
        return target, True

    def _is_whole(self, task: str, key: str) -> bool:
        try:
            self.bundle(task, key)
        except ModelBundleError:
            return False
        return True

    def _check_copy(self, copy: Path, bundle: Bundle) -> None:
        if read_bundle(copy, trust=self._trust).sums_sha256 != bundle.sums_sha256:
            raise ModelBundleError(
                f"{bundle.folder} changed while it was copied.", remedy="Install it again."
            )

    def activate(self, task: str, key: str | None) -> Slots:
        """Let the release answer from now on (None: the folders' bundle). What answered is the way back."""

        def chosen(slots: Slots) -> Slots:
            if slots.active == key:
                return replace(slots, note="", left_release=None)
            return replace(
                slots,
                active=key,
                previous=slots.active,
                may_roll_back=True,
                shadow=None if slots.shadow == key else slots.shadow,
                left_release=None,
                note="",
            )

        return self._change(task, chosen)

    def roll_back(
        self, task: str, *, left_release: int | None, note: str = "", only_from: str | None = None
    ) -> Slots:
        """One step back, at once. Raises ModelBundleError when there is no step to go.

        `only_from`: and only if that release is still the active one (a person may have chosen meanwhile).
        """

        def back(slots: Slots) -> Slots:
            if only_from is not None and slots.active != only_from:
                return slots
            if not slots.may_roll_back:
                raise ModelBundleError(
                    f"There is no earlier model for {task} to go back to.",
                    remedy="Choose one with `scanside models activate`; `scanside models list` shows them.",
                )
            return replace(
                slots,
                active=slots.previous,
                previous=None,
                may_roll_back=False,
                shadow=None if slots.shadow == slots.previous else slots.shadow,
                left_release=left_release,
                note=note,
            )

        return self._change(task, back)

    def set_shadow(self, task: str, key: str | None, *, note: str = "") -> Slots:
        """Run the release beside the one that answers; None: none any more."""
        return self._change(task, lambda slots: replace(slots, shadow=key, note=note or slots.note))

    def _change(self, task: str, change: Callable[[Slots], Slots]) -> Slots:
        with self._locked(task), _disk_in_words(self._folder / task):
            try:
                before = self.read(task)
            except ModelBundleError:
                before = Slots()  # it cannot be understood, so this choice is the first
            after = change(before)
            write_durably(self._folder / task / SLOTS, to_json(after).encode("utf-8"))
        return after

    @contextmanager
    def _locked(self, task: str) -> Iterator[None]:
        """The commands of two people, and the worker's own step back, one after the other."""
        folder = self._folder / task
        with _disk_in_words(folder):
            (folder / RELEASES).mkdir(parents=True, exist_ok=True)
            lock = (folder / LOCK).open("a", encoding="ascii")
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@contextmanager
def _disk_in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"Cannot write {error.filename or path}: {error.strerror or error}.",
            remedy="Check that its disk is mounted, writable and not full. Nothing was changed.",
        ) from error
