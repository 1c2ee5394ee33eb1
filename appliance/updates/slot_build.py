# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A virtual environment out of wheels, without any network, and the launcher that stands outside of it."""

from __future__ import annotations

import base64
import csv
import io
import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from importlib import resources
from pathlib import Path
from typing import Final

from appliance.durable import came_back
from appliance.errors import UpdateError
from appliance.updates.bundle import PIP_WHEEL
from appliance.updates.child import dies_with_parent
from appliance.updates.choice import python_of, slot_folder

LAUNCHER_PARTS: Final = (
    "__init__.py",
    "updates/__init__.py",
    "updates/child.py",
    "updates/choice.py",
    "updates/launcher.py",
)
"""Files of this package that run outside both slots."""
PLATFORM: Final = "platform.txt"
"""In ROOT, where the maker of the machine brings packages of his own (JetPack): their folders, one a line."""
PIP_LIMIT_S: Final = 1800.0
FIRST_WORD_LIMIT_S: Final = 120.0
SYSTEM_PATH: Final = "/usr/bin:/bin"
EPOCH: Final = (2026, 1, 1, 0, 0, 0)
"""Within the launcher's file: same content, same bytes."""
RETRY: Final = "What runs is untouched. Try again; if it fails again, get the update anew."


def build_slot(root: Path, name: str, wheels: list[Path]) -> None:
    """Make the environment and install the wheels into it. Raises UpdateError, OSError."""
    folder = slot_folder(root, name)
    venv.EnvBuilder(symlinks=True, with_pip=False).create(folder)
    layer = root / PLATFORM
    if layer.exists():
        (_site_of(folder) / "platform.pth").write_bytes(layer.read_bytes())
    (pip,) = (wheel for wheel in wheels if PIP_WHEEL.fullmatch(wheel.name))
    options = ("--no-index", "--no-deps", "--no-cache-dir", "--no-warn-script-location", "--quiet")
    rest = [str(wheel) for wheel in wheels if wheel != pip]
    command = [
        str(python_of(root, name)),
        "-I",
        str(pip / "pip"),
        "--isolated",
        "--disable-pip-version-check",
    ]
    _said([*command, "install", *options, *rest], limit_s=PIP_LIMIT_S)


def prove_slot(root: Path, name: str, *, version: str) -> None:
    """Read it back from the disk, and let it say its version. Raises UpdateError."""
    os.sync()
    _require_whole(_site_of(slot_folder(root, name)))
    said = _said([str(python_of(root, name)), "-m", "appliance", "--version"], limit_s=FIRST_WORD_LIMIT_S)
    if said != version:
        raise UpdateError(f"The new software says {said!r}, not {version!r}.", remedy=RETRY)


def _site_of(folder: Path) -> Path:
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return folder / "lib" / python / "site-packages"


def _said(command: list[str], *, limit_s: float) -> str:
    environment = {"PATH": SYSTEM_PATH, "PIP_CONFIG_FILE": os.devnull, "TMPDIR": tempfile.gettempdir()}
    try:
        done = subprocess.run(
            command,
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
            preexec_fn=dies_with_parent,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UpdateError(f"The update could not be installed: {error}.", remedy=RETRY) from error
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["nothing was said"]
        raise UpdateError(f"The update could not be installed: {lines[-1][:300]}.", remedy=RETRY)
    return done.stdout.strip()


def _require_whole(site: Path) -> None:
    """Every file as its wheel lists it, read from the disk. Raises UpdateError."""
    for record in sorted(site.glob("*.dist-info/RECORD")):
        for row in csv.reader(io.StringIO(record.read_text(encoding="utf-8"))):
            kind, _, digest = row[1].partition("=")
            if kind == "sha256" and not _same(site / row[0], digest):
                raise UpdateError(
                    f"{row[0]} did not come back from the disk as it was written.",
                    remedy="Check the disk. What runs is untouched.",
                )


def _same(file: Path, digest: str) -> bool:
    sha256 = base64.urlsafe_b64decode(digest + "=" * (-len(digest) % 4)).hex()
    try:
        return came_back(file, sha256=sha256)
    except OSError:
        return False


def launcher_file() -> bytes:
    """The launcher: one file, for any Python from 3.10 on, with nothing but the standard library."""
    packed = io.BytesIO()
    package = resources.files("appliance")
    parts = {f"appliance/{part}": (package / part).read_bytes() for part in LAUNCHER_PARTS}
    parts["__main__.py"] = b"from appliance.updates.launcher import main\n\nmain()\n"
    with zipfile.ZipFile(packed, "w") as file:
        for name in sorted(parts):
            file.writestr(zipfile.ZipInfo(name, date_time=EPOCH), parts[name])
    return packed.getvalue()
