# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A model bundle: card, graph, golden data and gate in one folder, taken whole or not at all.

The order is the point: names and kinds of files, then their hashes against SHA256SUMS, and only when
every byte is the one that was listed does a parser see any of them. Each file is read once; what was
hashed is what is parsed.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import stat
import sys
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from appliance.domain.card import ModelCard
from appliance.domain.record import from_plain
from appliance.errors import EngineError, ModelBundleError
from appliance.models.graph_rules import check_graph

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FORMAT: Final = 1
"""The version of the bundle's layout that this appliance reads."""
CARD: Final = "card.toml"
MODEL: Final = "model.onnx"
GOLDEN: Final = "golden.npz"
GATE: Final = "gate.json"
SUMS: Final = "SHA256SUMS"
SIGNATURE: Final = "SIGNATURE"
FP32: Final = "fp32"
VARIANTS: Final = MappingProxyType({"int8": "model.int8.onnx", "fp16": "model.fp16.onnx"})
"""Precision to file name of the graphs that may stand beside the float32 one."""
REQUIRED: Final = frozenset({CARD, MODEL, GOLDEN, GATE})
READ_BY_PEOPLE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}(\.(md|txt|html))?")
"""Other files that a bundle may hold: licences, notes, the report. Never parsed."""
SUM_LINE: Final = re.compile(r"([0-9a-f]{64}) [ *]([A-Za-z0-9][A-Za-z0-9._-]{0,63})")
"""As `sha256sum` writes it; the name can neither leave the folder nor hide in it."""
MAX_FILE_BYTES: Final = 512 * 1024**2
"""Of one file of a bundle: ten times the largest chest model that a small device serves (PERFORMANCE.md)."""
MAX_GOLDEN_BYTES: Final = 256 * 1024**2
"""Of all golden arrays when unpacked."""
ZIP_FAULTS: Final = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    KeyError,
    ValueError,
    RuntimeError,  # NotImplementedError too: a compression or encryption that nobody asked for
)
"""Everything that reading a damaged zip raises."""
REMEDY: Final = (
    "The bundle was refused unread. Get it again from where it was made, and compare its SHA256SUMS."
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bundle:
    """A bundle whose every byte was checked."""

    folder: Path
    card: ModelCard
    model_sha256: Mapping[str, str]
    """Precision ("fp32", and those of the card's variants) to the hash of its graph."""
    sums_sha256: str
    """Of the list itself: names this bundle down to the last byte."""
    golden_inputs: Mapping[str, NDArray[Any]]
    golden_outputs: Mapping[str, NDArray[Any]]

    @property
    def model(self) -> Path:
        """The float32 graph."""
        return self.folder / MODEL

    def model_in(self, precision: str) -> Path:
        """The graph in a precision of `model_sha256`."""
        return self.folder / _graph_file(precision)


def _graph_file(precision: str) -> str:
    return MODEL if precision == FP32 else VARIANTS[precision]


def _refused(folder: Path, why: str) -> ModelBundleError:
    return ModelBundleError(f"The model bundle {folder.name!r} is refused: {why}.", remedy=REMEDY)


def _is_expected(name: str) -> bool:
    known = name in REQUIRED or name in {SUMS, SIGNATURE} or name in VARIANTS.values()
    return known or READ_BY_PEOPLE.fullmatch(name) is not None


def _contents(folder: Path) -> dict[str, bytes]:
    """Every file of the folder by name. Refuses links, folders, devices, odd names and large files."""
    contents = {}
    try:
        if not stat.S_ISDIR(folder.lstat().st_mode):
            raise _refused(folder, "it is not a folder")
        for entry in sorted(folder.iterdir()):
            status = entry.lstat()
            if not stat.S_ISREG(status.st_mode):
                raise _refused(folder, f"{entry.name!r} is not a plain file")
            if not _is_expected(entry.name):
                raise _refused(folder, f"a bundle holds no file called {entry.name!r}")
            if status.st_size > MAX_FILE_BYTES:
                raise _refused(folder, f"{entry.name} is larger than {MAX_FILE_BYTES} bytes")
            contents[entry.name] = entry.read_bytes()
    except OSError as error:
        raise _refused(folder, f"it cannot be read ({error.strerror})") from error
    return contents


def _check_sums(folder: Path, contents: Mapping[str, bytes]) -> None:
    if SUMS not in contents:
        raise _refused(folder, f"it has no {SUMS}")
    listed: dict[str, str] = {}
    for line in contents[SUMS].decode("ascii", errors="replace").splitlines():
        match = SUM_LINE.fullmatch(line)
        if match is None or match[2] in listed:
            raise _refused(folder, f"{SUMS} has a line that is not a sum or comes twice: {line[:80]!r}")
        listed[match[2]] = match[1]
    there = contents.keys() - {SUMS, SIGNATURE}
    if listed.keys() != there:
        missing, unlisted = sorted(listed.keys() - there), sorted(there - listed.keys())
        raise _refused(folder, f"files missing: {missing}, files not listed in {SUMS}: {unlisted}")
    if not there >= REQUIRED:
        raise _refused(folder, f"files missing: {sorted(REQUIRED - there)}")
    for name, sha256 in listed.items():
        if hashlib.sha256(contents[name]).hexdigest() != sha256:
            raise _refused(folder, f"{name} is not the file that {SUMS} lists")


def _card(folder: Path, content: bytes) -> ModelCard:
    try:
        card = from_plain(ModelCard, tomllib.loads(content.decode("utf-8")))
    except ValueError as error:  # of TOML, of UTF-8 and of the card's own fields
        raise _refused(folder, f"{CARD}: {error}") from error
    if card.format != FORMAT:
        raise _refused(folder, f"its format is {card.format}; this appliance reads format {FORMAT}")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", card.task):
        raise _refused(folder, f"its task {card.task!r} is not a name in lower case")
    names = [label.name for label in card.labels]
    if len(set(names)) != len(names):
        raise _refused(folder, "two labels have one name")
    for label in card.labels:
        if not 0 <= label.sensitive_threshold <= label.specific_threshold <= 1:
            raise _refused(folder, f"the thresholds of {label.name} are not 0 <= sensitive <= specific <= 1")
        if not (np.isfinite(label.scale) and np.isfinite(label.shift)):
            raise _refused(folder, f"scale and shift of {label.name} are not numbers")
    _check_preprocessing(folder, card)
    _check_variants(folder, card)
    return card


def _check_variants(folder: Path, card: ModelCard) -> None:
    precisions = [variant.precision for variant in card.variants]
    if len(set(precisions)) != len(precisions) or not VARIANTS.keys() >= set(precisions):
        raise _refused(folder, f"its variants are {precisions}; each of {sorted(VARIANTS)} may be there once")
    outputs = {spec.name for spec in card.outputs}
    for variant in card.variants:
        if variant.tolerances.keys() != outputs or not all(
            np.isfinite(limit) and limit > 0 for limit in variant.tolerances.values()
        ):
            raise _refused(
                folder, f"its {variant.precision} variant has no tolerance above 0 for each output"
            )


def _check_preprocessing(folder: Path, card: ModelCard) -> None:
    how = card.preprocessing
    if how.kind == "slice":
        if how.multiple_of_px < 1:
            raise _refused(folder, f"multiple_of_px is {how.multiple_of_px}, not 1 or more")
    elif how.kind == "letterbox":
        low, high, size_px = how.low_percentile, how.high_percentile, how.size_px
        if low is None or high is None or not 0 <= low < high <= 100:  # percent
            raise _refused(folder, f"the percentiles {low} and {high} are not 0 <= low < high <= 100")
        if size_px is None or not 1 <= size_px <= 4096:
            raise _refused(folder, f"size_px is {size_px}, not 1 to 4096")
    else:
        raise _refused(folder, f"the preprocessing {how.kind!r} is unknown to this appliance")


def _golden(
    folder: Path, content: bytes, card: ModelCard
) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, NDArray[Any]]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_GOLDEN_BYTES:
                raise _refused(folder, f"{GOLDEN} unpacks to more than {MAX_GOLDEN_BYTES} bytes")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            golden = {name: arrays[name] for name in arrays.files}
    except ZIP_FAULTS as error:
        raise _refused(folder, f"{GOLDEN}: {error}") from error
    inputs = {f"input:{spec.name}" for spec in card.inputs}
    outputs = {f"output:{spec.name}" for spec in card.outputs}
    if golden.keys() != inputs | outputs:
        raise _refused(folder, f"{GOLDEN} holds {sorted(golden)}, not {sorted(inputs | outputs)}")
    for name, value in golden.items():
        if value.dtype.kind != "f" or value.size == 0 or not np.isfinite(value).all():
            raise _refused(folder, f"{name} in {GOLDEN} is empty or holds something other than numbers")
        value.flags.writeable = False
    return (
        MappingProxyType({name.removeprefix("input:"): golden[name] for name in sorted(inputs)}),
        MappingProxyType({name.removeprefix("output:"): golden[name] for name in sorted(outputs)}),
    )


def read_bundle(folder: Path) -> Bundle:
    """The bundle in `folder`. Raises ModelBundleError, before any parser runs if a byte is not as listed."""
    contents = _contents(folder)
    _check_sums(folder, contents)
    card = _card(folder, contents[CARD])
    graphs = {
        precision: contents.get(_graph_file(precision))
        for precision in (FP32, *(variant.precision for variant in card.variants))
    }
    unlisted = contents.keys() & {*VARIANTS.values()} - {_graph_file(precision) for precision in graphs}
    if unlisted:
        raise _refused(folder, f"its card has no variant for {sorted(unlisted)}")
    for precision, graph in graphs.items():
        name = _graph_file(precision)
        if graph is None:
            raise _refused(folder, f"its card has the variant {precision}, but there is no {name}")
        try:
            check_graph(graph, card)
        except EngineError as error:
            raise _refused(folder, f"{name}: {error.what.rstrip('.')}") from error
    try:
        json.loads(contents[GATE])
    except ValueError as error:
        raise _refused(folder, f"{GATE}: {error}") from error
    inputs, outputs = _golden(folder, contents[GOLDEN], card)
    return Bundle(
        folder=folder,
        card=card,
        model_sha256=MappingProxyType(
            {name: hashlib.sha256(graph).hexdigest() for name, graph in graphs.items() if graph is not None}
        ),
        sums_sha256=hashlib.sha256(contents[SUMS]).hexdigest(),
        golden_inputs=inputs,
        golden_outputs=outputs,
    )


def unpack_bundle(archive: Path, *, into: Path) -> Path:
    """The folder `into`/<sha256 of the archive> with the files of a zipped bundle, ready for `read_bundle`.

    Only names and sizes of the zip's list are believed, and only if harmless: no folders, links, doubles
    or encryption. Raises ModelBundleError.
    """
    try:
        if archive.is_symlink() or not archive.is_file() or archive.stat().st_size > MAX_FILE_BYTES:
            raise _refused(archive, f"it is not a plain file of at most {MAX_FILE_BYTES} bytes")
        content = archive.read_bytes()
        folder = into / hashlib.sha256(content).hexdigest()
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            entries = packed.infolist()
            names = [entry.filename for entry in entries]
            if len(set(names)) != len(names):
                raise _refused(archive, "two files in it have one name")
            for entry in entries:
                kind = stat.S_IFMT(entry.external_attr >> 16)
                if not _is_expected(entry.filename) or kind not in (0, stat.S_IFREG):
                    raise _refused(archive, f"a bundle holds no file called {entry.filename[:80]!r}")
            if sum(entry.file_size for entry in entries) > MAX_FILE_BYTES:
                raise _refused(archive, f"it unpacks to more than {MAX_FILE_BYTES} bytes")
            files = {entry.filename: packed.read(entry) for entry in entries}
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.iterdir():
            left.unlink()
        for name, data in files.items():
            (folder / name).write_bytes(data)
    except ZIP_FAULTS as error:
        raise _refused(archive, f"it cannot be unpacked ({error})") from error
    return folder
