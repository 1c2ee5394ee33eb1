# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Unpacks the locked wheels of a target, and this project's own, into a folder; leaves out what no device loads.

    fill_slot.py TARGET WHEEL FOLDER

TARGET is a section of packaging/constraints/targets.toml. Same lock, same wheel: same bytes, on any machine, as
nothing is compiled here. What is left out and why stands in left_out.toml.
"""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CONSTRAINTS = HERE.parent / "constraints"
OLDEST_GLIBC = 5
"""The first glibc minor version that wheels are tagged with (PEP 600)."""
LIBRARY = re.compile(r"\.so(\.[0-9]+)*$|\.so\.[0-9a-f.]+$")
NEEDED = re.compile(r"\(NEEDED\).*\[(?P<name>[^]]+)\]")


def targets() -> dict[str, dict[str, Any]]:
    """The targets by name."""
    return tomllib.loads((CONSTRAINTS / "targets.toml").read_text(encoding="utf-8"))


def left_out() -> dict[str, Any]:
    """What left_out.toml says."""
    return tomllib.loads((HERE / "left_out.toml").read_text(encoding="utf-8"))


def platform_options(target: dict[str, Any]) -> list[str]:
    """What tells pip which machine the wheels are for."""
    machine, glibc = target["machine"], target["glibc"]
    tags = [f"manylinux_2_{minor}_{machine}" for minor in range(glibc, OLDEST_GLIBC - 1, -1)]
    tags += [f"{old}_{machine}" for old in ("manylinux2014", "manylinux2010", "manylinux1", "linux")]
    chosen = [option for tag in tags for option in ("--platform", tag)]
    return ["--only-binary", ":all:", "--implementation", "cp", "--python-version", target["python"], *chosen]


def unpack(target: dict[str, Any], wheel: Path, folder: Path) -> None:
    """Install into the folder. Raises CalledProcessError where a wheel is not to be had; pip says which."""
    # RECORD and metadata as pip writes them; no bytecode: that is of the Python of the machine.
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-deps"]
    pip += ["--no-compile", "--no-warn-conflicts", "--target", str(folder), *platform_options(target)]
    requirements = locked_without(CONSTRAINTS / target["lock"], frozenset(left_out()["distributions"]))
    subprocess.run([*pip, "--require-hashes", "-r", "/dev/stdin"], input=requirements, text=True, check=True)
    subprocess.run([*pip, "--upgrade", "--no-index", str(wheel)], check=True)


def locked_without(lock: Path, names: frozenset[str]) -> str:
    """The lock's lines but for these distributions."""
    entries = lock.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    return "\n".join(entry for entry in entries if entry.partition("==")[0] not in names) + "\n"


def drop(folder: Path, rules: list[dict[str, Any]]) -> None:
    """Remove what the rules name. Raises SystemExit at a rule that names nothing: it has grown old."""
    for rule in rules:
        found = [path for path in _files(folder) if _named(path.relative_to(folder).as_posix(), rule)]
        if not found:
            sys.exit(f"left_out.toml: nothing here is left out by the rule: {rule['why']}")
        for path in found:
            path.unlink()


def _named(name: str, rule: dict[str, Any]) -> bool:
    if any(fnmatchcase(name, pattern) for pattern in rule.get("patterns", ())):
        return True
    kept = rule.get("modules_kept")
    if kept is None or name.rpartition("/")[0] != kept["folder"] or not LIBRARY.search(name):
        return False
    return name.rpartition("/")[2].partition(".")[0] not in kept["stems"]


def drop_unneeded_libraries(folder: Path) -> list[str]:
    """Remove libraries beside the modules that nothing needs any more. Returns who still needs one that is gone.

    Only folders that hold nothing but libraries of their wheel (`X.libs`, Qt's lib) are cleared: what lies
    elsewhere may be loaded by name.
    """
    everything = {path for path in _files(folder) if LIBRARY.search(path.name)}
    idle = {
        path for path in everything if path.parent.name.endswith(".libs") or path.match("PyQt6/Qt6/lib/*.so*")
    }
    by_name = {path.name: path for path in idle}
    needed: set[Path] = set()
    queue = list(everything - idle)
    while queue:
        for name in _needs(queue.pop()):
            path = by_name.get(name)
            if path is not None and path not in needed:
                needed.add(path)
                queue.append(path)
    gone = {path.name for path in idle - needed}
    for path in idle - needed:
        path.unlink()
    return sorted(
        f"{path.relative_to(folder)} needs {name}"
        for path in everything - (idle - needed)
        for name in _needs(path)
        if name in gone
    )


def strip_debug(folder: Path, machine: str) -> None:
    """Remove what only a debugger reads from modules; their libraries were patched when packed, and stay.

    Raises SystemExit where the program for that machine is not installed.
    """
    native = os.uname().machine == machine
    program = shutil.which("strip" if native else f"{machine}-linux-gnu-strip")
    if program is None:
        package = "binutils" if native else f"binutils-{machine.replace('_', '-')}-linux-gnu"
        sys.exit(f"There is no strip for {machine} here.\nInstall it: apt-get install {package}")
    for path in _files(folder):
        if LIBRARY.search(path.name) and (".cpython-" in path.name or ".abi3." in path.name):
            subprocess.run([program, "--strip-debug", str(path)], check=True)


def _needs(library: Path) -> list[str]:
    said = subprocess.run(["readelf", "-d", str(library)], capture_output=True, text=True, check=False).stdout
    return [match["name"] for match in NEEDED.finditer(said)]


def tidy(folder: Path) -> None:
    """Records that name what is there, and no empty folders."""
    for record in folder.glob("*.dist-info/RECORD"):
        rows = [row for row in csv.reader(io.StringIO(record.read_text(encoding="utf-8"))) if row]
        kept = [row for row in rows if (folder / row[0]).is_file()]
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(sorted(kept))
        record.write_text(out.getvalue(), encoding="utf-8")
    for path in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        if not any(path.iterdir()):
            path.rmdir()


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def main() -> None:
    """The whole of it. Raises KeyError at a target that does not exist."""
    name, wheel, where = sys.argv[1:]
    folder = Path(where)
    target = targets()[name]
    unpack(target, Path(wheel), folder)
    drop(folder, left_out()["files"])
    missing = drop_unneeded_libraries(folder)
    if missing:
        sys.exit("\n".join(missing))
    strip_debug(folder, target["machine"])
    tidy(folder)


if __name__ == "__main__":
    main()
