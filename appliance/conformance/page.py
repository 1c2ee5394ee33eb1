# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The statement as a page."""

from __future__ import annotations

from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from appliance.conformance.statement import Statement

TEMPLATE: Final = "statement.md.j2"


def page_of(facts: Statement) -> str:
    """Markdown."""
    environment = Environment(  # noqa: S701  (Markdown; the settings' own words)
        loader=PackageLoader("appliance.conformance", "."),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template(TEMPLATE).render(facts=facts)
