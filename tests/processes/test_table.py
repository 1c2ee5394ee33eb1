# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Every row of the process table can be started by its name."""

from __future__ import annotations

import importlib

import pytest

from appliance.processes.table import PROCESSES, ProcessRow


@pytest.mark.parametrize("row", PROCESSES, ids=lambda row: row.name)
def test_every_process_has_its_module_and_its_loop(row: ProcessRow) -> None:
    module = importlib.import_module(f"appliance.processes.{row.name}")
    assert callable(getattr(module, f"run_{row.name}"))
    assert row.name == module.NAME
