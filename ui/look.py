# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Day or night, remembered over a restart. No Qt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from appliance.durable import write_whole

LOOK_FILE: Final = "kiosk-look.json"
"""In the folder `run`: losing it costs one tap."""
_LARGEST_BYTES: Final = 4096


def remembered_night(folder: Path) -> bool:
    """Whether the night look was chosen last; by day where nothing readable says so."""
    return _content(folder / LOOK_FILE).get("night") is True


def remember_night(folder: Path, *, night: bool) -> None:
    """Write the choice down; where that is not possible the screen is as it is until the next start."""
    file = folder / LOOK_FILE
    text = json.dumps({**_content(file), "night": night})
    try:
        write_whole(file, text.encode("ascii"))
    except OSError:
        return


def _content(file: Path) -> dict[str, object]:
    try:
        with file.open("rb") as opened:
            content = json.loads(opened.read(_LARGEST_BYTES))
    except (OSError, ValueError, RecursionError):  # the last: brackets in brackets in brackets
        return {}
    return content if isinstance(content, dict) else {}
