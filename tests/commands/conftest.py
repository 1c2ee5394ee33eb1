# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A cache of proofs that all commands share, so that each model is proven once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.command_line import scanside

Say = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="session")
def say(tmp_path_factory: pytest.TempPathFactory) -> Say:
    """Run a `scanside` command on the engine that every machine has."""
    cache = tmp_path_factory.mktemp("cache")

    def run(*arguments: str | Path, **settings: str) -> CompletedProcess[str]:
        usual = {"SCANSIDE__WORKER__ENGINES": '["ort"]'}
        return scanside(*arguments, cache=cache, **usual | settings)

    return run
