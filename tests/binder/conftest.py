# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A site with exams, and a binder of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.binder.binding import bind
from appliance.binder.parts import Bound, Sources
from appliance.config import Settings
from appliance.domain.acquisition import Instance
from appliance.models.inventory import Inventory
from tests.monitor.reports.conftest import MARCH, Site

Bind = Callable[..., dict[str, Bound]]


@pytest.fixture
def site(tmp_path: Path, make_instance: Callable[..., Instance]) -> Iterator[Site]:
    made = Site(tmp_path / "data", make_instance)
    yield made
    made.database.close()


@pytest.fixture
def bind_one(site: Site, tmp_path: Path) -> Bind:
    """Make a binder of March in `binder`; parts by name."""

    def make(**other: Any) -> dict[str, Bound]:
        known: dict[str, Any] = {
            "settings": Settings(site_name="West"),
            "layout": site.layout,
            "database": site.database,
            "period": MARCH,
            "inventory": Inventory(models=(), problems=()),
            "sbom": None,
        }
        bound = bind(tmp_path / "binder", Sources(**(known | other)))
        return {part.name: part for part in bound}

    return make
