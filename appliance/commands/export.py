# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside export`: from a trained network to a bundle. The workshop is a program beside the appliance."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from types import MappingProxyType
from typing import Any, Final

import typer

from appliance.commands.say import errors_in_words
from appliance.errors import ConfigError

PASSED_ON: Final[dict[str, Any]] = {"allow_extra_args": True, "ignore_unknown_options": True}
"""Every word after `export` is the workshop's: it knows its steps and their options."""
NEEDED: Final = MappingProxyType(
    {"export": "the workshop", "onnxslim": "onnxslim", "sklearn": "scikit-learn"}
)
"""Module to what it is called, for the message."""


def export(context: typer.Context) -> None:
    """From a trained network to a signed model bundle: int8, float16, gate, report.

    `scanside export MODEL --card card.toml --calibration DIR --out BUNDLE` does all steps; each is also a
    command of its own. `scanside export --help` lists them.
    """
    with errors_in_words():
        absent = [words for module, words in NEEDED.items() if importlib.util.find_spec(module) is None]
        if absent:
            raise ConfigError(
                f"The workshop is not installed: {', '.join(absent)} missing.",
                remedy="Install it with its extra: pip install 'scanside[export]'.",
            )
        command = [sys.executable, "-m", "export", *(context.args or ["--help"])]
        raise typer.Exit(subprocess.run(command, check=False).returncode)
