# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The models of a process: the shipped bundles and those of the settings, on the engines of the settings."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from appliance.clock import SystemClock
from appliance.config import Settings
from appliance.engines.catalogue import REMOTE
from appliance.engines.kserve import InferenceServer
from appliance.layout import Layout
from appliance.models.folders import InFolders, read_folders
from appliance.models.inventory import Inventory, take_inventory
from appliance.models.keys import Trust, read_trust, shipped_keys
from appliance.models.registry import Registry, shipped_models
from appliance.models.releases import Releases
from appliance.models.retry import Retry
from appliance.models.selection import Selection, plan_of
from appliance.models.served import Surroundings
from appliance.models.slots import SlotFolder


def model_folders(settings: Settings) -> tuple[Path, ...]:
    """Where bundles are looked for; the first bundle of a task wins."""
    return (*settings.models, shipped_models())


def trusted_keys(settings: Settings) -> Trust:
    """Whose bundles this device takes: the keys that come with the appliance, and those of the site."""
    return read_trust((shipped_keys(), settings.model_keys))


def slot_folder(settings: Settings, layout: Layout) -> SlotFolder:
    """What was installed and activated on this device."""
    return SlotFolder(layout.models, trust=trusted_keys(settings))


def open_registry(
    settings: Settings, cache: Path, *, surroundings: Surroundings | None = None, layout: Layout | None = None
) -> Registry:
    """The registry; its passports and compiled engines are kept in `cache`.

    With the `layout` of a data folder, what was activated there comes before the folders of bundles, and
    what was accepted there is known, and not changed. A process with more to say gives its `surroundings`.
    """
    if surroundings is None and layout is not None:
        surroundings = Surroundings(
            slots=slot_folder(settings, layout), releases=Releases(layout.releases, read_only=True)
        )
    return Registry(
        model_folders(settings),
        engines=settings.worker.engines,
        precisions=settings.worker.precisions,
        threads=settings.worker.threads,
        cache=cache,
        trust=trusted_keys(settings),
        surroundings=replace(
            surroundings or Surroundings(),
            server=inference_server(settings),
            retry=Retry(
                SystemClock(),
                engines=(REMOTE,),
                first_s=settings.remote.retry_first_s,
                longest_s=settings.remote.retry_longest_s,
            ),
        ),
    )


def inference_server(settings: Settings) -> InferenceServer | None:
    """The shared server of the settings; None when they name none."""
    remote = settings.remote
    if not remote.address:
        return None
    return InferenceServer(
        address=remote.address,
        tls=remote.tls,
        ca_file=remote.ca_file or None,
        certificate_file=remote.certificate_file or None,
        key_file=remote.key_file or None,
        deadline_ms=remote.deadline_ms,
        connect_deadline_ms=remote.connect_deadline_ms,
        require_sums=remote.require_sums,
    )


def open_selection(settings: Settings, cache: Path) -> Selection:
    """What chooses the engine of a bundle, for those who have a bundle of their own."""
    return Selection(
        plan_of(settings.worker.engines),
        precisions=settings.worker.precisions,
        threads=settings.worker.threads,
        cache=cache,
        server=inference_server(settings),
    )


def bundles_in_folders(settings: Settings, cache: Path, releases: Releases) -> InFolders:
    """What answers where nothing was activated."""
    return read_folders(
        model_folders(settings),
        unpack_into=cache / "bundles",
        trust=trusted_keys(settings),
        releases=releases,
        problems=[],
    )


def inventory_of(settings: Settings, layout: Layout) -> Inventory:
    """Which models answer here, looked at anew without loading one."""
    return take_inventory(
        model_folders(settings),
        trust=trusted_keys(settings),
        slots=slot_folder(settings, layout),
        releases=Releases(layout.releases, read_only=True),
        cache=layout.engine_cache,
        server=inference_server(settings),
    )


def kept_passports(layout: Layout | None = None) -> Path:
    """Where commands keep their passports: in the data folder if there is one, else in the user's cache."""
    if layout is not None and layout.engine_cache.is_dir():
        return layout.engine_cache
    base = os.environ.get("XDG_CACHE_HOME")
    cache = Path(base) if base else Path.home() / ".cache"
    return cache / "scanside" / "engines"
