# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Every machine that is packaged for can have its lock: there is a wheel for it of every package."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CONSTRAINTS = Path(__file__).resolve().parents[2] / "packaging" / "constraints"
TARGETS: dict[str, dict[str, Any]] = tomllib.loads((CONSTRAINTS / "targets.toml").read_text(encoding="utf-8"))
PATIENCE_S = 150
AWAY = (
    "Failed to fetch",
    "error sending request",
    "Could not connect",
    "dns error",
    "operation timed out",
    "not found in the cache",
)
"""What the resolver says when nobody answers, so when nothing is known of the wheels."""
KEYS = {"title", "lock", "python", "machine", "glibc", "architecture", "suffix"}


def resolve(target: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[str]:
    """Resolve a target's lock against its machine, with hashes, wheels only; nothing is installed.

    Not in the repository's folder: its own settings of the resolver are for developers' machines.
    """
    environment = dict(os.environ)
    # uv does not read pip's settings of where packages come from.
    for ours, pips in (("UV_FIND_LINKS", "PIP_FIND_LINKS"), ("UV_DEFAULT_INDEX", "PIP_INDEX_URL")):
        if pips in environment:
            environment.setdefault(ours, environment[pips])
    command = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", "--no-progress"]
    command += ["--dry-run", "--target", str(folder / "nowhere"), "--only-binary", ":all:"]
    command += ["--require-hashes", "--python-version", target["python"]]
    command += ["--python-platform", f"{target['machine']}-manylinux_2_{target['glibc']}"]
    command += ["--requirements", str(CONSTRAINTS / target["lock"])]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
            cwd=folder,
            env=environment,
        )
    except FileNotFoundError:
        pytest.skip("uv is not installed here")
    except subprocess.TimeoutExpired:
        pytest.skip("the package index does not answer")
    if done.returncode and any(word in done.stderr for word in AWAY):
        pytest.skip(f"the package index is away: {done.stderr.strip().splitlines()[0]}")
    return done


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_says_everything(name: str) -> None:
    target = TARGETS[name]
    assert target.keys() == KEYS
    assert (CONSTRAINTS / target["lock"]).is_file()
    assert {"x86_64": "amd64", "aarch64": "arm64"}[target["machine"]] == target["architecture"]


def test_no_two_packages_have_one_name() -> None:
    names = [(target["suffix"], target["architecture"]) for target in TARGETS.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", TARGETS)
def test_there_is_a_wheel_of_everything(name: str, tmp_path: Path) -> None:
    done = resolve(TARGETS[name], tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_lock_of_another_machine_is_seen(tmp_path: Path) -> None:
    """Qt 6.11 has no wheel for the glibc of Debian 12 on arm64."""
    done = resolve({**TARGETS["debian12-arm64"], "lock": "run.txt"}, tmp_path)
    assert done.returncode != 0
    assert "pyqt6" in done.stderr
