# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m ui.pictures --out docs/kiosk`: the pictures of the documentation, drawn by the kiosk itself."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from PyQt6.QtGui import QFont, QImage
from PyQt6.QtWidgets import QApplication

from appliance.clock import ManualClock
from appliance.commands.say import errors_in_words
from appliance.config import Settings
from appliance.errors import ConfigError
from appliance.layout import Layout
from ui.controller import KioskController
from ui.demo_band import put_band
from ui.first_run_desk import FirstRunDesk
from ui.first_run_state import EVERYWHERE, FIELDS, Draft, Step
from ui.first_run_wizard import FirstRunWizard
from ui.kiosk import KioskWindow
from ui.language import LANGUAGES, use_language
from ui.picture_store import fill_store
from ui.records import BoardRecord
from ui.store_source import StoreSource
from ui.study_state import study_state
from ui.theme import FAMILIES
from ui.view_state import Profile

PROFILES: Final[tuple[Profile, ...]] = ("scanner", "rural", "fracture")
PANELS: Final = {
    (1920, 1080): (476.0, 268.0),
    (1280, 800): (217.0, 136.0),
    (1024, 600): (154.0, 86.0),
}
"""Width and height in pixels and in millimetres: 21.5, 10.1 and 7 inch."""
PAGES: Final = {
    "scanner": ("exam", "prior"),
    "rural": ("list", "exam"),
    "fracture": ("wall", "views"),
}
LANGUAGES_SHOWN: Final = ("en", "fr", "ar")
"""Of those that there is a catalogue for: one longer, one from right to left."""
COLOUR_STEP: Final = 8
"""Between two levels of a channel: surfaces keep their look, and noise its place in a small file."""
WIDEST_PX: Final = 1040
HIGHEST_COMPRESSION: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shot:
    """One picture."""

    name: str
    pixels: NDArray[np.uint8]
    """Shape (rows, columns, 3), blue first, as cv2 writes them."""


def shots(data: Path, profile: Profile, languages: tuple[str, ...]) -> Iterator[Shot]:
    """Every page of a room on every panel in every language. Needs an application; `data` is cleared."""
    layout, clock = fill_store(data, profile)
    for language in languages:
        use_language(language)
        for size in PANELS:
            yield from _pages(layout, clock, profile, size, language)
    use_language("en")


def _pages(
    layout: Layout, clock: ManualClock, profile: Profile, size: tuple[int, int], language: str
) -> Iterator[Shot]:
    window = KioskWindow(size, PANELS[size], profile=profile)
    put_band(window)
    controller = KioskController(window, lambda: StoreSource(layout, clock), clock, interval_s=1.0)
    with StoreSource(layout, clock) as source:
        board = source.read()
    controller.take_board(board)
    window.show()
    for page in PAGES[profile]:
        if page in {"prior", "views"}:
            exam_id = _exam_for(page, board, clock)
            window.exam_opened.emit(exam_id)
        if page not in {"list", "wall"}:
            window.show_exam_page()
        if page == "prior":
            window.rooms.bar.prior.click()
        if window.rooms.wall is not None:
            window.rooms.wall.thumbnails.finish()
        QApplication.processEvents()
        controller.refresh()
        QApplication.processEvents()
        suffix = "" if language == "en" else f"-{language}"
        name = f"{profile}-{page}-{size[0]}x{size[1]}{suffix}.png"
        yield Shot(name=name, pixels=_pixels(window.grab().toImage()))
    controller.stop()
    window.close()
    window.deleteLater()


def first_run_shots(data: Path, languages: tuple[str, ...]) -> Iterator[Shot]:
    """Two pages of the first run on every panel in every language. Needs an application and no store."""
    desk = FirstRunDesk(Settings(), Layout(data=data), ManualClock(), config=None)
    for language in languages:
        use_language(language)
        for size, screen_mm in PANELS.items():
            draft = replace(
                Draft(language=language), host=EVERYWHERE, senders="DXROOM1 CT2", pacs_host="10.0.0."
            )
            wizard = FirstRunWizard(desk, ManualClock(), size, screen_mm, draft=draft)
            wizard.show()
            suffix = "" if language == "en" else f"-{language}"
            for page, turn in (
                ("doors", partial(wizard.show_step, Step.INCOMING)),
                ("keyboard", partial(wizard.ask_field, FIELDS[Step.OUTGOING][0])),
            ):
                turn()
                QApplication.processEvents()
                name = f"first-run-{page}-{size[0]}x{size[1]}{suffix}.png"
                yield Shot(name=name, pixels=_pixels(wizard.grab().toImage()))
            wizard.stop()
            wizard.close()
            wizard.deleteLater()
    use_language("en")


def _exam_for(page: str, board: BoardRecord, clock: ManualClock) -> str:
    """The newest exam that has what the page is about: another view, or an earlier image."""
    for exam in board.exams:
        study = study_state(board, exam.entry.acquisition_id, now_ns=clock.monotonic_ns())
        if study is not None and (study.others if page == "views" else study.prior):
            return study.exam_id
    raise ConfigError("Nobody has it in this morning.", remedy="See appliance/selftest/demo_morning.py.")


def _pixels(image: QImage) -> NDArray[np.uint8]:
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    memory = image.constBits()
    assert memory is not None
    rows = np.frombuffer(memory.asstring(image.sizeInBytes()), np.uint8).reshape(image.height(), -1)
    coloured = rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)
    return np.ascontiguousarray(coloured[:, :, ::-1])


def write(shot: Shot, folder: Path) -> Path:
    """Save as a PNG with few colours. Raises ConfigError when the folder cannot be written to."""
    rows, columns = shot.pixels.shape[:2]
    scale = min(1.0, WIDEST_PX / columns)
    small = cv2.resize(
        shot.pixels, (round(columns * scale), round(rows * scale)), interpolation=cv2.INTER_AREA
    )
    few = np.minimum((small.astype(np.uint16) + COLOUR_STEP // 2) // COLOUR_STEP * COLOUR_STEP, 255)
    file = folder / shot.name
    if not cv2.imwrite(str(file), few.astype(np.uint8), [cv2.IMWRITE_PNG_COMPRESSION, HIGHEST_COMPRESSION]):
        raise ConfigError(f"{file} cannot be written.", remedy="Name a folder that exists with --out.")
    return file


def languages_there() -> tuple[str, ...]:
    """English, and those to show for which there is a catalogue."""
    folder = Path(__file__).parent / "locale"
    found = {code for code in LANGUAGES if (folder / code / "LC_MESSAGES" / "kiosk.mo").exists()}
    return tuple(code for code in LANGUAGES_SHOWN if code == "en" or code in found)


def application() -> QApplication:
    """An application without a display, with the kiosk's fonts."""
    existing = QApplication.instance()
    made = existing if isinstance(existing, QApplication) else QApplication(["scanside"])
    font = QFont()
    font.setFamilies(list(FAMILIES))
    made.setFont(font)
    return made


def main(*, out: Annotated[Path, typer.Option(help="Folder for the pictures; made when absent.")]) -> None:
    """Draw every page of every room on every panel, from a morning of invented patients."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("QT_ENABLE_HIGHDPI_SCALING", "0")
    os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")
    with errors_in_words(), tempfile.TemporaryDirectory() as scratch:
        held = application()
        out.mkdir(parents=True, exist_ok=True)
        for profile in PROFILES:
            for shot in shots(Path(scratch) / profile, profile, languages_there()):
                typer.echo(str(write(shot, out)))
        for shot in first_run_shots(Path(scratch) / "new", languages_there()):
            typer.echo(str(write(shot, out)))
        held.processEvents()


if __name__ == "__main__":
    typer.run(main)
