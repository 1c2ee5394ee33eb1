# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Releases only go up: which release of each model this device has accepted, and keeps.

An old release has a valid signature for ever; whoever wants its faults back only has to bring it. So the
highest release that ever served here is remembered per task and name, and a lower one is refused. The
one way back is a decision of a person (`roll_back`), which holds for that one release until a newer one
is accepted.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from appliance.domain.record import from_json, to_json
from appliance.durable import write_durably
from appliance.errors import ModelBundleError, StoreError
from appliance.models.signature import Named

FILE: Final = "releases.json"
FORMAT: Final = 1
MAX_FILE_BYTES: Final = 1024**2
"""Some ten thousand models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What this device has accepted of one model."""

    highest: int
    """The highest release that ever served."""
    rolled_back_to: int | None = None
    """The lower release to which a person went back; None once a newer one was accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The file."""

    format: int
    accepted: Mapping[str, Mapping[str, Accepted]]
    """Task to name to what was accepted."""


class DowngradeError(ModelBundleError):
    """This release is lower than one that has served here. It matters only if nothing newer serves."""

    def __init__(self, of: Named, *, highest: int) -> None:
        super().__init__(
            f"Release {of.release} of {of.name!r} for {of.task} is refused: release {highest} has "
            "served on this device, and a lower one would bring its faults back.",
            remedy="Install the newer release. To go back on purpose: `scanside models rollback`.",
        )
        self.task = of.task
        self.name = of.name


class Releases:
    """The record of one device, in `releases.json` of a folder. Written durably, read anew at every call."""

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        """`read_only`: for whoever only looks (doctor, verify): `note` and `roll_back` keep nothing."""
        self._file = folder / FILE
        self._read_only = read_only

    def check(self, of: Named) -> None:
        """Raises DowngradeError when the release is lower than one that has served here already.

        And ModelBundleError when the record cannot be read.
        """
        known = self._known(of, self._read())
        if known is not None and of.release < known.highest and of.release != known.rolled_back_to:
            raise DowngradeError(of, highest=known.highest)

    def note(self, of: Named) -> None:
        """The release serves: from now on no lower one does.

        Raises ModelBundleError as `check` does, StoreError when it cannot be kept.
        """
        self.check(of)
        with self._alone():
            record = self._read()
            known = self._known(of, record)
            if known is None or of.release > known.highest:
                self._write(record, of, Accepted(highest=of.release))
            elif of.release == known.highest and known.rolled_back_to is not None:
                self._write(record, of, Accepted(highest=known.highest))

    def roll_back(self, of: Named) -> None:
        """A person goes back to this release: `check` lets it pass until a newer one is noted.

        Raises ModelBundleError when the record cannot be read, StoreError when it cannot be kept.
        """
        with self._alone():
            record = self._read()
            known = self._known(of, record) or Accepted(highest=of.release)
            if of.release < known.highest:
                self._write(record, of, replace(known, rolled_back_to=of.release))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process changes the record meanwhile: what one of them notes must not get lost."""
        if self._read_only:
            yield
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._not_kept(error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    @staticmethod
    def _known(of: Named, record: Record) -> Accepted | None:
        return record.accepted.get(of.task, {}).get(of.name)

    def _read(self) -> Record:
        try:
            with self._file.open("rb") as file:
                content = file.read(MAX_FILE_BYTES + 1)
            record = from_json(Record, content.decode("utf-8"))
            if record.format != FORMAT:
                raise ValueError(f"its format is {record.format}, not {FORMAT}")  # noqa: TRY301  (one answer)
        except FileNotFoundError:
            return Record(format=FORMAT, accepted={})
        except (OSError, ValueError) as error:
            raise ModelBundleError(
                f"{self._file} cannot be read ({error}): which releases were accepted here is unknown.",
                remedy="Find out who changed it and restore it. Without it every release counts as new: "
                "delete it only if you have made sure that the installed bundles are the newest.",
            ) from error
        return record

    def _write(self, record: Record, of: Named, accepted: Accepted) -> None:
        if self._read_only:
            return
        tasks = {task: dict(names) for task, names in record.accepted.items()}
        tasks.setdefault(of.task, {})[of.name] = accepted
        try:
            write_durably(self._file, to_json(replace(record, accepted=tasks)).encode("utf-8"))
        except OSError as error:
            raise self._not_kept(error) from error

    def _not_kept(self, error: OSError) -> StoreError:
        return StoreError(
            f"{self._file} cannot be written: {error.strerror}.",
            remedy="Check that the disk is there, writable and not full.",
        )
