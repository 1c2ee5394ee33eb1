# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Writing a settings file anew, comments and all: the older form goes on lying beside it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError

from appliance.config import load_settings
from appliance.durable import write_durably
from appliance.errors import ConfigError
from appliance.settings_form import CHANGES, CURRENT_FORM, Change, bring_up_to_date, form_of


def migrated(
    text: str, *, changes: tuple[Change, ...] = CHANGES, current: int = CURRENT_FORM
) -> tuple[str, int, tuple[Change, ...]]:
    """The text in the current form, the form that it had, and what was done.

    Raises ConfigError when it is no TOML, of an unknown form, or holds an old name and its new one.
    """
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise ConfigError(
            f"The settings file is not TOML: {str(error).rstrip('.')}.",
            remedy="`scanside config check` names every fault.",
        ) from error
    before = form_of(document, current=current)
    done = bring_up_to_date(document, changes=changes, current=current)
    return tomlkit.dumps(document), before, done


def write_migrated(file: Path, text: str, *, before: int) -> Path:
    """Put the new text in the place of the file, and the file beside it; returns where that lies.

    Raises ConfigError, before anything is touched, when the new text would not hold, and OSError.
    """
    with tempfile.TemporaryDirectory() as scratch:
        tried = Path(scratch) / file.name
        tried.write_text(text, encoding="utf-8")
        load_settings(tried)
    kept = keep_beside(file, f"form-{before}")
    mode = file.stat().st_mode & 0o777
    write_durably(file, text.encode("utf-8"))
    file.chmod(mode)
    return kept


def keep_beside(file: Path, word: str) -> Path:
    """A copy with `word` behind its name, never over an earlier one. Raises OSError."""
    name = f"{file.name}.{word}"
    candidates = (file.with_name(name + (f".{number}" if number else "")) for number in range(10_000))
    kept = next(candidate for candidate in candidates if not candidate.exists())
    write_durably(kept, file.read_bytes())
    kept.chmod(file.stat().st_mode & 0o777)
    return kept
