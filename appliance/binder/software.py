# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What software runs here: the packages that Python finds installed, with the licences that they name."""

from __future__ import annotations

import importlib.metadata
import platform
from typing import Final

from appliance.monitor.reports.page import Column, Part, Table

LONGEST_LICENCE: Final = 80
"""Some packages put the whole text of their licence there."""


def software_part() -> Part:
    """The table. Not a bill of materials: that one has the hashes of what was locked."""
    rows: dict[str, tuple[str, str, str]] = {}
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"]
        if not name:
            continue
        told = distribution.metadata
        licence = next((told[field] for field in ("License-Expression", "License") if field in told), "")
        rows.setdefault(name.lower(), (name, distribution.version, licence.split("\n")[0][:LONGEST_LICENCE]))
    columns = (
        Column(name="package", title="Package"),
        Column(name="version", title="Version"),
        Column(name="licence", title="Licence, as it says itself"),
    )
    return Part(
        title="Installed packages",
        words=(
            f"Python {platform.python_version()}, {platform.platform()}.",
            (
                "The bill of materials with hashes is made when a release is built: `make sbom`"
                " (packaging/setup/sbom.sh, CycloneDX). Give it to this command with --sbom."
            ),
        ),
        tables=(
            Table(
                name="packages",
                title="As Python finds them",
                columns=columns,
                rows=tuple(rows[name] for name in sorted(rows)),
            ),
        ),
    )
