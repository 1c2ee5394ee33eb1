# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting the kiosk: on a screen, or once into a picture file. Qt is imported here, when it is needed."""

from __future__ import annotations

import ctypes
import faulthandler
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from appliance.clock import SystemClock
from appliance.config import Settings
from appliance.errors import ConfigError, ExitCode
from appliance.layout import Layout
from appliance.logs import start_logs
from appliance.selftest.demo_play import playing
from ui.language import use_language
from ui.view_state import Profile

PACKAGES: Final = {
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libfontconfig.so.1": "libfontconfig1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
}
"""Debian packages of the libraries that `import PyQt6.QtWidgets` and a screen need (measured on Debian 12; on
Ubuntu 24.04 libglib2.0-0 is called libglib2.0-0t64)."""
NEEDED_BY: Final = {
    "xcb": tuple(name for name in PACKAGES if name.startswith(("libxcb", "libxkbcommon-x11"))),
    "wayland": tuple(name for name in PACKAGES if name.startswith("libwayland")),
}
"""What a platform needs beyond the import. Without them Qt ends the process, blaming the wrong library."""
_MISSING_LIBRARY: Final = re.compile(r"(lib[\w+.-]+\.so[.\d]*)")
QUIET: Final = "default.warning=false;qt.text.font.db.info=false"
"""Where a picture is drawn: not that there are no size hints, nor of scripts that nothing is written in."""
_DISPLAYS: Final = ("WAYLAND_DISPLAY", "DISPLAY")


def run_kiosk(  # noqa: PLR0913  one for each option of the command
    data: Path,
    settings: Settings,
    *,
    screenshot: Path | None = None,
    size: tuple[int, int] | None = None,
    profile: Profile | None = None,
    exam_id: str | None = None,
    language: str | None = None,
    demo_speed: float | None = None,
    config: Path | None = None,
    first_run: bool = False,
) -> int:
    """Show the store under `data` until the window is closed, or save one picture of it as PNG.

    `size`: width and height in pixels; None: the whole screen (1920 x 1080 for a picture). `profile`: the
    room's arrangement; None: that of the settings. `exam_id`: shown instead of the most urgent exam.
    `language`: a code of LANGUAGES; None: that of the settings.
    `demo_speed`: play a morning of invented patients in `data`, so many times as fast, while the window is
    open; None: only show what is there. `config`: the settings file that was named; `first_run`: set the
    device up first, also one that has been.
    Returns the exit code; 0 also for an empty or missing store, whose screen says so. Raises ConfigError
    when PyQt6, one of its system libraries or a display is missing, or the picture cannot be written.
    """
    _prepare_platform(offscreen=screenshot is not None)
    with _words_for_missing_qt():
        from ui.crash_guard import guard_against_faults  # noqa: PLC0415
        from ui.session import KioskSession  # noqa: PLC0415  everything of Qt is behind this line

    chosen = profile or settings.kiosk.profile
    use_language(language or settings.kiosk.language)
    require_libraries(platform_libraries())
    session = KioskSession(
        Layout(data=data), settings, SystemClock(), profile=chosen, exam_id=exam_id, config=config
    )
    if screenshot is not None:
        session.save_picture(screenshot, size or (1920, 1080))
        return ExitCode.OK
    start_logs("kiosk")
    faulthandler.enable()
    guard_against_faults()
    signal.signal(signal.SIGTERM, lambda *_: session.quit())
    signal.signal(signal.SIGINT, lambda *_: session.quit())
    if demo_speed is None:
        return session.run(size, first_run=first_run)
    with playing(data, profile=chosen, speed=demo_speed, clock=SystemClock()):
        return session.run(size)


def _prepare_platform(*, offscreen: bool) -> None:
    """Sizes come from millimetres, so Qt must not scale; a picture needs no display."""
    os.environ.setdefault("QT_ENABLE_HIGHDPI_SCALING", "0")
    if offscreen:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        os.environ.setdefault("QT_LOGGING_RULES", QUIET)
    elif "QT_QPA_PLATFORM" not in os.environ and not any(name in os.environ for name in _DISPLAYS):
        raise ConfigError(
            "There is no display: neither WAYLAND_DISPLAY nor DISPLAY is set.",
            remedy="Start it from the kiosk session, or add --screenshot FILE.png for a picture.",
        )


def platform_libraries() -> tuple[str, ...]:
    """What the platform of the environment needs."""
    default = "wayland" if "WAYLAND_DISPLAY" in os.environ else "xcb"
    return NEEDED_BY.get(os.environ.get("QT_QPA_PLATFORM", default).partition(":")[0], ())


def require_libraries(libraries: tuple[str, ...]) -> None:
    """Raises ConfigError naming the first library that cannot be loaded, and its package."""
    for library in libraries:
        try:
            ctypes.CDLL(library)
        except OSError as error:
            raise explain_missing_qt(f"{library}: {error}") from error


@contextmanager
def _words_for_missing_qt() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise explain_missing_qt(str(error)) from error


def explain_missing_qt(message: str) -> ConfigError:
    """What to install, from the text of the ImportError."""
    found = _MISSING_LIBRARY.search(message)
    if found is None:
        return ConfigError(
            f"The kiosk needs PyQt6, which is not installed ({message}).",
            remedy="Install it: pip install 'scanside[kiosk]'.",
        )
    library = found.group(1)
    package = PACKAGES.get(library)
    remedy = f"Install it: sudo apt-get install {package}." if package else f"Install {library}."
    return ConfigError(f"The kiosk cannot start: the system library {library} is missing.", remedy=remedy)
