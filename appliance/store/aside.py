# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A store that another one takes the place of: moved aside, never deleted."""

from __future__ import annotations

from pathlib import Path

from appliance.layout import Layout


def move_aside(layout: Layout) -> Path:
    """The folder, below that of the store, in which the old one lies from now on. Raises OSError."""
    number = 1
    while (aside := layout.database.parent / f"aside-{number}").exists():
        number += 1
    aside.mkdir()
    for file in sorted(layout.database.parent.glob(f"{layout.database.name}*")):
        file.rename(aside / file.name)
    return aside
