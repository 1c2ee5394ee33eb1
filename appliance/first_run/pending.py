# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a device has ever been set up, and where the screen leaves its answers when it has been asked.

A settings file alone says nothing: the packages bring one in which every value is the default.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from appliance.clock import Clock
from appliance.config import Settings
from appliance.durable import make_folder, write_durably
from appliance.errors import ScansideError
from appliance.layout import Layout
from appliance.store.board import Board
from appliance.store.connection import Database

if TYPE_CHECKING:
    from appliance.first_run.answers import Answers

ANSWERS: Final = "first-run.toml"
PIN_HASHES: Final = "first-run-pins.toml"


def is_as_shipped(settings: Settings) -> bool:
    """Nobody has said anything: neither a file nor the environment differs from the defaults."""
    return settings.model_dump() == Settings.model_construct().model_dump()


def answers_file(layout: Layout) -> Path:
    """What was answered at the screen. Being there it says that somebody has been asked."""
    return layout.settings / ANSWERS


def pin_hashes(layout: Layout) -> Path:
    """The PINs that were chosen at the screen, as hashes, until somebody who may puts them in place."""
    return layout.settings / PIN_HASHES


def never_set_up(settings: Settings, layout: Layout, clock: Clock) -> bool:
    """Settings as shipped, nobody asked yet, and not one exam.

    A device that has an exam is at work, whoever set it up. So it is where that cannot be known: a store that
    cannot be read has its own page, and a wizard in front of it would hide it.
    """
    if not is_as_shipped(settings) or answers_file(layout).exists():
        return False
    if not layout.database.exists():
        return True
    try:
        with Database.open_to_read(layout.database, data=layout.data, clock=clock) as database:
            return not Board(database).entries(limit=1)
    except ScansideError:
        return False


def keep_answers(answers: Answers, layout: Layout) -> Path:
    """Write them into the data folder, without any PIN. Raises OSError."""
    from appliance.first_run.answers import answers_text  # noqa: PLC0415  the screen starts without it

    file = answers_file(layout)
    make_folder(layout.settings)
    write_durably(file, answers_text(answers).encode("utf-8"))
    return file
