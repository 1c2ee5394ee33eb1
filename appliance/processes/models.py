# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The models of a process: the shipped bundles and those of the settings, on the engines of the settings."""

from __future__ import annotations

import os
from pathlib import Path

from appliance.clock import SystemClock
from appliance.config import Layout, Settings
from appliance.engines.catalogue import REMOTE
from appliance.engines.kserve import InferenceServer
from appliance.models.registry import Registry, shipped_models
from appliance.models.retry import Retry


def model_folders(settings: Settings) -> tuple[Path, ...]:
    """Where bundles are looked for; the first bundle of a task wins."""
    return (*settings.models, shipped_models())


def open_registry(settings: Settings, cache: Path) -> Registry:
    """The registry; its proofs and compiled engines are kept in `cache`."""
    return Registry(
        model_folders(settings),
        engines=settings.worker.engines,
        threads=settings.worker.threads,
        cache=cache,
        server=inference_server(settings),
        retry=Retry(
            SystemClock(),
            engines=(REMOTE,),
            first_s=settings.remote.retry_first_s,
            longest_s=settings.remote.retry_longest_s,
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


def kept_proofs(layout: Layout | None = None) -> Path:
    """Where commands keep their proofs: in the data folder if there is one, else in the user's cache."""
    if layout is not None and layout.engine_cache.is_dir():
        return layout.engine_cache
    base = os.environ.get("XDG_CACHE_HOME")
    cache = Path(base) if base else Path.home() / ".cache"
    return cache / "scanside" / "engines"
