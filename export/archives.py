# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""PyTorch's own archives, looked through before PyTorch opens them.

Both kinds are zips. `torch.export.load` unpickles parts of its zip (weights marked so, constants,
sample inputs when they are not plain tensors) and would load compiled code from it; a file made by
`torch.save` is nothing but a pickle. So the entries are read once, held against a list of what is
harmless, and packed anew: PyTorch sees only what was looked at.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from appliance.errors import InputError

CONVERT_REMEDY: Final = (
    "Load it where it was trained and save it as safetensors "
    "(safetensors.torch.save_file(model.state_dict(), 'weights.safetensors')), then give "
    "package.module:factory with --weights weights.safetensors; or save torch.export.export(...) as .pt2."
)
MAX_UNPACKED_BYTES: Final = 4 * 1024**3
"""Of all entries: eight times the largest graph that a bundle may hold."""
PROGRAM_ENTRIES: Final = re.compile(
    r"[^/]+/(models/[^/]+\.json|data/weights/(weight_\d+|[^/]+_config\.json)"
    r"|data/constants/(tensor_\d+|[^/]+_config\.json)|data/sample_inputs/[^/]+\.pt"
    r"|archive_format|archive_version|version|byteorder|\.data/(version|serialization_id))"
)
"""What torch.export of PyTorch 2.8 and later writes for a network of plain tensors."""
PROGRAM_MARK: Final = "archive_format"
REACHES_OUT: Final = re.compile(r"\b(?:torch\.(?:save|from_file)|ops\.aten\.(?:save|from_file))\b")
"""The two operators of TorchScript that touch the disk."""


def pickle_refused(name: str) -> InputError:
    """For a file that is a pickle, or holds one."""
    return InputError(
        f"{name} is or holds a pickle: opening it would run whatever is written in it.", remedy=CONVERT_REMEDY
    )


def _entries(path: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [entry.filename for entry in archive.infolist()]
            if (
                len(set(names)) != len(names)
                or sum(e.file_size for e in archive.infolist()) > MAX_UNPACKED_BYTES
            ):
                raise InputError(
                    f"{path.name} holds a name twice, or more than {MAX_UNPACKED_BYTES} bytes.",
                    remedy=CONVERT_REMEDY,
                )
            return {name: archive.read(name) for name in names}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise pickle_refused(path.name) from error
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}.", remedy="Check the path and its rights."
        ) from error


def _packed(entries: Mapping[str, bytes]) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    buffer.seek(0)
    return buffer


def harmless_program(path: Path, torch: Any) -> io.BytesIO:
    """A `torch.export` program without anything that would be unpickled. Raises InputError."""
    entries = _entries(path)
    if not any(name.endswith(f"/{PROGRAM_MARK}") for name in entries):
        raise pickle_refused(path.name)  # written before PyTorch 2.8, or by torch.save
    foreign = sorted(name for name in entries if PROGRAM_ENTRIES.fullmatch(name) is None)
    if foreign:
        raise InputError(
            f"{path.name} holds more than a network of plain tensors: {foreign[0]!r}.", remedy=CONVERT_REMEDY
        )
    for name, content in entries.items():
        if name.endswith("_config.json") and _marks_a_pickle(path.name, content):
            raise pickle_refused(path.name)
        if "/data/sample_inputs/" in name:
            try:
                torch.load(io.BytesIO(content), weights_only=True)
            except Exception as error:
                raise pickle_refused(path.name) from error
    return _packed(entries)


def _marks_a_pickle(name: str, content: bytes) -> bool:
    """Whether an index of weights or constants says that one of them is to be unpickled."""
    try:
        config = json.loads(content)["config"]
        return any(entry["use_pickle"] is not False for entry in config.values())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{name} has an index of weights that cannot be read: {error}.", remedy=CONVERT_REMEDY
        ) from error


def harmless_script(path: Path) -> io.BytesIO:
    """TorchScript whose code does not touch the disk. Raises InputError.

    The pickles inside a TorchScript archive are read by PyTorch's own reader, which makes tensors and the
    archive's own classes and cannot call into Python.
    """
    entries = _entries(path)
    code = {name: content for name, content in entries.items() if "/code/" in name and name.endswith(".py")}
    if not code:
        raise pickle_refused(path.name)  # torch.save makes a zip with a pickle and no code
    for name, content in code.items():
        if REACHES_OUT.search(content.decode("utf-8", errors="replace")):
            raise InputError(
                f"{path.name} would read or write files when it runs: {name}.", remedy=CONVERT_REMEDY
            )
    return _packed(entries)
