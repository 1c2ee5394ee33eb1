# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The models of a process: the shipped bundles and those of the settings, on the engines of the settings."""

from __future__ import annotations

import os
from pathlib import Path

from appliance.config import Layout, Settings
from appliance.models.keys import Trust, read_trust, shipped_keys
from appliance.models.registry import Registry, shipped_models
from appliance.models.releases import Releases


def model_folders(settings: Settings) -> tuple[Path, ...]:
    """Where bundles are looked for; the first bundle of a task wins."""
    return (*settings.models, shipped_models())


def trusted_keys(settings: Settings) -> Trust:
    """Whose bundles this device takes: the keys that come with the appliance, and those of the site."""
    return read_trust((shipped_keys(), settings.model_keys))


def open_registry(settings: Settings, cache: Path, releases: Releases | None = None) -> Registry:
    """The registry; its proofs and compiled engines are kept in `cache`.

    `releases`: what the device has accepted; None where no data folder says so.
    """
    return Registry(
        model_folders(settings),
        engines=settings.worker.engines,
        threads=settings.worker.threads,
        cache=cache,
        trust=trusted_keys(settings),
        releases=releases,
    )


def kept_proofs(layout: Layout | None = None) -> Path:
    """Where commands keep their proofs: in the data folder if there is one, else in the user's cache."""
    if layout is not None and layout.engine_cache.is_dir():
        return layout.engine_cache
    base = os.environ.get("XDG_CACHE_HOME")
    cache = Path(base) if base else Path.home() / ".cache"
    return cache / "scanside" / "engines"
