# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Updates to be tried: tiny ones, whose software can say its version only, and such of this very source.

A tiny one is a real update: wheels, pip, manifest and signature, installed by the product's own code.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.models.keys import Signer, Trust, TrustedKey, fingerprint_of
from appliance.updates.bundle import SIGNATURE, Manifest
from appliance.updates.install import this_target
from export.update import manifest_of, pack_update, signed_files

KEY: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(3, 35)))
"""Whose updates are taken here."""
SOURCES: Final = ("appliance", "export", "calibration", "ui", "benchmarks", "LICENSES")
SAYS_ITS_VERSION: Final = """import importlib.metadata
print(importlib.metadata.version("scanside"))
"""
MADE_AT: Final = "2026-12-01T00:00:00+00:00"


def trust() -> Trust:
    """One key."""
    signer = Signer(name="figure", fingerprint=fingerprint_of(KEY.public_key()))
    known = TrustedKey(signer=signer, key=KEY.public_key())
    return Trust(keys={signer.fingerprint: known}, revoked=frozenset(), problems=())


def version_of(release: int) -> str:
    """What the software of a release says."""
    return f"0.{release}.0"


def tiny_wheel(folder: Path, name: str, version: str, files: dict[str, str]) -> Path:
    """A wheel of these files, as the specification of binary distributions has it."""
    info = f"{name}-{version}.dist-info"
    content = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: figure\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [f"{path},sha256={_digest(text.encode())},{len(text)}" for path, text in content.items()]
    content[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""])
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as packed:
        for path, text in content.items():
            packed.writestr(zipfile.ZipInfo(path, date_time=(2026, 1, 1, 0, 0, 0)), text)
    return wheel


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")


def pip_wheel(folder: Path) -> Path:
    """The pip of this environment, as a wheel again."""
    found = importlib.metadata.distribution("pip")
    wheel = folder / f"pip-{found.version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as packed:
        for file in found.files or ():
            path = Path(str(found.locate_file(file)))
            if "__pycache__" not in file.parts and file.parts[0].startswith("pip") and path.is_file():
                packed.writestr(
                    zipfile.ZipInfo(file.as_posix(), date_time=(2026, 1, 1, 0, 0, 0)), path.read_bytes()
                )
    return wheel


def manifest_for(wheels: list[Path], release: int, *, floor: int = 0) -> Manifest:
    """For this machine."""
    return manifest_of(
        wheels,
        release=release,
        security_floor=floor,
        changes=(f"Release {release}.",),
        target=this_target(),
        made_at_utc=MADE_AT,
    )


def tiny(release: int, folder: Path, *, floor: int = 0) -> Path:
    """The folder of an update whose software says its version and does nothing else."""
    made = folder / f"tiny-{release}"
    if (made / SIGNATURE).exists():
        return made
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    software = {"appliance/__init__.py": "", "appliance/__main__.py": SAYS_ITS_VERSION}
    tiny_wheel(made, "scanside", version_of(release), software)
    tiny_wheel(made, "beside", "1.0", {"beside.py": "ANSWER = 42\n"})
    pip_wheel(made)
    wheels = sorted(made.iterdir())
    for name, content in signed_files(manifest_for(wheels, release, floor=floor), KEY).items():
        (made / name).write_bytes(content)
    return made


def of_this_source(release: int, folder: Path, *, migration: str = "") -> Path:
    """An update, one file, of the source that this runs from, under another number.

    `migration`: SQL of one more version of the store.
    """
    out = folder / f"scanside-{version_of(release)}.update"
    if out.exists():
        return out
    root, source = Path(__file__).resolve().parents[2], folder / f"source-{release}"
    shutil.rmtree(source, ignore_errors=True)
    for name in SOURCES:
        shutil.copytree(root / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "results"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copyfile(root / name, source / name)
    project = source / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    project.write_text(
        re.sub(r'(?m)^version = ".*"$', f'version = "{version_of(release)}"', text, count=1), encoding="utf-8"
    )
    if migration:
        (source / "appliance/store/migrations/9999_figure.sql").write_text(migration, encoding="utf-8")
    wheels = folder / f"wheels-{release}"
    shutil.rmtree(wheels, ignore_errors=True)
    wheels.mkdir(parents=True)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--no-cache-dir", "--wheel-dir", str(wheels), str(source)], check=True)
    pip_wheel(wheels)
    files = sorted(wheels.iterdir())
    pack_update(files, manifest_for(files, release), KEY, out)
    shutil.rmtree(source)
    return out
