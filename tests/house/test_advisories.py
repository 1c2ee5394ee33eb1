# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""No lock holds a package with a flaw that we know of; the bill of materials holds every locked package."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)", re.MULTILINE)


def known_flaws(advisories: list[dict[str, Any]], lock: str) -> list[str]:
    """Pins that are older than the first safe version."""
    found = []
    for match in PIN.finditer(lock):
        for advisory in advisories:
            if canonicalize_name(match["name"]) != canonicalize_name(advisory["package"]):
                continue
            if Version(match["version"]) < Version(advisory["safe_from"]):
                found.append(f"{match[0]}: {advisory['id']}, safe from {advisory['safe_from']}")
    return found


@pytest.fixture(scope="module")
def folder(repository: Path) -> Path:
    return repository / "packaging" / "constraints"


@pytest.fixture(scope="module")
def advisories(folder: Path) -> list[dict[str, Any]]:
    content = tomllib.loads((folder / "advisories.toml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = content["advisory"]
    return found


# Trace: REQ-043
def test_no_lock_holds_a_known_flaw(folder: Path, advisories: list[dict[str, Any]]) -> None:
    locks = sorted(folder.glob("*.txt"))
    assert locks
    assert [
        flaw for lock in locks for flaw in known_flaws(advisories, lock.read_text(encoding="utf-8"))
    ] == []


def test_every_advisory_is_whole_and_about_something_that_we_lock(
    folder: Path, advisories: list[dict[str, Any]]
) -> None:
    text = "\n".join(lock.read_text(encoding="utf-8") for lock in folder.glob("*.txt"))
    locked = {canonicalize_name(match["name"]) for match in PIN.finditer(text)}
    for advisory in advisories:
        assert set(advisory) == {"package", "id", "safe_from", "bears"}
        assert canonicalize_name(advisory["package"]) in locked, advisory["package"]
    assert len({(advisory["package"], advisory["id"]) for advisory in advisories}) == len(advisories)


def test_an_old_pin_is_seen(advisories: list[dict[str, Any]]) -> None:
    (found,) = known_flaws(advisories, "apsw==3.51.2.0 \\\n    --hash=sha256:00\nrich==14.0\n")
    assert found.startswith("apsw==3.51.2.0: SQLite WAL-reset")
    assert known_flaws(advisories, "apsw==3.51.3.0 \\\n") == []


# Trace: REQ-043
def test_the_bill_of_materials_holds_every_package(repository: Path, folder: Path, tmp_path: Path) -> None:
    """The script itself checks it against the schema of CycloneDX, and ends with an error where it fails."""
    if not (repository / ".venv" / "bin" / "cyclonedx-py").exists():
        pytest.skip("cyclonedx-bom is not installed")
    subprocess.run(
        ["bash", "packaging/setup/sbom.sh", str(tmp_path)], cwd=repository, check=True, timeout=200
    )
    bill = json.loads((tmp_path / "scanside-run.cdx.json").read_text(encoding="utf-8"))
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["name"] == "scanside"
    lock = (folder / "run.txt").read_text(encoding="utf-8")
    pins = {(canonicalize_name(match["name"]), match["version"]) for match in PIN.finditer(lock)}
    listed = {(canonicalize_name(part["name"]), part["version"]) for part in bill["components"]}
    assert pins
    assert listed == pins
    for part in bill["components"]:
        assert part["purl"].startswith("pkg:pypi/")
        hashes = [one for reference in part["externalReferences"] for one in reference.get("hashes", ())]
        assert hashes, part["name"]
