# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A model bundle: card, graph, golden data and gate in one folder, taken whole or not at all.

The order is the point: names and kinds of files, then the signature over SHA256SUMS, then every file
against that list (contents.py), and only when every byte is one that somebody answers for does a parser
see any of them. Each file is read once; what was hashed is what is parsed. An engine gets its graph
through loading.py, which hashes it again.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from appliance.domain.card import ModelCard
from appliance.domain.record import from_plain
from appliance.errors import EngineError
from appliance.models.contents import (
    CARD,
    GATE,
    GOLDEN,
    MODEL,
    SIGNATURE,
    SUMS,
    VARIANTS,
    ZIP_FAULTS,
    Admit,
    Contents,
    Packed,
    in_folder,
    in_zip,
    known,
    refused,
    take,
)
from appliance.models.graph_rules import check_graph
from appliance.models.keys import Signer, Trust, read_trust, shipped_keys
from appliance.models.releases import Releases
from appliance.models.signature import MAX_NAME, Signed, check_signature

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FORMAT: Final = 1
"""The version of the bundle's layout that this appliance reads."""
FP32: Final = "fp32"
MAX_GOLDEN_BYTES: Final = 256 * 1024**2
"""Of all golden arrays when unpacked."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bundle:
    """A bundle whose every byte was checked."""

    folder: Path
    card: ModelCard
    model_sha256: Mapping[str, str]
    """Precision ("fp32", and those of the card's variants) to the hash of its graph."""
    sums_sha256: str
    """Of the list itself: names this bundle down to the last byte."""
    signer: Signer | None
    """Who signed it; None only where nobody had to have signed (`read_known`, `read_unsigned`)."""
    golden_inputs: Mapping[str, NDArray[Any]]
    golden_outputs: Mapping[str, NDArray[Any]]

    @property
    def model(self) -> Path:
        """The float32 graph."""
        return self.folder / MODEL

    def model_in(self, precision: str) -> Path:
        """The graph in a precision of `model_sha256`. To load it, see `loading.load_verified`."""
        return self.folder / _graph_file(precision)


def _graph_file(precision: str) -> str:
    return MODEL if precision == FP32 else VARIANTS[precision]


def _card(bundle: str, content: bytes) -> ModelCard:
    try:
        card = from_plain(ModelCard, tomllib.loads(content.decode("utf-8")))
    except ValueError as error:  # of TOML, of UTF-8 and of the card's own fields
        raise refused(bundle, f"{CARD}: {error}") from error
    if card.format != FORMAT:
        raise refused(bundle, f"its format is {card.format}; this appliance reads format {FORMAT}")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", card.task):
        raise refused(bundle, f"its task {card.task!r} is not a name in lower case")
    if not card.name.isprintable() or not 1 <= len(card.name) <= MAX_NAME or card.release < 0:
        raise refused(bundle, f"its name {card.name[:200]!r} or its release {card.release} cannot be signed")
    names = [label.name for label in card.labels]
    if len(set(names)) != len(names):
        raise refused(bundle, "two labels have one name")
    for label in card.labels:
        if not 0 <= label.sensitive_threshold <= label.specific_threshold <= 1:
            raise refused(bundle, f"the thresholds of {label.name} are not 0 <= sensitive <= specific <= 1")
        if not (np.isfinite(label.scale) and np.isfinite(label.shift)):
            raise refused(bundle, f"scale and shift of {label.name} are not numbers")
    _check_preprocessing(bundle, card)
    _check_variants(bundle, card)
    return card


def _check_variants(bundle: str, card: ModelCard) -> None:
    precisions = [variant.precision for variant in card.variants]
    if len(set(precisions)) != len(precisions) or not VARIANTS.keys() >= set(precisions):
        raise refused(bundle, f"its variants are {precisions}; each of {sorted(VARIANTS)} may be there once")
    outputs = {spec.name for spec in card.outputs}
    for variant in card.variants:
        if variant.tolerances.keys() != outputs or not all(
            np.isfinite(limit) and limit > 0 for limit in variant.tolerances.values()
        ):
            raise refused(bundle, f"its {variant.precision} variant has no tolerance above 0 for each output")


def _check_preprocessing(bundle: str, card: ModelCard) -> None:
    how = card.preprocessing
    if how.kind == "slice":
        if how.multiple_of_px < 1:
            raise refused(bundle, f"multiple_of_px is {how.multiple_of_px}, not 1 or more")
    elif how.kind == "letterbox":
        low, high, size_px = how.low_percentile, how.high_percentile, how.size_px
        if low is None or high is None or not 0 <= low < high <= 100:  # percent
            raise refused(bundle, f"the percentiles {low} and {high} are not 0 <= low < high <= 100")
        if size_px is None or not 1 <= size_px <= 4096:
            raise refused(bundle, f"size_px is {size_px}, not 1 to 4096")
        halved_px = how.smallest_halved_px
        if halved_px is not None and halved_px < size_px:
            raise refused(bundle, f"smallest_halved_px is {halved_px}, below its size_px of {size_px}")
    else:
        raise refused(bundle, f"the preprocessing {how.kind!r} is unknown to this appliance")


def _golden(
    bundle: str, content: bytes, card: ModelCard
) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, NDArray[Any]]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_GOLDEN_BYTES:
                raise refused(bundle, f"{GOLDEN} unpacks to more than {MAX_GOLDEN_BYTES} bytes")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            golden = {name: arrays[name] for name in arrays.files}
    except ZIP_FAULTS as error:
        raise refused(bundle, f"{GOLDEN}: {error}") from error
    inputs = {f"input:{spec.name}" for spec in card.inputs}
    outputs = {f"output:{spec.name}" for spec in card.outputs}
    if golden.keys() != inputs | outputs:
        raise refused(bundle, f"{GOLDEN} holds {sorted(golden)}, not {sorted(inputs | outputs)}")
    for name, value in golden.items():
        if value.dtype.kind != "f" or value.size == 0 or not np.isfinite(value).all():
            raise refused(bundle, f"{name} in {GOLDEN} is empty or holds something other than numbers")
        value.flags.writeable = False
    return (
        MappingProxyType({name.removeprefix("input:"): golden[name] for name in sorted(inputs)}),
        MappingProxyType({name.removeprefix("output:"): golden[name] for name in sorted(outputs)}),
    )


def read_bundle(folder: Path, *, trust: Trust | None = None, releases: Releases | None = None) -> Bundle:
    """The bundle in `folder`, signed with a key of `trust` (None: the keys that come with the appliance).

    `releases`: what this device has accepted so far; a lower release is refused. Raises ModelBundleError,
    and before any parser runs unless whoever is trusted signed a bundle that is wrong in itself.
    """
    packed = in_folder(folder)
    contents = take(packed, _by(packed, trust, releases))
    bundle = _understood(folder, contents)
    signed, card = contents.signed, bundle.card
    assert signed is not None  # `_by` says who, or raises
    if (signed.task, signed.name, signed.release) != (card.task, card.name, card.release):
        raise refused(
            folder.name,
            f"it was signed as release {signed.release} of {signed.name!r} for {signed.task}, but its card "
            f"says release {card.release} of {card.name!r} for {card.task}",
        )
    return bundle


def _by(packed: Packed, trust: Trust | None, releases: Releases | None) -> Admit:
    keys = read_trust((shipped_keys(),)) if trust is None else trust

    def admit(sums: bytes, signature: bytes | None) -> Signed:
        signed = check_signature(sums, signature, keys, bundle=packed.name)
        if releases is not None:
            releases.check(signed)
        return signed

    return admit


def read_known(folder: Path, *, sums_sha256: str) -> Bundle:
    """The bundle again that this process was told of by one that verified it (`Bundle.sums_sha256`).

    Raises ModelBundleError when so much as a bit has changed since.
    """
    return _understood(folder, take(in_folder(folder), known(sums_sha256, bundle=folder.name)))


def read_unsigned(folder: Path) -> Bundle:
    """The bundle in `folder`, whoever may have made it. For the workshop, before it signs; never to serve.

    Raises ModelBundleError for everything but a missing or foreign signature.
    """
    return _understood(folder, take(in_folder(folder), lambda *_: None))


def _understood(folder: Path, contents: Contents) -> Bundle:
    bundle, files = folder.name, contents.files
    card = _card(bundle, files[CARD])
    graphs = {
        precision: files.get(_graph_file(precision))
        for precision in (FP32, *(variant.precision for variant in card.variants))
    }
    unlisted = files.keys() & {*VARIANTS.values()} - {_graph_file(precision) for precision in graphs}
    if unlisted:
        raise refused(bundle, f"its card has no variant for {sorted(unlisted)}")
    for precision, graph in graphs.items():
        name = _graph_file(precision)
        if graph is None:
            raise refused(bundle, f"its card has the variant {precision}, but there is no {name}")
        try:
            check_graph(graph, card)
        except EngineError as error:
            raise refused(bundle, f"{name}: {error.what.rstrip('.')}") from error
    try:
        json.loads(files[GATE])
    except ValueError as error:
        raise refused(bundle, f"{GATE}: {error}") from error
    inputs, outputs = _golden(bundle, files[GOLDEN], card)
    return Bundle(
        folder=folder,
        card=card,
        model_sha256=MappingProxyType(
            {name: hashlib.sha256(graph).hexdigest() for name, graph in graphs.items() if graph is not None}
        ),
        sums_sha256=contents.sums_sha256,
        signer=contents.signed.signer if contents.signed else None,
        golden_inputs=inputs,
        golden_outputs=outputs,
    )


def unpack_bundle(
    archive: Path, *, into: Path, trust: Trust | None = None, releases: Releases | None = None
) -> Path:
    """The folder `into`/<sha256 of its SHA256SUMS> with the files of a zipped bundle, for `read_bundle`.

    Nothing is written before the signature and every file were checked. Raises ModelBundleError.
    """
    packed = in_zip(archive)
    contents = take(packed, _by(packed, trust, releases))
    folder = into / contents.sums_sha256
    files = {SUMS: contents.sums, SIGNATURE: contents.signature or b"", **contents.files}
    try:
        if not folder.is_dir() or {file.name: file.read_bytes() for file in folder.iterdir()} != files:
            folder.mkdir(parents=True, exist_ok=True)
            for left in folder.iterdir():
                left.unlink()
            for name, content in files.items():
                (folder / name).write_bytes(content)
    except OSError as error:
        raise refused(archive.name, f"it cannot be unpacked ({error.strerror})") from error
    return folder
