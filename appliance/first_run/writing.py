# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The settings file and the PINs that come of the answers; what a person wrote is not replaced unasked."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from appliance.config import load_settings
from appliance.configuration.rewriting import keep_beside
from appliance.durable import make_folder, write_durably
from appliance.errors import ConfigError
from appliance.first_run.answers import Answers, settings_text
from appliance.first_run.pending import is_as_shipped
from appliance.pins import Role, set_pin, take_over

MODE: Final = 0o640


def write_first_settings(answers: Answers, file: Path, *, replace: bool = False) -> Path | None:
    """Write the settings, then the PINs; returns where the file that was there before lies now.

    Raises ConfigError when there is one and `replace` was not said, or a PIN is refused, and OSError.
    """
    require_free(file, replace=replace)
    make_folder(file.resolve().parent)
    owned = file.stat() if file.exists() else None
    before = keep_beside(file, "before-first-run") if owned is not None else None
    write_durably(file, settings_text(answers).encode("utf-8"))
    file.chmod(MODE if owned is None else stat.S_IMODE(owned.st_mode))  # who could read it still can
    if owned is not None and os.geteuid() == 0:
        os.chown(file, owned.st_uid, owned.st_gid)
    pins = load_settings(file).kiosk.pins
    if answers.pins.hashes:
        take_over(pins, Path(answers.pins.hashes))
    for role, pin in ((Role.SERVICE, answers.pins.service), (Role.LEAD, answers.pins.lead)):
        if pin:
            set_pin(pins, role, pin)
    return before


def require_free(file: Path, *, replace: bool) -> None:
    """Raises ConfigError when there are settings, and nobody said that they may be replaced.

    A file that says nothing, as the packages bring one, may be.
    """
    if file.exists() and not replace and not is_as_shipped(load_settings(file)):
        raise ConfigError(
            f"{file} is there already: this is no first run.",
            remedy="Edit it, name another file with --config, or say --replace: the old one is kept beside.",
        )
