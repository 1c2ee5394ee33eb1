# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Many files without their patients, written to a folder; no file stops the others.

Foreign files are parsed and decoded in the jail first, like everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.deidentification.burned_in_text import find_writing
from appliance.deidentification.image import without_patient
from appliance.deidentification.pseudonyms import Pseudonyms
from appliance.deidentification.rules import Option
from appliance.durable import write_durably
from appliance.errors import InputError
from appliance.intake.description import FileState
from appliance.intake.jail import Jail

MOST_FRAMES_LOOKED_AT: Final = 200
"""Of one file: writing stands in all frames or in the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """What became of one file."""

    source: str
    """Its name as given: for the person who started this, never for what leaves."""
    written: str | None
    """The new file; None: nothing was written."""
    reason: str | None
    """Why not, with what to do."""


def deidentify_files(
    files: Iterable[Path],
    *,
    out: Path,
    jail: Jail,
    pseudonyms: Pseudonyms,
    options: frozenset[Option],
    pixels_looked_at: bool,
) -> Iterator[Leaving]:
    """One answer for each file. `pixels_looked_at`: a person has; writing in them is then no obstacle."""
    for path in files:
        try:
            if not pixels_looked_at:
                _require_no_writing(path, jail)
            else:
                _described(path, jail)
            cleaned = without_patient(path, pseudonyms, options, pixels_looked_at=pixels_looked_at)
            write_durably(out / cleaned.file_name, cleaned.content)
        except InputError as error:
            yield Leaving(source=str(path), written=None, reason=str(error))
        except OSError as error:
            yield Leaving(
                source=str(path), written=None, reason=f"Not readable or writable: {error.strerror}."
            )
        else:
            yield Leaving(source=str(path), written=str(out / cleaned.file_name), reason=None)


def _described(path: Path, jail: Jail) -> int:
    """How many frames the image has. Raises InputError when it is none that this device can read."""
    if path.is_symlink() or not path.is_file():
        raise InputError(f"{path.name} is no regular file.", remedy="Name the file itself.")
    description = jail.describe(path)
    if description.state is not FileState.WHOLE or description.instance is None:
        raise InputError(
            description.reason or "It is no image.", remedy=description.remedy or "Leave it out."
        )
    pixels = description.instance.pixels
    return pixels.number_of_frames if pixels is not None else 0


def _require_no_writing(path: Path, jail: Jail) -> None:
    frames = _described(path, jail)
    for index in range(min(frames, MOST_FRAMES_LOOKED_AT)):
        rows = find_writing(jail.frame(path, index).grey())
        if rows:
            first = rows[0]
            where = f"row {first.top_px}, column {first.left_px}"
            raise InputError(
                f"{path.name}: frame {index + 1} seems to have writing in the picture (about {where}).",
                remedy="Look at it. If nothing of the patient can be read, use --pixels-looked-at.",
            )
