# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The locks: complete, with hashes, without addresses, of one mind, and possible on the promised Pythons."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LOCKS = {
    "run.txt": ("kiosk", "openvino"),
    "run-py310.txt": ("kiosk", "openvino"),
    "run-debian12-arm64.txt": ("kiosk", "openvino"),
    "dev.txt": ("kiosk", "openvino", "benchmarks", "dev"),
    "export.txt": ("export",),
    "rtx.txt": ("rtx",),
}
"""Lock file to the extras of pyproject.toml that it holds."""
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)")


def pins_of(text: str) -> dict[str, str]:
    """Name to version of every pin. Raises ValueError at a line that is neither a pin nor a hash."""
    pins: dict[str, str] = {}
    for entry in text.replace("\\\n", " ").splitlines():
        if not entry.strip() or entry.startswith("#"):
            continue
        match = PIN.match(entry)
        if match is None:
            raise ValueError(f"not a pin: {entry}")
        rest = entry[match.end() :].split()
        if not rest or not all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", word) for word in rest):
            raise ValueError(f"no hashes, or more than hashes: {entry}")
        pins[canonicalize_name(match["name"])] = match["version"]
    return pins


def unmet(requirements: list[str], pins: dict[str, str], *, python: str) -> list[str]:
    """Requirements (PEP 508) that the pins do not satisfy."""
    found = []
    for text in requirements:
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate({"python_version": python}):
            continue
        version = pins.get(canonicalize_name(requirement.name))
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            found.append(f"{text}: {version}")
    return found


def not_for_python(needed: dict[str, str], pins: dict[str, str], *, python: str) -> list[str]:
    """Pins whose recorded Requires-Python does not admit `python`, or that have no record."""
    found = []
    for name, version in pins.items():
        specifier = needed.get(f"{name}=={version}")
        if specifier is None or not SpecifierSet(specifier).contains(python):
            found.append(f"{name}=={version}: {specifier}")
    return found


def recorded(text: str) -> dict[str, str]:
    """ "name==version" to Requires-Python, from the lines of the record beside the lock."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {pin: specifier.strip() for pin, _, specifier in (line.partition(" ") for line in lines)}


@pytest.fixture(scope="module")
def folder(repository: Path) -> Path:
    """Where the locks lie."""
    return repository / "packaging" / "constraints"


def read(folder: Path, name: str) -> dict[str, str]:
    return pins_of((folder / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_everything_that_is_asked_for(name: str, folder: Path, repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    for extra in LOCKS[name]:
        wanted += project["project"]["optional-dependencies"][extra]
    python = "3.10" if name == "run-py310.txt" else "3.11"
    assert unmet(wanted, read(folder, name), python=python) == []


@pytest.mark.parametrize("name", ["run.txt", "export.txt", "rtx.txt"])
def test_what_is_in_two_locks_is_one_version(name: str, folder: Path) -> None:
    first = read(folder, "dev.txt")
    other = read(folder, name)
    assert {key: other[key] for key in other.keys() & first.keys()} == {
        key: first[key] for key in other.keys() & first.keys()
    }


def test_debian_12_on_arm_differs_in_qt_only(folder: Path) -> None:
    """Qt's newer wheels for arm64 ask for a newer glibc than it has."""
    ours, others = read(folder, "run-debian12-arm64.txt"), read(folder, "run.txt")
    assert ours.keys() == others.keys()
    assert {name for name in ours if ours[name] != others[name]} == {"pyqt6", "pyqt6-qt6"}


def test_torch_is_the_cpu_build_and_only_in_the_workshop(folder: Path) -> None:
    assert read(folder, "export.txt")["torch"].endswith("+cpu")
    for name in ("run.txt", "run-py310.txt", "run-debian12-arm64.txt", "dev.txt"):
        assert "torch" not in read(folder, name)
        assert not [pin for pin in read(folder, name) if pin.startswith("nvidia")]


def test_only_the_headless_opencv(folder: Path) -> None:
    """The other build brings a second Qt and takes over the kiosk's plugin folder."""
    for name in LOCKS:
        assert "opencv-python" not in read(folder, name)


def test_jetpack_6_can_have_its_lock(folder: Path) -> None:
    needed = recorded((folder / "run-py310.requires-python").read_text(encoding="utf-8"))
    assert not_for_python(needed, read(folder, "run-py310.txt"), python="3.10.12") == []


def test_a_pin_that_python_cannot_have_is_seen() -> None:
    pins = {"a": "1", "b": "2", "c": "3"}
    needed = recorded("# comment\na==1 >=3.8\nb==2 >=3.11\nc==2 >=3.8\n")
    assert not_for_python(needed, pins, python="3.10.12") == ["b==2: >=3.11", "c==3: None"]


def test_an_unmet_requirement_is_seen() -> None:
    pins = {"numpy": "1.26"}
    assert unmet(["numpy>=2.2", "tomli; python_version < '3.11'", "rich"], pins, python="3.11") == [
        "numpy>=2.2: 1.26",
        "rich: None",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "numpy==2.4.6\n",
        "--index-url mirror\nnumpy==2.4.6 --hash=sha256:" + "0" * 64,
        "numpy>=2 --hash=sha256:" + "0" * 64,
    ],
)
def test_a_loose_lock_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a pin|no hashes"):
        pins_of(text)
