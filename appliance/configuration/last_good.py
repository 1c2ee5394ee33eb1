# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The last settings with which the appliance stayed up: kept in the data folder, used when an edit is broken.

A process that finds a fault in its settings file starts with the kept copy and leaves word of it for the
screen and the doctor. One copy is kept for each form of the file, so that older software, put back after an
update, finds settings that it understands.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

from appliance.config import Settings, load_settings
from appliance.durable import write_durably
from appliance.errors import ConfigError
from appliance.layout import Layout
from appliance.settings_form import CURRENT_FORM, FIRST_FORM

STARTED_WITH: Final = "started-with.toml"
"""What the appliance runs with since this start; not known to be good yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningSettings:
    """What a process starts with."""

    settings: Settings
    file: Path | None
    """Where they come from; None: defaults and environment."""
    fault: ConfigError | None = None
    """Why these are not those of the file that was named."""
    content: bytes | None = None
    """Of the file that was named, if it is what was read."""

    @property
    def words(self) -> tuple[str, str] | None:
        """What and remedy, for the screen; None where all is as a person wrote it."""
        if self.fault is None or self.file is None:
            return None
        day = day_of(self.file)
        what = f"The settings file has a fault; the last good settings, of {day}, serve. {self.fault.what}"
        return what, "Call service: `scanside config check` names every fault."


def settings_for_running(file: Path | None, layout: Layout) -> RunningSettings:
    """The settings of `file`, or the last good ones where it has a fault.

    Raises ConfigError when there are none, or when the environment has the fault: it is on top of both.
    """
    try:
        before = file.read_bytes() if file is not None else None
        settings = load_settings(file)
        unchanged = file is not None and before == file.read_bytes()
        return RunningSettings(settings=settings, file=file, content=before if unchanged else None)
    except OSError as error:
        fault = ConfigError(
            f"The settings file {file} cannot be read: {error.strerror}.",
            remedy="Put it back, or leave --config out for the defaults.",
        )
        fault.__cause__ = error
    except ConfigError as error:
        fault = error
    if file is not None:
        for kept in kept_settings(layout):
            with suppress(ConfigError):
                return RunningSettings(settings=load_settings(kept), file=kept, fault=fault)
    raise fault


def note_start(layout: Layout, running: RunningSettings) -> None:
    """Keep what this start runs with, until it is known whether it stays up. Raises OSError."""
    candidate = layout.settings / STARTED_WITH
    if running.content is None:
        candidate.unlink(missing_ok=True)
        return
    layout.settings.mkdir(parents=True, exist_ok=True)
    write_durably(candidate, running.content)


def keep_as_good(layout: Layout) -> bool:
    """The appliance stayed up with them. False: nothing was noted at the start. Raises OSError."""
    candidate = layout.settings / STARTED_WITH
    if not candidate.exists():
        return False
    candidate.replace(_kept(layout, CURRENT_FORM))
    return True


def kept_settings(layout: Layout) -> tuple[Path, ...]:
    """The copies that this software understands, the newest form first."""
    forms = range(CURRENT_FORM, FIRST_FORM - 1, -1)
    return tuple(kept for form in forms if (kept := _kept(layout, form)).is_file())


def _kept(layout: Layout, form: int) -> Path:
    return layout.settings / f"last-good-{form}.toml"


def day_of(kept: Path) -> str:
    """When a copy was kept, by the clock on the wall."""
    try:
        return f"{datetime.fromtimestamp(kept.stat().st_mtime, timezone.utc):%Y-%m-%d}"
    except OSError:
        return "an unknown day"
