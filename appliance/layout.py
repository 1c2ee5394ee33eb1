# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The data folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where everything lies under one data folder. All on one file system: moves are renames."""

    data: Path

    @property
    def inbox(self) -> Path:
        """The watched folder."""
        return self.data / "inbox"

    @property
    def spool(self) -> Path:
        """Originals, named by the SHA-256 of their content, in 256 sub-folders."""
        return self.data / "spool"

    @property
    def quarantine(self) -> Path:
        """Copies of files that could not be used, named by content."""
        return self.data / "quarantine"

    @property
    def database(self) -> Path:
        """The store."""
        return self.data / "store" / "scanside.sqlite"

    @property
    def results(self) -> Path:
        """DICOM results, one folder per acquisition version."""
        return self.data / "results"

    @property
    def views(self) -> Path:
        """What the screen shows: arrays and heatmaps; can be made again, so may be deleted."""
        return self.data / "views"

    def results_of(self, acquisition_id: str, version: int) -> Path:
        """Folder of the DICOM objects made of one version of an acquisition."""
        return self.results / f"{acquisition_id}-v{version}"

    def view_of(self, acquisition_id: str, version: int) -> Path:
        """Folder of what the screen shows of one version of an acquisition."""
        return self.views / f"{acquisition_id}-v{version}"

    @property
    def engine_cache(self) -> Path:
        """Compiled engines and what they proved on this device."""
        return self.data / "engines"

    @property
    def models(self) -> Path:
        """Bundles that were installed here, and which of them serves."""
        return self.data / "models"

    @property
    def releases(self) -> Path:
        """Which release of each model has served here: a lower one is refused."""
        return self.data / "releases"

    @property
    def bench(self) -> Path:
        """What the benchmark measured on this device, as JSON, for the screen."""
        return self.data / "bench"

    @property
    def selftest(self) -> Path:
        """The drawn image that the worker proves itself with; can be made again, so may be deleted."""
        return self.data / "selftest"

    @property
    def keys(self) -> Path:
        """The device's own secret keys: what it signs with, and what is encrypted for it."""
        return self.data / "keys"

    @property
    def proofs(self) -> Path:
        """What came of each test of the device by itself, month by month."""
        return self.data / "proofs"

    @property
    def settings(self) -> Path:
        """The settings with which the appliance last stayed up."""
        return self.data / "settings"

    @property
    def audit(self) -> Path:
        """Where the audit trail ended, line by line: outside the store, to contradict one that was cut."""
        return self.data / "audit"

    @property
    def run(self) -> Path:
        """Locks and heartbeats of the running processes; worth nothing after them."""
        return self.data / "run"

    @property
    def update_wish(self) -> Path:
        """Is there while somebody at the screen wants the software back that ran before."""
        return self.data / "update" / "go-back"

    @property
    def boots(self) -> Path:
        """How often in a row the appliance started and did not stay up; outlives everything under `run`."""
        return self.data / "boots.json"

    def create(self) -> None:
        """Make the folders. Existing ones stay as they are."""
        for folder in (
            self.inbox,
            self.spool,
            self.quarantine,
            self.database.parent,
            self.results,
            self.views,
            self.engine_cache,
            self.models,
            self.releases,
            self.audit,
            self.run,
        ):
            folder.mkdir(parents=True, exist_ok=True)
