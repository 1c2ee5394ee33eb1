# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Nothing that runs on a device loads a pickle, by whatever name, and nothing that ships holds one."""

from __future__ import annotations

import ast
import pickletools
from collections.abc import Callable
from pathlib import Path

import pytest

FilesOf = Callable[[Path], list[Path]]
LOADERS = frozenset({"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"})
"""Modules whose loading runs what was stored."""
ON_A_DEVICE = ("appliance", "ui")
SUFFIXES = frozenset({".pkl", ".pickle", ".pt", ".pth", ".joblib", ".npy", ".npz"})


def loads_pickles(source: str) -> list[str]:
    """Imports of a loader, `torch.load` and `numpy.load` that may meet a pickle; by line."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = {alias.name.split(".")[0] for alias in node.names}
            if names & LOADERS:
                found.append(f"{node.lineno}: imports {sorted(names & LOADERS)}")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in LOADERS:
            found.append(f"{node.lineno}: imports {node.module}")
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in {"np.load", "numpy.load", "torch.load"}:
            keywords = {word.arg: ast.unparse(word.value) for word in node.keywords}
            if keywords.get("allow_pickle", "False") != "False" or ast.unparse(node.func) == "torch.load":
                found.append(f"{node.lineno}: {ast.unparse(node)}")
    return found


def is_pickle(content: bytes) -> bool:
    """Whether the bytes are a pickle of protocol 2 or newer, to its end."""
    if content[:1] != b"\x80":
        return False
    try:
        return any(operation.name == "STOP" for operation, _, _ in pickletools.genops(content))
    except ValueError:
        return False


def test_no_code_on_a_device_loads_a_pickle(repository: Path, files_of: FilesOf) -> None:
    found = {
        str(path.relative_to(repository)): lines
        for path in files_of(repository)
        if path.suffix == ".py" and path.relative_to(repository).parts[0] in ON_A_DEVICE
        if (lines := loads_pickles(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_no_file_that_ships_is_a_pickle(repository: Path, files_of: FilesOf) -> None:
    shipped = [path for path in files_of(repository) if path.relative_to(repository).parts[0] in ON_A_DEVICE]
    assert any(path.suffix in SUFFIXES for path in shipped), "the golden data of the models are there"
    assert [str(path) for path in shipped if is_pickle(path.read_bytes())] == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "np.load(f, allow_pickle=True)",
        "torch.load(f)",
        "import dill as d",
    ],
)
def test_a_loader_is_seen(source: str) -> None:
    assert loads_pickles(source)


def test_a_pickle_is_seen() -> None:
    assert is_pickle(b"\x80\x04K\x01.")
    assert not is_pickle(b"\x80not one")
    assert loads_pickles("np.load(f, allow_pickle=False)") == []
